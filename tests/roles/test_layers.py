"""Layers limited to hours, of hours and in zones of their own agree with the wall clock."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roles.rotation import Phase, RotationSpec, Shift, final_shifts, on_duty, served, shifts
from tests.roles.test_rotation import CHANGES_2026, HALF_MINUTE, at, local, spec

ANN, BEN, CAT = 1, 2, 3
NIGHTS = tuple((day, 18 * 60, 32 * 60) for day in range(5))
WEEKEND = ((5, 0, 1440), (6, 0, 1440))
ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]


def by_wall(zone: str, moment: datetime) -> datetime:
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("which", [0, 1], ids=["first change", "second change"])
def test_nights_and_weekends_follow_the_wall_clock_over_a_change(zone, which):
    """The wall clock alone says which layer serves; its hours lie outside those shown twice."""
    changes_on = CHANGES_2026[zone][which]
    days = spec(zone, people=(ANN,))
    nights = spec(zone, people=(BEN,), restrictions=NIGHTS)
    weekend = spec(zone, people=(CAT,), restrictions=WEEKEND)
    moment = local(zone, changes_on) - timedelta(hours=30)
    end = moment + timedelta(hours=72)
    listed = final_shifts([days, nights, weekend], [], moment, end)
    while moment < end:
        wall = by_wall(zone, moment)
        minute, weekday = wall.hour * 60 + wall.minute, wall.weekday()
        night = (minute >= 1080 and weekday < 5) or (minute < 480 and 1 <= weekday <= 5)
        expected = CAT if weekday > 4 else BEN if night else ANN
        assert [s.person_id for s in listed if s.start <= moment < s.end] == [expected], wall
        assert on_duty(nights, moment) == (BEN if night else None)
        moment += HALF_MINUTE


@pytest.mark.parametrize("zone", [*ZONES, "Antarctica/Troll"])
@pytest.mark.parametrize("hours", [1, 5, 8, 12])
def test_turns_of_hours_follow_each_other_without_gap_over_a_change(zone, hours):
    changes = CHANGES_2026.get(zone, (date(2026, 3, 29), date(2026, 10, 25)))
    for changes_on in changes:
        walked = spec(
            zone,
            shift_days=None,
            shift_hours=hours,
            starts_on=changes_on - timedelta(days=3),
            handover_time=time(2, 15),
        )
        moment = local(zone, changes_on) - timedelta(hours=4)
        end = moment + timedelta(hours=34)
        listed = shifts(walked, moment, end)
        assert all(one.end == two.start for one, two in pairwise(listed))
        assert (listed[0].start, listed[-1].end) == (moment, end)
        while moment < end:
            [one] = [s for s in listed if s.start <= moment < s.end]
            assert on_duty(walked, moment) == one.person_id
            moment += HALF_MINUTE


def test_turns_of_eight_hours_change_hands_at_the_same_local_times_all_year():
    walked = spec(shift_days=None, shift_hours=8, handover_time=time(6))
    for month in (2, 7):
        start = local("Europe/Berlin", date(2026, month, 10), time(6))
        found = shifts(walked, start, start + timedelta(days=1))
        assert [by_wall("Europe/Berlin", s.start).hour for s in found] == [6, 14, 22]


def test_layers_of_two_zones_follow_the_sun():
    berlin = spec(people=(ANN,), restrictions=tuple((d, 480, 1080) for d in range(7)))
    new_york = spec(
        "America/New_York", people=(BEN,), restrictions=tuple((d, 540, 1440) for d in range(7))
    )
    found = final_shifts([berlin, new_york], [], at("2026-07-07 00:00"), at("2026-07-08 00:00"))
    assert found == [
        Shift(BEN, at("2026-07-07 00:00"), at("2026-07-07 04:00")),
        Shift(ANN, at("2026-07-07 06:00"), at("2026-07-07 13:00")),
        Shift(BEN, at("2026-07-07 13:00"), at("2026-07-08 00:00")),
    ]


def test_whoever_leaves_serves_until_then():
    start, left, end = at("2026-01-06 00:00"), at("2026-01-07 12:00"), at("2026-01-08 00:00")
    under = spec(people=(BEN,))
    found = final_shifts([under, spec(people=(ANN,))], [], start, end, {ANN: left})
    assert found == [Shift(ANN, start, left), Shift(BEN, left, end)]


def test_a_later_decision_takes_over_from_what_was_planned():
    start, end = at("2026-02-02 00:00"), at("2026-02-12 00:00")
    first = Phase(start, (spec(people=(ANN,)),))
    planned = Phase(at("2026-02-08 00:00"), (spec(people=(BEN,)),))
    sooner = Phase(at("2026-02-05 00:00"), (spec(people=(CAT,)),))
    assert served([first, planned], [], start, end) == [
        Shift(ANN, start, planned.begins),
        Shift(BEN, planned.begins, end),
    ]
    assert served([first, planned, sooner], [], start, end) == [
        Shift(ANN, start, sooner.begins),
        Shift(CAT, sooner.begins, end),
    ]


@pytest.mark.parametrize(
    "wrong", [{"shift_hours": 8}, {"shift_days": None}, {"restrictions": ((7, 0, 60),)}]
)
def test_a_layer_that_cannot_turn_is_refused(wrong):
    with pytest.raises(ValueError, match=r"length|Weekday"):
        spec(**wrong)


# ---- Whatever the layers are -------------------------------------------------------------------

people = st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple)
windows = st.lists(
    st.builds(
        lambda day, start, length: (day, start, min(start + length, 2880)),
        st.integers(0, 6),
        st.integers(0, 1439),
        st.integers(1, 2000),
    ),
    max_size=4,
).map(tuple)


@st.composite
def layers(draw) -> RotationSpec:
    in_hours = draw(st.booleans())
    return RotationSpec(
        zone=draw(st.sampled_from([*ZONES, "Africa/Casablanca", "Asia/Kathmandu", "UTC"])),
        starts_on=date(2026, 1, 1) + timedelta(days=draw(st.integers(0, 330))),
        handover_time=time(draw(st.integers(0, 23)), draw(st.sampled_from([0, 15, 30, 59]))),
        handover_weekday=draw(st.integers(0, 6)),
        shift_days=None if in_hours else draw(st.sampled_from([1, 2, 3, 7, 14])),
        shift_hours=draw(st.sampled_from([1, 3, 8, 12, 36])) if in_hours else None,
        people=draw(people),
        restrictions=draw(windows),
    )


near_changes = st.sampled_from([day for days in CHANGES_2026.values() for day in days])


@given(
    specs=st.lists(layers(), max_size=4),
    day=near_changes | st.dates(date(2026, 1, 1), date(2026, 12, 31)),
    cuts=st.lists(st.integers(0, 5 * 1440), max_size=6, unique=True),
    away=st.dictionaries(st.integers(1, 4), st.integers(-1440, 6 * 1440), max_size=2),
    data=st.data(),
)
def test_final_shifts_are_disjoint_ordered_and_agree_with_who_is_on_duty(
    specs, day, cuts, away, data
):
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=2)
    end = start + timedelta(days=5)
    marks = [start + timedelta(minutes=n) for n in sorted(cuts)]
    overrides = [
        Shift(data.draw(st.integers(1, 4)), a, b)
        for a, b in zip(marks[::2], marks[1::2], strict=False)
    ]
    absent = {person: start + timedelta(minutes=n) for person, n in away.items()}
    found = final_shifts(specs, overrides, start, end, absent)
    assert all(shift.start < shift.end for shift in found)
    assert all(one.end <= two.start for one, two in pairwise(found))
    assert all(start <= shift.start and shift.end <= end for shift in found)
    edges = [moment for shift in found for moment in (shift.start, shift.end)]
    walked = [start + timedelta(minutes=37 * n) for n in range(194)]
    for moment in [*walked, *(e for e in edges if e < end)]:
        candidates = [o.person_id for o in overrides if o.start <= moment < o.end]
        candidates += [p for s in reversed(specs) if (p := on_duty(s, moment)) is not None]
        present = [p for p in candidates if p not in absent or moment < absent[p]]
        assert [s.person_id for s in found if s.start <= moment < s.end] == present[:1], moment
