"""Who would have been told: the live rules for targets and deeds, asked at moments of the past."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from escalation.deeds import Deed
from escalation.firing import Executor
from escalation.models import Firing
from escalation.routes import Routes
from escalation.rules import Due
from escalation.runs import Prospect
from escalation.targets import People, ShiftStart
from roles.instants import TimeSource
from roles.models import Person, Schedule, Team
from roles.oncall import read_rosters
from roles.rotation import Shift
from tickets.models import Ticket


class Company(People):
    """The people of this site, whose shifts have been laid out for the whole time played.

    A team that never had a schedule is given a stand-in, so that its pages are counted; who that
    would have been nobody knows. `stood_in` names the teams whose stand-in was paged or told.
    """

    def __init__(self, since: datetime, until: datetime) -> None:
        super().__init__([], since)
        rosters = read_rosters(list(self.teams), since, until)
        self._shifts = {team: rosters.served(team, since, until) for team in self.teams}
        planned = set(Schedule.objects.values_list("team_id", flat=True))
        for team in self.teams.keys() - planned:
            self._shifts[team] = [Shift(-team, since, until)]
        self._starts = {team: [shift.start for shift in s] for team, s in self._shifts.items()}
        self._serving_in = _served_in(self._shifts)
        self.stood_in: set[str] = set()

    def zone_of(self, person_id: int) -> str:
        """The time zone that somebody lives in; a stand-in's is UTC."""
        person = self.people.get(person_id)
        return person.zone if person else "UTC"

    def go_to(self, at: datetime) -> None:
        """From now on, answer as of this moment."""
        self.at = at
        self._on_call.clear()
        self._same.clear()
        self._duties.clear()

    def on_call(self, team_ids: Iterable[int]) -> dict[int, list[int]]:
        """Who was on call at the moment played, by team id."""
        wanted = set(team_ids)
        for team_id in wanted:
            shift = self._shift(team_id)
            self._on_call[team_id] = [shift.person_id] if shift else []
            self._serving |= set(self._on_call[team_id])
        self._know({pk for team_id in wanted for pk in self._on_call[team_id]})
        return {team_id: self._on_call[team_id] for team_id in wanted}

    def next_shift(self, ticket: Ticket, tokens: Iterable[str], team: Team | None) -> ShiftStart:
        """When somebody is next on call for these targets, within the time laid out."""
        starts = []
        for token in tokens:
            name, _, argument = token.partition(":")
            asked = self.by_slug.get(argument) if argument else team or ticket.team
            if name == "on_call" and asked is not None:
                place = bisect_right(self._starts[asked.pk], self.at)
                starts += [
                    (shift.start, str(asked)) for shift in self._shifts[asked.pk][place : place + 1]
                ]
        return min(starts, default=(None, ""))

    def _places(self, person_ids: Sequence[int]) -> set[int]:
        """The teams in which any of these people is ever on call in the time played."""
        return {team_id for pk in person_ids for team_id in self._serving_in.get(pk, ())}

    def _know(self, person_ids: Iterable[int]) -> None:
        missing = set(person_ids) - self.people.keys()
        for stand_in in (pk for pk in missing if pk < 0):
            team = self.teams[-stand_in]
            self.stood_in.add(team.name)
            self.people[stand_in] = Person(pk=stand_in, name=f"On call, {team.name}")
        super()._know(pk for pk in missing if pk > 0)

    def _shift(self, team_id: int) -> Shift | None:
        place = bisect_right(self._starts.get(team_id, []), self.at) - 1
        shift = self._shifts[team_id][place] if place >= 0 else None
        return shift if shift and self.at < shift.end else None


class Rehearsal(Executor):
    """Carries steps out as the engine does, at any moment of the past; nothing of it is saved."""

    def __init__(self, company: Company) -> None:
        super().__init__(company, Routes(), company.at, carry=tell)
        self.company = company

    def skip(self, prospect: Prospect, due: Due, reason: str) -> Deed:
        """The bare record that a step which was due did nothing: nobody reads why."""
        return self._deed(prospect, due, Firing.Outcome.SKIPPED)

    def _explain(self, prospect: Prospect, deed: Deed) -> None:
        """Nothing: figures are made of what was done, and words of it would be read by nobody."""

    def reserve(self, carried: Any) -> None:
        """Nothing: what is only told needs no lock."""

    def go_to(self, at: datetime) -> None:
        """From now on, act at this moment; what a step moved is where history has it again."""
        self.now = at
        self.company.go_to(at)
        self.notes.clear()
        self._moved.clear()


def _served_in(shifts: Mapping[int, Iterable[Shift]]) -> dict[int, set[int]]:
    """In which teams each person is ever on call."""
    found: dict[int, set[int]] = {}
    for team_id, served in shifts.items():
        for shift in served:
            found.setdefault(shift.person_id, set()).add(team_id)
    return found


def tell(ticket: Ticket, action: Mapping[str, Any], *, reason: str, clock: TimeSource) -> str:
    """What a step would have done beside telling, moving and raising, in words alone."""
    return f"Would have done: {action['do'].replace('_', ' ')}"
