"""The bill of a clock: where the ticket was while it ran, and while it was late; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext

from escalation.clock import Cycle, Fact, crossing
from roles.worktime import Pause, WorkCalendar, running_seconds

UNROUTED: Final = "unrouted"
QUEUE: Final = "queue"
TEAM: Final = "team"
VENDOR: Final = "vendor"
REQUESTER: Final = "requester"
CHANGE: Final = "change"
AFTER: Final = "after"

_PLACES: Final = {
    "new": UNROUTED,
    "waiting_for_support": QUEUE,
    "in_progress": TEAM,
    "pending_vendor": VENDOR,
    "pending_requester": REQUESTER,
    "pending_change": CHANGE,
}
SECOND_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where a ticket was: `of` is the team's id in a queue or at work, the vendor's with one."""

    kind: str
    of: int | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """Working time that went by in one place, in whole microseconds, so that shares add up."""

    place: Place
    us: int

    @property
    def seconds(self) -> float:
        return self.us / SECOND_US


@dataclass(frozen=True, slots=True)
class Bill:
    """A cycle's working time by place, the largest share first.

    `late` sums exactly to the time beyond the target, `whole` exactly to all that has elapsed.
    """

    late: tuple[Share, ...]
    whole: tuple[Share, ...]

    @property
    def late_s(self) -> float:
        return sum(share.us for share in self.late) / SECOND_US

    @property
    def whole_s(self) -> float:
        return sum(share.us for share in self.whole) / SECOND_US


@dataclass(frozen=True, slots=True)
class Names:
    """What teams and vendors are called, by id."""

    teams: Mapping[int, str]
    vendors: Mapping[int, str]


Stays = Sequence[tuple[datetime, Place]]


def stays(facts: Iterable[Fact]) -> list[tuple[datetime, Place]]:
    """Where the ticket was, each place with the moment since when, in order."""
    found: list[tuple[datetime, Place]] = []
    state: dict[str, Any] = {}
    vendor_id: int | None = None
    for fact in facts:
        state.update(fact.changed)
        if fact.kind == "vendor_engaged":
            vendor_id = fact.about.get("vendor")
        place = _place(state, vendor_id)
        if not found or found[-1][1] != place:
            found.append((fact.at, place))
    return found


def _place(state: Mapping[str, Any], vendor_id: int | None) -> Place:
    kind = _PLACES.get(state.get("status", "new"), AFTER)
    if kind in (QUEUE, TEAM):
        return Place(kind, state.get("team_id"))
    return Place(kind, vendor_id if kind == VENDOR else None)


def bill_of(cycle: Cycle, calendar: WorkCalendar, been: Stays, as_of: datetime) -> Bill:
    """The bill of a cycle at `as_of`, or at its end if that was earlier."""
    end = cycle.stopped_at or max(as_of, cycle.started_at)
    due = crossing(cycle, calendar, cycle.target_s)
    return Bill(
        late=_split(cycle.pauses, calendar, been, (due, end)) if due and due < end else (),
        whole=_split(cycle.pauses, calendar, been, (cycle.started_at, end)),
    )


def _split(
    pauses: Sequence[Pause], calendar: WorkCalendar, been: Stays, span: tuple[datetime, datetime]
) -> tuple[Share, ...]:
    start, end = span
    sums: dict[Place, int] = {}
    for index, (since, place) in enumerate(been):
        # What ran before the first event (a notice counts from awareness) is the first place's.
        begin = max(since, start) if index else start
        until = min(been[index + 1][0], end) if index + 1 < len(been) else end
        if begin < until:
            seconds = running_seconds(calendar, begin, until, pauses)
            sums[place] = sums.get(place, 0) + round(seconds * SECOND_US)
    shares = [Share(place, us) for place, us in sums.items() if us]
    return tuple(sorted(shares, key=lambda share: -share.us))


def place_words(place: Place, names: Names) -> str:
    """The place as the end of "25 min …"."""
    if place.kind in (QUEUE, TEAM):
        team = names.teams.get(place.of or 0) or gettext("a team")
        told = gettext("in %(team)s's queue") if place.kind == QUEUE else gettext("with %(team)s")
        return told % {"team": team}
    if place.kind == VENDOR:
        vendor = names.vendors.get(place.of or 0)
        if not vendor:
            return gettext("with the vendor")
        return gettext("with %(team)s") % {"team": vendor}
    return {
        UNROUTED: gettext("before any team had it"),
        REQUESTER: gettext("waiting for the requester"),
        CHANGE: gettext("waiting for a change"),
        AFTER: gettext("after it was solved"),
    }[place.kind]
