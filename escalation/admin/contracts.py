"""Admin pages of hand-over contracts: what each team asks for, and how its edges fare."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join

from escalation.admin.guard import PolicyGuard
from escalation.edges import EdgeFigures, measure_edges
from escalation.explain import duration
from escalation.models import Escalation, HandoverContract, HandoverNeed
from roles.admin.audited import GuardedInline, may
from roles.instants import database_now

READERS = ("manage_policies", "see_dashboard", "see_audit")


class NeedsOfContract(GuardedInline):
    model = HandoverNeed
    fields = ["position", "slug", "name", "required"]
    verbose_name = "need"
    verbose_name_plural = "needs, in the order in which they are asked"
    extra = 1

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return may(request, *READERS)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return may(request, "manage_policies")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return may(request, "manage_policies")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return may(request, "manage_policies")


@admin.register(HandoverContract)
class HandoverContractAdmin(PolicyGuard):
    """What a receiver needs from a sender; the figures are those of the last 90 days."""

    help_texts = {
        "to_team": "Whoever passes work to this team is asked for these things.",
    }
    list_display = ["to_team", "from_team", "asks", "is_active"]
    list_display_links = ["to_team", "from_team"]
    list_filter = ["to_team", "is_active"]
    list_select_related = ["from_team", "to_team"]
    autocomplete_fields = ["from_team", "to_team"]
    search_fields = ["to_team__name", "from_team__name", "needs__name"]
    fields = ["from_team", "to_team", "is_active", "figures"]
    readonly_fields = ["figures"]
    inlines = [NeedsOfContract]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("needs")

    @admin.display(description="asks for")
    def asks(self, contract: HandoverContract) -> str:
        return ", ".join(need.name for need in contract.needs.all()) or "nothing"

    @admin.display(description="in the last 90 days")
    def figures(self, contract: HandoverContract) -> str:
        """How hand-overs to this team fared, one sentence for each sender."""
        if contract.to_team_id is None:
            return "Not measured yet."
        edges = measure_edges(until=database_now(), to_team_id=contract.to_team_id)
        lines = format_html_join("", "<li>{}</li>", ((edge_words(edge),) for edge in edges))
        return format_html("<ul>{}</ul>", lines) if edges else "No work was passed on to this team."


def edge_words(edge: EdgeFigures) -> str:
    """One edge as a sentence."""
    within = (
        "acceptance not measured"
        if edge.median_accept_s is None
        else f"accepted within {duration(edge.median_accept_s)} (median)"
    )
    codes = ", ".join(
        f"{Escalation.HandBackReason(code).label.lower()} {count}"
        for code, count in edge.handed_back.items()
    )
    back = f"{sum(edge.handed_back.values())} handed back" + (f" ({codes})" if codes else "")
    return (
        f"{edge.from_team} to {edge.to_team}: {edge.passed} passed on, {within}, {back},"
        f" {edge.skipped} went without something required, {edge.owing} still owe it."
        f"{_said(edge)}"
    )


def _said(edge: EdgeFigures) -> str:
    """What receivers said, as one more sentence; "" where none did."""
    if edge.right_share is None:
        return ""
    return f" Of those who answered, {edge.right_share:.0%} called it the right tier."
