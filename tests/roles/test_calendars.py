"""Public holidays are stored with the revision, and a calendar that never opens is refused."""

from datetime import UTC, date, datetime, timedelta

import pytest

from roles.calendars import (
    PublicHolidays,
    closed_days,
    comes_in_time,
    publish_calendar,
    running_out,
    work_calendar,
)
from roles.instants import fixed
from roles.models import CalendarRevision
from roles.public_holidays import expand
from roles.refusals import Invalid
from tests.roles.conftest import CLOCK, NOW

pytestmark = pytest.mark.django_db
OFFICE = [(day, 540, 1020) for day in range(5)]
BAVARIA = PublicHolidays("DE", "BY", (2026, 2028))


def publish(team, **fields):
    values = {"zone": "Europe/Berlin", "spans": OFFICE, "clock": CLOCK, "holidays": BAVARIA}
    return publish_calendar(calendar=team.calendar, **{**values, **fields})


def hours_on(revision: CalendarRevision, day: date) -> float:
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return work_calendar(revision.pk).measure(start, start + timedelta(days=1)) / 3600


@pytest.mark.parametrize(
    ("country", "region", "day", "is_holiday"),
    [
        ("DE", "BY", date(2026, 11, 1), True),  # All Saints' Day, in the south only
        ("DE", "BE", date(2026, 11, 1), False),
        ("DE", "BE", date(2026, 3, 8), True),
        ("DE", "", date(2026, 10, 3), True),
        ("US", "", date(2026, 11, 26), True),  # the fourth Thursday of November
        ("US", "", date(2026, 11, 25), False),
        ("NP", "", date(2026, 1, 11), True),
    ],
)
def test_holidays_are_those_of_the_country_and_the_region(country, region, day, is_holiday):
    assert (day in dict(expand(country, region, 2026, 2026))) == is_holiday


def test_public_holidays_are_closed_and_keep_their_names(team):
    revision = publish(team)
    assert hours_on(revision, date(2026, 12, 25)) == 0  # a Friday
    assert hours_on(revision, date(2026, 12, 24)) == 8
    assert ["2026-12-25", "Christmas Day"] in revision.holidays
    assert (revision.first_year, revision.last_year) == (2026, 2028)


def test_own_days_add_to_the_public_holidays_and_take_from_them(team):
    revision = publish(team, days_off=["2026-12-24"], open_days=["2026-12-25"])
    assert hours_on(revision, date(2026, 12, 24)) == 0
    assert hours_on(revision, date(2026, 12, 25)) == 8
    assert date(2026, 12, 25) not in closed_days(revision)


def test_what_a_revision_stores_counts_and_not_what_the_library_says_later(team):
    revision = publish(team)
    row = CalendarRevision(
        calendar=team.calendar,
        number=2,
        zone="Europe/Berlin",
        spans=revision.spans,
        country="DE",
        region="BY",
        first_year=2026,
        last_year=2026,
        holidays=[["2026-12-28", "A day that no library knows"]],
    )
    row.save()
    assert hours_on(row, date(2026, 12, 28)) == 0
    assert hours_on(row, date(2026, 12, 25)) == 8


def test_the_range_is_chosen_once_and_kept_while_it_reaches_a_year_ahead(team):
    wanted = PublicHolidays("DE", "BY")
    first = publish(team, holidays=wanted)
    assert (first.first_year, first.last_year) == (2025, 2031)
    for year in (2026, 2027, 2030):
        later = fixed(NOW.replace(year=year))
        assert publish(team, holidays=wanted, clock=later) == first
    renewed = publish(team, holidays=wanted, clock=fixed(NOW.replace(year=2031)))
    assert (renewed.number, renewed.first_year, renewed.last_year) == (2, 2030, 2036)


def test_a_range_that_ends_within_a_year_is_warned_of(team):
    publish(team)
    assert running_out(NOW) == []
    assert running_out(datetime(2027, 12, 31, tzinfo=UTC)) == []
    assert running_out(datetime(2028, 1, 2, tzinfo=UTC)) == [team.calendar]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"holidays": PublicHolidays("XX")}, "country"),
        ({"holidays": PublicHolidays("DE", "NY")}, "region"),
        ({"holidays": PublicHolidays("DE", "", (2028, 2026))}, "years"),
        ({"holidays": PublicHolidays("DE", "", (2000, 2090))}, "years"),
        ({"open_days": ["Christmas"]}, "open_days"),
        ({"spans": [(0, 540, 590)]}, "spans"),  # 50 minutes a week
        ({"days_off": [f"2027-{m:02d}-{d:02d}" for m in range(1, 13) for d in range(1, 29)],
          "spans": [(0, 540, 1020)]}, "spans"),
    ],
)  # fmt: skip
def test_a_calendar_that_cannot_be_used_names_its_field(team, fields, field):
    with pytest.raises(Invalid) as refusal:
        publish(team, **fields)
    assert set(refusal.value.fields) == {field}
    assert not CalendarRevision.objects.exists()


def test_the_sparsest_calendar_still_gives_a_deadline_for_a_working_year(team):
    publish(team, spans=[(0, 540, 602)], holidays=None)
    revision = team.calendar.current
    assert work_calendar(revision.pk).add(NOW, 4000 * 3600).year < 2110
    assert comes_in_time(team.calendar, 4000 * 3600)
    assert not comes_in_time(team.calendar, 8766 * 3600)
