"""How what monitors say is judged and told of: rules, quiet times, the log, changes, heartbeats."""

from datetime import timedelta
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from tickets.matching import conditions_problem
from tickets.models.alerts import Alert, AlertSource
from tickets.models.ticket import Kind


def check_conditions(value: object) -> None:
    """Raise ValidationError unless the value is a list of conditions that can be asked."""
    problem = conditions_problem(value)
    if problem:
        raise ValidationError(problem)


class AlertRule(models.Model):
    """What to do with alerts that meet all conditions; the first rule that fits decides."""

    class Act(models.TextChoices):
        TAKE = "take", "Open or join a ticket"
        SUPPRESS = "suppress", "Keep it without a ticket"

    source = models.ForeignKey(
        AlertSource,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="rules",
        help_text="None: for every source, after its own rules.",
    )
    position = models.PositiveIntegerField(default=10)
    name = models.CharField(max_length=120)
    conditions = models.JSONField(
        default=list,
        blank=True,
        validators=[check_conditions],
        help_text='Such as [{"field": "labels.team", "is": "equals", "value": "db"}]; all must '
        "hold, an empty list always does.",
    )
    act = models.CharField(max_length=8, choices=Act, default=Act.TAKE)
    severity = models.CharField(
        max_length=50, blank=True, help_text="critical, error, warning, info or p1 to p5."
    )
    service = models.ForeignKey(
        "tickets.Service", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    team = models.ForeignKey(
        "roles.Team", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    kind = models.CharField(
        max_length=12,
        blank=True,
        choices=[(Kind.INCIDENT, Kind.INCIDENT.label), (Kind.SECURITY, Kind.SECURITY.label)],
    )
    restricted = models.BooleanField(
        default=False, help_text="Its ticket is for cleared people only."
    )
    group_field = models.CharField(
        max_length=120, blank=True, help_text="Group these by the value of this field instead."
    )
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.name


class Maintenance(models.Model):
    """A stretch of time in which matching alerts are kept and open no ticket."""

    name = models.CharField(max_length=120)
    source = models.ForeignKey(
        AlertSource,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="maintenances",
        help_text="None: every source.",
    )
    conditions = models.JSONField(default=list, blank=True, validators=[check_conditions])
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = models.CharField(max_length=250, blank=True)

    class Meta:
        verbose_name = "maintenance window"
        ordering = ["-starts_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")),
                name="maintenance_ends_after_start",
                violation_error_message="It must end after it starts.",
            ),
        ]
        indexes = [models.Index(fields=["ends_at"], name="maintenance_by_end")]

    def __str__(self) -> str:
        return self.name


class AlertEntry(models.Model):
    """One line of an alert's own log: what was done to it through its product, and notes."""

    class Kind(models.TextChoices):
        LOG = "log", "Log"
        NOTE = "note", "Note"

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="entries")
    at = models.DateTimeField()
    kind = models.CharField(max_length=4, choices=Kind)
    text = models.TextField()
    by = models.CharField(max_length=100, blank=True)

    class Meta:
        verbose_name_plural = "alert entries"
        ordering = ["id"]

    def __str__(self) -> str:
        return self.text[:80]


class IntakeRequest(models.Model):
    """One request of a sender and what became of it; the receipt that Opsgenie's clients ask for.

    Plain repeats beyond a few a second are counted in `repeats` of the next row. Kept for some
    days.
    """

    class Outcome(models.TextChoices):
        ACCEPTED = "accepted", "Accepted"
        FOLDED = "folded", "Folded"
        SUPPRESSED = "suppressed", "Suppressed"
        IGNORED = "ignored", "Changed nothing"
        REFUSED = "refused", "Refused"

    uid = models.UUIDField(default=uuid4, unique=True, editable=False)
    at = models.DateTimeField()
    source = models.ForeignKey(
        AlertSource, on_delete=models.CASCADE, null=True, blank=True, related_name="requests"
    )
    door = models.CharField(max_length=20)
    act = models.CharField(max_length=30)
    outcome = models.CharField(max_length=10, choices=Outcome)
    status = models.PositiveSmallIntegerField()
    told = models.CharField(max_length=1000, blank=True, help_text="What became of it, or why not.")
    alert = models.ForeignKey(
        Alert, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    is_success = models.BooleanField(default=True)
    repeats = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = "intake request"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["source", "-id"], name="intake_request_by_source"),
            models.Index(fields=["at"], name="intake_request_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.door} {self.act}: {self.outcome}"


class ChangeNotice(models.Model):
    """A change that a sender tells of, such as a deployment; opens nothing, tells nobody."""

    source = models.ForeignKey(AlertSource, on_delete=models.CASCADE, related_name="changes")
    at = models.DateTimeField()
    received_at = models.DateTimeField()
    summary = models.CharField(max_length=1024)
    origin = models.CharField(max_length=255, blank=True)
    details = models.JSONField(default=dict)
    links = models.JSONField(default=list)

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["source", "-at"], name="change_notice_by_source")]

    def __str__(self) -> str:
        return self.summary[:80]


class Pulse(models.Model):
    """A heartbeat that must keep coming: when it stays out, an alert begins; the next ends it."""

    class Unit(models.TextChoices):
        MINUTES = "minutes", "minutes"
        HOURS = "hours", "hours"
        DAYS = "days", "days"

    source = models.ForeignKey(AlertSource, on_delete=models.CASCADE, related_name="pulses")
    name = models.CharField(max_length=200)
    description = models.CharField(max_length=10_000, blank=True)
    interval = models.PositiveIntegerField(
        default=10, validators=[MinValueValidator(1), MaxValueValidator(10_000)]
    )
    interval_unit = models.CharField(max_length=7, choices=Unit, default=Unit.MINUTES)
    is_enabled = models.BooleanField(default=True)
    owner_team = models.CharField(max_length=100, blank=True)
    alert_message = models.CharField(max_length=250, blank=True)
    alert_tags = models.JSONField(default=list, blank=True)
    alert_priority = models.CharField(max_length=2, default="P3")
    last_ping_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="None before the first ping."
    )
    is_expired = models.BooleanField(default=False, editable=False)

    class Meta:
        verbose_name = "inbound heartbeat"
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["source", "name"], name="pulse_name_once_per_source"),
        ]
        indexes = [
            models.Index(
                fields=["expires_at"],
                condition=models.Q(is_enabled=True, is_expired=False),
                name="pulse_to_expire",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def span(self) -> timedelta:
        return timedelta(**{self.interval_unit: self.interval})
