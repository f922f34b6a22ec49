"""Admin pages of tickets: found and read; the few acts here go through the domain functions."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest

from roles.admin.audited import ReadOnlyInline, acting, may
from roles.instants import database_now
from roles.refusals import Refused
from tickets import states
from tickets.admin.doors import ActingAdmin
from tickets.admin.history import who, with_names, words
from tickets.admin.reading import tickets_of
from tickets.adoption import adopt
from tickets.assignment import release
from tickets.lifecycle import cancel
from tickets.models import (
    Clearance,
    Involvement,
    Major,
    Notice,
    Ticket,
    TicketLink,
    TimelineEvent,
    Watcher,
)
from tickets.queries import discreet, readable_events

HOUR = timedelta(hours=1)
UNTOUCHED = Q(status__in=[states.NEW, states.WAITING], acknowledged_at=None)
"""Nobody of its present team has taken or acknowledged it."""

Choices = list[tuple[str, str]]


class Wish(admin.SimpleListFilter):
    """A filter with fixed choices, each a condition on tickets."""

    def wanted(self, choice: str) -> Q | None:
        """The condition of one choice; None for none."""
        raise NotImplementedError

    def queryset(self, request: HttpRequest, queryset: QuerySet[Ticket]) -> QuerySet[Ticket]:
        condition = self.wanted(self.value() or "")
        return queryset if condition is None else queryset.filter(condition)


class Progress(Wish):
    title = "progress"
    parameter_name = "progress"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("open", "Open"), ("untouched", "Open and untouched"), ("done", "Not open")]

    def wanted(self, choice: str) -> Q | None:
        return {
            "open": Q(status__in=states.OPEN),
            "untouched": UNTOUCHED,
            "done": ~Q(status__in=states.OPEN),
        }.get(choice)


class Deadline(Wish):
    title = "next deadline"
    parameter_name = "due"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("late", "Passed"), ("hour", "Within the hour"), ("day", "Within 24 hours")]

    def wanted(self, choice: str) -> Q | None:
        if choice not in ("late", "hour", "day"):
            return None
        now = database_now()
        ahead = {"late": timedelta(0), "hour": HOUR, "day": 24 * HOUR}[choice]
        since = Q() if choice == "late" else Q(next_due_at__gt=now)
        return Q(status__in=states.OPEN, next_due_at__lte=now + ahead) & since


class EventsOfTicket(ReadOnlyInline):
    """The whole timeline, oldest first."""

    model = TimelineEvent
    verbose_name_plural = "timeline"
    fields = ["seq", "at", "kind", who, words, "is_public"]
    readonly_fields = [who, words]
    show_change_link = False
    template = "admin/tickets/timeline.html"

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, "see_internal")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        shown = readable_events(super().get_queryset(request), acting(request))
        return with_names(shown).order_by("seq")


class WatchersOfTicket(ReadOnlyInline):
    model = Watcher
    fields = ["person", "since"]
    show_change_link = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, "see_internal")


class LinksOfTicket(ReadOnlyInline):
    model = TicketLink
    fk_name = "source"
    fields = ["relation", "target"]
    show_change_link = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, "see_internal")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).select_related("target")
        return rows.filter(target__in=tickets_of(request))


class LinksToTicket(LinksOfTicket):
    """Links that lead here: a major incident's children among them."""

    fk_name = "target"
    fields = ["source", "relation"]
    verbose_name_plural = "links from other tickets"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = ReadOnlyInline.get_queryset(self, request).select_related("source")
        return rows.filter(source__in=tickets_of(request))


class MajorOfTicket(ReadOnlyInline):
    """Its record as a major incident."""

    model = Major
    fk_name = "ticket"
    fields = [
        *("state", "severity", "reason", "proposer", "proposed_at", "decided_by", "decided_at"),
        *("manager", "coordinator", "technical_lead", "scribe", "bridge_url", "channel_url"),
        *("last_update_at", "next_update_at", "ended_at"),
    ]
    template = "admin/edit_inline/stacked.html"
    show_change_link = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_there = obj is None or Major.objects.filter(ticket=obj.pk).exists()
        return is_there and may(request, "see_internal")


class HelpersOfTicket(ReadOnlyInline):
    """Who helps on it, or has."""

    model = Involvement
    verbose_name_plural = "people pulled in"
    fields = ["person", "team_name", "since", "left_at"]
    show_change_link = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, "see_internal")


class ClearancesOfTicket(ReadOnlyInline):
    """Who may know of it, while it is restricted."""

    model = Clearance
    fields = ["person", "since", "until"]
    show_change_link = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is not None and obj.restricted


class NoticesOfTicket(ReadOnlyInline):
    """What regulators are owed, or have been given."""

    model = Notice
    fields = ["authority", "since", "given_at", "given_by", "reference"]
    show_change_link = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, "see_internal")


class ReasonForm(ActionForm):
    """The bar of actions, with the reason that some of them ask for."""

    reason = forms.CharField(
        required=False,
        max_length=2000,
        label="Reason:",
        widget=forms.TextInput(attrs={"placeholder": "needed to cancel or adopt", "size": 40}),
    )


@admin.register(Ticket)
class TicketAdmin(ActingAdmin):
    """Tickets are worked on in the web pages; here they are found, read and led.

    Each has a button for every act on majors, cases and duplicates that its reader may do.
    """

    list_display = ["key", "subject", "level", "next_due_at", "status", "team", "assignee"]
    list_filter = [Progress, Deadline, "priority", "kind", "status", "team__tier", "team"]
    list_select_related = ["team", "assignee"]
    list_per_page = 50
    ordering = [F("next_due_at").asc(nulls_last=True), "-id"]
    search_fields = ["=key", "subject", "requester__name", "asset", "=external_ref"]
    show_full_result_count = False
    date_hierarchy = "opened_at"
    action_form = ReasonForm
    actions = ["release_chosen", "cancel_chosen", "adopt_chosen"]
    inlines = [
        MajorOfTicket,
        EventsOfTicket,
        WatchersOfTicket,
        HelpersOfTicket,
        LinksOfTicket,
        LinksToTicket,
        ClearancesOfTicket,
        NoticesOfTicket,
    ]
    fieldsets = [
        (None, {"fields": ["key", "subject", "description", ("kind", "status", "priority")]}),
        ("People", {"fields": ["requester", "organisation", "team", "assignee", "owner_team"]}),
        ("About", {"fields": ["service", "category", "asset", "tags", "source", "restricted"]}),
        (
            "Times",
            {
                "fields": [
                    ("opened_at", "began_at", "detected_at"),
                    ("acknowledged_at", "acknowledged_by"),
                    ("next_due_at", "next_step_at", "breached_at"),
                    ("resolved_at", "closed_at"),
                ]
            },
        ),
        ("Solution", {"fields": ["resolution_code", "resolution"]}),
        (
            "Counts",
            {"fields": [("impact", "urgency"), ("handover_count", "reopen_count", "chase_count")]},
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Ticket]:
        return tickets_of(request)

    def get_object(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Ticket | None:
        found = super().get_object(request, *args, **kwargs)
        if found is not None:
            reader = acting(request)
            found.description = discreet(found.description, reader)
            found.resolution = discreet(found.resolution, reader)
        return found

    @admin.display(description="priority", ordering="priority")
    def level(self, ticket: Ticket) -> str:
        return f"P{ticket.priority}"

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup.startswith("team__tier") or super().lookup_allowed(lookup, value, request)

    @admin.action(description="Release into the team's queue", permissions=["view"])
    def release_chosen(self, request: HttpRequest, chosen: QuerySet[Ticket]) -> None:
        person = acting(request)
        self._each(request, chosen, lambda ticket: release(ticket=ticket, actor=person))

    @admin.action(description="Cancel, for the reason given", permissions=["view"])
    def cancel_chosen(self, request: HttpRequest, chosen: QuerySet[Ticket]) -> None:
        person, reason = acting(request), request.POST.get("reason", "")
        self._each(
            request, chosen, lambda ticket: cancel(ticket=ticket, actor=person, reason=reason)
        )

    @admin.action(description="Adopt imported tickets, for the reason given", permissions=["view"])
    def adopt_chosen(self, request: HttpRequest, chosen: QuerySet[Ticket]) -> None:
        ids = list(chosen.values_list("pk", flat=True))
        try:
            outcome = adopt(
                ticket_ids=ids,
                actor=acting(request),
                reason=request.POST.get("reason", ""),
                via="admin",
            )
        except Refused as refusal:
            reasons = " ".join(refusal.fields.values())
            messages.warning(request, f"{refusal.detail} {reasons}".strip())
            return
        for key, because in outcome.left.items():
            messages.warning(request, f"{key}: {because}")
        if outcome.tickets:
            messages.success(request, f"{len(outcome.tickets)} tickets adopted.")

    def _each(
        self, request: HttpRequest, chosen: QuerySet[Ticket], act: Callable[[Ticket], object]
    ) -> None:
        done = 0
        for ticket in chosen.order_by("id"):
            try:
                act(ticket)
            except Refused as refusal:
                reasons = " ".join(refusal.fields.values())
                messages.warning(request, f"{ticket.key}: {refusal.detail} {reasons}".strip())
            else:
                done += 1
        if done:
            messages.success(request, f"Done for {done} of the tickets; their timelines tell it.")
