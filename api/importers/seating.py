"""Gives the schedules of another product their teams: a team of ours has one schedule; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from api.importers.bundle import Bundle, Stint
from api.importers.turns import Turns, apart, served

NO_LAYERS: Final = "no turn of it can be taken over, so nobody would be on call"


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """One schedule of the other product; `layered` says that of its turns a later one wins."""

    id: str
    name: str
    zone: str
    owner: str | None
    turns: Sequence[Turns]
    layered: bool
    stints: Sequence[tuple[str, datetime, datetime]] = ()


@dataclass(slots=True)
class Seats:
    """Which teams of ours answer for a schedule of theirs, by its id."""

    of: dict[str, list[str]] = field(default_factory=dict)

    def tokens(self, schedule_id: str) -> list[str]:
        """Whom to page for the schedule: whoever is on call in each of its teams."""
        return [f"on_call:{slug}" for slug in self.of.get(schedule_id, ())]


def seat(
    rosters: Sequence[Roster], bundle: Bundle, owners: Mapping[str, str], now: datetime
) -> Seats:
    """Give every schedule its team, and note what that changes; `owners` are slugs by their id.

    A team's first schedule becomes its own. A further one, and turns that serve beside others at
    the same time, get a team of their own.
    """
    seats, taken = Seats(), set[str]()
    for roster in rosters:
        groups = [list(roster.turns)] if roster.layered else apart(roster.turns, now)
        groups = [group for group in groups if group]
        if not groups:
            bundle.leave_out(f"schedule {roster.name}", NO_LAYERS)
            continue
        slugs = seats.of[roster.id] = []
        for number, group in enumerate(groups):
            own = owners.get(roster.owner or "")
            own = None if own in taken else own
            slug = _team(roster, number, group, bundle, own=own)
            taken.add(slug)
            slugs.append(slug)
            bundle.schedules[slug] = _schedule(roster, number, group, bundle)
        _stand_in(roster, slugs, bundle, now)
    return seats


def _team(
    roster: Roster, number: int, group: Sequence[Turns], bundle: Bundle, *, own: str | None
) -> str:
    """The slug of the team that has these turns; `own` is that of the owner while it is free."""
    members = {email for turns in group for email in turns.people}
    if own is not None and not number:
        team = bundle.teams[own]
        known = filter(None, map(bundle.username, sorted(members)))
        team["members"] = {**dict.fromkeys(known, "member"), **team["members"]}
        return own
    name = f"{roster.name}, beside {number}" if number else roster.name
    why = "turns that serve at the same time" if number else "a schedule of its own"
    bundle.leave_out(f"schedule {roster.name}", f"{why}: a team {name!r} has them here")
    return bundle.add_team(name, members)


def _schedule(
    roster: Roster, number: int, group: Sequence[Turns], bundle: Bundle
) -> dict[str, Any]:
    layers = []
    for turns in group:
        usernames = [bundle.username(email) or email for email in turns.people]
        layers.append(turns.layer(usernames, roster.zone))
    name = f"{roster.name}, beside {number}" if number else roster.name
    return {"name": name[:200], "zone": roster.zone, "layers": layers}


def _stand_in(roster: Roster, slugs: Sequence[str], bundle: Bundle, now: datetime) -> None:
    for email, start, end in roster.stints:
        if end <= now:
            continue
        if len(slugs) > 1:
            why = "the schedule is several here: put them in by hand where they stand in"
            bundle.leave_out(f"override in {roster.name} by {email} from {start:%Y-%m-%d}", why)
        elif bundle.username(email):
            bundle.stints.append(Stint(slugs[0], email, start, end))
        else:
            why = "nobody has this address"
            bundle.leave_out(f"override in {roster.name} by {email} from {start:%Y-%m-%d}", why)


def agrees(
    layers: Sequence[Turns],
    rendered: Sequence[tuple[str, datetime, datetime]],
    start: datetime,
    end: datetime,
) -> bool:
    """Whether the layers give the shifts that the other product says of that range."""
    ours = [(email, shift.start, shift.end) for email, shift in served(layers, start, end)]
    theirs = sorted(
        (
            (email, max(begins, start), min(ends, end))
            for email, begins, ends in rendered
            if begins < end and ends > start
        ),
        key=lambda each: each[1],
    )
    return _whole(ours) == _whole(theirs)


def _whole(
    found: Sequence[tuple[str, datetime, datetime]],
) -> list[tuple[str, datetime, datetime]]:
    """Neighbouring shifts of one person as one, and nothing shorter than a second."""
    result: list[tuple[str, datetime, datetime]] = []
    for email, start, end in found:
        last = result[-1] if result else None
        if last and last[0] == email and abs(last[2] - start) < timedelta(seconds=1):
            result[-1] = (email, last[1], end)
        elif end - start >= timedelta(seconds=1):
            result.append((email, start, end))
    return result
