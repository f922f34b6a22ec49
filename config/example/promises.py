"""The targets of the example site, in the order in which they are tried."""

from collections.abc import Iterator
from typing import NamedTuple

from config.example.catalog import DEMO_SERVICE
from config.example.teams import ALWAYS, BERLIN_OFFICE, NEW_YORK_OFFICE

MINUTE = 60
HOUR = 60 * MINUTE
FIRST_RESPONSE = "first_response"
RESOLUTION = "resolution"
ACCEPTANCE = "acceptance"
WAITING_FOR_OTHERS = ("pending_requester", "pending_change")


class Promise(NamedTuple):
    """One target: name, clock, seconds, calendar ("": the team's), and what it applies to."""

    name: str
    clock: str
    seconds: int
    calendar: str = ALWAYS
    priority: int | None = None
    kind: str = ""
    service: str = ""
    organisation: str = ""

    @property
    def pauses(self) -> tuple[str, ...]:
        """The statuses in which it stands still: nobody is to blame for others' time."""
        return WAITING_FOR_OTHERS if self.clock == RESOLUTION else ()


# priority: calendar, first response, resolution, acceptance by a receiving team
_BY_PRIORITY = {
    1: (ALWAYS, 15 * MINUTE, 4 * HOUR, 10 * MINUTE),
    2: (ALWAYS, 30 * MINUTE, 8 * HOUR, 20 * MINUTE),
    3: (BERLIN_OFFICE, 2 * HOUR, 20 * HOUR, HOUR),
    4: (BERLIN_OFFICE, 4 * HOUR, 50 * HOUR, 4 * HOUR),
    5: (BERLIN_OFFICE, 10 * HOUR, 100 * HOUR, 10 * HOUR),
}
_SPECIAL = (
    Promise("Live example P1: first word", FIRST_RESPONSE, 45, priority=1, service=DEMO_SERVICE),
    Promise("Live example P1: solved", RESOLUTION, 90, priority=1, service=DEMO_SERVICE),
    Promise("Live example: first word", FIRST_RESPONSE, 20, service=DEMO_SERVICE),
    Promise("Live example: solved", RESOLUTION, 60, service=DEMO_SERVICE),
    Promise("Live example: accepted", ACCEPTANCE, 20, service=DEMO_SERVICE),
    Promise("Security: first look", FIRST_RESPONSE, 15 * MINUTE, kind="security"),
    Promise("Security: contained and closed", RESOLUTION, 8 * HOUR, kind="security"),
    Promise("Security: accepted", ACCEPTANCE, 10 * MINUTE, kind="security"),
    Promise(
        "Harbour Clinics P1: first response",
        FIRST_RESPONSE,
        10 * MINUTE,
        priority=1,
        organisation="harbour",
    ),
    Promise(
        "Harbour Clinics P1: resolution",
        RESOLUTION,
        2 * HOUR,
        priority=1,
        organisation="harbour",
    ),
    Promise(
        "Alder Logistics P3: first response",
        FIRST_RESPONSE,
        2 * HOUR,
        NEW_YORK_OFFICE,
        priority=3,
        organisation="alder",
    ),
    Promise(
        "Alder Logistics P3: resolution",
        RESOLUTION,
        16 * HOUR,
        NEW_YORK_OFFICE,
        priority=3,
        organisation="alder",
    ),
)


def promises() -> Iterator[Promise]:
    """Every target in the order in which they are tried."""
    yield from _SPECIAL
    for priority, (calendar, response_s, resolution_s, acceptance_s) in _BY_PRIORITY.items():
        urgent = priority <= 2
        named = f"P{priority}"
        yield Promise(f"{named}: first response", FIRST_RESPONSE, response_s, calendar, priority)
        yield Promise(f"{named}: resolution", RESOLUTION, resolution_s, calendar, priority)
        own_hours = ALWAYS if urgent else ""
        yield Promise(f"{named}: acceptance", ACCEPTANCE, acceptance_s, own_hours, priority)
