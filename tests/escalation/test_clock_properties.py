"""Whatever happens to a ticket, its clocks obey I10 and I11, in memory and in the database."""

import os
from contextlib import suppress
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from escalation.clock import REGULATORY, RESUMED, Cycle, Fact, TargetSpec, read
from escalation.handover import escalate
from escalation.models import Clock, ClockKind, Vendor
from escalation.reactions import heal
from escalation.tape import replay
from escalation.verify import check_all
from roles.refusals import Refused
from roles.worktime import ALWAYS, running_seconds
from tests.escalation.test_clock import minute, office
from tests.story import PENDING, Story
from tickets import lifecycle, states, timeline
from tickets.assignment import take
from tickets.models import EventKind, Ticket
from tickets.triage import set_urgency_impact

SPECS = {
    1: TargetSpec(seconds=3600, pauses=frozenset(states.PENDING), first_s=900),
    2: TargetSpec(seconds=7200, pauses=frozenset()),
    3: TargetSpec(seconds=600, pauses=frozenset({"pending_vendor"})),
}
PLAIN = (
    *("accepted", "vendor_responded", "vendor_delivered", "vendor_released"),
    *("major_updated", "major_demoted", "notice_given", "merged"),
)
OPENING = ("vendor_engaged", "major_declared", "notice_owed")
gaps = st.integers(0, 90)
acts = st.one_of(
    st.tuples(gaps, st.just("go"), st.sampled_from(sorted(states.ALL - {states.NEW}))),
    st.tuples(gaps, st.just("move"), st.sampled_from(["escalated", "handed_back", "moved"])),
    st.tuples(gaps, st.just("say"), st.sampled_from(["agent", "requester", "note"])),
    st.tuples(gaps, st.just("tell"), st.sampled_from([*PLAIN, *OPENING])),
    st.tuples(gaps, st.just("aim"), st.sampled_from(["none", "one", "all"])),
)
lives = st.lists(acts, max_size=25)


class Life:
    """A timeline in the making, with legal changes of status only."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.at, self.status, self.entry, self.team = 0, "new", 0, 10
        self.record("opened", status="new")
        self.move("moved")

    def record(self, kind: str, /, **changed: Any) -> None:
        by = kind == "resolved"
        fact = Fact(minute(self.at), kind, changed, is_public=by, by_agent=by)
        self.facts.append(fact)

    def aim(self, which: str = "all") -> None:
        shift = len(self.facts)
        kinds = ClockKind.values if which == "all" else ClockKind.values[: which == "one"]
        targets = {kind: (1 + (n + shift) % 3, 7) for n, kind in enumerate(kinds)}
        self.facts.append(Fact(minute(self.at), "targeted", {}, targets=targets))

    def move(self, kind: str) -> None:
        if self.status not in states.OPEN:
            return
        self.entry, self.team, self.status = self.entry + 1, 21 - self.team, states.WAITING
        self.record(kind, status=self.status, entry=self.entry, team_id=self.team)
        self.aim()

    def go(self, goal: str) -> None:
        if self.status in states.FINAL or (
            self.status == states.RESOLVED and goal == states.CANCELLED
        ):
            return
        for step in states.path(self.status, goal):
            if self.status == states.RESOLVED and step == states.WAITING:
                self.entry += 1
                self.record("reopened", status=step, entry=self.entry)
                self.aim()
            else:
                self.record("resolved" if step == states.RESOLVED else step, status=step)
            self.status = step

    def say(self, who: str) -> None:
        self.facts.append(
            Fact(
                minute(self.at),
                "commented",
                {},
                is_public=who != "note",
                by_agent=who != "requester",
            )
        )

    def tell(self, kind: str) -> None:
        about = {"since": minute(self.at - 30).isoformat()} if kind == "notice_owed" else {}
        self.facts.append(Fact(minute(self.at), kind, {}, about=about))
        if kind in OPENING:
            self.aim()


def lived(wanted: list[tuple[int, str, str]]) -> list[Fact]:
    life = Life()
    for gap, verb, what in wanted:
        life.at += gap
        getattr(life, verb)(what)
    return life.facts


def cycles(facts: list[Fact]) -> list[Cycle]:
    return replay(facts, SPECS.__getitem__)


@given(lives, st.integers(0, 9000), st.integers(0, 9000))
def test_elapsed_and_remaining_make_the_target_for_every_kind(
    wanted: list[tuple[int, str, str]], one: int, other: int
) -> None:
    facts = lived(wanted)
    early, late = (facts[-1].at + timedelta(seconds=s) for s in sorted((one, other)))
    for calendar in (ALWAYS, office):
        for cycle in cycles(facts):
            before, after = read(cycle, calendar, early), read(cycle, calendar, late)
            assert before.elapsed_s <= after.elapsed_s
            if cycle.state != "running":
                assert before == after, "a clock that stands still went on"
            if before.due_at is not None:
                ran = running_seconds(calendar, cycle.started_at, before.due_at, cycle.pauses)
                assert ran == cycle.target_s
            if after.breached_at is not None:
                assert after.elapsed_s >= cycle.target_s


@given(lives)
def test_elapsed_never_falls_while_the_timeline_grows_under_the_same_target(
    wanted: list[tuple[int, str, str]],
) -> None:
    facts = lived(wanted)
    seen: dict[tuple[str, int], tuple[Cycle, float]] = {}
    for end in range(1, len(facts) + 1):
        at = facts[end - 1].at
        for cycle in cycles(facts[:end]):
            elapsed_s = read(cycle, ALWAYS, at).elapsed_s
            earlier = seen.get((cycle.kind, cycle.number))
            if earlier and earlier[0].target_id == cycle.target_id:
                assert elapsed_s >= earlier[1]
            seen[cycle.kind, cycle.number] = (cycle, elapsed_s)


@given(lives)
def test_an_ended_cycle_is_never_written_again_unless_a_reopening_resumes_it(
    wanted: list[tuple[int, str, str]],
) -> None:
    facts = lived(wanted)
    ended: dict[tuple[str, int], Cycle] = {}
    for end in range(1, len(facts) + 1):
        now = {(cycle.kind, cycle.number): cycle for cycle in cycles(facts[:end])}
        for key, cycle in ended.items():
            if key[0] not in RESUMED:
                assert now[key] == cycle
        ended = {key: cycle for key, cycle in now.items() if cycle.stopped_at is not None}


@given(lives)
def test_cycles_of_a_kind_are_numbered_once_and_follow_each_other(
    wanted: list[tuple[int, str, str]],
) -> None:
    facts = lived(wanted)
    found = cycles(facts)
    keys = [(cycle.kind, cycle.number) for cycle in found]
    assert len(keys) == len(set(keys))
    for one, two in pairwise(found):
        if one.kind == two.kind:
            assert one.stopped_at is not None, "two cycles of one kind run at once"
            if one.ended_as != "cancelled" and one.kind != REGULATORY:
                assert one.stopped_at <= two.started_at
    for cycle in found:
        assert cycle.stopped_at is None or cycle.started_at <= cycle.stopped_at


# ---- The same on a real database ---------------------------------------------------------------

DEEDS = ("take", "ask", "wait", "resume", "reply", "up", "raise", "resolve", "reopen", "cancel")
deeds = st.lists(
    st.tuples(st.integers(0, 90), st.sampled_from([*DEEDS, *PLAIN[1:-1], *OPENING])), max_size=12
)


@pytest.fixture
def site(story: Story) -> Story:
    for number, kind in enumerate(ClockKind.values):
        is_series = kind in (ClockKind.NEXT_UPDATE, ClockKind.STAKEHOLDER_UPDATE)
        story.target(
            kind,
            30 + 7 * number,
            pauses=() if kind.startswith("vendor") else PENDING,
            calendar=None if kind.startswith("vendor") else story.office,
            **({"first_seconds": 600} if is_series else {}),
        )
    Vendor.objects.create(slug="host", name="Host")
    return story


def do(story: Story, ticket: Ticket, deed: str) -> None:
    """One act of a person, or one event as another room would record it; refusals are no acts."""
    act: dict[str, Any] = {"ticket": ticket, "actor": story.agent, "clock": story.clock}
    waits = {"reason": "?"}
    people: dict[str, Any] = {
        "take": lambda: take(**act),
        "ask": lambda: lifecycle.pend(**act, **waits, status="pending_requester"),
        "wait": lambda: lifecycle.pend(**act, **waits, status="pending_vendor"),
        "resume": lambda: lifecycle.resume(**act),
        "reply": lambda: lifecycle.comment(**act, text="So far", public=True),
        "up": lambda: escalate(**act, reason_code="skill", reason="Deep"),
        "raise": lambda: set_urgency_impact(**act, impact=1, urgency=1, reason="All"),
        "resolve": lambda: lifecycle.resolve(**act, code="fixed", text="Done"),
        "reopen": lambda: lifecycle.reopen(**act, reason="No"),
        "cancel": lambda: lifecycle.cancel(**act, reason="No"),
    }
    if deed in people:
        with suppress(Refused), transaction.atomic():
            people[deed]()
        return
    with transaction.atomic():
        locked = timeline.lock(ticket.pk)
        about: dict[str, Any] = {}
        if deed == "vendor_engaged":
            about = {"vendor": Vendor.objects.get().pk, "engagement": locked.last_seq}
        if deed == "notice_owed":
            about = {"since": timeline.instant_text(story.now - timedelta(minutes=30))}
        timeline.record(locked, timeline.Entry(kind=deed, facts=about), at=story.now)


@settings(
    max_examples=settings.get_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci")).max_examples // 4,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(deeds, st.booleans())
def test_the_stored_rows_equal_the_replay_whatever_was_done(
    site: Story, wanted: list[tuple[int, str]], sweeps: bool
) -> None:
    began = site.now
    try:
        with transaction.atomic():
            ticket = site.open()
            for gap, deed in wanted:
                (site.forward if sweeps else site.sleep)(minutes=gap)
                do(site, ticket, deed)
                assert [str(found) for batch in check_all() for found in batch.findings] == []
            site.sweep()
            rows = list(Clock.objects.order_by("pk").values())
            heal([ticket.pk], clock=site.clock)
            assert list(Clock.objects.order_by("pk").values()) == rows, "healing changed a row"
            noted = Clock.objects.filter(noted_breach=True).count()
            assert noted == Clock.objects.filter(breached_at__isnull=False).count()
            assert ticket.events.filter(kind=EventKind.BREACHED).count() >= noted
            transaction.set_rollback(True)
    finally:
        site.now = began
