"""Links by which one hears no more, in one press: of a ticket, or of a service (RFC 8058)."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from notifications.links import read_link
from roles.models import Person
from roles.refusals import Invalid, Refused
from tickets import subscriptions
from tickets.assignment import unwatch
from tickets.models import Ticket
from web import doors
from web.answering import meant_by


@csrf_exempt
@never_cache
@doors.public(action="watch", methods=doors.FORM)
def leave(request: HttpRequest, token: str) -> HttpResponse:
    """Stop watching: a mail program posts here with one press, a person is asked first."""
    try:
        person, ticket = meant_by(read_link(token, action="leave"))
        if request.method == "POST":
            unwatch(ticket=ticket, actor=person, via="link")
    except (Refused, Ticket.DoesNotExist):
        return _not_valid(request)
    return render(request, "web/links/leave.html", {"ticket": ticket, "token": token})


@csrf_exempt
@never_cache
@doors.public(action="watch", methods=doors.FORM)
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Hear no more of major incidents of a service, by the same press."""
    try:
        claim = read_link(token, action=subscriptions.UNSUBSCRIBE)
    except Refused:
        return _not_valid(request)
    service = subscriptions.service_of(claim.topic)
    if service is None:
        return _not_valid(request)
    if request.method == "POST":
        person = Person.objects.get(pk=claim.person_id)
        subscriptions.unsubscribe(actor=person, service=service)
    return render(request, "web/links/unsubscribe.html", {"service": service, "token": token})


def _not_valid(request: HttpRequest) -> HttpResponse:
    refused = Invalid("link_invalid", _("This link is not valid any more."))
    told = {"code": refused.code, "detail": refused.detail}
    return render(request, "web/links/refused.html", told, status=404)
