"""A mail as it came, for those who work on its ticket."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from roles.instants import database_now
from tickets.access import may
from tickets.models import ReceivedMail
from web import doors
from web.mails import harmless
from web.reading import visible_ticket


@doors.signed_in(action="see_internal")
def mail(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """Its head, its words with what was folded, and its page of HTML made harmless."""
    ticket = visible_ticket(request.user, key)
    if not may(request.user, "see_internal", ticket):
        raise Http404
    rows = ReceivedMail.objects.filter(ticket=ticket.pk).select_related("source", "person")
    found = get_object_or_404(rows.defer("raw"), pk=number)
    context = {
        "ticket": ticket,
        "mail": found,
        "html": harmless(found.html) if found.html else "",
        "now": database_now(),
    }
    response = render(request, "web/ticket/mail.html", context)
    response["Cache-Control"] = "private, no-store"
    return response
