"""Admin pages of on-call schedules, rotations and overrides."""

from django.contrib import admin
from django.http import HttpRequest

from roles.admin.audited import AuditedAdmin, GuardedInline, ReadOnlyInline, acting
from roles.admin.organisations import WrittenByDomain
from roles.models import Override, Rotation, RotationMember, Schedule
from roles.rosters import add_override, remove_override


class RotationsOfSchedule(ReadOnlyInline):
    model = Rotation
    fields = ["position", "name", "starts_on", "handover_weekday", "handover_time", "shift_days"]
    verbose_name_plural = "rotations (written on their own pages)"


@admin.register(Schedule)
class ScheduleAdmin(AuditedAdmin):
    list_display = ["name", "team", "zone"]
    list_filter = ["zone"]
    list_select_related = ["team"]
    search_fields = ["name", "team__name"]
    autocomplete_fields = ["team"]
    inlines = [RotationsOfSchedule]


class TurnsOfRotation(GuardedInline):
    model = RotationMember
    fields = ["position", "person"]
    autocomplete_fields = ["person"]
    verbose_name_plural = "turns, in order"


@admin.register(Rotation)
class RotationAdmin(AuditedAdmin):
    list_display = ["name", "schedule", "position", "starts_on", "handover_time", "shift_days"]
    list_filter = ["schedule"]
    list_select_related = ["schedule"]
    search_fields = ["name", "schedule__name", "schedule__team__name"]
    autocomplete_fields = ["schedule"]
    inlines = [TurnsOfRotation]


@admin.register(Override)
class OverrideAdmin(WrittenByDomain):
    """Stand-ins; one that is wrong is deleted and made anew."""

    list_display = ["schedule", "person", "starts_at", "ends_at", "reason", "created_by"]
    list_filter = ["schedule"]
    list_select_related = ["schedule", "person", "created_by"]
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
