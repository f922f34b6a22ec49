"""Policies: edited as a draft, published as an immutable revision, made of ordered steps."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

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


class StopOn(models.TextChoices):
    """What may end a run beside the end of the ticket itself."""

    ACKNOWLEDGED = "acknowledged", "Acknowledged"
    TAKEN = "taken", "Taken"
    FIRST_RESPONSE = "first_response", "First answer to the requester"
    MOVED = "moved", "Moved to another team"


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
    stop_on = ArrayField(
        models.CharField(max_length=16, choices=StopOn),
        default=list,
        blank=True,
        help_text=(
            "What ends the run for good: acknowledged, taken, first_response, moved. Solving,"
            " closing, cancelling and merging always do."
        ),
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


COMPLETE = (
    Q(trigger="clock_percent", percent__gte=1) & ~Q(clock="")
    | Q(trigger="clock_remaining", remaining_s__isnull=False) & ~Q(clock="")
    | Q(trigger__in=["unacknowledged", "silent", "since_start"], delay_s__isnull=False)
    | Q(trigger="in_status", delay_s__isnull=False) & ~Q(status="")
    | Q(trigger__in=["reopened", "handed_over", "chased", "ping_pong"], count__gte=1)
    | Q(trigger="repeated", count__gte=1, window_s__gte=1) & ~Q(same="")
    | Q(trigger="flapping", count__gte=1, window_s__gte=1)
    | Q(trigger="risk", percent__gte=1)
    | Q(trigger="manual")
)
"""Every trigger has what it needs to be judged."""


class PolicyStep(models.Model):
    """One rung: when it is due, and what it does then."""

    class Trigger(models.TextChoices):
        CLOCK_PERCENT = "clock_percent", "Percent of a clock"
        CLOCK_REMAINING = "clock_remaining", "Time left on a clock"
        UNACKNOWLEDGED = "unacknowledged", "Not acknowledged for"
        SILENT = "silent", "Acknowledged but silent for"
        IN_STATUS = "in_status", "Time in a status"
        SINCE_START = "since_start", "Time since the policy began"
        REOPENED = "reopened", "Reopened so often"
        HANDED_OVER = "handed_over", "Handed over so often"
        CHASED = "chased", "Chased by the requester so often"
        PING_PONG = "ping_pong", "Returned to a team it had left so often"
        REPEATED = "repeated", "So many tickets of the same origin"
        FLAPPING = "flapping", "So many alerts folded in"
        RISK = "risk", "Risk of missing a target"
        MANUAL = "manual", "By hand only"

    class Same(models.TextChoices):
        REQUESTER = "requester", "Requester"
        SERVICE = "service", "Service"
        ASSET = "asset", "Asset"

    class Basis(models.TextChoices):
        AUTO = "auto", "Wall time for P1 and P2, the team's calendar otherwise"
        WALL = "wall", "Wall time"
        TEAM = "team", "The team's calendar"

    revision = models.ForeignKey(PolicyRevision, on_delete=models.PROTECT, related_name="steps")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=120)
    trigger = models.CharField(max_length=24, choices=Trigger)
    clock = models.CharField(max_length=20, choices=ClockKind, blank=True)
    percent = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Of the target, or the risk; may exceed 100 for a clock."
    )
    remaining_s = models.PositiveIntegerField(
        null=True, blank=True, help_text="Seconds left on the clock."
    )
    status = models.CharField(max_length=20, blank=True)
    delay_s = models.PositiveIntegerField(null=True, blank=True, help_text="Seconds.")
    count = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="How often it must have happened."
    )
    window_s = models.PositiveIntegerField(
        null=True, blank=True, help_text="Seconds within which it is counted."
    )
    same = models.CharField(
        max_length=12, choices=Same, blank=True, help_text="What repeated tickets have in common."
    )
    basis = models.CharField(
        max_length=100,
        default=Basis.AUTO,
        help_text="What the delay counts by: auto, wall, team, or calendar:SLUG.",
    )
    conditions = models.JSONField(
        default=list,
        blank=True,
        help_text="What must hold at that moment, written as the conditions of a policy are.",
    )
    gates = models.JSONField(
        default=dict,
        blank=True,
        help_text=(
            'When it may go: {"weekdays": [0, 1, 2, 3, 4], "from": "08:00", "until": "18:00",'
            ' "zone": "Europe/Berlin", "team" or "responder", "priorities": [1, 2], "otherwise":'
            ' "skip" or "hold", "hold_for_shift": true}'
        ),
    )
    actions = models.JSONField(
        help_text=(
            'Ordered actions: [{"do": "notify", "to": ["lead"]}, {"do": "page", "to": ["on_call"]},'
            ' {"do": "move", "to": "next_tier"}, {"do": "involve", "to": ["manager"]},'
            ' {"do": "raise_priority", "to": 1}, {"do": "propose_major"}, {"do": "restrict"},'
            ' {"do": "engage_vendor", "to": "vendor-slug"}, {"do": "call_webhook", "to":'
            ' "hook-slug"}, {"do": "open_problem"}, {"do": "unacknowledge"}]'
        ),
    )

    class Meta:
        ordering = ["revision", "position"]
        constraints = [
            models.UniqueConstraint(fields=["revision", "position"], name="step_position_once"),
            models.CheckConstraint(condition=COMPLETE, name="step_trigger_complete"),
            models.CheckConstraint(
                condition=~Q(trigger="risk") | Q(percent__lte=100), name="step_risk_to_100"
            ),
            models.CheckConstraint(
                condition=Q(basis__in=["auto", "wall", "team"]) | Q(basis__startswith="calendar:"),
                name="step_basis_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.position}. {self.name}"
