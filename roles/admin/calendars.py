"""Admin pages of working calendars: saving hours publishes a revision."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html

from roles.admin.audited import ReadOnlyAdmin, acting
from roles.admin.sheets import Sheet
from roles.admin.sheetviews import SheetAdmin
from roles.admin.widgets import zone_select
from roles.calendars import PublicHolidays, checked_hours, publish_calendar, running_out
from roles.hours import format_hours, parse_hours
from roles.instants import database_now
from roles.models import Calendar, CalendarRevision
from roles.public_holidays import expand
from roles.refusals import Invalid


class CalendarForm(forms.ModelForm):
    """A calendar's name together with the hours of its current revision."""

    zone = forms.CharField(
        label="Time zone",
        max_length=64,
        widget=zone_select(),
        help_text="In which its hours and days are meant.",
    )
    hours = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 8, "cols": 60}),
        help_text=(
            "One line a day or run of days, local time: Mon-Fri 09:00-12:30, 13:00-17:00. "
            "Fri 22:00-06:00 ends on Saturday. Round the clock: Mon-Sun 00:00-24:00."
        ),
    )
    days_off = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 5, "cols": 60}),
        help_text="Closed local days, one a line, as 2026-12-25.",
    )

    country = forms.CharField(
        required=False,
        max_length=2,
        help_text="Two letters, such as DE or US: its public holidays are closed. Empty: none.",
    )
    region = forms.CharField(
        required=False, max_length=20, help_text="Such as BY for Bavaria or NY for New York."
    )
    first_year = forms.IntegerField(
        required=False, min_value=1970, max_value=2200, help_text="Empty: last year."
    )
    last_year = forms.IntegerField(
        required=False,
        min_value=1970,
        max_value=2200,
        help_text="The last year whose holidays are stored. Empty: five years from now.",
    )
    open_days = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
        help_text="Public holidays that are worked all the same, one a line, as 2026-12-26.",
    )

    class Meta:
        model = Calendar
        fields = ["name", "slug"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        current = self.instance.current if self.instance.pk else None
        if current:
            self.initial["zone"] = current.zone
            self.initial["hours"] = format_hours(current.spans)
            self.initial["days_off"] = "\n".join(current.days_off)
            self.initial["open_days"] = "\n".join(current.open_days)
            for name in ("country", "region", "first_year", "last_year"):
                self.initial[name] = getattr(current, name)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        try:
            cleaned["spans"] = parse_hours(cleaned.get("hours", ""))
        except ValueError as trouble:
            self.add_error("hours", str(trouble))
            return cleaned
        cleaned["days"] = cleaned.get("days_off", "").split()
        try:
            checked_hours(cleaned.get("zone", ""), cleaned["spans"], cleaned["days"])
        except Invalid as refusal:
            for field, reason in refusal.fields.items():
                self.add_error("hours" if field == "spans" else field, reason)
        cleaned["holidays"] = self._holidays(cleaned)
        return cleaned

    def _holidays(self, cleaned: dict[str, Any]) -> PublicHolidays | None:
        """Whose public holidays, once they are known to the library; else beside the field."""
        country = cleaned.get("country", "").upper()
        region = cleaned.get("region", "").upper()
        if not country:
            return None
        first, last = cleaned.get("first_year"), cleaned.get("last_year")
        if (first is None) != (last is None):
            self.add_error("last_year", "Give both years, or none.")
            return None
        try:
            expand(country, region, 2026, 2026)
        except ValueError as trouble:
            self.add_error("region" if "region" in str(trouble) else "country", str(trouble))
        return PublicHolidays(country, region, (first, last) if first and last else None)


@admin.register(Calendar)
class CalendarAdmin(SheetAdmin):
    """Working calendars; new clocks start under the newest revision, running ones keep theirs."""

    sheet = Sheet(
        columns=(
            *("slug", "name", "zone", "hours", "days_off", "open_days"),
            *("country", "region", "first_year", "last_year"),
        ),
        key=("slug",),
        spaced=("days_off", "open_days"),
    )
    form = CalendarForm
    asked_as = {"spans": "hours", "years": "last_year"}
    list_display = ["name", "slug", "revision", "zone", "week", "holidays_until"]
    list_filter = ["current__zone", "current__country"]
    list_select_related = ["current"]
    search_fields = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}
    fieldsets = [
        (None, {"fields": ["name", "slug", "zone", "hours"]}),
        ("Public holidays", {"fields": ["country", "region", ("first_year", "last_year")]}),
        ("Own days", {"fields": ["days_off", "open_days"]}),
    ]

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "GET":
            warn_of_the_end(request)
        return super().changelist_view(request, *args, **kwargs)

    @admin.display(description="public holidays", empty_value="none")
    def holidays_until(self, calendar: Calendar) -> str | None:
        known = calendar.current
        if known is None or not known.country:
            return None
        place = "-".join(filter(None, (known.country, known.region)))
        return f"{place}, stored until {known.last_year}"

    @admin.display(description="revision", empty_value="none yet")
    def revision(self, calendar: Calendar) -> int | None:
        return calendar.current.number if calendar.current else None

    @admin.display(description="time zone")
    def zone(self, calendar: Calendar) -> str:
        return calendar.current.zone if calendar.current else ""

    @admin.display(description="hours")
    def week(self, calendar: Calendar) -> str:
        return format_hours(calendar.current.spans) if calendar.current else ""

    def save_model(
        self, request: HttpRequest, obj: Any, form: forms.ModelForm, change: bool
    ) -> None:
        before = obj.current_id
        super().save_model(request, obj, form, change)
        revision = publish_calendar(
            calendar=obj,
            zone=form.cleaned_data["zone"],
            spans=form.cleaned_data["spans"],
            days_off=form.cleaned_data["days"],
            open_days=form.cleaned_data["open_days"].split(),
            holidays=form.cleaned_data["holidays"],
            actor=acting(request),
        )
        if revision.pk != before:
            messages.info(request, f"Revision {revision.number} is published.")


def warn_of_the_end(request: HttpRequest) -> None:
    """Say which calendars soon know no public holidays any more, and what to do."""
    for calendar in running_out(database_now()):
        assert calendar.current is not None
        messages.warning(
            request,
            f"{calendar} knows public holidays until {calendar.current.last_year} only: open it "
            "and save it with a later last year.",
        )


@admin.register(CalendarRevision)
class CalendarRevisionAdmin(ReadOnlyAdmin):
    """Every state that a calendar ever had."""

    list_display = ["calendar", "number", "zone", "created_at", "created_by"]
    list_filter = ["calendar"]
    list_select_related = ["calendar", "created_by"]
    search_fields = ["calendar__name"]
    fields = [
        "calendar",
        "number",
        "zone",
        "hours",
        "days_off",
        "open_days",
        "country",
        "region",
        "stored",
        "created_at",
        "created_by",
    ]

    @admin.display(description="public holidays, as they were known")
    def stored(self, revision: CalendarRevision) -> str:
        lines = "\n".join(f"{day}  {name}" for day, name in revision.holidays)
        return format_html("<pre>{}</pre>", lines) if lines else "none"

    @admin.display(description="hours")
    def hours(self, revision: CalendarRevision) -> str:
        return format_html("<pre>{}</pre>", format_hours(revision.spans))
