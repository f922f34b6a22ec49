"""Tables: reviews with their sections and actions, and resolutions that quality looked at."""

from typing import Final

from django.conf import settings
from django.db import models
from django.db.models import F, Q

SECTIONS: Final = (
    "summary",
    "story",
    "impact",
    "cause",
    "went_well",
    "went_badly",
)
"""The parts of a review that people edit, in their order."""


class Review(models.Model):
    """What happened on one ticket, why, and what follows; once signed by quality, it stays."""

    ticket = models.OneToOneField("tickets.Ticket", on_delete=models.PROTECT, related_name="review")
    summary = models.TextField(blank=True)
    story = models.TextField("what happened", blank=True)
    impact = models.TextField(blank=True)
    cause = models.TextField(blank=True)
    went_well = models.TextField(blank=True)
    went_badly = models.TextField("what went badly", blank=True)
    drafted_at = models.DateTimeField()
    drafted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    due_at = models.DateTimeField(help_text="By when it is to be signed.")
    changed_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1, help_text="Grows with every edit.")
    signed_at = models.DateTimeField(null=True, blank=True)
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    reminded_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(signed_at__isnull=True, signed_by__isnull=True)
                | Q(signed_at__isnull=False, signed_by__isnull=False),
                name="review_signed_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(signed_at__isnull=True) | ~Q(cause=""), name="review_signed_has_cause"
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"], condition=Q(signed_at__isnull=True), name="review_unsigned"
            )
        ]

    def __str__(self) -> str:
        return f"Review {self.pk}"


class ReviewAction(models.Model):
    """Something that somebody does by a day, so that it does not happen again."""

    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="actions")
    text = models.CharField(max_length=500)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    due_on = models.DateField()
    added_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    reminded_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["done_at", "due_on", "id"]
        constraints = [
            models.CheckConstraint(condition=~Q(text=""), name="review_action_says_something"),
            models.CheckConstraint(
                condition=Q(done_at__isnull=True) | Q(done_at__gte=F("added_at")),
                name="review_action_done_later",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_on"], condition=Q(done_at__isnull=True), name="review_action_open"
            )
        ]

    def __str__(self) -> str:
        return self.text


class Sample(models.Model):
    """One ordinary resolution that a rule chose for quality to look at, and what was found."""

    ticket = models.OneToOneField("tickets.Ticket", on_delete=models.CASCADE, related_name="sample")
    chosen_at = models.DateTimeField()
    understood = models.PositiveSmallIntegerField(null=True, blank=True)
    told = models.PositiveSmallIntegerField(null=True, blank=True)
    documented = models.PositiveSmallIntegerField(null=True, blank=True)
    solved = models.PositiveSmallIntegerField(null=True, blank=True)
    comment = models.TextField(blank=True)
    scored_at = models.DateTimeField(null=True, blank=True)
    scored_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(scored_at__isnull=True)
                | Q(
                    understood__range=(1, 5),
                    told__range=(1, 5),
                    documented__range=(1, 5),
                    solved__range=(1, 5),
                    scored_by__isnull=False,
                ),
                name="sample_scored_is_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"Sample {self.pk}"
