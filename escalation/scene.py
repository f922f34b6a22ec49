"""All that one batch of due steps is decided by, read before anything of it is written."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from escalation import keeping, runs, sla
from escalation.clock import Fact
from escalation.models import Clock, Policy, PolicyRevision, Run
from escalation.routes import Routes
from escalation.rules import Step
from escalation.steps import Key
from escalation.targets import People, Staff
from roles.ledger import Ledger
from roles.models import Organisation
from tickets.models import Category, Service, Ticket, TimelineEvent

FRESH_S: Final = 5.0
"""For so long one pass goes by what it has read of the configuration; rosters are read anew."""


class Configuration:
    """What the people of the site have set up, as one pass of the engine sees it."""

    def __init__(self) -> None:
        self._read_at = time.monotonic()
        self.targets = sla.Targets()
        self.policies = keeping.published()
        self.routes = Routes()
        self.staff = Staff()
        self.teams = self.staff.teams
        self.services = Service.objects.in_bulk()
        for service in self.services.values():
            if service.owner_team_id in self.teams:
                service.owner_team = self.teams[service.owner_team_id]
        self.categories = Category.objects.in_bulk()
        self.organisations = Organisation.objects.in_bulk()
        self._steps: dict[int, list[Step]] = {}
        self._revisions: dict[int, PolicyRevision] = {
            policy.current.pk: policy.current for policy in self.policies if policy.current
        }
        self._policies: dict[int, Policy] = {policy.pk: policy for policy in self.policies}

    @property
    def is_fresh(self) -> bool:
        return time.monotonic() - self._read_at < FRESH_S

    def introduce(self, in_force: Sequence[Run]) -> None:
        """Give the runs their policies and revisions; those of old are read when first met."""
        missing = {run.revision_id for run in in_force} - set(self._revisions)
        if missing:
            self._revisions |= PolicyRevision.objects.in_bulk(missing)
        absent = {run.policy_id for run in in_force} - set(self._policies)
        if absent:
            self._policies |= Policy.objects.in_bulk(absent)
        for run in in_force:
            run.policy = self._policies[run.policy_id]
            run.revision = self._revisions[run.revision_id]

    def steps(self, in_force: Iterable[Run]) -> dict[int, list[Step]]:
        """The steps of the revisions of some runs, by revision id; they never change."""
        wanted = {run.revision_id for run in in_force}
        if missing := wanted - set(self._steps):
            self._steps |= {pk: [] for pk in missing} | runs.steps_of(missing)
        return self._steps

    def place(self, tickets: Iterable[Ticket]) -> None:
        """Fill in where tickets stand; what is newer than this is left to be read."""
        for ticket in tickets:
            known = {
                "team": self.teams.get(ticket.team_id or 0),
                "service": self.services.get(ticket.service_id or 0),
                "category": self.categories.get(ticket.category_id or 0),
                "organisation": self.organisations.get(ticket.organisation_id or 0),
            }
            for name, row in known.items():
                if row is not None or getattr(ticket, f"{name}_id") is None:
                    setattr(ticket, name, row)


def shared_configuration() -> Callable[[], Configuration]:
    """What gives a pass its configuration: read when first asked for, and again when not fresh.

    A pass that finds nothing due asks for none.
    """
    known: Configuration | None = None

    def latest() -> Configuration:
        nonlocal known
        if known is None or not known.is_fresh:
            known = Configuration()
        return known

    return latest


@dataclass(slots=True)
class Scene:
    """Locked tickets with their runs, clocks and past, for one decision about all of them.

    `restless` are the tickets of which anything but a message has been written since.
    """

    configuration: Configuration
    tickets: dict[int, Ticket]
    claimed: list[Run]
    in_force: list[Run]
    clocks: dict[int, list[Clock]]
    done: dict[int, dict[Key, str]]
    people: People
    around: keeping.Around
    told: dict[int, list[Fact]] = field(default_factory=dict)
    restless: list[Ticket] = field(default_factory=list)

    @property
    def steps(self) -> dict[int, list[Step]]:
        return self.configuration.steps(self.in_force)

    def remember(self, restless: Iterable[Ticket]) -> None:
        """Read the timelines of the tickets that are going to change."""
        self.restless = list(restless)
        self.told = sla.timelines([ticket.pk for ticket in self.restless])

    def hear(self, ledger: Ledger) -> None:
        """Go on with those timelines by what has been recorded since they were read."""
        if ledger.has_written:
            self.told = sla.timelines([ticket.pk for ticket in self.restless])
            return
        for event in ledger.waiting(TimelineEvent):
            if event.ticket_id in self.told and event.kind in sla.CLOCK_EVENTS:
                self.told[event.ticket_id].append(sla.fact_of(event))


def look(claimed: Sequence[Run], configuration: Configuration, now: datetime) -> Scene:
    """Read what decides about these locked runs and their locked tickets."""
    tickets = {run.ticket_id: run.ticket for run in claimed}
    ids = list(tickets)
    others = Run.objects.filter(ticket__in=ids, state__in=keeping.IN_FORCE).exclude(
        pk__in=[run.pk for run in claimed]
    )
    beside = list(others.order_by("id").select_for_update(of=("self",), no_key=True))
    in_force = sorted([*claimed, *beside], key=lambda run: run.pk)
    for run in beside:
        run.ticket = tickets[run.ticket_id]
    configuration.introduce(in_force)
    configuration.place(tickets.values())
    people = People(list(tickets.values()), now, configuration.staff)
    for ticket in tickets.values():
        ticket.requester = people.people[ticket.requester_id]
    clocks: dict[int, list[Clock]] = {ticket_id: [] for ticket_id in ids}
    rows = Clock.objects.filter(ticket__in=ids).order_by("ticket", "kind", "cycle")
    for row in rows.select_for_update(no_key=True):
        clocks[row.ticket_id].append(row)
    return Scene(
        configuration=configuration,
        tickets=tickets,
        claimed=list(claimed),
        in_force=in_force,
        clocks=clocks,
        done=runs.done_by(in_force),
        people=people,
        around=keeping.look_around(list(tickets.values()), in_force, configuration.policies, now),
    )
