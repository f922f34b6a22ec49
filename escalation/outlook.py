"""What comes next for a ticket by itself: the step, the moment, and the people it would reach."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Q, prefetch_related_objects

from escalation.explain import rule_of
from escalation.models import Clock, Run
from escalation.reactions import AROUND, load_around
from escalation.routes import Routes
from escalation.runs import Prospect, prospects, step_of
from escalation.steps import Step
from escalation.targets import People
from roles.written import Written, any_of
from tickets.models import Ticket

REACHING = ("page", "notify", "involve")


@dataclass(frozen=True, slots=True)
class NextStep:
    """The next thing that happens by itself if nobody acts: what, when, and to whom.

    `reached` has each person with the role in which they are told, teams and priorities without.
    """

    what: str
    rule: str
    at: datetime
    reached: Sequence[tuple[str, str]]
    policy: str

    @property
    def to(self) -> str:
        """Whom it would reach, in one line."""
        return ", ".join(f"{name} ({role})" if role else name for name, role in self.reached)


@dataclass(frozen=True, slots=True)
class Coming:
    """The soonest step of one ticket: when, which, and of which run."""

    at: datetime
    step: Step
    run: Run


def next_steps(ticket_ids: Iterable[int], now: datetime) -> dict[int, NextStep]:
    """The soonest coming step of each ticket, by ticket id; tickets without one are left out.

    A fixed number of queries, whatever the number of tickets.
    """
    wanted = Run.objects.filter(ticket__in=list(ticket_ids), state=Run.State.ACTIVE)
    rows = Ticket.objects.filter(pk__in=wanted.order_by().values("ticket"))
    tickets = {ticket.pk: ticket for ticket in rows.select_related(*AROUND)}
    coming = coming_steps(tickets) if tickets else {}
    if not coming:
        return {}
    people, routes = People([tickets[pk] for pk in coming], now), Routes()
    return {
        pk: told_step(tickets[pk], found, people, lambda: routes) for pk, found in coming.items()
    }


def coming_steps(tickets: Mapping[int, Ticket]) -> dict[int, Coming]:
    """What each ticket's runs do next by themselves, the soonest only, by ticket id.

    The runs say it themselves: the moment and the step were kept when anything last changed, and
    the engine acts by nothing else. Only what a snoozed run will do is worked out anew, for it
    keeps no step while it is held. One query, and five more where somebody has snoozed one.
    """
    runs = PRESSING.rows(tickets=list(tickets))
    found: dict[int, Coming] = {}
    for run in runs:
        if run.next_step is not None and run.next_at is not None and not run.held:
            _keep_sooner(found, Coming(run.next_at, step_of(run.next_step), run))
    held = [run for run in runs if run.held]
    for prospect in _held_prospects(held, tickets):
        if prospect.coming:
            due = prospect.coming[0]
            _keep_sooner(found, Coming(due.at, due.step, prospect.run))
    return found


PRESSING: Final = Written(
    lambda tickets: (
        Run.objects.filter(any_of("ticket", tickets), state=Run.State.ACTIVE)
        .filter(
            Q(held="", next_at__isnull=False, next_step__isnull=False)
            | Q(held_until__isnull=False) & ~Q(held="")
        )
        .select_related("policy", "next_step")
        .order_by("id")
    ),
    tickets=list[int],
)
"""The active runs of tickets that have a step to come, or are held until some time."""


def _keep_sooner(found: dict[int, Coming], other: Coming) -> None:
    present = found.get(other.run.ticket_id)
    if present is None or other.at < present.at:
        found[other.run.ticket_id] = other


def _held_prospects(runs: Sequence[Run], tickets: Mapping[int, Ticket]) -> Sequence[Prospect]:
    if not runs:
        return ()
    mine = {run.ticket_id: tickets[run.ticket_id] for run in runs}
    load_around(list(mine.values()))
    prefetch_related_objects(list(runs), "revision")
    clocks: dict[int, list[Clock]] = {ticket_id: [] for ticket_id in mine}
    for row in Clock.objects.filter(ticket__in=mine):
        clocks[row.ticket_id].append(row)
    return prospects(runs, mine, clocks)


def told_step(
    ticket: Ticket, coming: Coming, people: People, routes: Callable[[], Routes]
) -> NextStep:
    """A coming step in words, with whom it would reach if it fired now."""
    return NextStep(
        what=coming.step.name,
        rule=rule_of(coming.step),
        at=coming.at,
        reached=_whom(ticket, coming.step, people, routes),
        policy=coming.run.policy.name,
    )


def _whom(
    ticket: Ticket, step: Step, people: People, routes: Callable[[], Routes]
) -> list[tuple[str, str]]:
    """Whom the step would reach if it fired now, each once with the role."""
    found: list[tuple[str, str]] = []
    team = None
    for action in step.actions:
        verb, goal = action["do"], action.get("to")
        if verb == "move":
            recommended = routes().next_tier(ticket) if goal == "next_tier" else None
            team = recommended.team if recommended else people.by_slug.get(str(goal)[5:])
            if team is None:
                break
            found.append((str(team), ""))
        elif verb in REACHING:
            reached = people.find(ticket, goal or [], team=team)
            found += [(item.name, item.role) for item in reached.people]
        elif verb == "raise_priority":
            found.append((f"priority P{goal}", ""))
    return list(dict.fromkeys(found))
