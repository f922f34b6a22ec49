"""Why a step fired, or did not, in plain sentences: pure text from stored facts."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from operator import attrgetter
from typing import Any, Final

from escalation import steps, triggers
from escalation.models import ClockKind
from escalation.rules import Due, Step
from escalation.runs import Prospect, step_facts
from tickets.states import LABELS
from tickets.timeline import instant_text

RULES: Final = {
    steps.CLOCK_PERCENT: "{clock} clock at {percent}%",
    steps.CLOCK_REMAINING: "{left} left on the {clock} clock",
    steps.UNACKNOWLEDGED: "not acknowledged for {delay}",
    steps.SILENT: "acknowledged, but nobody did anything for {delay}",
    steps.IN_STATUS: "{status} for {delay}",
    steps.SINCE_START: "{delay} after the policy began",
    steps.REOPENED: "reopened {times}",
    steps.HANDED_OVER: "handed over {times}",
    steps.CHASED: "chased by the requester {times}",
    steps.PING_PONG: "returned {times} to a team that it had left",
    steps.REPEATED: "{count} tickets of the same {same} within {window}",
    steps.FLAPPING: "{count} alerts within {window}",
    steps.RISK: "risk of missing a target at {percent}%",
    steps.MANUAL: "by hand",
}
"""How each trigger is said."""


_RULE: Final = attrgetter(
    "trigger",
    "clock",
    "percent",
    "remaining_s",
    "delay_s",
    "status",
    "count",
    "window_s",
    "same",
)


def duration(seconds: float) -> str:
    """Seconds in words that can be read at night: "45 s", "25 min", "3 h 05 min", "2 d 4 h"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes = whole // 60
    if minutes < 60:
        rest = whole % 60
        return f"{minutes} min {rest:02d} s" if rest and minutes < 5 else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes:02d} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def rule_of(step: Step) -> str:
    """When the step is due, as a clause."""
    return _rule_words(_RULE(step))


@lru_cache(maxsize=1024)
def _rule_words(about: tuple[Any, ...]) -> str:
    trigger, clock, percent, remaining_s, delay_s, status, count, window_s, same = about
    return RULES.get(trigger, trigger).format(
        clock=ClockKind(clock).label.lower() if clock else "",
        percent=percent,
        left=duration(remaining_s),
        delay=duration(delay_s),
        status=LABELS.get(status, status).lower(),
        times="once" if count == 1 else f"{count} times",
        count=count,
        window=duration(window_s),
        same=same,
    )


def moment(at: datetime) -> str:
    """An instant as sentences show it, in UTC."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def reading(prospect: Prospect, due: Due) -> str:
    """What the step saw that made it due, as a sentence; empty when its rule says it all."""
    view = prospect.clocks.get(due.step.clock)
    if view is not None and due.step.trigger in steps.ON_CLOCKS:
        view = view.of(due.entry)
        ran = duration(triggers.run_for(due.step, view))
        name = ClockKind(due.step.clock).label
        return f"{name} clock, cycle {view.cycle}: {ran} of {duration(view.target_s)} had run."
    if due.step.trigger == steps.UNACKNOWLEDGED:
        return _climbing(prospect, due)
    note = prospect.run.reached.get(str(due.step.id))
    if note is not None:
        unit = "%" if due.step.trigger == steps.RISK else ""
        return f"Seen: {note['seen']}{unit}."
    return ""


def _climbing(prospect: Prospect, due: Due) -> str:
    """Why a rung does not go when its delay alone would have it; empty where it does."""
    view, lines = prospect.view, []
    rungs = triggers.ladder(prospect.steps, view.base_position)
    if view.loop > 1 and view.lead_s:
        lines.append(
            f"Round {view.round} of the ladder, which began {duration(view.lead_s)} after the last."
        )
    elif view.loop > 1 and rungs:
        lines.append(f"The climb went on from “{rungs[0].name}”; delays count from there.")
    for lower, upper in pairwise(rungs):
        was_empty = view.done.get((view.loop, lower.id, view.entry)) == steps.EMPTY
        if upper.id == due.step.id and was_empty:
            lines.append(f"“{lower.name}” below it came to nobody, so that it went at once.")
    return " ".join(lines)


def seen(prospect: Prospect, due: Due, fired_at: datetime) -> dict[str, Any]:
    """What the decision went by, as data: instants in UTC, so that a page can show its own zone."""
    ticket, step = prospect.run.ticket, due.step
    clocks = {
        kind: _clock_seen(clock.cycle, clock.target_s, clock.is_live, clock.due_at)
        for kind, clock in prospect.clocks.items()
    }
    return {
        "rule": {
            "trigger": step.trigger,
            "words": rule_of(step),
            "conditions": list(step.conditions),
            "gates": dict(step.gates),
        },
        "due_at": instant_text(due.at),
        "rule_held_at": instant_text(due.threshold_at),
        "fired_at": instant_text(fired_at),
        "facts": step_facts(ticket),
        "seen": prospect.run.reached.get(str(step.id), {}).get("seen"),
        "clocks": clocks,
        "ticket": {
            "status": ticket.status,
            "priority": ticket.priority,
            "team": ticket.team_id,
            "entry": ticket.entry,
            "acknowledged": ticket.is_acknowledged,
        },
    }


@lru_cache(maxsize=4096)
def _clock_seen(
    cycle: int, target_s: int, is_live: bool, due_at: datetime | None
) -> Mapping[str, Any]:
    """A clock as data; many steps see the same ones, and nobody may change it."""
    return {
        "cycle": cycle,
        "target_s": target_s,
        "live": is_live,
        "due_at": instant_text(due_at) if due_at else None,
    }


def sentences(
    *,
    due: Due,
    policy: str,
    revision: int,
    fired_at: datetime,
    told: Sequence[str],
    left_out: Sequence[str],
    done: Sequence[str],
    seen: str = "",
    is_moved: bool = False,
) -> list[str]:
    """Rule, time, deeds, and who was told or left out, one sentence each.

    All instants are UTC. With `is_moved` the requester hears of the move, whoever else does not.
    """
    late = (fired_at - due.at).total_seconds()
    nobody = "Nobody of the service was told." if is_moved else "Nobody was told."
    lines = [
        f"Step {due.step.position} “{due.step.name}” of policy “{policy}”, revision {revision}:"
        f" {rule_of(due.step)}.",
        f"Due {moment(due.at)}; carried out {max(late, 0):.1f} s later.",
    ]
    if due.threshold_at < due.at:
        lines.append(f"Its rule held at {moment(due.threshold_at)}; it had to wait until then.")
    lines += [seen] if seen else []
    lines += [f"{deed}." for deed in done]
    lines.append("Told: " + ", ".join(told) + "." if told else nobody)
    lines += [f"Left out: {reason}." for reason in left_out]
    return lines


def skip_sentences(*, due: Due, policy: str, reason: str) -> list[str]:
    """Why a step that was due did nothing."""
    return [
        f"Step {due.step.position} “{due.step.name}” of policy “{policy}” was skipped: {reason}.",
        f"It had been due {moment(due.at)}.",
    ]
