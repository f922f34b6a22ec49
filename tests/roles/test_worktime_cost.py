"""A question on working time takes a number of look-ups that grows with the logarithm only."""

from datetime import UTC, datetime, timedelta
from math import log2

import pytest

from roles.worktime import WorkCalendar

NOW = datetime(2026, 11, 2, 10, 0, tzinfo=UTC)


class Counted(list):
    """A list that counts how often one of its places is looked at."""

    looked = 0

    def __getitem__(self, place):
        Counted.looked += 1
        return super().__getitem__(place)


def counted(spans_a_day: int) -> tuple[WorkCalendar, int]:
    """A calendar with so many short spans a day, its table for 2026 counting; and its length."""
    step = 1440 // spans_a_day
    spans = [(day, n * step, n * step + 1) for day in range(7) for n in range(spans_a_day)]
    calendar = WorkCalendar.build("Europe/Berlin", spans)
    chunk = calendar._chunk(2026)
    for name in ("starts", "ends", "sums"):
        setattr(chunk, name, Counted(getattr(chunk, name)))
    return calendar, len(chunk.starts)


@pytest.mark.parametrize("spans_a_day", [1, 4, 16, 64, 256])
def test_a_question_looks_at_logarithmically_many_openings(spans_a_day):
    calendar, openings = counted(spans_a_day)
    most = 2 * (log2(openings) + 5)
    for ask in (
        lambda: calendar.measure(NOW, NOW + timedelta(days=40)),
        lambda: calendar.add(NOW, 600),
        lambda: calendar.is_open(NOW),
    ):
        Counted.looked = 0
        ask()
        assert 0 < Counted.looked <= most
