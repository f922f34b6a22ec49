"""Targets and clocks: how long each stage may take, and how far it has come."""

from django.contrib.postgres.fields import ArrayField
from django.db import models


class ClockKind(models.TextChoices):
    FIRST_RESPONSE = "first_response", "First response"
    RESOLUTION = "resolution", "Resolution"
    NEXT_UPDATE = "next_update", "Next update"
    ACCEPTANCE = "acceptance", "Acceptance"
    TIME_IN_TEAM = "time_in_team", "Time in team"
    VENDOR_RESPONSE = "vendor_response", "Vendor response"
    VENDOR_FIX = "vendor_fix", "Vendor fix"
    STAKEHOLDER_UPDATE = "stakeholder_update", "Stakeholder update"
    REGULATORY = "regulatory", "Regulatory notice"


class Target(models.Model):
    """A promise, found by the first match in order of position."""

    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=120)
    position = models.PositiveIntegerField(help_text="Lower is tried first; the first match wins.")
    is_active = models.BooleanField(default=True)
    current = models.ForeignKey(
        "escalation.TargetRevision",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.name


class TargetRevision(models.Model):
    """One immutable wording of a target; clocks keep the revision that they started with."""

    target = models.ForeignKey(Target, on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    clock = models.CharField(max_length=20, choices=ClockKind)
    seconds = models.PositiveIntegerField(help_text="Working seconds allowed.")
    first_seconds = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="Working seconds allowed for the first word of a series, where it differs.",
    )
    calendar = models.ForeignKey(
        "roles.Calendar",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Empty: the calendar of the team that has the ticket.",
    )
    pauses = ArrayField(
        models.CharField(max_length=20),
        default=list,
        blank=True,
        help_text="Statuses in which this clock stands still.",
    )
    priority = models.PositiveSmallIntegerField(null=True, blank=True)
    kind = models.CharField(max_length=12, blank=True)
    service = models.ForeignKey(
        "tickets.Service", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    organisation = models.ForeignKey(
        "roles.Organisation", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    team = models.ForeignKey(
        "roles.Team", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    vendor = models.ForeignKey(
        "escalation.Vendor", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["target", "number"]
        constraints = [
            models.UniqueConstraint(fields=["target", "number"], name="target_revision_number"),
            models.CheckConstraint(condition=models.Q(seconds__gte=1), name="target_seconds_min_1"),
            models.CheckConstraint(
                condition=models.Q(first_seconds__isnull=True)
                | models.Q(
                    first_seconds__gte=1,
                    clock__in=[ClockKind.NEXT_UPDATE, ClockKind.STAKEHOLDER_UPDATE],
                ),
                name="target_first_of_a_series",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.target} r{self.number}"


class Clock(models.Model):
    """One cycle of one clock: the sweep's index over what a replay of the timeline says.

    `started_at`, `pauses`, `stopped_at` and `ended_as` follow from the timeline alone; `due_at`,
    `elapsed_s` and `breached_at` from those, the target and the calendar, as of `as_of`.
    """

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        PAUSED = "paused", "Paused"
        STOPPED = "stopped", "Stopped"
        CANCELLED = "cancelled", "Cancelled"

    class Ending(models.TextChoices):
        MET = "met", "Met"
        HANDED_BACK = "handed_back", "Handed back"
        MOVED = "moved", "Moved on"
        CANCELLED = "cancelled", "Cancelled"

    ticket = models.ForeignKey(
        "tickets.Ticket", on_delete=models.PROTECT, related_name="clocks", db_index=False
    )
    kind = models.CharField(max_length=20, choices=ClockKind)
    cycle = models.PositiveIntegerField(default=1)
    team = models.ForeignKey(
        "roles.Team",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    target = models.ForeignKey(
        TargetRevision, on_delete=models.PROTECT, related_name="clocks", db_index=False
    )
    calendar = models.ForeignKey(
        "roles.CalendarRevision", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    ended_as = models.CharField(max_length=12, choices=Ending, blank=True)
    target_s = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    pauses = models.JSONField(default=list)
    stopped_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    elapsed_s = models.FloatField(default=0)
    breached_at = models.DateTimeField(null=True, blank=True)
    as_of = models.DateTimeField()
    # The sweep asks "whose deadline has passed and is not yet noted"; this is the note.
    noted_breach = models.BooleanField(default=False)

    class Meta:
        ordering = ["ticket", "kind", "cycle"]
        constraints = [
            models.UniqueConstraint(fields=["ticket", "kind", "cycle"], name="clock_one_per_cycle"),
            models.CheckConstraint(
                condition=~models.Q(state="running") | models.Q(due_at__isnull=False),
                name="clock_running_has_due",
            ),
            models.CheckConstraint(
                condition=models.Q(stopped_at__isnull=True)
                | models.Q(state__in=["stopped", "cancelled"]),
                name="clock_stop_means_stopped",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=models.Q(state="running", noted_breach=False),
                name="clock_due_unnoted",
            ),
            # What goes by a wording or by hours is asked of clocks that may still be moved.
            models.Index(
                fields=["target"],
                condition=models.Q(state__in=["paused", "running"]),
                name="clock_live_by_target",
            ),
            models.Index(
                fields=["calendar"],
                condition=models.Q(state__in=["paused", "running"]),
                name="clock_live_by_calendar",
            ),
            # Missed and stopped, or missed in retrospect, while nobody looked: still to be noted.
            models.Index(
                fields=["breached_at"],
                condition=models.Q(breached_at__isnull=False, noted_breach=False),
                name="clock_missed_unnoted",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.kind}#{self.cycle}"
