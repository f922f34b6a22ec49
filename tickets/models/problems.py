"""Problems: the cause behind repeats, what is known of it, and what helps meanwhile."""

from django.conf import settings
from django.db import models
from django.db.models import Q


class Problem(models.Model):
    """What is known of one problem, beside its ticket; its children are linked as caused by it."""

    ticket = models.OneToOneField(
        "tickets.Ticket", on_delete=models.PROTECT, primary_key=True, related_name="problem"
    )
    about = models.CharField(
        max_length=230,
        blank=True,
        help_text="Whose repeats it gathers, such as service:3; empty when opened by hand.",
    )
    is_known_error = models.BooleanField(
        "known error", default=False, help_text="The cause is understood."
    )
    cause = models.TextField(blank=True)
    workaround = models.TextField(blank=True, help_text="What helps until it is solved.")
    diagnosed_at = models.DateTimeField(null=True, blank=True)
    diagnosed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    published_at = models.DateTimeField(
        null=True, blank=True, help_text="When the present workaround was passed on."
    )

    class Meta:
        ordering = ["-ticket_id"]
        indexes = [models.Index(fields=["about"], condition=~Q(about=""), name="problem_by_about")]
        constraints = [
            models.CheckConstraint(
                condition=Q(is_known_error=False) | ~Q(cause=""), name="problem_known_has_cause"
            ),
            models.CheckConstraint(
                condition=Q(published_at__isnull=True) | ~Q(workaround=""),
                name="problem_published_has_workaround",
            ),
        ]

    def __str__(self) -> str:
        return f"problem {self.ticket_id}"


class Straggler(models.Model):
    """A ticket that belongs under a problem and could not be put there when that was found."""

    ticket = models.OneToOneField(
        "tickets.Ticket", on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    problem = models.ForeignKey(
        "tickets.Ticket", on_delete=models.CASCADE, related_name="+", db_index=False
    )

    def __str__(self) -> str:
        return f"{self.ticket_id} belongs under {self.problem_id}"
