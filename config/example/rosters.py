"""The on-call schedules of the example site: nights, weekends, following the sun, one swap."""

from datetime import datetime, time, timedelta
from typing import NamedTuple

from roles.hours import parse_hours
from roles.instants import TimeSource
from roles.models import Person, Swap, Team
from roles.oncall import final_shifts
from roles.rosters import LayerSpec, publish_schedule, set_schedule
from roles.swaps import accept_swap, offer_swap

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
HISTORY = timedelta(days=365)
DAY = timedelta(days=1)
SWAPPING = "application-support"


class Layer(NamedTuple):
    """One layer: its people in turn, the length of a turn, and the hours it is limited to."""

    name: str
    people: tuple[str, ...]
    hours: str = ""
    zone: str = ""
    shift_days: int | None = 7
    shift_hours: int | None = None


# Above the weekly turns of everybody in the team, which leave no hour open.
LAYERS = {
    "service-desk": (
        Layer("Nights", ("chloe", "david"), "Mon-Fri 20:00-08:00", BERLIN),
        Layer("Weekend", ("anna", "ben"), "Sat-Sun 00:00-24:00", BERLIN, 1),
    ),
    "network-engineering": (Layer("Weekend", ("fatima", "erik"), "Sat-Sun 00:00-24:00", BERLIN),),
    "platform-engineering": (
        # Ada sits in Berlin: nobody in New York is woken before his own morning.
        Layer("Berlin morning", ("admin",), "Mon-Fri 06:00-13:00", BERLIN),
    ),
    "incident-management": (Layer("Twelve hours each", ("marta", "nils"), "", BERLIN, None, 12),),
}


def make_roster(
    team: Team, crew: list[Person], everybody: dict[str, Person], clock: TimeSource
) -> None:
    """Somebody on call at every hour since a year ago, changing hands in the morning."""
    now = clock()
    zone = team.calendar.current.zone if team.calendar.current else "UTC"
    schedule = set_schedule(team=team, zone=zone, clock=clock)
    monday = (now - HISTORY).date()
    weekly = LayerSpec(
        name="Weekly", people=crew, starts_on=monday, handover_time=time(9), shift_days=7
    )
    above = [
        LayerSpec(
            name=layer.name,
            people=[everybody[username] for username in layer.people],
            starts_on=monday,
            handover_time=time(8),
            shift_days=layer.shift_days,
            shift_hours=layer.shift_hours,
            zone=layer.zone,
            restrictions=parse_hours(layer.hours),
        )
        for layer in LAYERS.get(team.slug, ())
    ]
    begins = now - HISTORY + DAY
    publish_schedule(schedule=schedule, layers=[weekly, *above], valid_from=begins, clock=clock)
    if team.slug == SWAPPING:
        _swap_a_day(team, crew, now, clock)


def _swap_a_day(team: Team, crew: list[Person], now: datetime, clock: TimeSource) -> Swap | None:
    """The one on call gives a coming day to the other, who agrees."""
    for ahead in range(2, 5):
        start = now.replace(hour=0, minute=0, second=0, microsecond=0) + ahead * DAY
        served = final_shifts(team, start, start + DAY)
        if len(served) != 1:
            continue  # that is the day on which the turns change hands
        giver = next(person for person in crew if person.pk == served[0].person_id)
        taker = next(person for person in crew if person != giver)
        swap = offer_swap(
            schedule=team.schedule,
            giver=giver,
            taker=taker,
            during=(start, start + DAY),
            reason="Moving house",
            actor=giver,
            clock=clock,
        )
        return accept_swap(swap=swap, actor=taker, clock=clock)
    return None
