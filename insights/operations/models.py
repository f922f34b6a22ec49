"""Tables: when the past was last verified, by whom asked, and what was found."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class Verification(models.Model):
    """One walk through all timelines, or all clocks, with what it found."""

    class What(models.TextChoices):
        TIMELINES = "timelines", "Timelines"
        CLOCKS = "clocks", "Clocks"

    class State(models.TextChoices):
        QUEUED = "queued", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    what = models.CharField(max_length=10, choices=What)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    asked_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State, default=State.QUEUED)
    total = models.PositiveIntegerField(default=0, help_text="Tickets.")
    done = models.PositiveIntegerField(default=0)
    found = models.PositiveIntegerField(default=0)
    findings = models.JSONField(default=list, blank=True, help_text="The first of them.")
    heard_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    trouble = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["queued", "running"], ended_at__isnull=True)
                | Q(state__in=["done", "failed"], ended_at__isnull=False),
                name="verification_ended_has_time",
            ),
            models.CheckConstraint(
                condition=Q(what__in=["timelines", "clocks"]), name="verification_of_something"
            ),
            # Nobody waits for two of a kind.
            models.UniqueConstraint(
                fields=["what"],
                condition=Q(state__in=["queued", "running"]),
                name="verification_one_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(trouble="") | Q(state="failed"), name="verification_trouble_failed"
            ),
        ]
        indexes = [models.Index(F("what"), F("id").desc(), name="verification_last")]

    def __str__(self) -> str:
        return f"{self.what} {self.asked_at:%Y-%m-%d %H:%M}"
