"""Admin pages of swaps, and of the private links to on-call calendars."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest
from django.utils.timezone import localtime

from roles.admin.audited import AuditedAdmin, acting
from roles.admin.organisations import WrittenByDomain
from roles.calendarlinks import make_link, revoke_link, token_of
from roles.models import CalendarLink, Swap
from roles.swaps import accept_swap, decline_swap, offer_swap, withdraw_swap

FEEDS = "/calendar"


@admin.register(Swap)
class SwapAdmin(WrittenByDomain):
    """Shifts offered by one person to another, and what became of it."""

    help_texts = {
        "schedule": "Of which team.",
        "giver": "Whose hours are given.",
        "taker": "Who is asked to take them.",
    }
    list_display = ["schedule", "giver", "taker", "hours", "back", "state", "answered_by"]
    list_filter = ["state", "schedule"]
    list_select_related = ["schedule", "giver", "taker", "answered_by"]
    search_fields = ["giver__name", "taker__name", "schedule__name", "reason"]
    autocomplete_fields = ["schedule", "giver", "taker"]
    fields = ["schedule", "giver", "taker", "during", "in_return", "reason"]
    fixed_once_made = (*fields, "state", "requested_at", "requested_by", "answered_at")
    actions = ["accept", "decline", "withdraw"]

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    @admin.display(description="hours", ordering="during")
    def hours(self, swap: Swap) -> str:
        return _stretch(swap.during)

    @admin.display(description="in return", empty_value="nothing")
    def back(self, swap: Swap) -> str | None:
        return _stretch(swap.in_return) if swap.in_return else None

    def make(self, request: HttpRequest, obj: Swap) -> Swap:
        if obj.pk:
            return obj
        back = (obj.in_return.lower, obj.in_return.upper) if obj.in_return else None
        return offer_swap(
            schedule=obj.schedule,
            giver=obj.giver,
            taker=obj.taker,
            during=(obj.during.lower, obj.during.upper),
            in_return=back,
            reason=obj.reason,
            actor=acting(request),
        )

    @admin.action(description="Accept in the taker's name", permissions=["change"])
    def accept(self, request: HttpRequest, queryset: models.QuerySet[Swap]) -> None:
        for swap in queryset:
            accept_swap(swap=swap, actor=acting(request))
        messages.success(request, "Agreed; the hours are overrides now.")

    @admin.action(description="Decline in the taker's name", permissions=["change"])
    def decline(self, request: HttpRequest, queryset: models.QuerySet[Swap]) -> None:
        for swap in queryset:
            decline_swap(swap=swap, actor=acting(request))
        messages.success(request, "Declined.")

    @admin.action(description="Withdraw in the giver's name", permissions=["change"])
    def withdraw(self, request: HttpRequest, queryset: models.QuerySet[Swap]) -> None:
        for swap in queryset:
            withdraw_swap(swap=swap, actor=acting(request))
        messages.success(request, "Withdrawn.")


@admin.register(CalendarLink)
class CalendarLinkAdmin(AuditedAdmin):
    """Private addresses of on-call calendars; anybody who knows one can read with it."""

    help_texts = {
        "person": "Whose shifts, and in whose name the calendar is read.",
    }
    writes_own_audit = True
    list_display = ["person", "name", "created_at", "revoked_at"]
    list_filter = [("revoked_at", admin.EmptyFieldListFilter)]
    list_select_related = ["person"]
    search_fields = ["person__username", "person__name", "name"]
    autocomplete_fields = ["person"]
    actions = ["revoke"]

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: models.Model | None = None) -> list[str]:
        return ["person", "name", *(["created_at", "revoked_at"] if obj else [])]

    def get_readonly_fields(
        self, request: HttpRequest, obj: models.Model | None = None
    ) -> list[str]:
        return self.get_fields(request, obj) if obj else []

    def save_model(
        self, request: HttpRequest, obj: Any, form: forms.ModelForm, change: bool
    ) -> None:
        if change:
            return
        link = make_link(person=obj.person, name=obj.name, actor=acting(request))
        obj.__dict__.update(link.__dict__)
        base = f"{settings.PUBLIC_URL.rstrip('/')}{FEEDS}/{token_of(link)}"
        messages.warning(
            request,
            f"Give these to {obj.person} only. Own shifts: {base}/mine.ics "
            f"and a team's: {base}/team/SLUG.ics with the team's short name.",
        )

    @admin.action(description="Revoke the chosen links", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: models.QuerySet[CalendarLink]) -> None:
        for link in queryset.filter(revoked_at__isnull=True):
            revoke_link(link=link, actor=acting(request))
        messages.success(request, "The links are revoked.")


def _stretch(stretch: Any) -> str:
    first, last = localtime(stretch.lower), localtime(stretch.upper)
    return f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} ({last:%Z})"
