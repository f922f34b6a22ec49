"""What people asked of the past: simulations of policies, and what they came to."""

from django.conf import settings
from django.db import models

from insights.figures.models import BoardMail, DayTotal, Folded, FoldMark, Point
from insights.operations.models import Verification
from insights.reviews.models import Review, ReviewAction, Sample
from insights.risk.models import Estimate, RiskModel

__all__ = [
    "BoardMail",
    "DayTotal",
    "Estimate",
    "FoldMark",
    "Folded",
    "Point",
    "Review",
    "ReviewAction",
    "RiskModel",
    "Sample",
    "Simulation",
    "Verification",
]


class Simulation(models.Model):
    """One draft of a policy, or a configuration file, played over this site's own tickets."""

    class State(models.TextChoices):
        QUEUED = "queued", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        STOPPED = "stopped", "Stopped"

    policy = models.ForeignKey(
        "escalation.Policy",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="simulations",
        help_text="Its draft is played. Empty: the file, or only today's policies.",
    )
    file = models.TextField(
        blank=True, help_text="A policy-as-code document whose policies are played."
    )
    since = models.DateTimeField(help_text="Tickets opened from then on.")
    until = models.DateTimeField(help_text="Tickets opened before then.")
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    asked_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State, default=State.QUEUED)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    heard_at = models.DateTimeField(
        null=True, blank=True, help_text="When it last said how far it has come."
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    trouble = models.TextField(blank=True)
    report = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(since__lt=models.F("until")), name="simulation_since_until"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["queued", "running"], ended_at__isnull=True)
                | models.Q(state__in=["done", "failed", "stopped"], ended_at__isnull=False),
                name="simulation_ended_has_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.policy or 'Policies'}, {self.since:%Y-%m-%d} to {self.until:%Y-%m-%d}"
