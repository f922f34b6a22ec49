"""Where people belong: customer groups, tiers and lanes, teams and duties."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Now


class Guidance(models.Model):
    """What every tier, team and duty says of itself, so that nobody needs a wiki to escalate."""

    responsibilities = models.TextField(blank=True, help_text="What it answers for.")
    hands_over = models.TextField(
        blank=True, help_text="What it must hand over when it escalates, and what it needs itself."
    )
    escalates_to = models.TextField(blank=True, help_text="Where it escalates to, and when.")

    class Meta:
        abstract = True


class Organisation(models.Model):
    """A customer group: the people who ask, and whose tickets they may see."""

    name = models.CharField(max_length=200, unique=True)
    slug = models.SlugField(max_length=80, unique=True)
    may_see_own = models.BooleanField(
        "sees its own tickets",
        default=False,
        help_text="Its people see each other's tickets, except restricted ones.",
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=~models.Q(name=""), name="roles_organisation_has_name")
        ]

    def __str__(self) -> str:
        return self.name


class Tier(Guidance):
    """A rung of the ladder (L0 to L4), or a lane that stands beside it."""

    class Kind(models.TextChoices):
        LADDER = "ladder", "Rung of the ladder"
        LANE = "lane", "Lane beside the ladder"

    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    rank = models.SmallIntegerField(
        null=True,
        blank=True,
        unique=True,
        help_text="Height on the ladder, from 0 for self-service; empty for a lane.",
    )
    is_vendor = models.BooleanField(
        "outside vendor",
        default=False,
        help_text="Never reached by climbing; engaged by its own act.",
    )

    class Meta:
        ordering = [models.F("rank").asc(nulls_last=True), "name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind="ladder", rank__isnull=False)
                | models.Q(kind="lane", rank__isnull=True),
                name="roles_tier_rank_iff_ladder",
                violation_error_message="A rung of the ladder has a rank; a lane has none.",
            ),
            models.CheckConstraint(
                condition=models.Q(rank__isnull=True) | models.Q(rank__gte=0),
                name="roles_tier_rank_from_zero",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Raise ValidationError for a rank below the ladder."""
        super().clean()
        if self.rank is not None and self.rank < 0:
            raise ValidationError({"rank": "The lowest rank is 0."})


class Team(Guidance):
    """People who share a queue; it sits on one tier or lane and works by one calendar."""

    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=200, unique=True)
    tier = models.ForeignKey(Tier, on_delete=models.PROTECT, related_name="teams")
    calendar = models.ForeignKey("roles.Calendar", on_delete=models.PROTECT, related_name="teams")
    lead = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="teams_led",
        help_text="First point of internal escalation.",
    )
    manager = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="teams_managed",
        help_text="Told after the lead.",
    )
    email = models.EmailField("e-mail", blank=True)
    is_service_desk = models.BooleanField(
        "the service desk",
        default=False,
        help_text="Takes what no service or category sends elsewhere. One team at most.",
    )
    is_active = models.BooleanField(
        "active", default=True, help_text="An inactive team receives no new tickets."
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_service_desk"],
                condition=models.Q(is_service_desk=True),
                name="roles_team_one_service_desk",
                violation_error_message="Another team is the service desk already.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Raise ValidationError for a service desk that is switched off."""
        super().clean()
        if self.is_service_desk and not self.is_active:
            sentence = "The service desk takes what nobody else does; make another team that first."
            raise ValidationError({"is_active": sentence})


class Membership(models.Model):
    """One person's place in one team."""

    class Role(models.TextChoices):
        MEMBER = "member", "Analyst or engineer"
        LEAD = "lead", "Team lead"
        MANAGER = "manager", "Manager"

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships"
    )
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.MEMBER)
    joined_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["team", "person"]
        constraints = [
            models.UniqueConstraint(
                fields=["team", "person"],
                name="roles_membership_once",
                violation_error_message="This person is in the team already.",
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=["member", "lead", "manager"]),
                name="roles_membership_role_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} in {self.team}"


class Duty(Guidance):
    """A responsibility across teams, such as incident manager or auditor."""

    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=200)

    class Meta:
        verbose_name_plural = "duties"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class DutyAssignment(models.Model):
    """One person's holding of one duty."""

    duty = models.ForeignKey(Duty, on_delete=models.PROTECT, related_name="assignments")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="duty_assignments"
    )
    assigned_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["duty", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["duty", "person"],
                name="roles_duty_once",
                violation_error_message="This person holds the duty already.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.duty}"
