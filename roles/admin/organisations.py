"""Admin pages of organisations, tiers, teams and duties, and of who is in them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.postgres.fields import DateTimeRangeField
from django.contrib.postgres.forms import RangeWidget
from django.db import models
from django.http import HttpRequest

from roles.admin.audited import AuditedAdmin, ReadOnlyInline, acting
from roles.models import Duty, DutyAssignment, Membership, Organisation, Team, Tier
from roles.teams import add_member, assign_duty, remove_member, withdraw_duty

GUIDANCE: tuple[str, Any] = (
    "What people read before they escalate",
    {"fields": ["responsibilities", "hands_over", "escalates_to"]},
)


@admin.register(Organisation)
class OrganisationAdmin(AuditedAdmin):
    list_display = ["name", "slug", "may_see_own"]
    list_filter = ["may_see_own"]
    search_fields = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}


@admin.register(Tier)
class TierAdmin(AuditedAdmin):
    list_display = ["name", "slug", "kind", "rank", "is_vendor"]
    list_filter = ["kind", "is_vendor"]
    search_fields = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}
    fieldsets = [(None, {"fields": ["name", "slug", "kind", "rank", "is_vendor"]}), GUIDANCE]


class MembersOfTeam(ReadOnlyInline):
    model = Membership
    fields = ["person", "role", "joined_at"]
    verbose_name_plural = "members (written on the page of memberships)"


@admin.register(Team)
class TeamAdmin(AuditedAdmin):
    list_display = ["name", "tier", "calendar", "lead", "manager", "is_service_desk", "is_active"]
    list_filter = ["tier", "is_active", "calendar"]
    list_select_related = ["tier", "calendar", "lead", "manager"]
    search_fields = ["name", "slug", "email"]
    autocomplete_fields = ["tier", "calendar", "lead", "manager"]
    prepopulated_fields = {"slug": ["name"]}
    inlines = [MembersOfTeam]
    fieldsets = [
        (None, {"fields": ["name", "slug", "tier", "calendar", "email"]}),
        ("Heads", {"fields": ["lead", "manager"]}),
        ("State", {"fields": ["is_service_desk", "is_active"]}),
        GUIDANCE,
    ]


class StretchWidget(RangeWidget):
    """Two moments to pick, the first as "from", the second as "to"."""

    def __init__(self) -> None:
        super().__init__(forms.DateTimeInput)
        self.widgets = [
            forms.DateTimeInput({"type": "datetime-local", "aria-label": name}, "%Y-%m-%dT%H:%M")
            for name in ("From", "To")
        ]


class WrittenByDomain(AuditedAdmin):
    """Rows that a domain function makes and takes away; after that only some fields change."""

    writes_own_audit = True
    fixed_once_made: tuple[str, ...] = ()
    formfield_overrides = {DateTimeRangeField: {"widget": StretchWidget}}

    def get_readonly_fields(
        self, request: HttpRequest, obj: models.Model | None = None
    ) -> tuple[str, ...]:
        return self.fixed_once_made if obj else ()

    def make(self, request: HttpRequest, obj: Any) -> models.Model:
        """Write the row through its domain function, and return it."""
        raise NotImplementedError

    def save_model(
        self, request: HttpRequest, obj: Any, form: forms.ModelForm, change: bool
    ) -> None:
        obj.__dict__.update(self.make(request, obj).__dict__)

    def delete_queryset(
        self, request: HttpRequest, queryset: models.QuerySet[models.Model]
    ) -> None:
        for row in queryset:
            self.delete_model(request, row)


@admin.register(Membership)
class MembershipAdmin(WrittenByDomain):
    list_display = ["person", "team", "role", "joined_at"]
    list_filter = ["role", "team"]
    list_select_related = ["person", "team"]
    search_fields = ["person__name", "person__username", "team__name"]
    autocomplete_fields = ["person", "team"]
    fields = ["team", "person", "role"]
    fixed_once_made = ("team", "person")

    def make(self, request: HttpRequest, obj: Membership) -> Membership:
        return add_member(team=obj.team, person=obj.person, role=obj.role, actor=acting(request))

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        remove_member(team=obj.team, person=obj.person, actor=acting(request))


class HoldersOfDuty(ReadOnlyInline):
    model = DutyAssignment
    fields = ["person", "assigned_at"]
    verbose_name_plural = "holders (written on the page of duty assignments)"


@admin.register(Duty)
class DutyAdmin(AuditedAdmin):
    list_display = ["name", "slug"]
    search_fields = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}
    inlines = [HoldersOfDuty]
    fieldsets = [(None, {"fields": ["name", "slug"]}), GUIDANCE]


@admin.register(DutyAssignment)
class DutyAssignmentAdmin(WrittenByDomain):
    list_display = ["person", "duty", "assigned_at"]
    list_filter = ["duty"]
    list_select_related = ["person", "duty"]
    search_fields = ["person__name", "person__username", "duty__name"]
    autocomplete_fields = ["person", "duty"]
    fields = ["duty", "person"]
    fixed_once_made = ("duty", "person")

    def make(self, request: HttpRequest, obj: DutyAssignment) -> DutyAssignment:
        return assign_duty(duty=obj.duty, person=obj.person, actor=acting(request))

    def delete_model(self, request: HttpRequest, obj: DutyAssignment) -> None:
        withdraw_duty(duty=obj.duty, person=obj.person, actor=acting(request))
