"""What sender and receiver of an escalation say of it."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class HandoverFeedback(models.Model):
    """One person's word on one escalation, from one of its two sides."""

    class Side(models.TextChoices):
        SENDER = "sender", "Sender"
        RECEIVER = "receiver", "Receiver"

    class Verdict(models.TextChoices):
        RIGHT = "right", "Right tier, nothing was missing"
        INCOMPLETE = "incomplete", "Right tier, but something was missing"
        WRONG_TIER = "wrong_tier", "Not for our tier"
        HELPED = "helped", "They helped"
        LATE = "late", "They helped, but late"
        UNHELPFUL = "unhelpful", "They did not help"

    escalation = models.ForeignKey(
        "escalation.Escalation", on_delete=models.CASCADE, related_name="feedback"
    )
    side = models.CharField(max_length=8, choices=Side)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    verdict = models.CharField(max_length=10, choices=Verdict)
    comment = models.TextField(blank=True)
    given_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["given_at", "id"]
        verbose_name_plural = "feedback on escalations"
        constraints = [
            models.UniqueConstraint(fields=["escalation", "person"], name="handover_feedback_once"),
            models.CheckConstraint(
                condition=Q(side="receiver", verdict__in=["right", "incomplete", "wrong_tier"])
                | Q(side="sender", verdict__in=["helped", "late", "unhelpful"]),
                name="handover_feedback_of_its_side",
            ),
            models.CheckConstraint(
                condition=Q(changed_at__gte=F("given_at")),
                name="handover_feedback_changed_later",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.escalation_id}: {self.verdict}"
