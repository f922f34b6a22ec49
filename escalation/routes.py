"""Whom to escalate to: the next rung of a ticket's route, and all that one asks before passing on.

The panel answers in one reading what else would need a wiki, a list of phones, or a favour.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Count, F, FloatField, Func, TextField, Value
from django.db.models.functions import Cast

from escalation.contracts import Contracts, Need
from escalation.edges import ACCEPTED_WITHIN, LOOK_BACK, handovers
from escalation.inforce import routes_in_force
from escalation.models import Escalation
from roles.models import Person, Team
from roles.oncall import on_call
from tickets import states
from tickets.models import Route, Ticket

SIMILAR_WITHIN: Final = timedelta(days=90)


class AnsweredSlugs(Func):
    """One row for each answer of a hand-over, as "answered:SLUG"."""

    template = "'answered:' || jsonb_object_keys(%(expressions)s)"
    output_field = TextField()


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The team that a ticket should go to next, and the reason in words."""

    team: Team
    reason: str


class Routes:
    """The whole route table, read once for many tickets."""

    def __init__(
        self, teams: Mapping[int, Team] | None = None, rows: Sequence[Route] | None = None
    ) -> None:
        """`teams` by id, each with its tier and calendar, and the `rows` in force, if known."""
        self.rows = routes_in_force() if rows is None else rows
        if teams is None:
            teams = {team.pk: team for team in Team.objects.select_related("tier", "calendar")}
        self.teams = {pk: team for pk, team in teams.items() if team.is_active}
        self._found: dict[tuple[int | None, ...], Recommendation | None] = {}
        self.by_rank: dict[int, list[Team]] = {}
        for team in self.teams.values():
            if team.tier.rank is not None and not team.tier.is_vendor:
                self.by_rank.setdefault(team.tier.rank, []).append(team)

    def next_tier(self, ticket: Ticket) -> Recommendation | None:
        """The next rung's team; None at the top, and from a lane, which stands beside the ladder.

        An explicit route for the service or category wins, then the owner of the service if it
        sits on that rung, then the rung's default route or only team. Never the vendor's rung.
        """
        asked = (ticket.team_id, ticket.service_id, ticket.category_id)
        if asked not in self._found:
            self._found[asked] = self._next_tier(ticket)
        return self._found[asked]

    def _next_tier(self, ticket: Ticket) -> Recommendation | None:
        here = self.teams.get(ticket.team_id or 0) or ticket.team
        rank = here.tier.rank if here else None
        if rank is None:
            return None
        for higher in sorted(known for known in self.by_rank if known > rank):
            found = self._on_rung(ticket, higher)
            if found is not None:
                return found
        return None

    def _on_rung(self, ticket: Ticket, rank: int) -> Recommendation | None:
        fitting = [row for row in self.rows if row.tier.rank == rank and _fits(row, ticket)]
        explicit = [row for row in fitting if row.service_id or row.category_id]
        if explicit:
            best = max(explicit, key=_weight)
            return Recommendation(best.team, f"route for {best.service or best.category}")
        owner = self.teams.get(ticket.service.owner_team_id or 0) if ticket.service else None
        if owner is not None and owner.tier.rank == rank:
            return Recommendation(owner, f"owns {ticket.service}")
        if fitting:
            return Recommendation(fitting[0].team, f"default of {fitting[0].tier}")
        teams = self.by_rank[rank]
        if len(teams) == 1:
            return Recommendation(teams[0], f"only team on {teams[0].tier}")
        return None


def _fits(row: Route, ticket: Ticket) -> bool:
    return row.service_id in (None, ticket.service_id) and row.category_id in (
        None,
        ticket.category_id,
    )


def _weight(row: Route) -> int:
    return 2 * (row.service_id is not None) + (row.category_id is not None)


def next_teams(tickets: Sequence[Ticket]) -> Mapping[int, Recommendation | None]:
    """The next rung of each ticket, by ticket id."""
    routes = Routes()
    return {ticket.pk: routes.next_tier(ticket) for ticket in tickets}


# ---- The panel ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that a team will ask for; `answered` when this ticket's hand-overs tell it."""

    need: Need
    answered: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """One team that the ticket can go to, and what to know of it.

    `load` counts its open tickets, `median_accept_s` is the seconds it took to accept hand-overs
    in the last 90 days (None: not measured), `solved_similar` how many similar tickets it solved.
    """

    team: Team
    reason: str = ""
    on_shift: tuple[str, ...] = ()
    load: int = 0
    median_accept_s: float | None = None
    solved_similar: int = 0
    asks: tuple[Question, ...] = ()

    @property
    def missing(self) -> list[Need]:
        """What it requires and this ticket does not tell yet."""
        return [item.need for item in self.asks if item.need.required and not item.answered]

    @property
    def guidance(self) -> dict[str, str]:
        """What team and tier say of themselves: you are not bothering them."""
        team, tier = self.team, self.team.tier
        return {
            "responsibilities": team.responsibilities or tier.responsibilities,
            "hands_over": team.hands_over or tier.hands_over,
            "escalates_to": team.escalates_to or tier.escalates_to,
        }


@dataclass(frozen=True, slots=True)
class Panel:
    """The recommended choice (None at the top and in a lane), the others, and who solved such."""

    recommended: Choice | None
    alternatives: tuple[Choice, ...]
    similar: tuple[Choice, ...]

    @property
    def advice(self) -> str:
        """What to do, in one sentence."""
        if self.recommended is None:
            return (
                "There is no higher tier on this ticket's route: escalating pages the incident"
                " manager on call, and the work stays here."
            )
        team = self.recommended.team
        return f"Escalate to {team} on {team.tier}: {self.recommended.reason}."


def panel(ticket: Ticket, reader: Person, now: datetime) -> Panel:
    """Whom to escalate this ticket to, as far as the reader may know; at most eight queries.

    Restricted tickets that the reader is not cleared for count in no figure.
    """
    routes = Routes()
    best = routes.next_tier(ticket)
    others = [team for team in routes.teams.values() if team.pk != ticket.team_id]
    figures = _figures(ticket, reader, now)
    given = frozenset(what.partition(":")[2] for what, _ in figures if ":" in what)
    asked = _asked(ticket, [team.pk for team in others], given)
    serving = on_call([team.pk for team in others], now)
    names = _names(serving.values())
    choices = [
        Choice(
            team=team,
            reason=_reason(best, team),
            on_shift=tuple(names[pk] for pk in serving.get(team.pk, []) if pk in names),
            load=int(figures.get(("load", team.pk), 0)),
            median_accept_s=figures.get(("accept", team.pk)),
            solved_similar=int(figures.get(("similar", team.pk), 0)),
            asks=tuple(asked.get(team.pk, ())),
        )
        for team in sorted(others, key=_height)
    ]
    return Panel(
        recommended=next((each for each in choices if each.reason), None),
        alternatives=tuple(each for each in choices if not each.reason),
        similar=tuple(
            sorted(
                (each for each in choices if each.solved_similar),
                key=lambda each: -each.solved_similar,
            )
        ),
    )


def _reason(best: Recommendation | None, team: Team) -> str:
    return best.reason if best is not None and best.team.pk == team.pk else ""


def _height(team: Team) -> tuple[bool, int, str]:
    """Up the ladder, the lanes last."""
    return team.tier.rank is None, team.tier.rank or 0, team.name


def _names(groups: Iterable[Sequence[int]]) -> dict[int, str]:
    ids = {person_id for group in groups for person_id in group}
    return dict(Person.objects.filter(pk__in=ids).values_list("pk", "name"))


def _figures(ticket: Ticket, reader: Person, now: datetime) -> dict[tuple[str, int], float]:
    """Open load, similar tickets solved, median acceptance, and answers given: one query.

    The answers of this ticket's hand-overs come as ("answered:SLUG", receiving team).
    """
    seen = Ticket.objects.visible_to(reader).exclude(pk=ticket.pk).exclude(team=None).order_by()
    load = seen.filter(status__in=states.OPEN)
    alike = {
        name: value
        for name, value in (("service", ticket.service_id), ("category", ticket.category_id))
        if value is not None
    }
    solved = seen.filter(
        **alike, status__in=[states.RESOLVED, states.CLOSED], resolved_at__gte=now - SIMILAR_WITHIN
    )
    passed = handovers(since=now - LOOK_BACK, until=now).filter(accepted_at__isnull=False)
    accepted = passed.order_by().values_list(Value("accept"), F("to_team"))
    told = Escalation.objects.filter(ticket=ticket.pk, to_team__isnull=False).order_by()
    parts = [
        accepted.annotate(figure=ACCEPTED_WITHIN),
        told.values_list(AnsweredSlugs(F("answers")), F("to_team")).annotate(
            figure=Value(1.0, output_field=FloatField())
        ),
        *([_counted("similar", solved)] if alike else []),
    ]
    rows = _counted("load", load).union(*parts, all=True)
    return {(what, team_id): figure for what, team_id, figure in rows}


def _counted(what: str, tickets: Any) -> Any:
    figure = Cast(Count("pk"), FloatField())
    return tickets.values_list(Value(what), F("team")).annotate(figure=figure)


def _asked(
    ticket: Ticket, team_ids: Sequence[int], answered: frozenset[str]
) -> dict[int, list[Question]]:
    """What each team asks the present one for, and whether this ticket tells it: one query."""
    asked = Contracts(team_ids)
    return {
        team_id: [
            Question(need, need.slug in answered) for need in asked.needs(ticket.team_id, team_id)
        ]
        for team_id in team_ids
    }
