"""Layers as the tests of schedules, swaps and calendar files write them."""

from datetime import date, time, timedelta

from roles.models import Schedule, ScheduleRevision
from roles.rosters import LayerSpec, publish_schedule
from tests.roles.conftest import CLOCK

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def weekly(people, **fields) -> LayerSpec:
    """Turns of a week from 2 November 2026, changing hands on Mondays at nine."""
    values = {
        "name": "Weekly",
        "starts_on": date(2026, 11, 2),
        "handover_time": time(9),
        "shift_days": 7,
        **fields,
    }
    return LayerSpec(people=people, **values)


def publish(schedule: Schedule, *layers: LayerSpec, **fields) -> ScheduleRevision:
    """These layers from now on, unless told otherwise."""
    return publish_schedule(schedule=schedule, layers=layers, **{"clock": CLOCK, **fields})
