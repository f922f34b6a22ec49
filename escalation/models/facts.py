"""What the insights floor has found out about tickets, for steps to go by."""

from django.db import models


class TicketFact(models.Model):
    """How likely a ticket is to miss a target, as last estimated.

    This floor owns and reads the table; insights writes it, and then calls `reactions.heal()` for
    the tickets concerned, so that steps on risk see it.
    """

    ticket = models.OneToOneField(
        "tickets.Ticket", on_delete=models.CASCADE, primary_key=True, related_name="estimate"
    )
    risk = models.PositiveSmallIntegerField(help_text="Percent, 0 to 100.")
    at = models.DateTimeField(help_text="When it was estimated.")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(risk__lte=100), name="risk_to_100"),
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id}: {self.risk}%"
