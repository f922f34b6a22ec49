"""Admin pages of what monitors have said."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse

from roles.admin.audited import ReadOnlyAdmin
from tickets.admin.reading import TicketBound, tickets_of
from tickets.models import Alert


@admin.register(Alert)
class AlertAdmin(TicketBound):
    """What monitors have said, and the ticket that it folded into."""

    list_display = ["last_seen_at", "source", "summary", "state", "ticket", "count", "started_at"]
    list_filter = ["state", "source", "last_seen_at"]
    list_select_related = ["source", "ticket"]
    search_fields = ["=ticket__key", "=dedup_key", "summary"]
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Alert]:
        """Those of tickets that one may read, and those that have none."""
        rows = ReadOnlyAdmin.get_queryset(self, request)
        return rows.filter(Q(ticket__in=tickets_of(request)) | Q(ticket=None))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = context.get("original")
        if row is None or row.ticket is not None:
            return super().render_change_form(request, context, *args, **kwargs)
        context["subtitle"] = f"alert: {row.suppressed}"
        return ReadOnlyAdmin.render_change_form(self, request, context, *args, **kwargs)
