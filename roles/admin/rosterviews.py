"""Admin pages beside the schedules: who was on call at a time, and import of a calendar file."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse

from roles.admin.audited import acting, may
from roles.ical import MAX_BYTES
from roles.ical_import import apply_import, plan_import
from roles.instants import database_now
from roles.models import Person, Schedule
from roles.oncall import on_call
from roles.refusals import Refused


class WhenForm(forms.Form):
    at = forms.DateTimeField(
        label="On call at",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        help_text="In your own time zone. Empty: now. The past is answered as it was.",
    )


class FileForm(forms.Form):
    """A file to be planned, or the text of one that has been."""

    file = forms.FileField(required=False, label="iCalendar file (.ics)")
    text = forms.CharField(required=False, max_length=MAX_BYTES, widget=forms.HiddenInput)

    def ical(self) -> bytes:
        """What was given; raises ValidationError for nothing, or for too large a file."""
        file = self.cleaned_data.get("file")
        if file is not None and file.size > MAX_BYTES:
            raise forms.ValidationError("The file is too large.")
        given = file.read() if file else self.cleaned_data["text"].encode()
        if not given:
            raise forms.ValidationError("Choose a file.")
        return bytes(given)


def who_view(request: HttpRequest) -> HttpResponse:
    """Who was, is or will be on call in each team at a time."""
    if not may(request, "admin", "see_audit"):
        raise PermissionDenied
    form = WhenForm(request.GET or None)
    asked = form.cleaned_data["at"] if form.is_bound and form.is_valid() else None
    at = asked or database_now()
    context = {"title": "Who is on call", "form": form, "at": at, "rows": _rows(at)}
    return _page(request, "who", context)


def import_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what a calendar file would do to a schedule, and do it."""
    if not may(request, "admin"):
        raise PermissionDenied
    schedule = get_object_or_404(Schedule.objects.select_related("team"), pk=pk)
    form = FileForm(request.POST or None, request.FILES or None)
    context: dict[str, Any] = {"title": f"Import into {schedule}", "schedule": schedule}
    if form.is_bound and form.is_valid():
        try:
            ical = form.ical()
            if "_apply" in request.POST:
                return _apply(request, schedule, ical)
            plan = plan_import(schedule=schedule, ical=ical, actor=acting(request))
            context["plan"] = plan
            form = FileForm(initial={"text": ical.decode("utf-8", "replace")})
        except forms.ValidationError as trouble:
            form.add_error("file", trouble)
        except Refused as refusal:
            form.add_error("file", f"Nothing was changed. {refusal.detail}")
    return _page(request, "import", {**context, "form": form})


def _apply(request: HttpRequest, schedule: Schedule, ical: bytes) -> HttpResponse:
    plan = apply_import(schedule=schedule, ical=ical, actor=acting(request))
    messages.success(
        request, f"{len(plan.fresh)} overrides are made, {len(plan.unusable)} events left out."
    )
    return HttpResponseRedirect(reverse("admin:roles_schedule_change", args=[schedule.pk]))


def _rows(at: datetime) -> list[tuple[Schedule, Person | None]]:
    schedules = list(Schedule.objects.filter(team__is_active=True).select_related("team"))
    serving = on_call([row.team_id for row in schedules], at)
    people = Person.objects.in_bulk({pk for found in serving.values() for pk in found})
    first = {team_id: people[found[0]] for team_id, found in serving.items() if found}
    return [(row, first.get(row.team_id)) for row in schedules]


def _page(request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
    shared = {**admin.site.each_context(request), "opts": Schedule._meta}
    return TemplateResponse(request, f"admin/roles/schedule/{name}.html", shared | context)
