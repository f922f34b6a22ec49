"""One-click links of messages: a GET asks, a POST acts, signed in or not."""

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from notifications.links import read_link, use_link
from roles.instants import database_now
from roles.refusals import Conflict, Invalid, Refused
from tickets.feedback import may_change
from tickets.models import Feedback, Ticket
from web import doors
from web.answering import ACTS, meant_by, require_current
from web.requests import SCORES
from web.retold import retold
from web.views.requests import rate_as

STATUSES = {"link_invalid": 404, "link_expired": 410}


@never_cache
@doors.public(action="acknowledge", methods=doors.FORM)
def acknowledge_by_link(request: HttpRequest, token: str) -> HttpResponse:
    """Ask whether to acknowledge, and do it; the link is the proof of who it is."""
    return _act_by_link(request, token, "acknowledge")


@never_cache
@doors.public(action="take", methods=doors.FORM)
def take_by_link(request: HttpRequest, token: str) -> HttpResponse:
    """Ask whether to take the ticket, and do it, by the same right."""
    return _act_by_link(request, token, "take")


def _act_by_link(request: HttpRequest, token: str, act: str) -> HttpResponse:
    try:
        claim = read_link(token)
        if claim.used and request.method != "POST":
            raise Conflict("link_used", _("This link has been used already."))
        person, ticket = meant_by(claim)
        require_current(claim, ticket)
        context = {"ticket": ticket, "person": person, "token": token, "act": act}
        if request.method != "POST":
            return render(request, "web/links/ask.html", context)
        with transaction.atomic():
            use_link(token)
            ACTS[act](ticket=ticket, actor=person, via="link")
    except Refused as refused:
        return refuse(request, refused)
    except Ticket.DoesNotExist:
        return refuse(request, Invalid("link_invalid", _("This link is not valid.")))
    return render(request, "web/links/done.html", context)


@never_cache
@doors.public(action="rate", methods=doors.FORM)
def rate_by_link(request: HttpRequest, token: str) -> HttpResponse:
    """Ask how it was, and keep the mark; the link may be used until the mark stands for good."""
    refused, said = None, ""
    try:
        person, ticket = meant_by(read_link(token, action="rate"))
        if request.method == "POST":
            try:
                said = rate_as(request, ticket, person, via="link")
            except Refused as no:
                refused = no
    except (Refused, Ticket.DoesNotExist):
        return refuse(request, Invalid("link_invalid", _("This link is not valid any more.")))
    given = Feedback.objects.filter(ticket=ticket.pk, person=person.pk).first()
    context = {
        "ticket": ticket,
        "person": person,
        "token": token,
        "feedback": given,
        "scores": SCORES,
        "may_rate": may_change(given, database_now()),
        "refused": refused,
        "said": said,
    }
    status = doors.status_of(refused) if refused else 200
    return render(request, "web/links/rate.html", context, status=status)


def refuse(request: HttpRequest, refused: Refused) -> HttpResponse:
    """The page that says why a link does nothing."""
    context = {"code": refused.code, "detail": retold(refused.detail)}
    status = STATUSES.get(refused.code) or doors.status_of(refused)
    return render(request, "web/links/refused.html", context, status=status)
