"""Weekly hours are read as people type them, and written back alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roles.hours import format_hours, parse_hours
from roles.worktime import WorkCalendar


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("", []),
        ("Mon 09:00-17:00", [(0, 540, 1020)]),
        ("mon-tue: 9:00 - 12:00, 13:00-17:00\n\n", [
            (0, 540, 720), (0, 780, 1020), (1, 540, 720), (1, 780, 1020)
        ]),
        ("Fri 22:00-06:00", [(4, 1320, 1800)]),
        ("Sat-Mon 00:00-24:00", [(0, 0, 1440), (5, 0, 1440), (6, 0, 1440)]),
        ("Wed 12:00-12:00", [(2, 720, 2160)]),
    ],
)  # fmt: skip
def test_reading_hours(text, spans):
    assert parse_hours(text) == spans


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        ("always", "Line 1: 'always' is not like"),
        ("Mon 09:00-17:00\nFoo 09:00-17:00", "Line 2: 'Foo' is not a day"),
        ("Mon 9-17", "'9-17' is not like '09:00-17:00'"),
        ("Mon 09:60-17:00", "09:60 is not a time of day"),
        ("Mon 09:00-25:00", "25:00 is not a time of day"),
        ("Mon 24:00-02:00", "cannot start at 24:00"),
        ("Mon 09:00-12:00,", "'09:00-12:00,'|'' is not like"),
    ],
)
def test_hours_that_cannot_be_read_name_their_line(text, trouble):
    with pytest.raises(ValueError, match=trouble):
        parse_hours(text)


def test_equal_days_are_written_as_a_run():
    office = [(day, 540, 1020) for day in range(5)]
    assert format_hours([*office, (6, 0, 1440)]) == "Mon-Fri 09:00-17:00\nSun 00:00-24:00"


spans = st.builds(
    lambda day, start, length: (day, start, min(start + length, 2880)),
    st.integers(0, 6),
    st.integers(0, 1439),
    st.integers(1, 2880),
)


@given(st.lists(spans, max_size=6))
def test_written_hours_read_back_as_the_same_working_time(week):
    from_text = WorkCalendar.build("UTC", parse_hours(format_hours(week)))
    original = WorkCalendar.build("UTC", week)
    assert from_text._openings(2026) == original._openings(2026) or from_text is original
