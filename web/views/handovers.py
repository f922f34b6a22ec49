"""The word of both sides on an escalation, from a mail or the ticket, and what is learned of it."""

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from escalation.feedback import escalation_told_by, rate_handover
from escalation.models import Escalation
from insights.lessons import lessons
from notifications.links import read_link
from roles.instants import database_now
from roles.people import is_allowed
from roles.refusals import Invalid, Refused
from tickets.access import allowed_actions
from tickets.models import Ticket
from web import doors
from web.answering import meant_by
from web.handovers import question_for
from web.reading import visible_ticket
from web.views.links import refuse


@never_cache
@doors.public(action="see_internal", methods=doors.FORM)
def handover_by_link(request: HttpRequest, token: str) -> HttpResponse:
    """Ask either side how the escalation was, and keep the answer; the link proves who it is."""
    refused = None
    try:
        claim = read_link(token, action="handover")
        person, ticket = meant_by(claim)
        escalation = escalation_told_by(claim.cause, ticket)
        if escalation is None or question_for(escalation, person) is None:
            raise Invalid("link_invalid", "")
        if request.method == "POST":
            try:
                _rate(request, escalation, person, via="link")
            except Refused as no:
                refused = no
    except (Refused, Ticket.DoesNotExist):
        return refuse(request, Invalid("link_invalid", _("This link is not valid any more.")))
    context = {
        "ticket": ticket,
        "person": person,
        "token": token,
        "escalation": escalation,
        "question": question_for(escalation, person),
        "refused": refused,
    }
    status = doors.status_of(refused) if refused else 200
    return render(request, "web/links/handover.html", context, status=status)


def _rate(request: HttpRequest, escalation: Escalation, person, *, via: str) -> None:  # type: ignore[no-untyped-def]
    comment = request.POST.get("comment")
    verdict = request.POST.get("verdict", "")
    rate_handover(escalation=escalation, actor=person, verdict=verdict, comment=comment, via=via)


@doors.signed_in(action="see_internal", methods=doors.POST)
def rate(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """Keep the word of somebody of the two teams, and show the ticket again."""
    ticket = visible_ticket(request.user, key)
    if "see_internal" not in allowed_actions(request.user, ticket):
        raise Http404
    escalation = get_object_or_404(Escalation, pk=number, ticket=ticket.pk)
    with doors.refusals_told(request):
        _rate(request, escalation, request.user, via="web")
    return redirect("web:ticket", key=key)


@doors.of_the_service(action="see_dashboard")
def training(request: HttpRequest) -> HttpResponse:
    """What lower tiers pass on that the receiver solves fast or from an article."""
    if not is_allowed(request.user, "see_dashboard"):
        raise PermissionDenied
    now = database_now()
    context = {"lessons": lessons(request.user, now), "now": now, "here": "training"}
    return render(request, "web/foresight/training.html", context)
