"""Retention: how long each kind of stored thing is kept before it is let go of."""

from django.db import models


class Retention(models.Model):
    """The period of one kind of thing, in days; without one it is kept for good."""

    kind = models.CharField(max_length=24, unique=True, editable=False)
    days = models.PositiveIntegerField(
        "kept for (days)",
        null=True,
        blank=True,
        help_text="Days after its ticket was closed, or after it was settled. Empty: for good.",
    )
    changed_at = models.DateTimeField(null=True, blank=True, editable=False)
    erased_at = models.DateTimeField(
        "last erased", null=True, blank=True, editable=False, help_text="By the nightly task."
    )
    pass_began_at = models.DateTimeField(
        null=True, editable=False, help_text="While a nightly pass goes over it."
    )
    erased_count = models.PositiveIntegerField("erased then", default=0, editable=False)

    class Meta:
        ordering = ["kind"]
        verbose_name = "retention period"
        constraints = [
            models.CheckConstraint(condition=~models.Q(kind=""), name="roles_retention_named"),
            models.CheckConstraint(
                condition=models.Q(days__isnull=True) | models.Q(days__gte=1),
                name="roles_retention_a_day_at_least",
            ),
        ]

    def __str__(self) -> str:
        return self.kind
