"""Policies: edited as a draft, published as an immutable revision, made of ordered steps."""

from django.conf import settings
from django.db import models

from escalation.models.sla import ClockKind


class Policy(models.Model):
    """A named escalation policy; the first one whose conditions match runs."""

    class Mode(models.TextChoices):
        MAIN = "main", "Main: the first match runs"
        BESIDE = "beside", "Beside: runs next to the main one"

    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    position = models.PositiveIntegerField(help_text="Lower is tried first; the first match wins.")
    mode = models.CharField(max_length=8, choices=Mode, default=Mode.MAIN)
    is_active = models.BooleanField(default=True)
    current = models.ForeignKey(
        "escalation.PolicyRevision",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )

    class Meta:
        ordering = ["position", "id"]
        verbose_name_plural = "policies"

    def __str__(self) -> str:
        return self.name


class PolicyRevision(models.Model):
    """One wording of a policy: a draft until published, immutable from then on."""

    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    conditions = models.JSONField(
        default=list,
        blank=True,
        help_text='Conditions that must all hold: [{"fact": "priority", "is": [1, 2]}]',
    )
    repeat_limit = models.PositiveSmallIntegerField(
        default=0, help_text="How often the unacknowledged steps start over."
    )
    repeat_after_s = models.PositiveIntegerField(
        default=600, help_text="Seconds from the last step to the next round."
    )
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    published_at = models.DateTimeField(null=True, blank=True)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["policy", "number"]
        constraints = [
            models.UniqueConstraint(fields=["policy", "number"], name="policy_revision_number"),
            models.UniqueConstraint(
                fields=["policy"],
                condition=models.Q(published_at__isnull=True),
                name="policy_one_draft",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.policy} r{self.number}"


class PolicyStep(models.Model):
    """One rung: when it is due, and what it does then."""

    class Trigger(models.TextChoices):
        CLOCK_PERCENT = "clock_percent", "Percent of a clock"
        UNACKNOWLEDGED = "unacknowledged", "Not acknowledged for"
        IN_STATUS = "in_status", "Time in a status"
        MANUAL = "manual", "By hand only"

    class Basis(models.TextChoices):
        AUTO = "auto", "Wall time for P1 and P2, the team's calendar otherwise"
        WALL = "wall", "Wall time"
        TEAM = "team", "The team's calendar"

    revision = models.ForeignKey(PolicyRevision, on_delete=models.PROTECT, related_name="steps")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=120)
    trigger = models.CharField(max_length=24, choices=Trigger)
    clock = models.CharField(max_length=20, choices=ClockKind, blank=True)
    percent = models.PositiveSmallIntegerField(null=True, blank=True)
    status = models.CharField(max_length=20, blank=True)
    delay_s = models.PositiveIntegerField(null=True, blank=True, help_text="Seconds.")
    basis = models.CharField(max_length=8, choices=Basis, default=Basis.AUTO)
    actions = models.JSONField(
        help_text=(
            'Ordered actions: [{"do": "notify", "to": ["lead"]}, {"do": "page", "to": ["on_call"]},'
            ' {"do": "move", "to": "next_tier"}, {"do": "involve", "to": ["manager"]},'
            ' {"do": "raise_priority", "to": 1}]'
        ),
    )

    class Meta:
        ordering = ["revision", "position"]
        constraints = [
            models.UniqueConstraint(fields=["revision", "position"], name="step_position_once"),
            models.CheckConstraint(
                condition=(
                    models.Q(trigger="clock_percent", percent__gte=1) & ~models.Q(clock="")
                    | models.Q(trigger="unacknowledged", delay_s__isnull=False)
                    | models.Q(trigger="in_status", delay_s__isnull=False) & ~models.Q(status="")
                    | models.Q(trigger="manual")
                ),
                name="step_trigger_complete",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.position}. {self.name}"
