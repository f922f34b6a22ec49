"""On-call schedules: immutable revisions of their layers, and the overrides that win over them."""

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now

from roles.models.calendar import BAD_SPAN, every
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
MAX_SHIFT_DAYS = 366
MAX_SHIFT_HOURS = 2000


class Schedule(models.Model):
    """A team's on-call schedule; at most one each. What it says stands in its revisions."""

    team = models.OneToOneField("roles.Team", on_delete=models.CASCADE, related_name="schedule")
    name = models.CharField(max_length=200)
    zone = models.CharField(
        "time zone",
        max_length=64,
        validators=[validate_zone],
        help_text="IANA zone in which it is shown, and of layers that name no other.",
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=~models.Q(zone=""), name="roles_schedule_has_zone")
        ]

    def __str__(self) -> str:
        return self.name


class ScheduleRevision(models.Model):
    """One state of a schedule's layers for ever; the database refuses to change or delete it.

    At any moment the revision with the highest number among those that have begun holds, so that
    the past keeps the layers of its time.
    """

    schedule = models.ForeignKey(Schedule, on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    valid_from = models.DateTimeField()
    reason = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
    )

    class Meta:
        ordering = ["schedule", "-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["schedule", "number"], name="roles_schedulerevision_number_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.schedule}, revision {self.number}"


class Rotation(models.Model):
    """One layer of a revision: people who take turns; a higher position wins."""

    revision = models.ForeignKey(
        ScheduleRevision, on_delete=models.PROTECT, related_name="rotations"
    )
    position = models.PositiveSmallIntegerField(
        default=0, help_text="Where two layers have somebody on duty, the higher position wins."
    )
    name = models.CharField(max_length=200)
    zone = models.CharField("time zone", max_length=64, validators=[validate_zone])
    starts_on = models.DateField(help_text="First local day; the first person serves from here.")
    handover_time = models.TimeField(help_text="Local time at which a shift ends.")
    handover_weekday = models.PositiveSmallIntegerField(
        choices=WEEKDAYS, default=0, help_text="Used when shifts last whole weeks."
    )
    shift_days = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_SHIFT_DAYS)],
        help_text="Length of a shift in days: 1 for daily, 7 for weekly; or give hours.",
    )
    shift_hours = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_SHIFT_HOURS)],
        help_text="Length of a shift in hours by the wall clock, in place of days.",
    )
    restrictions = models.JSONField(
        default=list,
        blank=True,
        help_text=(
            "Weekly hours to which the layer is limited: [weekday, start, end] with Monday 0 and "
            "minutes of the local day; empty: all of the time."
        ),
    )

    class Meta:
        ordering = ["revision", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["revision", "position"],
                name="roles_rotation_position_once",
                violation_error_message="Another layer has this position.",
            ),
            models.CheckConstraint(condition=~models.Q(zone=""), name="roles_rotation_has_zone"),
            models.CheckConstraint(
                condition=models.Q(handover_weekday__lte=6), name="roles_rotation_weekday_known"
            ),
            models.CheckConstraint(
                condition=models.Q(shift_days__isnull=False, shift_hours__isnull=True)
                | models.Q(shift_days__isnull=True, shift_hours__isnull=False),
                name="roles_rotation_one_shift_length",
                violation_error_message="Give the length of a shift in days or in hours.",
            ),
            models.CheckConstraint(
                condition=(
                    models.Q(shift_days__isnull=True)
                    | models.Q(shift_days__gte=1, shift_days__lte=MAX_SHIFT_DAYS)
                )
                & (
                    models.Q(shift_hours__isnull=True)
                    | models.Q(shift_hours__gte=1, shift_hours__lte=MAX_SHIFT_HOURS)
                ),
                name="roles_rotation_shift_length_sane",
            ),
            models.CheckConstraint(
                condition=every("restrictions", BAD_SPAN), name="roles_rotation_restrictions_sound"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.revision}: {self.name}"


class RotationMember(models.Model):
    """One turn in a layer; a person may have several."""

    rotation = models.ForeignKey(Rotation, on_delete=models.PROTECT, related_name="members")
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


class Swap(models.Model):
    """A shift that one person offers another, perhaps for one of theirs; agreed by both."""

    class State(models.TextChoices):
        REQUESTED = "requested", "Waiting for the other"
        ACCEPTED = "accepted", "Agreed"
        DECLINED = "declined", "Declined"
        WITHDRAWN = "withdrawn", "Withdrawn"

    schedule = models.ForeignKey(Schedule, on_delete=models.PROTECT, related_name="swaps")
    giver = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="swaps_given"
    )
    taker = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="swaps_taken"
    )
    during = DateTimeRangeField(help_text="The giver's hours, which the taker would serve.")
    in_return = DateTimeRangeField(
        null=True, blank=True, help_text="The taker's hours, which the giver would serve; or none."
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.REQUESTED)
    reason = models.CharField(max_length=500, blank=True)
    requested_at = models.DateTimeField(editable=False)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
    )
    answered_at = models.DateTimeField(null=True, blank=True, editable=False)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
    )

    class Meta:
        ordering = ["-requested_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(giver=models.F("taker")),
                name="roles_swap_between_two",
                violation_error_message="A swap needs two people.",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    during__isempty=False, during__lower_inf=False, during__upper_inf=False
                ),
                name="roles_swap_has_ends",
                violation_error_message="A swap needs a start and a later end.",
            ),
            models.CheckConstraint(
                condition=models.Q(in_return__isnull=True)
                | models.Q(
                    in_return__isempty=False,
                    in_return__lower_inf=False,
                    in_return__upper_inf=False,
                ),
                name="roles_swap_return_has_ends",
                violation_error_message="The hours in return need a start and a later end.",
            ),
            models.CheckConstraint(
                condition=models.Q(state="requested", answered_at__isnull=True)
                | models.Q(
                    state__in=["accepted", "declined", "withdrawn"], answered_at__isnull=False
                ),
                name="roles_swap_answered_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.giver} to {self.taker} for {self.schedule}"


class Override(models.Model):
    """Somebody serving in place of the layers for a while; two never overlap."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="overrides")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="overrides"
    )
    during = DateTimeRangeField(help_text="From (included) to (excluded).")
    reason = models.CharField(max_length=500, blank=True)
    swap = models.ForeignKey(
        Swap,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="overrides",
        editable=False,
    )
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


class CalendarLink(models.Model):
    """A person's private address for on-call calendars; only its signature makes it work."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="calendar_links"
    )
    name = models.CharField(max_length=200, blank=True, help_text="Where it is used.")
    nonce = models.CharField(max_length=32, unique=True, editable=False)
    created_at = models.DateTimeField(editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"Calendar link of {self.person}"
