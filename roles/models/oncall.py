"""On-call schedules: layers of rotations, and overrides that win over them."""

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now

from roles.zones import validate_zone

WEEKDAYS = [
    (0, "Monday"),
    (1, "Tuesday"),
    (2, "Wednesday"),
    (3, "Thursday"),
    (4, "Friday"),
    (5, "Saturday"),
    (6, "Sunday"),
]


class Schedule(models.Model):
    """A team's on-call schedule; at most one each."""

    team = models.OneToOneField("roles.Team", on_delete=models.CASCADE, related_name="schedule")
    name = models.CharField(max_length=200)
    zone = models.CharField(
        "time zone",
        max_length=64,
        validators=[validate_zone],
        help_text="Hand-over times are local to this IANA zone.",
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=~models.Q(zone=""), name="roles_schedule_has_zone")
        ]

    def __str__(self) -> str:
        return self.name


class Rotation(models.Model):
    """One layer of a schedule: people who take turns; a higher position wins."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="rotations")
    position = models.PositiveSmallIntegerField(
        default=0, help_text="Where two layers have somebody on duty, the higher position wins."
    )
    name = models.CharField(max_length=200)
    starts_on = models.DateField(help_text="First local day; the first person serves from here.")
    handover_time = models.TimeField(help_text="Local time at which a shift ends.")
    handover_weekday = models.PositiveSmallIntegerField(
        choices=WEEKDAYS, default=0, help_text="Used when shifts last whole weeks."
    )
    shift_days = models.PositiveSmallIntegerField(
        default=7,
        validators=[MinValueValidator(1), MaxValueValidator(366)],
        help_text="Length of a shift in days: 1 for daily, 7 for weekly.",
    )

    class Meta:
        ordering = ["schedule", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["schedule", "position"],
                name="roles_rotation_position_once",
                violation_error_message="Another rotation has this position.",
            ),
            models.CheckConstraint(
                condition=models.Q(handover_weekday__lte=6), name="roles_rotation_weekday_known"
            ),
            models.CheckConstraint(
                condition=models.Q(shift_days__gte=1, shift_days__lte=366),
                name="roles_rotation_shift_days_sane",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.schedule}: {self.name}"


class RotationMember(models.Model):
    """One turn in a rotation; a person may have several."""

    rotation = models.ForeignKey(Rotation, on_delete=models.CASCADE, related_name="members")
    position = models.PositiveSmallIntegerField(help_text="Order of turns, from 0.")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="rotation_places"
    )

    class Meta:
        ordering = ["rotation", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["rotation", "position"],
                name="roles_rotationmember_position_once",
                violation_error_message="Another person has this turn.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.position + 1}. {self.person}"


class Override(models.Model):
    """Somebody serving in place of the rotation for a while; two never overlap."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="overrides")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="overrides"
    )
    during = DateTimeRangeField(help_text="From (included) to (excluded).")
    reason = models.CharField(max_length=500, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["schedule", "during"]
        constraints = [
            # A range of one id stands in for `schedule WITH =`, which would need btree_gist.
            ExclusionConstraint(
                name="roles_override_no_overlap",
                expressions=[
                    (
                        models.Func(
                            models.F("schedule_id"),
                            models.F("schedule_id"),
                            models.Value("[]"),
                            function="int8range",
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                    ("during", RangeOperators.OVERLAPS),
                ],
                violation_error_message="Another override covers part of that time.",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    during__isempty=False, during__lower_inf=False, during__upper_inf=False
                ),
                name="roles_override_has_ends",
                violation_error_message="An override needs a start and a later end.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} for {self.schedule}"
