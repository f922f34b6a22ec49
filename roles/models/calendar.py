"""Working calendars: a name, and immutable revisions of its hours."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from roles.zones import validate_zone

BAD_SPAN = (
    'strict $[*] ? (@.type() != "array" || @.size() != 3'
    ' || @[*].type() != "number" || @[0] < 0 || @[0] > 6'
    " || @[1] < 0 || @[1] >= 1440 || @[2] <= @[1] || @[2] > 2880)"
)
BAD_DAY = 'strict $[*] ? (@.type() != "string" || !(@ like_regex "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))'


BAD_HOLIDAY = (
    'strict $[*] ? (@.type() != "array" || @.size() != 2'
    ' || @[*].type() != "string" || !(@[0] like_regex "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))'
)


class JsonType(models.Func):
    """The kind of a JSON value, as PostgreSQL names it."""

    function = "jsonb_typeof"
    arity = 1
    output_field = models.TextField()


class JsonPathExists(models.Func):
    """Whether a JSON path finds anything in a JSON value; an error in it counts as not."""

    function = "jsonb_path_exists"
    template = "%(function)s(%(expressions)s, '{}', true)"
    arity = 2
    output_field = models.BooleanField()


def every(field: str, bad: str) -> models.Q:
    """The condition that a JSON column is an array in which the path `bad` finds nothing."""
    is_array = models.Q(models.lookups.Exact(JsonType(models.F(field)), models.Value("array")))
    finds_bad = JsonPathExists(models.F(field), models.Value(bad))
    return is_array & models.Q(models.lookups.Exact(finds_bad, models.Value(False)))


class Calendar(models.Model):
    """The name under which teams and targets refer to working hours."""

    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=200, unique=True)
    current = models.ForeignKey(
        "roles.CalendarRevision",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
        help_text="The revision that new clocks start under.",
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class CalendarRevision(models.Model):
    """One state of a calendar's hours for ever; the database refuses to change or delete it."""

    calendar = models.ForeignKey(Calendar, on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    zone = models.CharField("time zone", max_length=64, validators=[validate_zone])
    spans = models.JSONField(
        help_text=(
            "Weekly opening hours: [weekday, start, end] with Monday 0 and minutes of the local "
            "day; an end above 1440 runs over midnight."
        )
    )
    days_off = models.JSONField(
        default=list, blank=True, help_text="Closed local days, as ISO dates: 2026-12-25."
    )
    open_days = models.JSONField(
        default=list, blank=True, help_text="Public holidays that are worked, as ISO dates."
    )
    country = models.CharField(
        max_length=2, blank=True, help_text="Whose public holidays are closed, such as DE; or none."
    )
    region = models.CharField(max_length=20, blank=True, help_text="Such as BY; or none.")
    first_year = models.PositiveSmallIntegerField(null=True, blank=True)
    last_year = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="The last year whose public holidays are stored."
    )
    holidays = models.JSONField(
        default=list,
        blank=True,
        help_text="The public holidays of those years as they were known: [ISO date, name].",
    )
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
        ordering = ["calendar", "-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["calendar", "number"], name="roles_calendarrevision_number_once"
            ),
            models.CheckConstraint(
                condition=~models.Q(zone=""), name="roles_calendarrevision_has_zone"
            ),
            models.CheckConstraint(
                condition=every("spans", BAD_SPAN), name="roles_calendarrevision_spans_sound"
            ),
            models.CheckConstraint(
                condition=every("days_off", BAD_DAY), name="roles_calendarrevision_days_sound"
            ),
            models.CheckConstraint(
                condition=every("open_days", BAD_DAY), name="roles_calendarrevision_open_sound"
            ),
            models.CheckConstraint(
                condition=every("holidays", BAD_HOLIDAY),
                name="roles_calendarrevision_holidays_sound",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    country="",
                    region="",
                    first_year__isnull=True,
                    last_year__isnull=True,
                    holidays=[],
                )
                | models.Q(
                    country__regex="^[A-Z]{2}$",
                    first_year__gte=1970,
                    last_year__gte=models.F("first_year"),
                    last_year__lte=2200,
                    last_year__isnull=False,
                    first_year__isnull=False,
                ),
                name="roles_calendarrevision_holiday_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.calendar}, revision {self.number}"
