"""Admin pages of what the engine has done: runs, firings, clocks, escalations, its own health."""

from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join

from escalation import quarantine
from escalation.billing import late_words
from escalation.explain import duration
from escalation.models import Clock, Escalation, Firing, Heartbeat, Quarantine, Run, Silence
from roles.admin.audited import ReadOnlyAdmin, acting, may
from roles.instants import database_now
from tickets.admin import TicketBound, tickets_of
from tickets.models import Ticket


class Opened(admin.SimpleListFilter):
    title = "opened"
    parameter_name = "opened"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("day", "In the last 24 hours"), ("week", "In the last 7 days")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Escalation]
    ) -> QuerySet[Escalation]:
        days = {"day": 1, "week": 7}.get(self.value() or "")
        if days is None:
            return queryset
        return queryset.filter(opened_at__gte=database_now() - timedelta(days=days))


@admin.register(Escalation)
class EscalationAdmin(TicketBound):
    """Each passing on of a ticket and each call for authority."""

    list_display = [
        "opened_at", "ticket", "type", "from_team", "to_team", "reason_code", "trigger", "state",
        "accepted_at",
    ]  # fmt: skip
    list_filter = [Opened, "type", "state", "reason_code", "from_team", "to_team"]
    list_select_related = ["ticket", "from_team", "to_team"]
    search_fields = ["=ticket__key", "ticket__subject"]
    show_full_result_count = False


@admin.register(Run)
class RunAdmin(TicketBound):
    """Climbs: one ticket under one revision of one policy."""

    list_display = ["ticket", "policy", "state", "is_main", "rung", "next_at", "started_at"]
    list_filter = ["state", "policy", "is_main"]
    list_select_related = ["ticket", "policy"]
    search_fields = ["=ticket__key", "ticket__subject"]
    show_full_result_count = False


@admin.register(Firing)
class FiringAdmin(TicketBound):
    """Steps carried out or skipped, each with its reasons."""

    list_display = ["fired_at", "ticket", "step", "outcome", "late", "why"]
    list_filter = ["outcome", "fired_at", "run__policy"]
    list_select_related = ["ticket", "step"]
    search_fields = ["=ticket__key", "ticket__subject"]
    show_full_result_count = False
    fields = ["ticket", "run", "step", "loop", "entry", "outcome", "due_at", "fired_at", "why"]
    readonly_fields = ["why"]

    @admin.display(description="late by")
    def late(self, firing: Firing) -> str:
        return duration((firing.fired_at - firing.due_at).total_seconds())

    @admin.display(description="why")
    def why(self, firing: Firing) -> str:
        lines = firing.explain.get("text", [])
        return format_html("<p>{}</p>", format_html_join("\n", "{}<br>", ((x,) for x in lines)))


@admin.register(Clock)
class ClockAdmin(TicketBound):
    """One cycle of one clock of one ticket, as of its last evaluation."""

    list_display = [
        "ticket", "kind", "cycle", "state", "due_at", "breached_at", "ended_as", "team", "bill",
    ]  # fmt: skip
    list_filter = [
        "kind",
        "state",
        ("breached_at", admin.EmptyFieldListFilter),
        "ended_as",
        "team",
    ]
    list_select_related = ["ticket", "team"]
    search_fields = ["=ticket__key", "ticket__subject"]
    show_full_result_count = False

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """The page of the list, with the bills of all its rows read at once."""
        page = super().get_changelist_instance(request)
        page.result_list = list(page.result_list)  # type: ignore[assignment]
        words = late_words(page.result_list, database_now())
        for row in page.result_list:
            row.bill_words = words.get(row.pk, "")
        return page

    @admin.display(description="bill")
    def bill(self, clock: Clock) -> str:
        return getattr(clock, "bill_words", "")


@admin.register(Quarantine)
class QuarantineAdmin(TicketBound):
    """Tickets that the engine cannot evaluate; released here, it tries them again."""

    list_display = ["ticket_key", "tries", "since", "last_tried_at", "last_error"]
    list_filter = [("since", admin.EmptyFieldListFilter)]
    list_select_related = ["ticket"]
    search_fields = ["=ticket__key"]
    actions = ["release_chosen"]
    fields = ["ticket_key", "tries", "since", "last_tried_at", "last_error"]
    readonly_fields = ["ticket_key"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Quarantine]:
        """Administrators release any ticket that is not restricted, without reading it."""
        scope = Q(ticket__in=tickets_of(request))
        if may(request, "admin"):
            scope |= Q(ticket__in=Ticket.objects.filter(restricted=False))
        return self.model._default_manager.filter(scope)

    @admin.display(description="ticket", ordering="ticket__key")
    def ticket_key(self, held: Quarantine) -> str:
        return held.ticket.key

    def has_release_permission(self, request: HttpRequest) -> bool:
        return may(request, "admin")

    @admin.action(description="Release: let the engine try again", permissions=["release"])
    def release_chosen(self, request: HttpRequest, chosen: QuerySet[Quarantine]) -> None:
        for ticket_id in chosen.values_list("ticket_id", flat=True):
            quarantine.set_free(ticket_id=ticket_id, actor=acting(request))
        messages.success(request, "Released; the engine tries again within a second.")


@admin.register(Silence)
class SilenceAdmin(TicketBound):
    """Spans in which nothing would have happened by itself on an urgent ticket."""

    list_display = ["since", "ticket", "reason", "ended_at"]
    list_filter = [("ended_at", admin.EmptyFieldListFilter), "since"]
    list_select_related = ["ticket"]
    search_fields = ["=ticket__key"]
    show_full_result_count = False


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin):
    """When each loop last finished a pass."""

    list_display = ["name", "at", "oldest_due_s"]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return may(request, "see_dashboard", "see_audit")

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return may(request, "see_dashboard", "see_audit")
