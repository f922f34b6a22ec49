"""Admin pages of on-call schedules: layers, revisions, overrides, who serves when, and gaps."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db import models
from django.http import HttpRequest
from django.urls import path
from django.utils.html import format_html

from roles.admin import rosterlines, rosterviews
from roles.admin.audited import AuditedAdmin, ReadOnlyAdmin, ReadOnlyInline, acting
from roles.admin.layers import ScheduleForm
from roles.admin.organisations import WrittenByDomain
from roles.hours import format_hours
from roles.models import Override, Rotation, Schedule, ScheduleRevision
from roles.overrides import add_override, remove_override
from roles.rosters import publish_schedule, set_schedule


class RevisionsOfSchedule(ReadOnlyInline):
    model = ScheduleRevision
    fields = ["number", "valid_from", "reason", "created_at", "created_by"]
    verbose_name_plural = "revisions (they never change)"


@admin.register(Schedule)
class ScheduleAdmin(AuditedAdmin):
    """Saving changed layers publishes a revision; the past keeps the layers that it had."""

    help_texts = {
        "team": "One schedule for each team.",
        "name": "As it is shown on the page of who is on call.",
    }
    form = ScheduleForm
    writes_own_audit = True
    list_display = ["name", "team", "zone", "serving"]
    list_filter = ["zone"]
    list_select_related = ["team"]
    search_fields = ["name", "team__name"]
    autocomplete_fields = ["team"]
    inlines = [RevisionsOfSchedule]
    change_form_template = "admin/roles/schedule/change_form.html"
    change_list_template = "admin/roles/schedule/change_list.html"

    def get_urls(self) -> list[Any]:
        own = self.admin_site.admin_view
        return [
            path("who/", own(rosterviews.who_view), name="roles_schedule_who"),
            path("<int:pk>/import/", own(rosterviews.import_view), name="roles_schedule_import"),
            *super().get_urls(),
        ]

    def get_fieldsets(self, request: HttpRequest, obj: models.Model | None = None) -> Any:
        told: list[Any] = [(None, {"fields": ["team", "name", "zone"]})]
        if obj:
            shown = ["troubles", "gaps", "final"]
            told.append(("The next 14 days", {"fields": shown}))
        told.append(("When changed layers hold", {"fields": ["valid_from", "reason"]}))
        return told

    def get_readonly_fields(
        self, request: HttpRequest, obj: models.Model | None = None
    ) -> list[str]:
        return ["team", "troubles", "gaps", "final"] if obj else ["troubles", "gaps", "final"]

    def get_inlines(self, request: HttpRequest, obj: models.Model | None) -> list[Any]:
        return self.inlines if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    @admin.display(description="on call now", empty_value="nobody")
    def serving(self, schedule: Schedule) -> str | None:
        return getattr(schedule, "serves", None)

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """The page of the list, with who serves in all its rows read at once."""
        page = super().get_changelist_instance(request)
        page.result_list = list(page.result_list)  # type: ignore[assignment]
        serving = rosterlines.serving_by_team([row.team_id for row in page.result_list])
        for row in page.result_list:
            row.serves = serving.get(row.team_id)
        return page

    @admin.display(description="what is wrong")
    def troubles(self, schedule: Schedule) -> str:
        return " ".join(rosterlines.troubles_of(schedule)) or "Nothing."

    @admin.display(description="gaps")
    def gaps(self, schedule: Schedule) -> str:
        return _lines(rosterlines.gap_lines(schedule)) or "None: somebody is always on call."

    @admin.display(description="final shifts")
    def final(self, schedule: Schedule) -> str:
        return _lines(rosterlines.shift_lines(schedule)) or "Nobody serves."

    def save_model(self, request: HttpRequest, obj: Any, form: ScheduleForm, change: bool) -> None:
        actor = acting(request)
        made = set_schedule(team=obj.team, zone=obj.zone, name=obj.name, actor=actor)
        obj.__dict__.update(made.__dict__)
        before = made.revisions.count()
        revision = publish_schedule(
            schedule=made,
            layers=form.layer_specs(),
            valid_from=form.cleaned_data.get("valid_from"),
            reason=form.cleaned_data.get("reason", ""),
            actor=actor,
        )
        if made.revisions.count() != before:
            messages.info(request, f"Revision {revision.number} is published.")


class LayersOfRevision(ReadOnlyInline):
    model = Rotation
    fields = [
        "position",
        "name",
        "people",
        "zone",
        "starts_on",
        "handover_time",
        "handover_weekday",
        "shift_days",
        "shift_hours",
        "hours",
    ]
    verbose_name_plural = "layers, a higher position wins"
    show_change_link = False

    @admin.display()
    def people(self, layer: Rotation) -> str:
        return ", ".join(str(turn.person) for turn in layer.members.select_related("person"))

    @admin.display(description="limited to", empty_value="all of the time")
    def hours(self, layer: Rotation) -> str | None:
        return (
            format_html("<pre>{}</pre>", format_hours(layer.restrictions))
            if (layer.restrictions)
            else None
        )


@admin.register(ScheduleRevision)
class ScheduleRevisionAdmin(ReadOnlyAdmin):
    """Every state that a schedule ever had."""

    list_display = ["schedule", "number", "valid_from", "reason", "created_at", "created_by"]
    list_filter = ["schedule"]
    list_select_related = ["schedule", "created_by"]
    search_fields = ["schedule__name", "reason"]
    fields = ["schedule", "number", "valid_from", "reason", "created_at", "created_by"]
    inlines = [LayersOfRevision]


@admin.register(Override)
class OverrideAdmin(WrittenByDomain):
    """Stand-ins; one that is wrong is deleted and made anew. What was served stays."""

    help_texts = {
        "schedule": "Whose hours are taken.",
        "person": "Who serves in them instead.",
        "reason": "Shown on the calendar of shifts.",
    }
    list_display = ["schedule", "person", "starts_at", "ends_at", "reason", "swap", "created_by"]
    list_filter = ["schedule"]
    list_select_related = ["schedule", "person", "created_by", "swap__giver", "swap__taker"]
    search_fields = ["person__name", "person__username", "schedule__name", "reason"]
    autocomplete_fields = ["schedule", "person"]
    fields = ["schedule", "person", "during", "reason"]
    fixed_once_made = ("schedule", "person", "during", "reason")

    @admin.display(description="from", ordering="during")
    def starts_at(self, override: Override) -> object:
        return override.during.lower

    @admin.display(description="to")
    def ends_at(self, override: Override) -> object:
        return override.during.upper

    def make(self, request: HttpRequest, obj: Override) -> Override:
        if obj.pk:
            return obj
        return add_override(
            schedule=obj.schedule,
            person=obj.person,
            start=obj.during.lower,
            end=obj.during.upper,
            reason=obj.reason,
            actor=acting(request),
        )

    def delete_model(self, request: HttpRequest, obj: Override) -> None:
        remove_override(override=obj, actor=acting(request))


def _lines(lines: list[str]) -> str:
    return format_html("<pre>{}</pre>", "\n".join(lines)) if lines else ""
