"""What comes next for a ticket by itself: the step, the moment, and the people it would reach."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from escalation.explain import rule_of
from escalation.models import Clock, Run
from escalation.reactions import load_around
from escalation.routes import Routes
from escalation.rules import Due
from escalation.runs import Prospect, prospects
from escalation.targets import People
from tickets.models import Ticket

REACHING = ("page", "notify", "involve")


@dataclass(frozen=True, slots=True)
class NextStep:
    """The next thing that happens by itself if nobody acts: what, when, and to whom."""

    what: str
    rule: str
    at: datetime
    to: str
    policy: str


def next_steps(ticket_ids: Iterable[int], now: datetime) -> dict[int, NextStep]:
    """The soonest coming step of each ticket, by ticket id; tickets without one are left out.

    A fixed number of queries, whatever the number of tickets.
    """
    active = Run.objects.filter(ticket__in=list(ticket_ids), state=Run.State.ACTIVE)
    runs = list(active.select_related("ticket", "policy", "revision").order_by("id"))
    tickets = _one_each(runs)
    if not tickets:
        return {}
    load_around(list(tickets.values()))
    clocks: dict[int, list[Clock]] = {ticket_id: [] for ticket_id in tickets}
    for row in Clock.objects.filter(ticket__in=tickets):
        clocks[row.ticket_id].append(row)
    soonest: dict[int, tuple[Prospect, Due]] = {}
    for prospect in prospects(runs, tickets, clocks):
        held = soonest.get(prospect.run.ticket_id)
        if prospect.coming and (held is None or prospect.coming[0].at < held[1].at):
            soonest[prospect.run.ticket_id] = (prospect, prospect.coming[0])
    people, routes = People(list(tickets.values()), now), Routes()
    return {
        ticket_id: NextStep(
            what=due.step.name,
            rule=rule_of(due.step),
            at=due.at,
            to=", ".join(_whom(tickets[ticket_id], due, people, routes)),
            policy=prospect.run.policy.name,
        )
        for ticket_id, (prospect, due) in soonest.items()
    }


def _one_each(runs: Sequence[Run]) -> dict[int, Ticket]:
    tickets: dict[int, Ticket] = {}
    for run in runs:
        run.ticket = tickets.setdefault(run.ticket_id, run.ticket)
    return tickets


def _whom(ticket: Ticket, due: Due, people: People, routes: Routes) -> list[str]:
    """Whom the step would reach if it fired now, in words."""
    found: list[str] = []
    team = None
    for action in due.step.actions:
        verb, goal = action["do"], action.get("to")
        if verb == "move":
            recommended = routes.next_tier(ticket) if goal == "next_tier" else None
            team = recommended.team if recommended else people.by_slug.get(str(goal)[5:])
            if team is None:
                break
            found.append(str(team))
        elif verb in REACHING:
            reached = people.find(ticket, goal or [], team=team)
            found += [f"{item.name} ({item.role})" for item in reached.people]
        elif verb == "raise_priority":
            found.append(f"priority P{goal}")
    return list(dict.fromkeys(found))
