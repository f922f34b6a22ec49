"""Working calendars: immutable revisions of hours, holidays and days off."""

from typing import Any, Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.rest.catalog import BY_NAME
from api.rest.resource import StrictSerializer, Text
from api.rest.subject import INSIDE, Deed, Look, Subject, set_by
from roles.calendars import PublicHolidays, publish_calendar, set_calendar
from roles.hours import format_hours, parse_hours
from roles.models import Calendar, CalendarRevision, Person


class HoursView(serializers.ModelSerializer):
    """One state of a calendar's hours, for ever."""

    hours = serializers.SerializerMethodField()
    public_holidays = serializers.SerializerMethodField()

    class Meta:
        model = CalendarRevision
        fields = (
            *("number", "zone", "hours", "days_off", "open_days", "country", "region"),
            *("first_year", "last_year", "public_holidays", "created_at"),
        )
        read_only_fields = fields

    @extend_schema_field(serializers.CharField())
    def get_hours(self, revision: CalendarRevision) -> str:
        """The weekly hours, such as `Mon-Fri 09:00-17:00`."""
        return format_hours(revision.spans)

    @extend_schema_field(serializers.DictField(child=serializers.CharField()))
    def get_public_holidays(self, revision: CalendarRevision) -> dict[str, str]:
        """The names of the public holidays, by day."""
        return dict(revision.holidays)


class CalendarView(serializers.ModelSerializer):
    """A calendar with the revision that new clocks start under."""

    current = HoursView(read_only=True, allow_null=True)

    class Meta:
        model = Calendar
        fields = ("slug", "name", "current")
        read_only_fields = fields


class CalendarBody(StrictSerializer):
    """What a calendar is called."""

    name = Text(max_length=200)
    reason = Text(max_length=500, required=False, allow_blank=True, help_text="For the audit.")


class NewCalendar(CalendarBody):
    """A calendar under its slug."""

    slug = serializers.SlugField(max_length=80)


@extend_schema_field(serializers.CharField())
class Hours(serializers.Field):
    """Weekly hours as people write them: `Mon-Fri 09:00-12:30, 13:00-17:00`."""

    def to_internal_value(self, data: Any) -> Any:
        """The spans. Raises ValidationError."""
        if not isinstance(data, str) or len(data) > 5000:
            raise serializers.ValidationError("Hours such as `Mon-Fri 09:00-17:00`.")
        try:
            return parse_hours(data)
        except ValueError as trouble:
            raise serializers.ValidationError(str(trouble)) from None

    def to_representation(self, value: Any) -> str:
        """The words again."""
        return format_hours(value)


class HoursBody(StrictSerializer):
    """The hours of a new revision; own days off add to the public holidays of a country."""

    zone = Text(max_length=64, help_text="Such as Europe/Berlin.")
    hours = Hours()
    days_off = serializers.ListField(child=serializers.DateField(), required=False)
    open_days = serializers.ListField(child=serializers.DateField(), required=False)
    country = Text(max_length=2, required=False, allow_blank=True, help_text="Such as DE.")
    region = Text(max_length=20, required=False, allow_blank=True, help_text="Such as BY.")


def _publish(*, calendar: Calendar, actor: Person, hours: Any, **given: Any) -> Any:
    country, region = given.pop("country", ""), given.pop("region", "")
    holidays = PublicHolidays(country, region) if country else None
    return publish_calendar(calendar=calendar, spans=hours, holidays=holidays, actor=actor, **given)


SUBJECTS: Final = (
    set_by(
        set_calendar,
        Subject(
            slug="calendars",
            summary="Working calendars, with the hours that new clocks start under.",
            view=CalendarView,
            rows=lambda reader: Calendar.objects.select_related("current"),
            orders=BY_NAME,
            is_called="calendar",
            reads=INSIDE,
            deeds=(
                Deed(
                    slug="publish",
                    summary="Publish hours; running clocks keep theirs.",
                    perform=_publish,
                    body=HoursBody,
                    needs="admin",
                ),
            ),
            looks=(
                Look(
                    slug="revisions",
                    summary="Every state of its hours, newest first.",
                    read=lambda calendar, reader: calendar.revisions.order_by("-number"),
                    answer=HoursView,
                ),
            ),
        ),
        new=NewCalendar,
        body=CalendarBody,
        needs="admin",
        made="A new calendar; its hours are published next.",
        changed="Rename a calendar.",
        always=("name",),
    ),
)
