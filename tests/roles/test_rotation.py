"""Turns change hands at local times, without gap or overlap, over both clock changes."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from roles.rotation import RotationSpec, Shift, final_shifts, gaps, on_duty, shifts

HALF_MINUTE = timedelta(seconds=30)
ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"]
CHANGES_2026 = {
    "Europe/Berlin": (date(2026, 3, 29), date(2026, 10, 25)),
    "America/New_York": (date(2026, 3, 8), date(2026, 11, 1)),
    "Australia/Lord_Howe": (date(2026, 4, 5), date(2026, 10, 4)),
    "Africa/Casablanca": (date(2026, 2, 15), date(2026, 3, 22)),
}
ANN, BEN, CAT = 1, 2, 3


def spec(zone: str = "Europe/Berlin", **changes) -> RotationSpec:
    values = {
        "zone": zone,
        "starts_on": date(2026, 1, 5),
        "handover_time": time(9, 0),
        "handover_weekday": 0,
        "shift_days": 7,
        "people": (ANN, BEN, CAT),
    }
    return RotationSpec(**{**values, **changes})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def local(zone: str, day: date, clock: time = time(0)) -> datetime:
    return datetime.combine(day, clock, ZoneInfo(zone)).astimezone(UTC)


def turn_by_counting(walked: RotationSpec, moment: datetime) -> int:
    """Whose turn it is by counting the hand-over days whose time the wall clock has passed."""
    shown = moment.astimezone(ZoneInfo(walked.zone)).replace(tzinfo=None)
    day, passed = walked.starts_on, -1
    while datetime.combine(day, walked.handover_time) <= shown:
        day, passed = day + timedelta(days=walked.shift_days), passed + 1
    return walked.people[passed % len(walked.people)]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("which", [0, 1], ids=["first change", "second change"])
@pytest.mark.parametrize("shift_days", [1, 7], ids=["daily", "weekly"])
def test_walking_in_half_minutes_over_a_clock_change(zone, which, shift_days):
    """Handing over outside the hours that are shown twice, the wall clock alone tells the turn."""
    changes_on = CHANGES_2026[zone][which]
    weekday = changes_on.weekday()
    walked = spec(
        zone,
        starts_on=changes_on - timedelta(days=28),
        handover_weekday=weekday,
        handover_time=time(4, 30),
        shift_days=shift_days,
    )
    moment, end = local(zone, changes_on) - timedelta(hours=2), local(zone, changes_on, time(12))
    listed = shifts(walked, moment, end)
    while moment < end:
        expected = turn_by_counting(walked, moment)
        assert on_duty(walked, moment) == expected, moment
        assert [s.person_id for s in listed if s.start <= moment < s.end] == [expected], moment
        moment += HALF_MINUTE


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("hour", [0, 1, 2, 3])
def test_handing_over_while_clocks_change_leaves_no_gap_and_no_overlap(zone, hour):
    for changes_on in CHANGES_2026[zone]:
        walked = spec(zone, handover_time=time(hour, 15), shift_days=1)
        moment = local(zone, changes_on) - timedelta(hours=1)
        listed = shifts(walked, moment, moment + timedelta(hours=30))
        seen = []
        for _ in range(30 * 120):
            [one] = [s for s in listed if s.start <= moment < s.end]
            assert on_duty(walked, moment) == one.person_id
            if not seen or seen[-1] != one.person_id:
                seen.append(one.person_id)
            moment += HALF_MINUTE
        assert len(seen) == len(listed)
        assert len(seen) in {2, 3}


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25)])
def test_the_shift_over_a_clock_change_is_shorter_or_longer(day, hours):
    daily = spec(shift_days=1, handover_time=time(0))
    start = local("Europe/Berlin", date.fromisoformat(day))
    first = shifts(daily, start, start + timedelta(days=2))[0]
    assert first.end - first.start == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("moment", "person"),
    [
        ("2026-01-05 07:59:59", None),  # before the rotation starts at 09:00 in Berlin
        ("2026-01-05 08:00", ANN),
        ("2026-01-12 07:59:59", ANN),
        ("2026-01-12 08:00", BEN),
        ("2026-01-26 08:00", ANN),
        ("2026-06-01 06:59:59", CAT),
        ("2026-06-01 07:00", ANN),  # summer: 09:00 is an hour earlier
    ],
)
def test_weekly_turns(moment, person):
    assert on_duty(spec(), at(moment)) == person


def test_starting_in_mid_week_the_first_person_serves_a_shorter_first_turn():
    walked = spec(starts_on=date(2026, 1, 7))
    assert on_duty(walked, at("2026-01-06 12:00")) is None
    assert on_duty(walked, at("2026-01-07 08:00")) == ANN
    assert on_duty(walked, at("2026-01-12 08:00")) == BEN


def test_turns_of_three_days_count_from_the_start_and_ignore_the_weekday():
    walked = spec(starts_on=date(2026, 1, 7), shift_days=3)
    assert [
        s.start.day for s in shifts(walked, at("2026-01-01 00:00"), at("2026-01-16 00:00"))
    ] == [
        7,
        10,
        13,
    ]


def test_a_rotation_without_people_has_nobody_on_duty():
    empty = spec(people=())
    assert on_duty(empty, at("2026-02-01 00:00")) is None
    assert shifts(empty, at("2026-02-01 00:00"), at("2026-03-01 00:00")) == []


def test_shifts_are_cut_to_the_range_asked_for():
    start, end = at("2026-01-14 00:00"), at("2026-01-20 00:00")
    assert shifts(spec(), start, end) == [
        Shift(BEN, start, at("2026-01-19 08:00")),
        Shift(CAT, at("2026-01-19 08:00"), end),
    ]


def test_an_override_wins_and_splits_the_shift_below():
    start, end = at("2026-01-06 00:00"), at("2026-01-10 00:00")
    override = Shift(CAT, at("2026-01-07 00:00"), at("2026-01-08 00:00"))
    assert final_shifts([spec()], [override], start, end) == [
        Shift(ANN, start, override.start),
        override,
        Shift(ANN, override.end, end),
    ]


def test_a_later_rotation_wins_over_an_earlier_one():
    start, end = at("2026-01-06 00:00"), at("2026-01-10 00:00")
    upper = spec(people=(BEN,), starts_on=date(2026, 1, 8))
    assert final_shifts([spec(), upper], [], start, end) == [
        Shift(ANN, start, at("2026-01-08 08:00")),
        Shift(BEN, at("2026-01-08 08:00"), end),
    ]


def test_whoever_is_absent_lets_the_layer_below_show_through():
    start, end = at("2026-01-06 00:00"), at("2026-01-10 00:00")
    override = Shift(CAT, at("2026-01-07 00:00"), at("2026-01-08 00:00"))
    assert final_shifts([spec()], [override], start, end, {CAT: start}) == [Shift(ANN, start, end)]
    assert final_shifts([spec()], [], start, end, {ANN: start}) == []


def test_neighbouring_shifts_of_one_person_are_one():
    start, end = at("2026-01-06 00:00"), at("2026-02-06 00:00")
    assert final_shifts([spec(people=(ANN,))], [], start, end) == [Shift(ANN, start, end)]


def test_gaps_are_where_nobody_serves():
    start, end = at("2026-01-01 00:00"), at("2026-01-20 00:00")
    final = final_shifts([spec()], [], start, end, {BEN: start})
    assert gaps(final, start, end) == [
        (start, at("2026-01-05 08:00")),
        (at("2026-01-12 08:00"), at("2026-01-19 08:00")),
    ]
    assert gaps([], start, end) == [(start, end)]


@pytest.mark.parametrize("wrong", [{"shift_days": 0}, {"handover_weekday": 7}])
def test_a_rotation_that_cannot_turn_is_refused(wrong):
    with pytest.raises(ValueError, match=r"shift|weekday"):
        spec(**wrong)
