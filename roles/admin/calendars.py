"""Admin pages of working calendars: saving hours publishes a revision."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.html import format_html

from roles.admin.audited import AuditedAdmin, ReadOnlyAdmin, acting
from roles.calendars import checked_hours, publish_calendar
from roles.hours import format_hours, parse_hours
from roles.models import Calendar, CalendarRevision
from roles.refusals import Invalid


class CalendarForm(forms.ModelForm):
    """A calendar's name together with the hours of its current revision."""

    zone = forms.CharField(
        label="time zone", max_length=64, help_text="IANA name, such as Europe/Berlin."
    )
    hours = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 8, "cols": 60}),
        help_text=(
            "One line a day or run of days, local time: Mon-Fri 09:00-12:30, 13:00-17:00. "
            "Fri 22:00-06:00 ends on Saturday. Round the clock: Mon-Sun 00:00-24:00. "
            "Empty: never open."
        ),
    )
    days_off = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 5, "cols": 60}),
        help_text="Closed local days, one a line, as 2026-12-25.",
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

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        try:
            cleaned["spans"] = parse_hours(cleaned.get("hours", ""))
        except ValueError as trouble:
            self.add_error("hours", str(trouble))
            cleaned["spans"] = []
        cleaned["days"] = cleaned.get("days_off", "").split()
        try:
            checked_hours(cleaned.get("zone", ""), cleaned["spans"], cleaned["days"])
        except Invalid as refusal:
            for field, reason in refusal.fields.items():
                self.add_error("hours" if field == "spans" else field, reason)
        return cleaned


@admin.register(Calendar)
class CalendarAdmin(AuditedAdmin):
    """Working calendars; new clocks start under the newest revision, running ones keep theirs."""

    form = CalendarForm
    list_display = ["name", "slug", "revision", "zone", "week"]
    list_select_related = ["current"]
    search_fields = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}
    fields = ["name", "slug", "zone", "hours", "days_off"]

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
            actor=acting(request),
        )
        if revision.pk != before:
            messages.info(request, f"Revision {revision.number} is published.")


@admin.register(CalendarRevision)
class CalendarRevisionAdmin(ReadOnlyAdmin):
    """Every state that a calendar ever had."""

    list_display = ["calendar", "number", "zone", "created_at", "created_by"]
    list_filter = ["calendar"]
    list_select_related = ["calendar", "created_by"]
    search_fields = ["calendar__name"]
    fields = ["calendar", "number", "zone", "hours", "days_off", "created_at", "created_by"]

    @admin.display(description="hours")
    def hours(self, revision: CalendarRevision) -> str:
        return format_html("<pre>{}</pre>", format_hours(revision.spans))
