"""All that one batch of due steps is decided by, read before anything of it is written."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Any, Final

from django.db.models import Q

from escalation import keeping, onward, runs, sla
from escalation.clock import Fact
from escalation.deeds import Deed
from escalation.models import Clock, Policy, PolicyRevision, Run
from escalation.routes import Routes
from escalation.rules import ClockView, Step, decide
from escalation.runs import Prospect
from escalation.setup import SETUP
from escalation.sleeping import Sleepers, may_sleep, next_beside, sleepers_of
from escalation.staff import Staff
from escalation.steps import Key
from escalation.targets import People
from roles.instances import read_rows, relate
from roles.ledger import Ledger
from roles.models import Organisation
from roles.written import Written, any_of
from tickets.models import Ticket, TimelineEvent

FRESH_S: Final = 5.0
"""For so long one pass goes by what it has read of the configuration; rosters are read anew."""


CLOCKS: Final = Written(
    lambda tickets: Clock.objects.filter(any_of("ticket", tickets)).order_by(
        "ticket_id", "kind", "cycle"
    ),
    tickets=list[int],
)


class Configuration:
    """What the people of the site have set up, as one pass of the engine sees it."""

    def __init__(self) -> None:
        self._read_at = time.monotonic()
        known = SETUP.latest()
        self.targets = sla.Targets(known.targets)
        self.policies = known.policies
        self.staff = Staff(known.teams, known.members, known.holders)
        self.teams = known.teams
        self.routes = Routes(known.teams, known.routes)
        self.services, self.categories = known.services, known.categories
        self.organisations: dict[int, Organisation] = {}
        self.vendor_teams = known.vendor_teams
        self._revisions: dict[int, PolicyRevision] = {
            policy.current.pk: policy.current for policy in self.policies if policy.current
        }
        # Of all that is published: a move asks which climbs sleep through it.
        self._steps: dict[int, Sequence[Step]] = dict(known.steps)
        self._policies: dict[int, Policy] = {policy.pk: policy for policy in self.policies}

    @property
    def is_fresh(self) -> bool:
        return time.monotonic() - self._read_at < FRESH_S

    def read_all(self) -> None:
        """Read now what else would be read when somebody first asks for it."""
        _ = self.staff.insiders

    def introduce(self, in_force: Sequence[Run]) -> None:
        """Give the runs their policies and revisions; those of old are read when first met."""
        missing = {run.revision_id for run in in_force} - set(self._revisions)
        if missing:
            self._revisions |= PolicyRevision.objects.in_bulk(missing)
        absent = {run.policy_id for run in in_force} - set(self._policies)
        if absent:
            self._policies |= Policy.objects.in_bulk(absent)
        for run in in_force:
            relate(run, "policy", self._policies[run.policy_id])
            relate(run, "revision", self._revisions[run.revision_id])

    @property
    def revisions(self) -> list[PolicyRevision]:
        """Every revision that this pass has met, or may begin a run under."""
        return list(self._revisions.values())

    def steps_of(self, revisions: Iterable[PolicyRevision]) -> dict[int, Sequence[Step]]:
        """The steps of some revisions, by revision id; they never change."""
        wanted = {revision.pk for revision in revisions}
        if missing := wanted - set(self._steps):
            found = runs.steps_of(missing)
            self._steps |= {pk: found.get(pk, []) for pk in missing}
        return self._steps

    def place(self, tickets: Iterable[Ticket]) -> None:
        """Fill in where tickets stand; what is newer than this is left to be read."""
        tickets = list(tickets)
        named = {ticket.organisation_id for ticket in tickets if ticket.organisation_id}
        if missing := named - self.organisations.keys():  # A site may serve thousands of them.
            self.organisations |= Organisation.objects.in_bulk(missing)
        for ticket in tickets:
            known = {
                "team": self.teams.get(ticket.team_id or 0),
                "service": self.services.get(ticket.service_id or 0),
                "category": self.categories.get(ticket.category_id or 0),
                "organisation": self.organisations.get(ticket.organisation_id or 0),
            }
            for name, row in known.items():
                if row is not None or getattr(ticket, f"{name}_id") is None:
                    relate(ticket, name, row)


def shared_configuration() -> Callable[[], Configuration]:
    """What gives a pass its configuration: read when first asked for, and again when not fresh.

    A pass that finds nothing due asks for none; batches that are carried out at once share one.
    """
    known: Configuration | None = None
    reading = Lock()

    def latest() -> Configuration:
        nonlocal known
        with reading:
            if known is None or not known.is_fresh:
                known = Configuration()
            return known

    return latest


@dataclass(slots=True)
class Scene:
    """Locked tickets with their runs, clocks and past, for one decision about all of them.

    `in_force` are the runs that are looked at: at first the claimed ones, then those beside them
    that what is done concerns too. `views` are the clocks as steps see them, `foreseen` what runs
    had to do and what that went by, `ahead` what all have still to do once the batch is settled.
    `beside` says when the other runs come next, by ticket. `restless` are the tickets of which
    anything but a message has been written since: by their timelines (`told`), or where a move's
    effect is plain by what they were last aimed at.
    """

    configuration: Configuration
    tickets: dict[int, Ticket]
    claimed: list[Run]
    in_force: list[Run]
    clocks: dict[int, list[Clock]]
    done: dict[int, dict[Key, str]]
    people: People
    views: dict[int, dict[str, ClockView]] = field(default_factory=dict)
    foreseen: dict[int, tuple[Prospect, tuple[Any, ...]]] = field(default_factory=dict)
    around: keeping.Around | None = None
    told: dict[int, list[Fact]] = field(default_factory=dict)
    aims: dict[int, onward.Match] = field(default_factory=dict)
    restless: list[Ticket] = field(default_factory=list)
    asleep: list[Sleepers] = field(default_factory=list)
    beside: dict[int, datetime] = field(default_factory=dict)
    ahead: dict[int, Prospect] = field(default_factory=dict)
    passed_on: set[int] = field(default_factory=set)

    @property
    def steps(self) -> dict[int, Sequence[Step]]:
        return self.configuration.steps_of(run.revision for run in self.in_force)

    def follow(self, deeds: Sequence[Deed]) -> None:
        """Read what else these deeds concern: timelines, and runs beside those that were claimed.

        A ticket of which somebody was told keeps its other runs as they are. One that is passed on
        wakes some of them; where more has happened, or the facts under which its policies were
        chosen have changed, every one is looked at.
        """
        doing = [deed for deed in deeds if not deed.only_tells]
        self.restless = list({deed.ticket.id: deed.ticket for deed in doing}.values())
        whole = {run.ticket_id for run in self.claimed if not keeping.fits(run, run.ticket)}
        whole |= {deed.ticket.id for deed in doing if not self._only_moves(deed)}
        moved = [ticket for ticket in self.restless if ticket.id not in whole]
        known = self.configuration
        self.passed_on = {ticket.id for ticket in moved}
        moves = [
            (deed.ticket, deed.to_team)
            for deed in doing
            if deed.to_team is not None and deed.ticket.id not in whole
        ]
        self.aims = onward.foreseen(moves, self.clocks, known.targets)
        self.told = sla.timelines([t.pk for t in self.restless if t.pk not in self.aims])
        self.asleep = sleepers_of(moved, known.revisions, known.steps_of(known.revisions))
        self._look_beside(whole)

    def _only_moves(self, deed: Deed) -> bool:
        """Whether nothing happens to the ticket but that another team of ours gets it."""
        team = deed.to_team
        return (
            team is not None
            and deed.only_moves
            and team.id not in self.configuration.vendor_teams
            and may_sleep(deed.ticket, self.clocks[deed.ticket.id])
        )

    def _look_beside(self, whole: Iterable[int]) -> None:
        """Read the runs that are to be looked at too, and see when the others come next.

        Whoever writes a run holds its ticket's lock, which is ours.
        """
        wanted = Q(any_of("ticket", list(whole)))
        for group in self.asleep:
            wanted |= group.awake
        claimed = [run.id for run in self.claimed]
        beside: list[Run] = []
        if whole or self.asleep:
            others = ~Q(any_of("pk", claimed))
            rows = Run.objects.filter(wanted, others, state__in=keeping.IN_FORCE)
            beside = read_rows(rows.order_by("id"))
        for run in beside:
            relate(run, "ticket", self.tickets[run.ticket_id])
        known = self.configuration
        known.introduce(beside)
        self.in_force = sorted([*self.claimed, *beside], key=lambda run: run.id)
        if beside:
            self.done |= runs.done_by(beside)
        self.beside = next_beside(list(self.tickets), [run.id for run in self.in_force])
        self.around = keeping.look_around(
            list(self.tickets.values()), self.in_force, known.policies, self.people.at
        )

    def listeners(self, deeds: Sequence[Deed]) -> set[int]:
        """Whom the letters about these deeds, and about what follows at once, mostly go to."""
        goals = {deed.to_team.pk for deed in deeds if deed.to_team is not None}
        near = {pk for ids in self.people.on_call(goals).values() for pk in ids}
        told = {pk for deed in deeds for pk in deed.told}
        return near | told | {ticket.requester_id for ticket in self.tickets.values()}

    def ripe(self) -> list[Prospect]:
        """Claimed runs for which a step has come due by a move, and only tells somebody.

        A ticket of which anything else is due is left to the next batch, which asks in order; so is
        one to which anything else was done.
        """
        now = self.people.at
        claimed = {run.id for run in self.claimed if run.ticket_id in self.passed_on}
        waits = {pk for pk, at in self.beside.items() if at <= now}
        found = []
        for item in self.ahead.values():
            run = item.run
            if run.next_at is None or run.next_at > now:
                continue
            if run.id in claimed and not run.held and decide(item.coming, now).only_tells:
                found.append(item)
            else:
                waits.add(run.ticket_id)
        ripe = [item for item in found if item.run.ticket_id not in waits]
        self.foreseen = {item.run.id: (item, runs.basis_of(item.run)) for item in ripe}
        return sorted(ripe, key=lambda item: (item.run.next_at, item.run.id))

    def hear(self, ledger: Ledger) -> None:
        """Go on with those timelines by what has been recorded since they were read."""
        if ledger.has_written:
            self.told = sla.timelines(list(self.told))
            return
        for event in ledger.waiting(TimelineEvent):
            if event.ticket_id in self.told and event.kind in sla.CLOCK_EVENTS:
                self.told[event.ticket_id].append(sla.fact_of(event))


def look(claimed: Sequence[Run], configuration: Configuration, now: datetime) -> Scene:
    """Read what decides about these locked runs and their locked tickets."""
    tickets = {run.ticket_id: run.ticket for run in claimed}
    ids = list(tickets)
    configuration.introduce(claimed)
    configuration.place(tickets.values())
    people = People(list(tickets.values()), now, configuration.staff)
    for ticket in tickets.values():
        relate(ticket, "requester", people.people[ticket.requester_id])
    clocks: dict[int, list[Clock]] = {ticket_id: [] for ticket_id in ids}
    # Whoever writes a clock holds its ticket's lock, which is ours.
    for row in CLOCKS.rows(tickets=ids):
        clocks[row.ticket_id].append(row)
    return Scene(
        configuration=configuration,
        tickets=tickets,
        claimed=list(claimed),
        in_force=list(claimed),
        clocks=clocks,
        done=runs.done_by(claimed),
        people=people,
        views={ticket_id: runs.clock_views(held) for ticket_id, held in clocks.items()},
    )
