"""Mistakes that other products make with clocks, each as the rule that forbids it."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from escalation.clock import Cycle, Fact, read
from escalation.handover import escalate
from escalation.models import Clock
from escalation.tape import replay
from roles.worktime import ALWAYS, WorkCalendar, running_seconds
from tests.escalation.test_clock import (
    HOUR,
    NINE,
    SPECS,
    aim,
    born,
    fact,
    legal_timeline,
    minute,
    moves,
)
from tests.story import Story
from tickets.assignment import take
from tickets.lifecycle import comment, pend
from tickets.models import EventKind


def only(told: list[Fact], kind: str) -> Cycle:
    (cycle,) = [item for item in replay(told, SPECS.__getitem__) if item.kind == kind]
    return cycle


def test_a_ticket_does_not_breach_while_it_waits_for_its_requester(story: Story) -> None:
    story.target("resolution", 60)
    ticket = story.open()
    act = {"ticket": ticket, "actor": story.agent, "clock": story.clock}
    take(**act)
    story.forward(minutes=59)
    pend(**act, status="pending_requester", reason="Which one?")
    story.forward(days=30)
    assert Clock.objects.get().breached_at is None
    assert not ticket.events.filter(kind=EventKind.BREACHED).exists()


@given(moves, st.sampled_from([1, 2, 3]))
def test_a_change_of_priority_neither_loses_pending_time_nor_counts_it_twice(
    wanted: list[tuple[float, str, int]], last: int
) -> None:
    # Whatever targets came before: the clock reads as if the last one had held from the start.
    told = [*legal_timeline(wanted), aim(0, resolution=last)]
    told[-1] = Fact(told[-2].at, "targeted", {}, targets={"resolution": (last, 7)})
    steady = [
        Fact(item.at, item.kind, item.changed, targets=item.targets and {"resolution": (last, 7)})
        for item in told
    ]
    as_of = told[-1].at + timedelta(hours=1)
    found, wished = only(told, "resolution"), only(steady, "resolution")
    if found.stopped_at is None:
        assert (found.pauses, found.target_s) == (wished.pauses, wished.target_s)
        assert read(found, ALWAYS, as_of) == read(wished, ALWAYS, as_of)


def test_an_update_target_never_overrules_a_shorter_first_response(story: Story) -> None:
    story.target("next_update", 240)
    story.target("first_response", 15)
    ticket = story.open()
    row = Clock.objects.get()
    assert (row.kind, story.fresh(ticket).next_due_at) == (
        "first_response",
        story.now + timedelta(minutes=15),
    )
    comment(ticket=ticket, actor=story.agent, text="We look", public=True, clock=story.clock)
    assert Clock.objects.get(state="running").kind == "next_update"


def test_a_hand_over_stops_the_clocks_of_the_team_that_it_leaves(story: Story) -> None:
    story.target("acceptance", 10)
    story.target("time_in_team", 60)
    ticket = story.open()
    story.forward(minutes=5)
    escalate(
        ticket=ticket, actor=story.agent, reason_code="skill", reason="Deep", clock=story.clock
    )
    left = Clock.objects.filter(team=story.desk)
    assert {(row.state, row.ended_as) for row in left} == {("stopped", "moved")}
    story.forward(hours=5)
    assert set(
        Clock.objects.filter(breached_at__isnull=False).values_list("team__slug", flat=True)
    ) == {"apps"}


@given(st.sets(st.integers(0, 20), max_size=15), st.integers(0, 6 * 24 * 60), st.integers(1, 40))
def test_excluded_days_never_make_a_deadline_sooner(
    excluded: set[int], opened: int, hours: int
) -> None:
    week = [(day, 540, 1020) for day in range(5)]
    days_off = [date(2026, 3, 2) + timedelta(days=day) for day in excluded]
    plain = WorkCalendar.build("Europe/Berlin", week)
    closed = WorkCalendar.build("Europe/Berlin", week, days_off)
    start = NINE + timedelta(minutes=opened)
    cycle = Cycle("resolution", 1, None, 1, 7, start, target_s=hours * 3600)
    sooner, later = (read(cycle, calendar, start).due_at for calendar in (plain, closed))
    assert sooner <= later
    assert running_seconds(closed, start, later, ()) == hours * 3600


def test_excluded_days_do_not_pause_a_clock_that_counts_every_hour() -> None:
    told = [*born(resolution=1), fact(5, status="in_progress")]
    assert read(only(told, "resolution"), ALWAYS, minute(60)).breached_at == minute(
        HOUR.seconds / 60
    )
