"""Whose tickets the admin shows: the one read scope of every door, for readers of all work."""

from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse

from roles.admin.audited import ReadOnlyAdmin, acting, may
from tickets.models import Clearance, Ticket, TicketQuerySet


def tickets_of(request: HttpRequest) -> TicketQuerySet:
    """The tickets that the signed-in person may read with their internal notes.

    A restricted one only with clearance. An administrator who holds no other place reads none:
    the office is to run the product, not to read what people ask; except cases for which they are
    cleared, by breaking the glass mostly.
    """
    if not may(request, "see_internal"):
        if not may(request, "admin"):
            return Ticket.objects.none()
        mine = Clearance.objects.filter(person=acting(request).pk).values("ticket_id")
        return Ticket.objects.filter(restricted=True, pk__in=mine)
    return Ticket.objects.visible_to(acting(request))


class TicketBound(ReadOnlyAdmin):
    """Rows that tell of a ticket: shown to whoever may read that ticket, never written here."""

    ticket_path = "ticket"
    change_form_template = "admin/tickets/bound_form.html"

    class Media:
        css = {"all": ["admin/css/tickets.css"]}

    def has_module_permission(self, request: HttpRequest) -> bool:
        return may(request, "see_dashboard", "see_audit")

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return may(request, "see_dashboard", "see_audit")

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """The page of one row, headed by the key of its ticket instead of the row's number."""
        row = context.get("original")
        if row is not None and not isinstance(row, Ticket):
            context["subtitle"] = f"{self._ticket_of(row).key}: {self.opts.verbose_name}"
        return super().render_change_form(request, context, *args, **kwargs)

    def _ticket_of(self, row: Model) -> Ticket:
        found: Any = row
        for name in self.ticket_path.split("__"):
            found = getattr(found, name)
        assert isinstance(found, Ticket)
        return found

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        return rows.filter(**{f"{self.ticket_path}__in": tickets_of(request)})
