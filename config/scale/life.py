"""Lets scripted tickets live on a site, acts by domain functions and the engine in between."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import F, Min

from config.scale.scripts import Script
from escalation import handover
from escalation.breaches import note_breaches
from escalation.engine import climb
from escalation.models import Clock, Run
from escalation.scene import shared_configuration
from notifications.models import Message, MessageState
from roles.models import Membership, Organisation, Person
from roles.refusals import Refused
from tickets import assignment, lifecycle, states
from tickets.models import Category, Service, Ticket
from tickets.opening import open_ticket

BY_REQUESTER: Final = {"confirm", "reopen", "chase", "answer"}
ACTS: Final[Mapping[str, Callable[..., Any]]] = {
    "take": assignment.take,
    "comment": lifecycle.comment,
    "answer": lifecycle.comment,
    "pend": lifecycle.pend,
    "resolve": lifecycle.resolve,
    "confirm": lifecycle.confirm,
    "reopen": lifecycle.reopen,
    "chase": lifecycle.chase,
    "cancel": lifecycle.cancel,
    "escalate": handover.escalate,
    "hand_back": handover.hand_back,
}
CROWD: Final = "crowd-"
MOST_STEPS: Final = 60


@dataclass(frozen=True, slots=True)
class Lived:
    """A ticket that has lived through its script, and how many acts the site refused."""

    script: Script
    ticket_id: int
    refused: int


def draw_crowd(count: int) -> int:
    """Make sure that so many people are there who only ask, a third in each customer group."""
    groups = [None, *Organisation.objects.order_by("slug")]
    known = set(
        Person.objects.filter(username__startswith=CROWD).values_list("username", flat=True)
    )
    fresh = [
        Person(
            username=f"{CROWD}{number:05d}",
            name=f"Person {number:05d}",
            email=f"{CROWD}{number:05d}@example.org",
            password="!",  # noqa: S106  (nobody signs in with it)
            organisation=groups[number % len(groups)],
        )
        for number in range(count)
        if f"{CROWD}{number:05d}" not in known
    ]
    Person.objects.bulk_create(fresh, batch_size=1000)
    return len(fresh)


class Life:
    """A clock that is set forward from moment to moment, and the people who act by it."""

    def __init__(self, end: datetime) -> None:
        self.now = end
        self.end = end
        self.configuration = shared_configuration()
        self.services = {row.slug: row for row in Service.objects.all()}
        self.categories = {row.slug: row for row in Category.objects.all()}
        crowd = Person.objects.filter(username__startswith=CROWD).order_by("pk")
        self.crowd = list(crowd.select_related("organisation")[:300])
        self.members: dict[int, list[Person]] = {}
        for row in Membership.objects.filter(person__is_active=True).select_related("person"):
            self.members.setdefault(row.team_id, []).append(row.person)

    def clock(self) -> datetime:
        """The moment that is being lived through."""
        return self.now

    def live(self, script: Script, rng: Random) -> Lived:
        """Live one script through, from its opening to the end, in one transaction.

        Nothing of it is seen by others before, so that several may live at once.
        """
        with transaction.atomic():
            self.now = script.opened_at
            ticket = self._open(script, rng.choice(self.crowd))
            refused = 0
            for at, verb, given in script.acts:
                self._forward(ticket, at)
                refused += not self._act(ticket, verb, given, rng)
            self._forward(ticket, self.end)
            self._settle(ticket)
            self._deliver(ticket)
        return Lived(script, ticket.pk, refused)

    def _open(self, script: Script, requester: Person) -> Ticket:
        return open_ticket(
            subject=script.subject,
            description="It began this morning. Others in the room have it too.",
            requester=requester,
            actor=requester,
            kind=script.kind,
            impact=script.impact,
            urgency=script.urgency,
            service=self.services.get(script.service),
            category=self.categories.get(script.category),
            source=script.source,
            restricted=script.is_restricted,
            began_at=self.now - timedelta(minutes=10),
            detected_at=self.now,
            clock=self.clock,
        )

    def _forward(self, ticket: Ticket, goal: datetime) -> None:
        """Let the engine act at each moment at which something is due for this ticket."""
        steps = Run.objects.filter(ticket=ticket, state=Run.State.ACTIVE, next_at__lte=goal)
        late = Clock.objects.filter(
            ticket=ticket, state=Clock.State.RUNNING, noted_breach=False, due_at__lte=goal
        )
        for _ in range(MOST_STEPS):
            step = steps.aggregate(at=Min("next_at"))["at"]
            due = late.aggregate(at=Min("due_at"))["at"]
            moment = min(filter(None, (step, due)), default=None)
            if moment is None:
                break
            self.now = max(self.now, moment)
            if due is not None and due <= self.now:
                note_breaches(limit=MOST_STEPS, clock=self.clock, ticket_id=ticket.pk)
            climb(
                run_ids=list(steps.values_list("pk", flat=True)),
                clock=self.clock,
                configuration=self.configuration,
            )
        self.now = max(self.now, goal)
        note_breaches(limit=MOST_STEPS, clock=self.clock, ticket_id=ticket.pk)

    def _act(self, ticket: Ticket, verb: str, given: Any, rng: Random) -> bool:
        """Whether the act was possible; what the site refuses is left out."""
        present = Ticket.objects.select_related("requester", "assignee").get(pk=ticket.pk)
        crew: Sequence[Person] = self.members.get(present.team_id or 0, [])
        actor = present.requester if verb in BY_REQUESTER else present.assignee
        actor = actor or (rng.choice(crew) if crew else None)
        if actor is None:
            return False
        try:
            with transaction.atomic():
                ACTS[verb](ticket=present, actor=actor, clock=self.clock, **given)
        except Refused:
            return False
        return True

    def _settle(self, ticket: Ticket) -> None:
        """Close what has stayed resolved for long enough, as the engine would have."""
        resolved = Ticket.objects.filter(pk=ticket.pk, status=states.RESOLVED).first()
        if resolved is not None and resolved.resolved_at is not None:
            self.now = resolved.resolved_at + timedelta(days=settings.AUTO_CLOSE_DAYS)
            if self.now <= self.end:
                lifecycle.close(ticket=resolved, actor=None, clock=self.clock)

    def _deliver(self, ticket: Ticket) -> None:
        """What was told in the past has arrived: no sender shall tell it again."""
        Message.objects.filter(topic=ticket.topic, state=MessageState.QUEUED).update(
            state=MessageState.SENT,
            sent_at=F("created_at"),
            finished_at=F("created_at"),
            attempts=1,
        )
