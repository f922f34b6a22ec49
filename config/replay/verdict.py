"""Judges a replay: what fired and how late, and whether anything was lost or came twice.

Timeline, firings, outbox and the mail catcher are read independently and joined here.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db.models import Count

from config.replay.player import Played
from escalation import verify as clocks
from escalation.models import Escalation, Firing, Run
from notifications.models import Message, MessageState
from roles.models import Team
from tickets import verify as timelines
from tickets.models import EventKind, TimelineEvent

OVERDUE: Final = timedelta(seconds=10)
SKIPPED: Final = Firing.Outcome.SKIPPED
_KEY = re.compile(rb"^X-Tierline-Key: *(\S+)\r?$", re.MULTILINE)


class Mailbag:
    """Counts the mails that reached the catcher by key; look often, it keeps only the newest."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self.keys: Counter[str] = Counter()

    def look(self) -> None:
        for path in Path(settings.MAIL_FOLDER).glob("[0-9]*.eml"):
            if path.name not in self._seen:
                self._seen.add(path.name)
                found = _KEY.search(path.read_bytes())
                self.keys[found[1].decode() if found else f"no key: {path.name}"] += 1


@dataclass(slots=True)
class Verdict:
    """Everything the closing table shows. `lost` and `doubled` name what is wrong, if anything."""

    lateness_s: list[float]
    steps: Counter[tuple[str, str, str]]
    escalations: Counter[tuple[str, str]]
    messages: Counter[str]
    mails: int
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)

    def percentile(self, share: float) -> float:
        """The lateness in seconds that this share of the firings did not exceed; 0 without any."""
        ordered = sorted(self.lateness_s)
        place = max(0, math.ceil(share * len(ordered)) - 1)
        return ordered[place] if ordered else 0.0


def overdue_steps(now: datetime) -> list[str]:
    """Steps that were due well before `now` and have not been carried out."""
    late = Run.objects.filter(state=Run.State.ACTIVE, next_at__lt=now - OVERDUE)
    return [
        f"{key}: a step due {due:%H:%M:%S} has not fired"
        for key, due in late.order_by("next_at").values_list("ticket__key", "next_at")
    ]


def judge(mailbag: Mailbag, overdue: Iterable[str]) -> Verdict:
    """Join what the play has left behind; the outbox must be empty by now."""
    firings = list(Firing.objects.select_related("step__revision__policy"))
    tiers = dict(Team.objects.values_list("pk", "tier__name"))
    steps: Counter[tuple[str, str, str]] = Counter()
    for firing in firings:
        name = f"{firing.step.revision.policy.name}: {firing.step.name}"
        place = firing.explain.get("ticket", {}).get("team")
        steps[name, tiers.get(place, "skipped"), firing.outcome] += 1
    passed = Escalation.objects.values_list("type", "from_team__tier__name", "to_team__tier__name")
    verdict = Verdict(
        lateness_s=[
            (firing.fired_at - firing.due_at).total_seconds()
            for firing in firings
            if firing.outcome != SKIPPED
        ],
        steps=steps,
        escalations=Counter((kind, f"{left} to {to or 'people'}") for kind, left, to in passed),
        messages=Counter(Message.objects.values_list("state", flat=True)),
        mails=mailbag.keys.total(),
        lost=list(overdue),
    )
    _join_timeline(verdict, firings)
    _join_messages(verdict, firings)
    _join_mails(verdict, mailbag)
    verdict.lost += [str(item) for batch in timelines.check_all() for item in batch.findings]
    verdict.lost += [str(item) for batch in clocks.check_all() for item in batch.findings]
    return verdict


def _join_timeline(verdict: Verdict, firings: Sequence[Firing]) -> None:
    """Each firing has one event, and each such event its firing."""
    kinds = (EventKind.FIRED, EventKind.SKIPPED)
    told = Counter(
        event.facts["firing"] for event in TimelineEvent.objects.filter(kind__in=kinds).iterator()
    )
    known = {firing.pk for firing in firings}
    verdict.lost += [f"firing {pk} has no event" for pk in sorted(known - set(told))]
    verdict.lost += [f"firing {pk} is told of but not there" for pk in sorted(set(told) - known)]
    verdict.doubled += [f"firing {pk} has {n} events" for pk, n in told.items() if n > 1]
    per_step = Counter((item.run_id, item.loop, item.step_id, item.entry) for item in firings)
    verdict.doubled += [f"step {key} fired {n} times" for key, n in per_step.items() if n > 1]


def _join_messages(verdict: Verdict, firings: Sequence[Firing]) -> None:
    """Everybody whom a firing says it told has one message of it, and nobody has two."""
    by_cause: dict[str, set[int]] = {}
    for cause, person_id in Message.objects.values_list("cause", "recipient_id"):
        by_cause.setdefault(cause, set()).add(person_id)
    for firing in firings:
        told = {person["person"] for person in firing.explain.get("told", ())}
        for person_id in sorted(told - by_cause.get(firing.cause, set())):
            verdict.lost.append(f"{firing.cause} told person {person_id} without a message")
    twice = Message.objects.values("cause", "recipient_id", "channel").annotate(n=Count("pk"))
    for row in twice.filter(n__gt=1):
        verdict.doubled.append(f"{row['cause']} has {row['n']} messages to {row['recipient_id']}")


def _join_mails(verdict: Verdict, mailbag: Mailbag) -> None:
    """Each message that went out came out of the line once; no other mail did.

    One that was withdrawn at the very moment of its sending says both, and counts as sent.
    """
    rows = Message.objects.values_list("key", "state", "sent_at")
    gone_out = {key for key, _, sent_at in rows if sent_at is not None}
    states: dict[str, str] = {key: state for key, state, _ in rows}
    for key, state in states.items():
        if state in (MessageState.QUEUED, MessageState.DEAD):
            verdict.lost.append(f"message {key} is {state}")
        if key in gone_out and key not in mailbag.keys:
            verdict.lost.append(f"message {key} was sent and never arrived")
    for key, times in mailbag.keys.items():
        if times > 1:
            verdict.doubled.append(f"message {key} arrived {times} times")
        if key not in gone_out:
            verdict.doubled.append(f"mail {key} arrived, its message is {states.get(key, 'none')}")


def table(verdict: Verdict, played: Played) -> list[str]:
    """The closing table."""
    fired = [outcome for _, _, outcome in verdict.steps.elements() if outcome != SKIPPED]
    lines = _step_table(verdict)
    lines += ["", "Passed on or called for authority, from tier to tier:"]
    lines += [f"  {n:6}  {kind}: {way}" for (kind, way), n in sorted(verdict.escalations.items())]
    refused = ", ".join(f"{deed} {code} {n}" for (deed, code), n in sorted(played.refused.items()))
    lines += [
        "",
        f"Acts as in the log: {played.done.total()} ({_counted(played.done)}) in "
        f"{played.took_s:.0f} s, the latest {played.slowest_s:.1f} s behind its time.",
        f"Refused because the engine had moved the ticket: {played.refused.total()} "
        f"({refused or 'none'}); others did {played.stepped_in} of these, {played.dropped} were "
        "dropped.",
        f"Messages: {verdict.messages.total()} ({_counted(verdict.messages)}); "
        f"mails caught: {verdict.mails}.",
        f"Lateness of {len(fired)} firings: p50 {verdict.percentile(0.5):.2f} s, "
        f"p99 {verdict.percentile(0.99):.2f} s, max {verdict.percentile(1):.2f} s.",
        f"Lost: {len(verdict.lost)}. Double: {len(verdict.doubled)}.",
    ]
    lines += [f"  lost: {words}" for words in verdict.lost[:20]]
    lines += [f"  double: {words}" for words in verdict.doubled[:20]]
    return lines


def _step_table(verdict: Verdict) -> list[str]:
    places = sorted({place for _, place, _ in verdict.steps if place != "skipped"})
    names = sorted({name for name, _, _ in verdict.steps})
    width = max([len(name) for name in names] + [20])
    head = f"{'fired, by step and tier':{width}}" + "".join(f"{p:>8}" for p in places)
    head += f"{'all':>8}{'empty':>8}{'skipped':>9}"
    lines = [head, "-" * len(head)]
    for name in names:
        cells, outcomes = Counter[str](), Counter[str]()
        for (step, place, outcome), n in verdict.steps.items():
            if step == name:
                cells[place] += n
                outcomes[outcome] += n
        total = sum(cells[place] for place in places)
        lines.append(
            f"{name:{width}}"
            + "".join(f"{cells[p]:>8}" for p in places)
            + f"{total:>8}{outcomes['empty']:>8}{outcomes['skipped']:>9}"
        )
    return lines


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {n}" for name, n in sorted(counts.items())) or "none"
