"""What a requester says of how a ticket went."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class Feedback(models.Model):
    """One requester's mark for one ticket, from 1 (very bad) to 5 (very good)."""

    class Score(models.IntegerChoices):
        VERY_GOOD = 5, "Very good"
        GOOD = 4, "Good"
        FAIR = 3, "So-so"
        BAD = 2, "Bad"
        VERY_BAD = 1, "Very bad"

    ticket = models.ForeignKey("tickets.Ticket", on_delete=models.CASCADE, related_name="feedback")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="feedback"
    )
    score = models.PositiveSmallIntegerField(choices=Score)
    comment = models.TextField(blank=True)
    given_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["-given_at"]
        verbose_name_plural = "feedback"
        constraints = [
            models.UniqueConstraint(fields=["ticket", "person"], name="feedback_once"),
            models.CheckConstraint(condition=Q(score__range=(1, 5)), name="feedback_score_1_to_5"),
            models.CheckConstraint(
                condition=Q(changed_at__gte=F("given_at")), name="feedback_changed_after_given"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id}: {self.score} of 5"
