"""Working time is exact and additive over clock changes, leap days and year ends."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roles.worktime import (
    ALWAYS,
    NeverOpen,
    WorkCalendar,
    instant_after,
    running_seconds,
)
from tests.roles.slow_clock import instant_of, minute_of, open_minutes

ZONES = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Asia/Kathmandu",
]
DAY = 1440
MICRO = timedelta(microseconds=1)
every_zone = pytest.mark.parametrize("zone", ZONES)


# ---- What hypothesis draws from ----------------------------------------------------------------


@lru_cache
def telling_days(zone: str) -> list[date]:
    """Days of clock changes, leap days and year ends, from 2000 to 2060."""
    tz = ZoneInfo(zone)
    days = [date(year, 2, 29) for year in range(2000, 2061, 4)]
    days += [date(year, 12, 31) for year in range(2000, 2061, 5)]
    for number in range((date(2061, 1, 1) - date(2000, 1, 1)).days):
        day = date(2000, 1, 1) + timedelta(days=number)
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=tz)
        if noon.utcoffset() != (noon - timedelta(days=1)).utcoffset():
            days.append(day)
    return days


def instants(zone: str, *, unit: timedelta = timedelta(minutes=1)) -> st.SearchStrategy[datetime]:
    """Instants within two days of a telling day, or of any day up to 2100."""
    near = st.one_of(
        st.sampled_from(telling_days(zone)),
        st.sampled_from(telling_days(zone)),
        st.dates(date(2000, 1, 10), date(2099, 12, 20)),
    )
    most = timedelta(days=2) // unit
    return st.builds(
        lambda day, n: datetime(day.year, day.month, day.day, tzinfo=UTC) + n * unit,
        near,
        st.integers(-most, most),
    )


def span(weekday: int, start: int, length: int) -> tuple[int, int, int]:
    return weekday, start, min(start + length, 2 * DAY)


any_span = st.builds(
    span,
    st.integers(0, 6),
    st.one_of(st.sampled_from([0, 60, 90, 120, 150, 180, 540]), st.integers(0, DAY - 1)),
    st.one_of(st.sampled_from([30, 60, 480, 1440]), st.integers(1, 2 * DAY)),
)
# Clocks change in the small hours of a Sunday: spans that start or end right there.
night_span = st.one_of(
    st.tuples(st.just(6), st.integers(0, 200), st.integers(201, 600)),
    st.tuples(st.just(6), st.just(0), st.integers(60, 200)),
    st.tuples(st.just(5), st.integers(720, DAY - 1), st.integers(DAY + 60, DAY + 200)),
)
spans_of_a_week = st.lists(any_span | night_span, max_size=7)
lengths = st.integers(0, 3 * DAY)
weekdays_off = st.lists(st.integers(-1, 4), max_size=3)


def around(at: datetime, offsets: list[int]) -> list[date]:
    return [at.date() + timedelta(days=n) for n in offsets]


# ---- Properties, in every zone -----------------------------------------------------------------


@every_zone
@given(data=st.data(), spans=spans_of_a_week, off=weekdays_off, length=lengths)
def test_measuring_agrees_with_counting_open_minutes(zone, data, spans, off, length):
    start = data.draw(instants(zone))
    end = start + timedelta(minutes=length)
    days_off = around(start, off)
    calendar = WorkCalendar.build(zone, spans, days_off)
    expected = open_minutes(zone, spans, days_off, minute_of(start), minute_of(end) + 1)
    assert calendar.measure(start, end) == 60 * sum(expected[:-1])
    for place in range(0, len(expected), 97):
        assert calendar.is_open(start + timedelta(minutes=place)) == expected[place]


@every_zone
@given(data=st.data(), spans=spans_of_a_week, off=weekdays_off)
def test_measuring_in_two_pieces_gives_the_whole_and_adding_undoes_it(zone, data, spans, off):
    start = data.draw(instants(zone, unit=MICRO))
    apart = st.integers(0, 400 * DAY * 60 * 10**6) | st.integers(0, 3 * DAY * 60 * 10**6)
    a, b, c = sorted([start, start + data.draw(apart) * MICRO, start + data.draw(apart) * MICRO])
    calendar = WorkCalendar.build(zone, spans, around(b, off))
    whole, left, right = calendar.measure(a, c), calendar.measure(a, b), calendar.measure(b, c)
    assert round(whole * 1e6) == round(left * 1e6) + round(right * 1e6)
    if calendar.is_open(b - MICRO):
        assert calendar.add(a, left) == b or a == b
    assert calendar.add(b, 0) == b


@every_zone
@given(data=st.data(), spans=spans_of_a_week, off=weekdays_off, length=st.integers(1, 3 * DAY))
def test_adding_finds_the_earliest_instant(zone, data, spans, off, length):
    start = data.draw(instants(zone))
    days_off = around(start, off)
    calendar = WorkCalendar.build(zone, spans, days_off)
    minutes = open_minutes(zone, spans, days_off, minute_of(start), minute_of(start) + length)
    if not any(minutes):
        assert calendar.measure(start, start + timedelta(minutes=length)) == 0
        return
    need = data.draw(st.integers(1, sum(minutes)))
    found = calendar.add(start, need * 60)
    passed = [place for place, yes in enumerate(minutes) if yes]
    assert found == start + timedelta(minutes=passed[need - 1] + 1)
    assert calendar.measure(start, found) == need * 60
    assert calendar.measure(start, found - MICRO) < need * 60


@every_zone
@given(
    data=st.data(),
    spans=spans_of_a_week,
    cuts=st.lists(st.integers(0, 3 * DAY), max_size=6, unique=True),
    ends_open=st.booleans(),
)
def test_pauses_take_out_exactly_their_open_minutes(zone, data, spans, cuts, ends_open):
    start = data.draw(instants(zone))
    marks = [start + timedelta(minutes=n) for n in sorted(cuts)]
    pauses = [(a, b) for a, b in zip(marks[::2], marks[1::2], strict=False)]
    if ends_open and len(marks) % 2:
        pauses.append((marks[-1], None))
    calendar = WorkCalendar.build(zone, spans)
    low, high = minute_of(start), minute_of(start) + 3 * DAY
    minutes = open_minutes(zone, spans, (), low, high)
    for begins, ends in pauses:
        until = high if ends is None else minute_of(ends)
        minutes[minute_of(begins) - low : until - low] = [False] * (until - minute_of(begins))
    assert running_seconds(calendar, start, instant_of(high), pauses) == 60 * sum(minutes)
    passed = [place for place, yes in enumerate(minutes) if yes]
    if passed:
        need = data.draw(st.integers(1, len(passed)))
        expected = start + timedelta(minutes=passed[need - 1] + 1)
        assert instant_after(calendar, start, need * 60, pauses) == expected
    if pauses and pauses[-1][1] is None:
        assert instant_after(calendar, start, 60 * len(passed) + 60, pauses) is None


# ---- Tables ------------------------------------------------------------------------------------


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def office(zone: str = "Europe/Berlin", days_off: tuple[date, ...] = ()) -> WorkCalendar:
    return WorkCalendar.build(zone, [(day, 540, 1020) for day in range(5)], days_off)


def sundays(zone: str) -> WorkCalendar:
    """Open all Sunday, and on no other day."""
    return WorkCalendar.build(zone, [(6, 0, 1440)])


@pytest.mark.parametrize(
    ("zone", "sunday", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("America/New_York", "2026-03-08", 23),
        ("America/New_York", "2026-11-01", 25),
        ("Australia/Lord_Howe", "2026-10-04", 23.5),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("Africa/Casablanca", "2026-02-15", 25),
        ("Africa/Casablanca", "2026-03-22", 23),
        ("America/Santiago", "2026-09-06", 23),
        ("Asia/Beirut", "2026-03-29", 23),
        ("America/Havana", "2026-11-01", 25),
        ("Asia/Kathmandu", "2026-03-29", 24),
    ],
)
def test_a_whole_day_has_as_many_hours_as_its_clocks_show(zone, sunday, hours):
    noon = at(f"{sunday} 12:00")
    calendar = sundays(zone)
    week = timedelta(days=3)
    assert calendar.measure(noon - week, noon + week) == hours * 3600


@pytest.mark.parametrize(
    ("start", "seconds", "expected"),
    [
        ("2026-11-06 15:30", 1800, "2026-11-06 16:00"),  # to closing time, not to Monday
        ("2026-11-06 15:30", 1801, "2026-11-09 08:00:01"),  # over the weekend
        ("2026-11-07 10:00", 0, "2026-11-07 10:00"),  # nothing to add: stays where it is
        ("2026-11-07 10:00", 60, "2026-11-09 08:01"),  # starts while closed
        ("2026-03-27 15:00", 7200, "2026-03-30 08:00"),  # over the change to summer time
        ("2026-10-23 14:00", 7200, "2026-10-26 09:00"),  # and back to winter time
        ("2026-12-31 15:59:59", 2, "2027-01-01 08:00:01"),  # over the year's end
        ("2028-02-28 15:00", 3600 * 9, "2028-02-29 16:00"),  # into the leap day
    ],
)
def test_adding_office_hours_in_berlin(start, seconds, expected):
    assert office().add(at(start), seconds) == at(expected)


def test_a_day_off_closes_the_tail_of_the_night_before():
    nights = [(day, 22 * 60, 30 * 60) for day in range(7)]
    calendar = WorkCalendar.build("Europe/Berlin", nights, [date(2026, 12, 25)])
    assert calendar.measure(at("2026-12-24 20:00"), at("2026-12-25 12:00")) == 2 * 3600
    assert calendar.measure(at("2026-12-25 12:00"), at("2026-12-26 12:00")) == 6 * 3600


def test_a_day_off_on_the_short_day_takes_23_hours():
    with_it = WorkCalendar.build("Europe/Berlin", [(d, 0, 1440) for d in range(7)])
    without = WorkCalendar.build(
        "Europe/Berlin", [(d, 0, 1440) for d in range(7)], [date(2026, 3, 29)]
    )
    week = at("2026-03-25 00:00"), at("2026-04-01 00:00")
    assert with_it is ALWAYS
    assert with_it.measure(*week) - without.measure(*week) == 23 * 3600


@pytest.mark.parametrize("zone", ["America/Havana", "America/St_Johns", "America/Santiago"])
def test_a_day_off_takes_every_minute_of_its_date_where_clocks_change_at_midnight(zone):
    hours = [(d, 0, 1440) for d in range(7)]
    for year in (2005, 2010, 2024):
        for number in range(366):
            day = date(year, 1, 1) + timedelta(days=number)
            noon = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(zone))
            if noon.utcoffset() == (noon - timedelta(days=1)).utcoffset():
                continue
            closed = WorkCalendar.build(zone, hours, [day - timedelta(days=1)])
            low = minute_of(noon.astimezone(UTC) - timedelta(days=2))
            for minute in range(low, low + 3 * DAY):
                local = instant_of(minute).astimezone(ZoneInfo(zone))
                if local.date() == day - timedelta(days=1):
                    assert not closed.is_open(instant_of(minute)), local


def test_a_long_span_of_the_old_year_reaches_into_the_new_one():
    calendar = WorkCalendar.build("America/New_York", [(2, 720, 2 * DAY)])
    assert calendar.measure(at("2027-01-01 00:00"), at("2027-01-01 12:00")) == 5 * 3600
    assert calendar.measure(at("2026-12-31 00:00"), at("2027-01-01 12:00")) == 29 * 3600


def test_of_an_hour_shown_twice_a_span_starts_with_the_first_and_ends_with_the_second():
    before, after = at("2026-10-24 12:00"), at("2026-10-25 12:00")
    for span, hours in {(6, 150, 240): 2.5, (6, 60, 150): 2.5, (6, 130, 170): 100 / 60}.items():
        assert WorkCalendar.build("Europe/Berlin", [span]).measure(before, after) == hours * 3600


def test_a_pause_that_ended_before_the_start_changes_nothing():
    start = at("2026-11-02 10:00")
    pauses = [(at("2026-11-01 10:00"), at("2026-11-02 09:00"))]
    assert instant_after(office(), start, 3600, pauses) == at("2026-11-02 11:00")
    assert running_seconds(office(), start, at("2026-11-02 11:00"), pauses) == 3600


def test_spans_that_overlap_or_touch_count_once():
    spans = [(0, 540, 720), (0, 600, 780), (0, 780, 840), (0, 540, 720)]
    calendar = WorkCalendar.build("UTC", spans)
    assert calendar.measure(at("2026-11-02 00:00"), at("2026-11-03 00:00")) == 5 * 3600


def test_a_span_over_sunday_midnight_reaches_into_monday():
    calendar = WorkCalendar.build("UTC", [(6, 23 * 60, 25 * 60)])
    assert calendar.is_open(at("2026-11-02 00:30"))
    assert not calendar.is_open(at("2026-11-02 01:00"))


def test_hours_inside_the_leap_move_forward_with_the_clocks():
    calendar = WorkCalendar.build("Europe/Berlin", [(6, 130, 160)])
    assert calendar.measure(at("2026-03-29 01:10"), at("2026-03-29 01:40")) == 1800


def test_a_century_is_measured_like_its_years():
    calendar = office("America/New_York")
    years = [at(f"{year}-01-01 00:00") for year in range(2000, 2101)]
    parts = [calendar.measure(a, b) for a, b in pairwise(years)]
    assert calendar.measure(years[0], years[-1]) == sum(parts)
    assert calendar.add(years[0], sum(parts)) < years[-1]


def test_measuring_backwards_is_nothing():
    for calendar in (office(), ALWAYS):
        assert calendar.measure(at("2026-11-03 00:00"), at("2026-11-02 00:00")) == 0


def test_round_the_clock_is_elapsed_time():
    start, end = at("2026-03-28 12:00"), at("2026-03-30 12:00")
    assert ALWAYS.measure(start, end) == 48 * 3600
    assert ALWAYS.add(start, 48 * 3600) == end
    assert ALWAYS.is_open(start)


def test_a_full_week_in_any_zone_is_round_the_clock():
    in_pieces = [(day, 0, 600) for day in range(7)] + [(day, 600, 1500) for day in range(7)]
    assert WorkCalendar.build("America/Havana", in_pieces) is ALWAYS
    assert WorkCalendar.build("Europe/Berlin", in_pieces[:-1]) is not ALWAYS


def test_a_calendar_without_hours_never_opens():
    never = WorkCalendar.build("Europe/Berlin", [])
    assert never.measure(at("2000-01-01 00:00"), at("2001-01-01 00:00")) == 0
    assert not never.is_open(at("2026-11-02 10:00"))
    with pytest.raises(NeverOpen):
        never.add(at("2026-11-02 10:00"), 1)
    assert never.add(at("2026-11-02 10:00"), 0) == at("2026-11-02 10:00")


def test_more_time_than_there_is_never_comes():
    for calendar in (office(), ALWAYS):
        with pytest.raises(NeverOpen):
            calendar.add(at("2026-11-02 10:00"), 1e12)


def test_an_open_pause_leaves_no_instant_to_wait_for():
    start = at("2026-11-02 08:00")
    pauses = [(start + timedelta(hours=1), None)]
    assert instant_after(office(), start, 3600, pauses) == start + timedelta(hours=1)
    assert instant_after(office(), start, 3601, pauses) is None


def test_pausing_and_resuming_at_once_changes_nothing():
    start, moment = at("2026-11-02 08:00"), at("2026-11-02 09:00")
    for pauses in ([], [(moment, moment)]):
        assert instant_after(office(), start, 7200, pauses) == at("2026-11-02 10:00")
        assert running_seconds(office(), start, at("2026-11-02 10:00"), pauses) == 7200


@pytest.mark.parametrize(
    ("spans", "error"),
    [
        ([(7, 0, 60)], ValueError),
        ([(0, -1, 60)], ValueError),
        ([(0, 1440, 1500)], ValueError),
        ([(0, 60, 60)], ValueError),
        ([(0, 60, 2881)], ValueError),
        ([(0, 9.5, 60)], TypeError),
    ],
)
def test_a_span_that_no_week_has_is_refused(spans, error):
    with pytest.raises(error):
        WorkCalendar.build("UTC", spans)


def test_times_without_zone_or_outside_the_known_years_are_refused():
    with pytest.raises(TypeError):
        office().measure(datetime(2026, 1, 1), at("2026-11-02 10:00"))
    with pytest.raises(ValueError, match="1970"):
        office().measure(at("1900-01-01 00:00"), at("2026-11-02 10:00"))
    with pytest.raises(ValueError, match="negative"):
        office().add(at("2026-11-02 10:00"), -1)
