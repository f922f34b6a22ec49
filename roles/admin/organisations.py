"""Admin pages of organisations, tiers, teams and duties, and of who is in them."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.postgres.fields import DateTimeRangeField
from django.contrib.postgres.forms import RangeWidget
from django.db import models
from django.http import HttpRequest

from roles.admin.audited import AuditedAdmin, ReadOnlyInline, acting
from roles.admin.sheets import Sheet
from roles.admin.sheetviews import SheetAdmin
from roles.models import Duty, DutyAssignment, Membership, Organisation, Team, Tier
from roles.teams import add_member, assign_duty, remove_member, withdraw_duty

GUIDANCE: tuple[str, Any] = (
    "What people read before they escalate",
    {"fields": ["responsibilities", "hands_over", "escalates_to"]},
)


@admin.register(Organisation)
class OrganisationAdmin(SheetAdmin):
    sheet = Sheet(columns=("slug", "name", "may_see_own"), key=("slug",))
    list_display = ["name", "slug", "may_see_own"]
    list_filter = ["may_see_own"]
    search_fields = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}


@admin.register(Tier)
class TierAdmin(SheetAdmin):
    help_texts = {
        "kind": "A rung stands on the ladder; a lane stands beside it.",
    }
    sheet = Sheet(
        columns=("slug", "name", "kind", "rank", "is_vendor", *GUIDANCE[1]["fields"]),
        key=("slug",),
    )
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
class TeamAdmin(SheetAdmin):
    help_texts = {
        "tier": "The rung or lane on which it works; escalations go from rung to rung.",
        "calendar": "Under these hours its own targets run.",
        "email": "A shared mailbox of the team, if there is one.",
    }
    sheet = Sheet(
        columns=(
            *("slug", "name", "tier", "calendar", "email", "lead", "manager"),
            *("is_service_desk", "is_active", *GUIDANCE[1]["fields"]),
        ),
        key=("slug",),
        named_by={"tier": "slug", "calendar": "slug", "lead": "username", "manager": "username"},
    )
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

    def save_model(
        self, request: HttpRequest, obj: Any, form: forms.ModelForm, change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        if not Team.objects.filter(is_service_desk=True).exists():
            messages.warning(
                request,
                "No team is the service desk now: until one is, no ticket can be opened. "
                "Make a team the service desk at once.",
            )


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
class MembershipAdmin(SheetAdmin, WrittenByDomain):
    help_texts = {
        "team": "Cannot be changed later: take the person out and put them in anew.",
        "person": "Somebody who is active.",
        "role": "A lead decides in the team and is told before the manager.",
    }
    sheet = Sheet(
        columns=("team", "person", "role"),
        key=("team", "person"),
        named_by={"team": "slug", "person": "username"},
    )
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
    """Duties across teams; what each may do stands in the table of access."""

    list_display = ["name", "slug", "held_by"]
    search_fields = ["name", "slug", "assignments__person__name"]
    prepopulated_fields = {"slug": ["name"]}
    inlines = [HoldersOfDuty]
    fieldsets = [(None, {"fields": ["name", "slug"]}), GUIDANCE]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Duty]:
        return super().get_queryset(request).prefetch_related("assignments__person")

    @admin.display(description="held by", empty_value="nobody")
    def held_by(self, duty: Duty) -> str | None:
        return ", ".join(str(held.person) for held in duty.assignments.all()) or None


@admin.register(DutyAssignment)
class DutyAssignmentAdmin(SheetAdmin, WrittenByDomain):
    help_texts = {
        "duty": "What the person may do follows from it.",
        "person": "Somebody who is active.",
    }
    sheet = Sheet(
        columns=("duty", "person"),
        key=("duty", "person"),
        named_by={"duty": "slug", "person": "username"},
    )
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
