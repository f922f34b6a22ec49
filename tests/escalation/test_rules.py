"""The pure decision in tables: when steps are due, when gates open, and what of it goes."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escalation import gates
from escalation.checking import check_policy
from escalation.rules import OVERTAKEN, begins_again, decide, dues
from escalation.steps import ClockView, RunView, Step
from roles.worktime import ALWAYS, WorkCalendar

T0 = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PAGE = ({"do": "page", "to": ["on_call"]},)
MOVE = ({"do": "move", "to": "next_tier"},)


def view(**about: object) -> RunView:
    base = {
        "loop": 1,
        "entry": 1,
        "entry_origin": 1,
        "waiting_since": T0,
        "frozen": (),
        "is_acknowledged": False,
        "status": "waiting_for_support",
        "status_since": T0,
        "status_entry": 1,
        "priority": 1,
        "repeat_limit": 0,
        "repeat_after_s": 600,
        "started_at": T0,
    }
    return RunView(**(base | about))  # type: ignore[arg-type]


def step(number: int, trigger: str = "unacknowledged", **about: object) -> Step:
    about.setdefault("actions", PAGE)
    return Step(id=number, position=number, name=f"S{number}", trigger=trigger, **about)  # type: ignore[arg-type]


def clock(target_s: int) -> ClockView:
    return ClockView(
        cycle=1,
        target_s=target_s,
        is_live=True,
        crossing=lambda seconds: T0 + timedelta(seconds=seconds),
    )


def minutes(found: list) -> list[tuple[int, float]]:
    return [(due.step.id, (due.at - T0) / MINUTE) for due in found]


@pytest.mark.parametrize(
    ("one", "clocks", "about", "expected"),
    [
        (step(1, delay_s=300), {}, {}, [(1, 5)]),
        (step(1, delay_s=300), {}, {"is_acknowledged": True}, []),
        (step(1, delay_s=300), {}, {"lead_s": 600, "loop": 2, "base_position": 1}, [(1, 10)]),
        (step(1, "clock_remaining", clock="r", remaining_s=600), {"r": clock(3600)}, {}, [(1, 50)]),
        (step(1, "clock_remaining", clock="r", remaining_s=600), {"r": clock(300)}, {}, [(1, 0)]),
        (step(1, "clock_percent", clock="r", percent=150), {"r": clock(3600)}, {}, [(1, 90)]),
        (step(1, "since_start", delay_s=600), {}, {"is_acknowledged": True}, [(1, 10)]),
        (step(1, "silent", delay_s=600), {}, {}, []),
        (
            step(1, "silent", delay_s=600),
            {},
            {"is_acknowledged": True, "heard_at": T0 + 5 * MINUTE, "heard_entry": 7},
            [(1, 15)],
        ),
        (step(1, "reopened", count=2), {}, {}, []),
        (step(1, "reopened", count=2), {}, {"reached": {1: (1, T0 + MINUTE)}}, [(1, 1)]),
        (step(1, "manual"), {}, {}, []),
        (step(1, delay_s=300), {}, {"is_held": True}, []),
        (
            step(1, delay_s=300),
            {},
            {"is_held": True, "held_until": T0 + 30 * MINUTE},
            [(1, 30)],
        ),
        (step(1, delay_s=300), {}, {"postponed": {(1, 1, 1): T0 + 9 * MINUTE}}, [(1, 9)]),
        (step(1, delay_s=300, gates={"priorities": [2], "otherwise": "hold"}), {}, {}, []),
    ],
)
def test_when_a_step_is_due(one, clocks, about, expected) -> None:
    assert minutes(dues(view(**about), [one], clocks, ALWAYS)) == expected


def test_of_one_clock_only_the_highest_threshold_goes_whichever_way_it_is_put() -> None:
    steps = [
        step(1, "clock_percent", clock="r", percent=50),
        step(2, "clock_remaining", clock="r", remaining_s=600),
        step(3, "clock_percent", clock="other", percent=10),
    ]
    coming = dues(view(), steps, {"r": clock(3600), "other": clock(3600)}, ALWAYS)
    decision = decide(coming, T0 + timedelta(hours=2))
    assert [due.step.id for due in decision.fire] == [3, 2]
    assert [(due.step.id, why) for due, why in decision.skip] == [(1, OVERTAKEN)]


def test_a_step_that_may_not_go_does_not_keep_a_lower_one_from_going() -> None:
    steps = [
        step(1, delay_s=60),
        step(2, delay_s=120, conditions=({"fact": "vip", "is": True},)),
    ]
    decision = decide(dues(view(facts={"vip": False}), steps, {}, ALWAYS), T0 + 5 * MINUTE)
    assert [due.step.id for due in decision.fire] == [1]
    assert [why for _, why in decision.skip] == ["vip is True does not hold"]


def test_a_move_goes_alone_and_leaves_the_rungs_of_its_entry_behind() -> None:
    steps = [
        step(1, delay_s=60),
        step(2, delay_s=60, actions=MOVE),
        step(3, "since_start", delay_s=60),
    ]
    decision = decide(dues(view(), steps, {}, ALWAYS), T0 + MINUTE)
    assert [due.step.id for due in decision.fire] == [2]
    assert [due.step.id for due in decision.behind] == [1]
    assert decision.skip == ()


def test_a_round_begins_only_when_the_ladder_is_used_up_and_rounds_are_left() -> None:
    steps = [step(1, delay_s=0), step(2, delay_s=60)]
    done = {(4, 1, 1): "fired", (4, 2, 1): "skipped"}
    run = view(loop=4, round=1, repeat_limit=1, done=done)
    assert begins_again(run, steps)
    assert not begins_again(view(loop=4, round=2, repeat_limit=1, done=done), steps)
    assert not begins_again(view(loop=4, repeat_limit=1, done={(4, 1, 1): "fired"}), steps)


BERLIN = {"from": "08:00", "until": "18:00", "zone": "Europe/Berlin"}


@pytest.mark.parametrize(
    ("gate", "at", "opens"),
    [
        (BERLIN, "2026-03-02T07:00", "2026-03-02T07:00"),
        (BERLIN, "2026-03-02T06:59", "2026-03-02T07:00"),
        (BERLIN, "2026-03-02T17:00", "2026-03-03T07:00"),
        # The night in which clocks go forward: 08:00 comes an hour sooner.
        (BERLIN, "2026-03-28T18:00", "2026-03-29T06:00"),
        ({**BERLIN, "weekdays": [0]}, "2026-03-02T18:00", "2026-03-09T07:00"),
        ({"from": "22:00", "until": "06:00"}, "2026-03-02T05:59", "2026-03-02T05:59"),
        ({"from": "22:00", "until": "06:00"}, "2026-03-02T06:00", "2026-03-02T22:00"),
        # The night belongs to the day on which it begins.
        (
            {"from": "22:00", "until": "06:00", "weekdays": [4]},
            "2026-03-07T03:00",
            "2026-03-07T03:00",
        ),
        (
            {"from": "22:00", "until": "06:00", "weekdays": [5]},
            "2026-03-07T03:00",
            "2026-03-07T22:00",
        ),
        ({"weekdays": [2]}, "2026-03-02T12:00", "2026-03-04T00:00"),
    ],
)
def test_when_a_gate_opens(gate: dict, at: str, opens: str) -> None:
    moment = datetime.fromisoformat(at + "+00:00")
    assert gates.next_opening(gate, moment, ALWAYS) == datetime.fromisoformat(opens + "+00:00")


def test_the_hours_of_a_team_open_where_its_calendar_opens() -> None:
    office = WorkCalendar.build("Europe/Berlin", [(day, 540, 1020) for day in range(5)])
    saturday = datetime(2026, 3, 7, 12, tzinfo=UTC)
    monday = datetime(2026, 3, 9, 8, tzinfo=UTC)
    assert gates.next_opening({"zone": "team"}, saturday, office) == monday
    assert gates.next_opening({"zone": "team"}, monday, office) == monday


@given(
    at=st.datetimes(
        min_value=datetime(2026, 1, 1), max_value=datetime(2026, 12, 31), timezones=st.just(UTC)
    ),
    opens=st.integers(0, 1439),
    shuts=st.integers(0, 1439),
    days=st.sets(st.integers(0, 6), min_size=1),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu"]),
)
def test_a_gate_never_opens_early_and_is_open_when_it_opens(at, opens, shuts, days, zone) -> None:
    gate = {
        "weekdays": sorted(days),
        "from": f"{opens // 60:02d}:{opens % 60:02d}",
        "until": f"{shuts // 60:02d}:{shuts % 60:02d}",
    }
    opening = gates.opening_in(gate, at, ZoneInfo(zone))
    assert opening is not None
    assert opening >= at
    assert gates.opening_in(gate, opening, ZoneInfo(zone)) == opening


GOOD = {"name": "Tell", "actions": [{"do": "notify", "to": ["lead"]}]}


@pytest.mark.parametrize(
    ("about", "path"),
    [
        ({"trigger": "clock_remaining", "clock": "resolution"}, "remaining_s"),
        ({"trigger": "silent"}, "delay_s"),
        ({"trigger": "since_start", "delay_s": -1}, "delay_s"),
        ({"trigger": "reopened"}, "count"),
        ({"trigger": "ping_pong", "count": 0}, "count"),
        ({"trigger": "repeated", "count": 2, "window_s": 60}, "same"),
        ({"trigger": "repeated", "count": 2, "window_s": 60, "same": "moon"}, "same"),
        ({"trigger": "flapping", "count": 2}, "window_s"),
        ({"trigger": "risk", "percent": 101}, "percent"),
        ({"trigger": "manual", "gates": {"zone": "Mars/Base"}}, "gates"),
        ({"trigger": "manual", "gates": {"weekdays": [7]}}, "gates"),
        ({"trigger": "manual", "gates": {"from": "25:00"}}, "gates"),
        ({"trigger": "manual", "gates": {"moon": 1}}, "gates"),
        ({"trigger": "manual", "conditions": [{"fact": "moon", "is": 1}]}, "conditions.1"),
        ({"trigger": "manual", "typo": 1}, "typo"),
    ],
)
def test_each_mistake_of_a_step_is_named_by_its_path(about: dict, path: str) -> None:
    assert list(check_policy([], [{**GOOD, **about}])) == [f"steps.1.{path}"]


def test_a_policy_stops_on_known_words_only() -> None:
    assert list(check_policy([], [{**GOOD, "trigger": "manual"}], ["dawn"])) == ["stop_on"]
