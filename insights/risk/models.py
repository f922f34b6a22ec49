"""Tables: what was learned of this past, and what it says of each open ticket."""

from django.db import models
from django.db.models import Q


class RiskModel(models.Model):
    """One night's learning: the figures of its own test, and what it learned, as plain numbers.

    `learned` holds coefficients and counts only: nothing in it can be executed. The row that is
    used is the newest one, if it `is_used`; a newer one that is not switches the estimates off.
    """

    trained_at = models.DateTimeField()
    cases = models.PositiveIntegerField(help_text="Tickets whose end was known at that time.")
    positives = models.PositiveIntegerField(help_text="Those of them that ended badly.")
    tested = models.PositiveIntegerField(default=0, help_text="Later tickets it was tried on.")
    base_rate = models.FloatField(null=True, blank=True)
    auroc = models.FloatField(null=True, blank=True)
    brier = models.FloatField(null=True, blank=True)
    skill = models.FloatField(null=True, blank=True, help_text="1 - Brier / Brier of the rate.")
    recall20 = models.FloatField(null=True, blank=True)
    hit_rate20 = models.FloatField(null=True, blank=True)
    refused = models.JSONField(default=dict, blank=True, help_text="Features left out, and why.")
    is_used = models.BooleanField(default=False)
    why_not = models.CharField(max_length=250, blank=True)
    learned = models.JSONField(default=dict, blank=True)
    took_s = models.FloatField(default=0)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(is_used=False) | Q(why_not="", skill__gt=0),
                name="risk_used_beats_the_base_rate",
            ),
            models.CheckConstraint(
                condition=Q(positives__lte=models.F("cases")), name="risk_positives_are_cases"
            ),
        ]

    def __str__(self) -> str:
        return f"Version {self.pk}"


class Estimate(models.Model):
    """How likely one open ticket is to end badly, as of one event of it, and why."""

    ticket = models.OneToOneField(
        "tickets.Ticket", on_delete=models.CASCADE, primary_key=True, related_name="foresight"
    )
    model = models.ForeignKey(RiskModel, on_delete=models.CASCADE, related_name="estimates")
    probability = models.FloatField()
    at_opening = models.FloatField(
        null=True, blank=True, help_text="What its opening alone says, by what is open now."
    )
    reasons = models.JSONField(default=list, blank=True)
    seq = models.PositiveIntegerField(help_text="The ticket's last event that it knows of.")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(probability__gte=0, probability__lte=1), name="estimate_0_to_1"
            ),
        ]
        indexes = [models.Index(fields=["-probability"], name="estimate_by_probability")]

    def __str__(self) -> str:
        return f"{self.ticket_id}: {self.probability:.2f}"
