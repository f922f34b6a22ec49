"""Who was told what of a ticket, how, when, and what came of it."""

from typing import Any, Final

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from notifications.delivery import send_again
from notifications.models import Message
from roles.instants import database_now
from roles.people import is_allowed
from tickets.access import allowed_actions
from tickets.models import Ticket
from web import doors
from web.forms.reach import label_of
from web.reach import companion_key, reason_of, state_of
from web.reading import visible_ticket
from web.timeline import without_ticket

SHOWN: Final = 200


@doors.signed_in(action="see_internal")
def delivered(request: HttpRequest, key: str) -> HttpResponse:
    """Every message about the ticket, the latest first, with its tries."""
    ticket = _internal(request, key)
    rows = list(_about(ticket).select_related("recipient").prefetch_related("tries")[:SHOWN])
    listed = {each.key: each.pk for each in rows}
    context = {
        "ticket": ticket,
        "here": "queue",
        "now": database_now(),
        "rows": [
            {
                "row": each,
                "about": without_ticket(each.subject, ticket),
                "state": state_of(each),
                "channel": label_of(each.channel),
                "reason": reason_of(each),
                "companion": listed.get(companion_key(each)),
            }
            for each in rows
        ],
        "is_cut": len(rows) == SHOWN,
        "may_send": is_allowed(request.user, "admin"),
    }
    return render(request, "web/ticket/delivered.html", context)


@doors.signed_in(action="see_internal", methods=doors.POST)
def again(request: HttpRequest, key: str) -> HttpResponse:
    """Send the dead letters of this ticket, or one of them, once more."""
    dead = _about(_internal(request, key)).filter(state="dead")
    number = request.POST.get("message", "")
    if number:
        dead = dead.filter(pk=int(number) if number.isascii() and number.isdigit() else 0)
    with doors.refusals_told(request):
        count = send_again(dead.values_list("pk", flat=True), actor=request.user)
        messages.success(request, _("Queued again: %d.") % count)
    return redirect("web:delivered", key=key)


def _internal(request: HttpRequest, key: str) -> Ticket:
    """The ticket, to whoever may read what is written inside; not found otherwise."""
    found: Any = visible_ticket(request.user, key)
    if "see_internal" not in allowed_actions(request.user, found):
        raise Http404
    return found


def _about(ticket: Ticket) -> QuerySet[Message]:
    return Message.objects.filter(topic=ticket.topic)
