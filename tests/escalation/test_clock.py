"""The clocks follow from the timeline alone: tables of single rules, then properties."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from escalation.clock import Cycle, Fact, TargetSpec, crossing, read
from escalation.tape import replay
from roles.worktime import ALWAYS, WorkCalendar, running_seconds
from tickets import states

NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOUR = TargetSpec(seconds=3600, pauses=frozenset(states.PENDING))
LENIENT = TargetSpec(seconds=7200, pauses=frozenset())
SPECS = {1: HOUR, 2: LENIENT, 3: replace(HOUR, seconds=600)}


def minute(number: float) -> datetime:
    return NINE + timedelta(minutes=number)


def fact(at: float, kind: str = "x", /, **more: Any) -> Fact:
    changed = {name: more.pop(name) for name in ("status", "entry", "team_id") if name in more}
    return Fact(at=minute(at), kind=kind, changed=changed, **more)


def aim(at: float, **targets: int | None) -> Fact:
    chosen = {kind: (target, 7) if target else None for kind, target in targets.items()}
    return Fact(at=minute(at), kind="targeted", changed={}, targets=chosen)


def born(**targets: int | None) -> list[Fact]:
    """A ticket that enters team 10 at nine."""
    return [
        fact(0, status="new"),
        fact(0, status="waiting_for_support", entry=1, team_id=10),
        aim(0, **targets),
    ]


def cycles(*facts: Fact) -> Mapping[tuple[str, int], Cycle]:
    return {(cycle.kind, cycle.number): cycle for cycle in replay(facts, SPECS.__getitem__)}


def elapsed_min(cycle: Cycle, at: float) -> float:
    return read(cycle, ALWAYS, minute(at)).elapsed_s / 60


def due_min(cycle: Cycle, at: float) -> float | None:
    due = read(cycle, ALWAYS, minute(at)).due_at
    return (due - NINE).total_seconds() / 60 if due else None


def test_a_clock_runs_from_the_birth_of_its_ticket() -> None:
    clock = cycles(*born(resolution=1))["resolution", 1]
    assert clock.state == "running"
    assert (elapsed_min(clock, 25), due_min(clock, 25)) == (25, 60)


def test_a_pending_status_stops_the_clock_and_moves_the_deadline() -> None:
    told = [
        *born(resolution=1),
        fact(10, status="in_progress"),
        fact(20, status="pending_requester"),
        fact(50, status="in_progress"),
    ]
    paused = cycles(*told[:-1])["resolution", 1]
    assert (paused.state, elapsed_min(paused, 45), due_min(paused, 45)) == ("paused", 20, None)
    resumed = cycles(*told)["resolution", 1]
    assert (resumed.state, elapsed_min(resumed, 60), due_min(resumed, 60)) == ("running", 30, 90)


def test_a_ticket_never_breaches_while_it_is_pending() -> None:
    told = [*born(resolution=1), fact(1, status="in_progress"), fact(2, status="pending_vendor")]
    clock = cycles(*told)["resolution", 1]
    assert read(clock, ALWAYS, minute(10_000)).breached_at is None


def test_pausing_and_resuming_at_the_same_instant_changes_nothing() -> None:
    told = [
        *born(resolution=1),
        fact(5, status="in_progress"),
        fact(9, status="pending_vendor"),
        fact(9, status="in_progress"),
    ]
    assert cycles(*told)["resolution", 1].pauses == ()


def test_a_changed_target_is_computed_from_the_start_with_the_pauses_kept() -> None:
    told = [
        *born(resolution=2),
        fact(5, status="in_progress"),
        fact(10, status="pending_requester"),
        fact(40, status="in_progress"),
        aim(50, resolution=1),
    ]
    clock = cycles(*told)["resolution", 1]
    # Under the first target nothing paused; the new one honours the half hour of waiting.
    assert (elapsed_min(clock, 50), due_min(clock, 50)) == (20, 90)


def test_a_shorter_target_may_be_breached_at_once_at_its_own_deadline() -> None:
    clock = cycles(*born(resolution=2), aim(30, resolution=3))["resolution", 1]
    assert read(clock, ALWAYS, minute(30)).breached_at == minute(10)


def test_a_missed_clock_runs_on_to_show_how_late_it_is() -> None:
    clock = cycles(*born(resolution=1))["resolution", 1]
    reading = read(clock, ALWAYS, minute(100))
    assert (reading.breached_at, reading.elapsed_s) == (minute(60), 6000)


def test_the_first_public_reply_of_an_agent_ends_the_first_response() -> None:
    told = [
        *born(first_response=1),
        fact(3, "commented", is_public=True),
        fact(4, "commented", by_agent=True),
        fact(9, "commented", is_public=True, by_agent=True),
        fact(20, "commented", is_public=True, by_agent=True),
    ]
    clock = cycles(*told)["first_response", 1]
    assert (clock.ended_as, clock.stopped_at) == ("met", minute(9))


def test_each_entry_into_a_team_starts_a_fresh_acceptance_and_ends_the_old_one() -> None:
    told = [
        *born(acceptance=1),
        fact(15, "escalated", entry=2, team_id=11),
        aim(15, acceptance=1),
        fact(25, status="in_progress"),
    ]
    found = cycles(*told)
    assert (found["acceptance", 1].ended_as, found["acceptance", 1].stopped_at) == (
        "moved",
        minute(15),
    )
    second = found["acceptance", 2]
    assert (second.started_at, second.ended_as, second.team_id) == (minute(15), "met", 11)


def test_a_hand_back_ends_the_receivers_cycle_as_handed_back() -> None:
    told = [
        *born(acceptance=1),
        fact(5, "escalated", entry=2, team_id=11),
        aim(5, acceptance=1),
        fact(8, "handed_back", entry=3, team_id=10),
    ]
    assert cycles(*told)["acceptance", 2].ended_as == "handed_back"


def test_the_customers_clock_runs_on_through_hand_overs() -> None:
    told = [*born(resolution=1), fact(15, "escalated", entry=2, team_id=11), aim(15, resolution=1)]
    clock = cycles(*told)["resolution", 1]
    assert (clock.started_at, elapsed_min(clock, 30)) == (NINE, 30)


def test_reopening_resumes_the_same_cycle_with_the_solved_time_as_a_pause() -> None:
    told = [
        *born(resolution=1),
        fact(10, status="in_progress"),
        fact(20, "resolved", status="resolved"),
    ]
    solved = cycles(*told)["resolution", 1]
    assert (solved.state, solved.ended_as, elapsed_min(solved, 500)) == ("stopped", "met", 20)
    reopened = cycles(*told, fact(80, status="waiting_for_support", entry=2))["resolution", 1]
    assert (reopened.state, elapsed_min(reopened, 90), due_min(reopened, 90)) == (
        "running",
        30,
        120,
    )


def test_closing_freezes_the_clock_at_its_resolution() -> None:
    told = [*born(resolution=1), fact(20, status="resolved"), fact(9000, status="closed")]
    clock = cycles(*told)["resolution", 1]
    assert (clock.stopped_at, clock.ended_as) == (minute(20), "met")


def test_cancelling_ends_every_clock_as_cancelled() -> None:
    found = cycles(*born(resolution=1, first_response=1), fact(5, status="cancelled"))
    assert {cycle.state for cycle in found.values()} == {"cancelled"}


def test_a_clock_without_a_target_any_more_ends_and_a_later_target_counts_from_the_birth() -> None:
    told = [*born(resolution=1), aim(10, resolution=None), aim(20, resolution=1)]
    found = cycles(*told)
    assert found["resolution", 1].ended_as == "cancelled"
    assert (found["resolution", 2].started_at, found["resolution", 2].state) == (NINE, "running")


# ---- properties --------------------------------------------------------------------------------

moves = st.lists(
    st.tuples(
        st.floats(0, 600, allow_nan=False).map(lambda value: round(value, 3)),
        st.sampled_from([*sorted(states.OPEN - {states.NEW}), "resolved"]),
        st.sampled_from([1, 2, 3]),
    ),
    max_size=12,
)
office = WorkCalendar.build("Europe/Berlin", [(day, 540, 1020) for day in range(5)])


def legal_timeline(wanted: list[tuple[float, str, int]]) -> list[Fact]:
    """A timeline that makes only legal changes, at the wanted moments."""
    told = born(resolution=1, acceptance=1)
    status, entry, at = states.WAITING, 1, 0.0
    for gap, goal, target in wanted:
        at += gap
        if goal == states.WAITING and status == states.RESOLVED:
            entry += 1
        for step in states.path(status, goal):
            told.append(fact(at, status=step, entry=entry, team_id=10))
        status = goal
        told.append(aim(at, resolution=target, acceptance=1))
    return told


@given(moves, st.floats(0, 5000), st.floats(0, 5000))
def test_elapsed_and_remaining_make_the_target_and_elapsed_never_falls(
    wanted: list[tuple[float, str, int]], one: float, other: float
) -> None:
    told = legal_timeline(wanted)
    for calendar in (ALWAYS, office):
        for cycle in replay(told, SPECS.__getitem__):
            spec = SPECS[cycle.target_id]
            end = told[-1].at
            early, late = sorted((end + timedelta(minutes=one), end + timedelta(minutes=other)))
            before, after = (read(cycle, calendar, at) for at in (early, late))
            assert before.elapsed_s <= after.elapsed_s
            if cycle.state == "paused" or cycle.stopped_at:
                assert before.elapsed_s == after.elapsed_s
            if before.due_at is not None:
                until_due = running_seconds(calendar, cycle.started_at, before.due_at, cycle.pauses)
                assert until_due == spec.seconds


@given(moves, st.integers(0, 40))
def test_a_replay_does_not_depend_on_how_often_it_was_read(
    wanted: list[tuple[float, str, int]], cut: int
) -> None:
    told = legal_timeline(wanted)
    part = replay(told[: 3 + cut], SPECS.__getitem__)
    whole = replay(told, SPECS.__getitem__)
    ended_then = [item for item in part if item.stopped_at and item.kind == "acceptance"]
    assert all(item in whole for item in ended_then), "an ended cycle was re-written"
    assert replay(told, SPECS.__getitem__) == whole


@given(moves, st.integers(1, 200))
def test_a_threshold_is_crossed_when_exactly_that_much_has_run(
    wanted: list[tuple[float, str, int]], share: int
) -> None:
    for cycle in replay(legal_timeline(wanted), SPECS.__getitem__):
        seconds = SPECS[cycle.target_id].seconds * share / 100
        at = crossing(cycle, office, seconds)
        if at is not None:
            assert running_seconds(office, cycle.started_at, at, cycle.pauses) == seconds
