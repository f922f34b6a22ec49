"""What monitors say: sources with their keys, and alerts with a state of their own."""

from uuid import uuid4

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from tickets import states


class AlertSource(models.Model):
    """One sender of alerts: its key, where its tickets go, and what keeps storms small."""

    class Product(models.TextChoices):
        ALERTMANAGER = "alertmanager", "Prometheus Alertmanager"
        GRAFANA = "grafana", "Grafana"
        PAGERDUTY = "pagerduty", "PagerDuty's senders (Events API v1 and v2)"
        OPSGENIE = "opsgenie", "Opsgenie's senders (Alert API v2, JSM Operations)"
        CLOUDEVENTS = "cloudevents", "CloudEvents"
        SNS = "sns", "Amazon SNS"
        SERVICENOW = "servicenow", "ServiceNow's senders (Table API)"
        JSON = "json", "Any JSON, by a mapping"

    class Grouping(models.TextChoices):
        SENDER = "sender", "As the sender groups them"
        ALERT = "alert", "A ticket for each alert"
        FIELD = "field", "By the value of a field"
        SOURCE = "source", "All into one ticket"

    slug = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=120)
    product = models.CharField(max_length=20, choices=Product)
    key_prefix = models.CharField(max_length=12)
    key_digest = models.CharField(max_length=64, unique=True)
    requester = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The service account in whose name tickets are opened.",
    )
    service = models.ForeignKey(
        "tickets.Service", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    team = models.ForeignKey(
        "roles.Team", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    is_active = models.BooleanField(default=True)
    last_seen_at = models.DateTimeField(null=True, blank=True)

    grouping = models.CharField(max_length=8, choices=Grouping, default=Grouping.SENDER)
    group_field = models.CharField(
        max_length=120,
        blank=True,
        help_text="For grouping by a field: its path, such as labels.cluster or component.",
    )
    storm_limit = models.PositiveIntegerField(
        default=60,
        help_text="So many tickets in five minutes; what comes beyond joins one ticket. 0: any.",
    )
    flap_limit = models.PositiveSmallIntegerField(
        default=5,
        help_text="An alert that begins so often within an hour flaps: it keeps one ticket, "
        "which is not resolved meanwhile. 0: never.",
    )
    auto_resolve_s = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(60), MaxValueValidator(31 * 86_400)],
        help_text="Seconds after the last word on an alert when it counts as clear. Empty: never.",
    )
    reads_directory = models.BooleanField(
        default=False,
        help_text="The key also reads who is on call, teams, services and people's names.",
    )
    is_signed = models.BooleanField(
        default=False,
        help_text="Grafana only: refuse what is not signed with this source's secret.",
    )
    mapping = models.JSONField(
        default=dict, blank=True, help_text="For any JSON: where in the payload each member stands."
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Alert(models.Model):
    """One problem as one monitor sees it; folds into a ticket, or is kept without one."""

    class State(models.TextChoices):
        FIRING = "firing", "Firing"
        RESOLVED = "resolved", "Resolved"

    uid = models.UUIDField(default=uuid4, unique=True, editable=False)
    source = models.ForeignKey(AlertSource, on_delete=models.PROTECT, related_name="alerts")
    dedup_key = models.CharField(max_length=512)
    group_key = models.CharField(max_length=1000, blank=True)
    state = models.CharField(max_length=8, choices=State, default=State.FIRING)
    ticket = models.ForeignKey(
        "tickets.Ticket",
        on_delete=models.PROTECT,
        related_name="alerts",
        null=True,
        blank=True,
        help_text="None while it is suppressed.",
    )
    opened = models.BooleanField(default=False, help_text="Its ticket was opened for it.")
    suppressed = models.CharField(max_length=250, blank=True, help_text="Why it has no ticket.")
    held_until = models.DateTimeField(null=True, blank=True, help_text="When it is looked at anew.")
    summary = models.CharField(max_length=250)
    severity = models.CharField(max_length=50, blank=True)
    details = models.JSONField(default=dict)
    marks = models.JSONField(default=dict, help_text="What was said of it through its product.")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    count = models.PositiveIntegerField(default=1)
    flap_count = models.PositiveSmallIntegerField(default=1)
    flap_since = models.DateTimeField(null=True, blank=True)
    is_hidden = models.BooleanField(default=False, help_text="Deleted through its product.")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "dedup_key"],
                condition=models.Q(state="firing"),
                name="alert_one_firing_per_key",
            ),
            models.CheckConstraint(
                condition=models.Q(state="firing", ended_at__isnull=True)
                | models.Q(state="resolved", ended_at__isnull=False),
                name="alert_resolved_has_end",
            ),
            models.CheckConstraint(
                condition=models.Q(ticket__isnull=False) | ~models.Q(suppressed=""),
                name="alert_without_ticket_says_why",
            ),
        ]
        indexes = [
            models.Index(fields=["source", "dedup_key", "-id"], name="alert_by_key"),
            models.Index(fields=["source", "group_key"], name="alert_by_group"),
            models.Index(
                fields=["source", "-first_seen_at"],
                condition=models.Q(opened=True),
                name="alert_that_opened",
            ),
            models.Index(
                fields=["held_until"],
                condition=models.Q(held_until__isnull=False),
                name="alert_held",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source_id}: {self.summary}"

    @property
    def is_firing(self) -> bool:
        return self.state == self.State.FIRING

    @property
    def is_acknowledged(self) -> bool:
        """Whether somebody has it: as its ticket says, or as was said of it alone."""
        if self.ticket is None:
            return bool(self.marks.get("acknowledged_by"))
        at_work = states.PENDING | {states.IN_PROGRESS}
        return self.ticket.is_acknowledged or self.ticket.status in at_work
