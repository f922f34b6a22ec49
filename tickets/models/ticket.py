"""The ticket: one problem, its present place, and the head of its timeline."""

from typing import Any, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django_fsm import transition

from roles.access import allows
from roles.models import Person
from roles.people import roles_of
from tickets import states
from tickets.models.restriction import Clearance
from tickets.models.status import ProtectedStatusModel, StatusField


class Kind(models.TextChoices):
    INCIDENT = "incident", "Incident"
    REQUEST = "request", "Service request"
    SECURITY = "security", "Security incident"
    PROBLEM = "problem", "Problem"
    CHANGE = "change", "Change"


class Source(models.TextChoices):
    PORTAL = "portal", "Portal"
    EMAIL = "email", "E-mail"
    API = "api", "API"
    MONITOR = "monitor", "Monitor"
    PHONE = "phone", "Phone"


class Origin(models.TextChoices):
    LIVE = "live", "Live"
    IMPORTED = "imported", "Imported"


class TicketQuerySet(models.QuerySet["Ticket"]):
    """Guards the columns that only a transition or the set-based move may write."""

    def update(self, **kwargs: Any) -> int:
        if "status" in kwargs:
            raise AttributeError("status changes by transitions only")
        return super().update(**kwargs)

    def visible_to(self, person: Person) -> Self:
        """The tickets that this person may know of: the one scope through which every door reads.

        A restricted ticket is visible to cleared people only, whatever else they are to it.
        """
        cleared = Exists(Clearance.objects.filter(ticket=OuterRef("pk"), person=person.pk))
        if allows(roles_of(person), "view", frozenset()):
            return self.filter(Q(restricted=False) | Q(cleared))
        watched = Exists(Watcher.objects.filter(ticket=OuterRef("pk"), person=person.pk))
        mine: Q = Q(requester=person.pk) | Q(watched)
        organisation = person.organisation
        if organisation is not None and organisation.may_see_own:
            mine |= Q(organisation=organisation)
        return self.filter(Q(restricted=False) & mine | Q(cleared))

    def open(self) -> Self:
        """Tickets that somebody still has to work on."""
        return self.filter(status__in=states.OPEN)


class Ticket(ProtectedStatusModel):
    """One problem on its way to somebody who can solve it.

    Columns under "index" are written by the escalation floor only, and can be rebuilt.
    """

    kind = models.CharField(max_length=12, choices=Kind, default=Kind.INCIDENT)
    key = models.CharField(max_length=20, unique=True)
    subject = models.CharField(max_length=250)
    description = models.TextField(blank=True)
    source = models.CharField(max_length=8, choices=Source, default=Source.PORTAL)
    origin = models.CharField(max_length=8, choices=Origin, default=Origin.LIVE)
    external_ref = models.CharField(max_length=120, null=True, blank=True, unique=True)

    requester = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="requested_tickets",
        db_index=False,  # ticket_by_requester begins with it
    )
    organisation = models.ForeignKey(
        "roles.Organisation", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    service = models.ForeignKey(
        "tickets.Service",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="tickets",
        db_index=False,  # ticket_by_service begins with it
    )
    category = models.ForeignKey(
        "tickets.Category", on_delete=models.PROTECT, null=True, blank=True, related_name="tickets"
    )
    asset = models.CharField(max_length=200, blank=True)
    tags = ArrayField(models.CharField(max_length=50), default=list, blank=True)

    impact = models.PositiveSmallIntegerField(default=3)
    urgency = models.PositiveSmallIntegerField(default=3)
    priority = models.PositiveSmallIntegerField(default=5)
    priority_override = models.PositiveSmallIntegerField(null=True, blank=True)
    priority_floor = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="The most urgent priority a rule has raised it to."
    )

    status = StatusField(
        max_length=20,
        default=states.NEW,
        protected=True,
        choices=[(state, states.LABELS[state]) for state in sorted(states.ALL)],
    )
    status_since = models.DateTimeField()
    status_entry = models.PositiveIntegerField(default=1)
    wake_at = models.DateTimeField(null=True, blank=True)
    pending_reason = models.CharField(max_length=250, blank=True)

    team = models.ForeignKey(
        "roles.Team", on_delete=models.PROTECT, null=True, blank=True, related_name="tickets"
    )
    entry = models.PositiveIntegerField(default=0)
    entry_origin = models.PositiveIntegerField(default=0)
    entered_at = models.DateTimeField(null=True, blank=True)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="assigned_tickets",
    )
    owner_team = models.ForeignKey(
        "roles.Team", on_delete=models.PROTECT, null=True, blank=True, related_name="owned_tickets"
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="owned_tickets",
    )
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )

    restricted = models.BooleanField(default=False)
    is_major = models.BooleanField(default=False)
    opened_at = models.DateTimeField()
    began_at = models.DateTimeField(null=True, blank=True)
    detected_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    resolution_code = models.CharField(max_length=40, blank=True)
    resolution = models.TextField(blank=True)
    merged_into = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
        help_text="The ticket that goes on in this one's place.",
    )
    handover_count = models.PositiveIntegerField(default=0)
    reopen_count = models.PositiveIntegerField(default=0)
    chase_count = models.PositiveIntegerField(default=0)

    last_seq = models.PositiveIntegerField(default=0)
    last_hash = models.CharField(max_length=64, blank=True)
    last_event_at = models.DateTimeField(null=True, blank=True)

    # index
    next_due_at = models.DateTimeField(null=True, blank=True)
    next_step_at = models.DateTimeField(null=True, blank=True)
    breached_at = models.DateTimeField(null=True, blank=True)

    objects = TicketQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=sorted(states.ALL)), name="ticket_status_known"
            ),
            models.CheckConstraint(
                condition=models.Q(impact__range=(1, 3), urgency__range=(1, 3)),
                name="ticket_impact_urgency_1_to_3",
            ),
            models.CheckConstraint(
                condition=models.Q(priority__range=(1, 5)), name="ticket_priority_1_to_5"
            ),
            models.CheckConstraint(
                condition=models.Q(status=states.NEW) | models.Q(team__isnull=False, entry__gte=1),
                name="ticket_has_team_unless_new",
            ),
            models.CheckConstraint(
                condition=~models.Q(status=states.WAITING) | models.Q(assignee__isnull=True),
                name="ticket_waiting_has_no_assignee",
            ),
            models.CheckConstraint(
                condition=~models.Q(status__in=[states.RESOLVED, states.CLOSED])
                | models.Q(resolved_at__isnull=False),
                name="ticket_resolved_has_time",
            ),
            models.CheckConstraint(
                condition=models.Q(merged_into__isnull=True)
                | models.Q(
                    ~models.Q(merged_into=models.F("id")),
                    status__in=[states.RESOLVED, states.CLOSED],
                ),
                name="ticket_merged_is_over",
            ),
            # A major incident is told to many, a restricted case to few: never both.
            models.CheckConstraint(
                condition=~models.Q(is_major=True, restricted=True),
                name="ticket_major_not_restricted",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_due_at", "id"],
                condition=models.Q(status__in=sorted(states.OPEN)),
                name="ticket_open_by_deadline",
            ),
            models.Index(
                fields=["team", "next_due_at"],
                condition=models.Q(status__in=sorted(states.OPEN)),
                name="ticket_open_by_team",
            ),
            models.Index(
                fields=["assignee", "next_due_at"],
                condition=models.Q(status__in=sorted(states.OPEN)),
                name="ticket_open_by_assignee",
            ),
            # Nine tenths of a busy team's tickets are in somebody's hands: who waits stands apart.
            models.Index(
                fields=["team", "next_due_at", "id"],
                condition=models.Q(status=states.WAITING),
                name="ticket_waiting_by_team",
            ),
            models.Index(
                fields=["priority", "next_due_at", "id"],
                condition=models.Q(status__in=sorted(states.OPEN)),
                name="ticket_open_by_priority",
            ),
            models.Index(fields=["requester", "-id"], name="ticket_by_requester"),
            models.Index(fields=["opened_at", "id"], name="ticket_by_opening"),
            models.Index(fields=["service", "-opened_at"], name="ticket_by_service"),  # for repeats
            models.Index(
                fields=["asset", "-opened_at"],
                condition=~models.Q(asset=""),
                name="ticket_by_asset",
            ),
            # What the calendar asks every second, and the watch over urgent tickets now and then.
            models.Index(
                fields=["resolved_at"],
                condition=models.Q(status=states.RESOLVED, origin=Origin.LIVE),
                name="ticket_to_close",
            ),
            models.Index(
                fields=["id"],
                condition=models.Q(status=states.PENDING_CHANGE),
                name="ticket_awaiting_change",
            ),
            models.Index(
                fields=["priority", "id"],
                condition=models.Q(
                    status__in=sorted(states.OPEN), priority__lte=2, origin=Origin.LIVE
                ),
                name="ticket_urgent",
            ),
            models.Index(fields=["id"], condition=models.Q(restricted=True), name="ticket_cases"),
            models.Index(
                fields=["next_due_at"],
                condition=models.Q(is_major=True, status__in=sorted(states.OPEN)),
                name="ticket_open_majors",  # few at any time, and asked for by every queue
            ),
            models.Index(
                fields=["wake_at"], condition=models.Q(wake_at__isnull=False), name="ticket_by_wake"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.subject}"

    @property
    def is_open(self) -> bool:
        return self.status in states.OPEN

    @property
    def topic(self) -> str:
        """The name under which messages and live pages know this ticket."""
        return f"ticket:{self.id}"

    @property
    def is_acknowledged(self) -> bool:
        return self.acknowledged_at is not None

    @transition(field=status, source=[states.NEW, states.IN_PROGRESS], target=states.WAITING)
    def queue(self) -> None:
        """Into a team's queue; nobody has it."""
        self.assignee = None

    @transition(field=status, source=states.WAITING, target=states.IN_PROGRESS)
    def begin(self) -> None:
        """Somebody works on it."""

    @transition(field=status, source=states.IN_PROGRESS, target=states.PENDING_REQUESTER)
    def await_requester(self) -> None:
        """The requester has to answer."""

    @transition(field=status, source=states.IN_PROGRESS, target=states.PENDING_VENDOR)
    def await_vendor(self) -> None:
        """A vendor has to deliver."""

    @transition(field=status, source=states.IN_PROGRESS, target=states.PENDING_CHANGE)
    def await_change(self) -> None:
        """A change has to be implemented."""

    @transition(field=status, source=sorted(states.PENDING), target=states.IN_PROGRESS)
    def resume(self) -> None:
        """Work goes on."""
        self.wake_at = None
        self.pending_reason = ""

    @transition(field=status, source=sorted(states.OPEN), target=states.RESOLVED)
    def resolve(self) -> None:
        """Solved, in the solver's eyes."""
        self.wake_at = None

    @transition(field=status, source=states.RESOLVED, target=states.WAITING)
    def reopen(self) -> None:
        """Not solved, in the requester's eyes."""
        self.assignee = None
        self.reopen_count += 1

    @transition(field=status, source=states.RESOLVED, target=states.CLOSED)
    def close(self) -> None:
        """Done for good."""

    @transition(field=status, source=sorted(states.OPEN), target=states.CANCELLED)
    def cancel(self) -> None:
        """Not to be worked on."""
        self.wake_at = None


class Watcher(models.Model):
    """Somebody who wants to be told, without working on the ticket."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="watchers")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="watched"
    )
    since = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ticket", "person"], name="watcher_once")]

    def __str__(self) -> str:
        return f"{self.person} watches {self.ticket_id}"


class TicketLink(models.Model):
    """How two tickets belong together, read from `source` to `target`."""

    class Relation(models.TextChoices):
        CHILD_OF = "child_of", "Child of"
        DUPLICATE_OF = "duplicate_of", "Duplicate of"
        CAUSED_BY = "caused_by", "Caused by"
        FOLLOWS = "follows", "Follows"
        RELATED = "related", "Related to"

    source = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="links_out")
    target = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="links_in")
    relation = models.CharField(max_length=12, choices=Relation)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "target", "relation"], name="ticket_link_once"
            ),
            models.CheckConstraint(
                condition=~models.Q(source=models.F("target")), name="ticket_link_not_to_itself"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source_id} {self.relation} {self.target_id}"
