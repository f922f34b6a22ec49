"""Hand-over contracts: what a team wants to know before it takes work from another."""

from django.db import models


class HandoverContract(models.Model):
    """What the receiver needs on one edge, from one team (or any) to another.

    The contract of the exact edge goes before the receiver's contract with everybody.
    """

    from_team = models.ForeignKey(
        "roles.Team",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Empty: whoever hands over.",
    )
    to_team = models.ForeignKey("roles.Team", on_delete=models.PROTECT, related_name="contracts")
    is_active = models.BooleanField("active", default=True)

    class Meta:
        ordering = ["to_team", "from_team"]
        constraints = [
            models.UniqueConstraint(
                fields=["from_team", "to_team"],
                nulls_distinct=False,
                name="contract_one_per_edge",
                violation_error_message="There is a contract for this edge already.",
            ),
            models.CheckConstraint(
                condition=models.Q(from_team__isnull=True)
                | ~models.Q(from_team=models.F("to_team")),
                name="contract_not_with_itself",
                violation_error_message="A team hands nothing over to itself.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.from_team or 'anybody'} to {self.to_team}"


class HandoverNeed(models.Model):
    """One thing that the receiver asks for, in the order in which it is asked."""

    contract = models.ForeignKey(HandoverContract, on_delete=models.CASCADE, related_name="needs")
    position = models.PositiveSmallIntegerField()
    slug = models.SlugField(
        max_length=40,
        help_text='"tried" and "impact" are answered by the fields that every escalation has.',
    )
    name = models.CharField(max_length=120, help_text="The question, as the sender reads it.")
    required = models.BooleanField(
        default=True, help_text="Without it the work is not passed on, except urgent work."
    )

    class Meta:
        ordering = ["contract", "position"]
        constraints = [
            models.UniqueConstraint(fields=["contract", "slug"], name="need_slug_once"),
            models.UniqueConstraint(
                fields=["contract", "position"],
                name="need_position_once",
                deferrable=models.Deferrable.DEFERRED,
            ),
            models.CheckConstraint(condition=~models.Q(name=""), name="need_has_name"),
        ]

    def __str__(self) -> str:
        return self.name
