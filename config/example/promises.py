"""The targets of the example site, in the order in which they are tried."""

from collections.abc import Iterator
from typing import NamedTuple

from config.example.catalog import DEMO_SERVICE
from config.example.partners import CARRIER
from config.example.teams import ALWAYS, BERLIN_OFFICE, NEW_YORK_OFFICE

MINUTE = 60
HOUR = 60 * MINUTE
FIRST_RESPONSE = "first_response"
RESOLUTION = "resolution"
ACCEPTANCE = "acceptance"
NEXT_UPDATE = "next_update"
TIME_IN_TEAM = "time_in_team"
VENDOR_RESPONSE = "vendor_response"
VENDOR_FIX = "vendor_fix"
STAKEHOLDER_UPDATE = "stakeholder_update"
REGULATORY = "regulatory"
WAITING_FOR_OTHERS = ("pending_requester", "pending_change")
PAUSES = {
    RESOLUTION: WAITING_FOR_OTHERS,
    NEXT_UPDATE: WAITING_FOR_OTHERS,
    TIME_IN_TEAM: (*WAITING_FOR_OTHERS, "pending_vendor"),
}


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
    first_seconds: int | None = None
    vendor: str = ""

    @property
    def pauses(self) -> tuple[str, ...]:
        """The statuses in which it stands still: nobody is to blame for others' time."""
        return PAUSES.get(self.clock, ())


# priority: calendar, first response, resolution, each next update to the requester
_TO_CUSTOMER = {
    1: (ALWAYS, 15 * MINUTE, 4 * HOUR, HOUR),
    2: (ALWAYS, 30 * MINUTE, 8 * HOUR, 2 * HOUR),
    3: (BERLIN_OFFICE, 2 * HOUR, 20 * HOUR, 10 * HOUR),
    4: (BERLIN_OFFICE, 4 * HOUR, 50 * HOUR, 25 * HOUR),
    5: (BERLIN_OFFICE, 10 * HOUR, 100 * HOUR, 50 * HOUR),
}
# priority: acceptance by a receiving team, time in any one team
_TO_TEAMS = {
    1: (10 * MINUTE, 90 * MINUTE),
    2: (20 * MINUTE, 3 * HOUR),
    3: (HOUR, 8 * HOUR),
    4: (4 * HOUR, 20 * HOUR),
    5: (10 * HOUR, 40 * HOUR),
}
# priority: a vendor's answer, its fix, by the hours of its contract
_OF_VENDORS = {
    1: (30 * MINUTE, 4 * HOUR),
    2: (HOUR, 8 * HOUR),
    3: (4 * HOUR, 24 * HOUR),
    4: (8 * HOUR, 50 * HOUR),
    5: (8 * HOUR, 100 * HOUR),
}
# What the carrier's own contract says, by its hours; it goes before what holds for any vendor.
_CARRIER = (
    *(
        Promise(f"Carrier P{priority}: {word}", kind, seconds, "", priority, vendor=CARRIER)
        for priority in (1, 2)
        for word, kind, seconds in (
            ("answer", VENDOR_RESPONSE, 30 * MINUTE),
            ("repair", VENDOR_FIX, 4 * HOUR),
        )
    ),
    Promise("Carrier: answer", VENDOR_RESPONSE, 2 * HOUR, "", vendor=CARRIER),
    Promise("Carrier: repair", VENDOR_FIX, 12 * HOUR, "", vendor=CARRIER),
)
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
    yield from _CARRIER
    for priority, (calendar, response_s, resolution_s, update_s) in _TO_CUSTOMER.items():
        named = f"P{priority}"
        yield Promise(f"{named}: first response", FIRST_RESPONSE, response_s, calendar, priority)
        yield Promise(f"{named}: resolution", RESOLUTION, resolution_s, calendar, priority)
        yield Promise(f"{named}: next update", NEXT_UPDATE, update_s, calendar, priority)
    for priority, (acceptance_s, stay_s) in _TO_TEAMS.items():
        own_hours = ALWAYS if priority <= 2 else ""
        yield Promise(f"P{priority}: acceptance", ACCEPTANCE, acceptance_s, own_hours, priority)
        yield Promise(f"P{priority}: time in a team", TIME_IN_TEAM, stay_s, own_hours, priority)
    for priority, (answer_s, fix_s) in _OF_VENDORS.items():
        yield Promise(f"P{priority}: vendor answers", VENDOR_RESPONSE, answer_s, "", priority)
        yield Promise(f"P{priority}: vendor fixes", VENDOR_FIX, fix_s, "", priority)
    yield Promise(
        "Major: stakeholders told",
        STAKEHOLDER_UPDATE,
        30 * MINUTE,
        first_seconds=15 * MINUTE,
    )
    yield Promise("Notice to the authority", REGULATORY, 72 * HOUR)
