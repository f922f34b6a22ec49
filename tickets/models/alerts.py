"""What monitors say: sources with their keys, and alerts with a state of their own."""

from django.conf import settings
from django.db import models


class AlertSource(models.Model):
    """One sender of alerts: its key, and where its tickets go."""

    class Product(models.TextChoices):
        ALERTMANAGER = "alertmanager", "Prometheus Alertmanager"

    slug = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=120)
    product = models.CharField(max_length=20, choices=Product)
    key_prefix = models.CharField(max_length=12, unique=True)
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

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Alert(models.Model):
    """One problem as one monitor sees it; folds into a ticket."""

    class State(models.TextChoices):
        FIRING = "firing", "Firing"
        RESOLVED = "resolved", "Resolved"

    source = models.ForeignKey(AlertSource, on_delete=models.PROTECT, related_name="alerts")
    dedup_key = models.CharField(max_length=512)
    group_key = models.CharField(max_length=1000, blank=True)
    state = models.CharField(max_length=8, choices=State, default=State.FIRING)
    ticket = models.ForeignKey("tickets.Ticket", on_delete=models.PROTECT, related_name="alerts")
    summary = models.CharField(max_length=250)
    details = models.JSONField(default=dict)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    count = models.PositiveIntegerField(default=1)

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
        ]
        indexes = [
            models.Index(fields=["source", "dedup_key", "-id"], name="alert_by_key"),
            models.Index(fields=["source", "group_key"], name="alert_by_group"),
        ]

    def __str__(self) -> str:
        return f"{self.source_id}: {self.summary}"
