"""Restricted cases: the list of those one is cleared for, one case, and breaking the glass."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from escalation.models import Clock, ClockKind
from roles.access import allows
from roles.instants import database_now
from roles.people import roles_of
from roles.refusals import Refused
from tickets import states
from tickets.access import allowed_actions
from tickets.clearance import break_glass
from tickets.contactlists import lists_for
from tickets.models import Clearance, Lifting, Notice, Scenario, Ticket
from web import doors
from web.acts import situation
from web.caseacts.restricted import CASE, RESTRICTED_ACTS
from web.forms.cases import GlassForm
from web.readers import is_agent
from web.retold import retold
from web.views.acts import UNPROCESSABLE, status_of, visible_ticket

PAST_SHOWN = 20


@doors.signed_in(action="view")
def index(request: HttpRequest) -> HttpResponse:
    """The restricted cases that this reader is cleared for, and the way in for an emergency."""
    if not is_agent(request.user) and not _may_break(request):
        raise Http404
    return _index(request, GlassForm() if _may_break(request) else None)


@doors.signed_in(action="break_glass", methods=("GET", "POST"))
def glass(request: HttpRequest) -> HttpResponse:
    """Open a case in an emergency: on record, for some hours, and everybody cleared is told."""
    if request.method == "GET":
        return redirect("web:cases")
    form = GlassForm(request.POST)
    if not form.is_valid():
        return _index(request, form, status=UNPROCESSABLE)
    try:
        ticket = break_glass(actor=request.user, **form.cleaned_data)
    except Refused as refused:
        form.add_error(None, retold(refused.detail))
        form.show(refused)
        return _index(request, form, status=status_of(refused))
    messages.warning(request, _("The glass is broken. Everybody cleared has been told."))
    return redirect("web:case", key=ticket.key)


def _may_break(request: HttpRequest) -> bool:
    return allows(roles_of(request.user), "break_glass", frozenset())


def _index(request: HttpRequest, form: GlassForm | None, *, status: int = 200) -> HttpResponse:
    seen = Ticket.objects.visible_to(request.user).filter(restricted=True)
    rows = seen.select_related("team__tier", "assignee", "requester", "organisation")
    context = {
        "alive": rows.filter(status__in=states.OPEN).order_by("priority", "id"),
        "over": rows.exclude(status__in=states.OPEN).order_by("-id")[:PAST_SHOWN],
        "glass": form if _may_break(request) else None,
        "now": database_now(),
        "here": "cases",
    }
    return render(request, "web/rooms/cases.html", context, status=status)


@doors.signed_in(action="see_restricted")
def room(request: HttpRequest, key: str) -> HttpResponse:
    """One case: who knows of it, what is owed to authorities, and whether it is being lifted."""
    ticket = visible_ticket(request.user, key)
    if not ticket.restricted:
        raise Http404
    now = database_now()
    at = situation(ticket, request.user, allowed_actions(request.user, ticket))
    knowing = Clearance.objects.filter(ticket=ticket.pk).select_related("person")
    lifting = Lifting.objects.filter(ticket=ticket.pk, confirmed_at=None)
    notices = Notice.objects.filter(ticket=ticket.pk).select_related("owed_by", "given_by")
    clock = Clock.objects.filter(
        ticket=ticket.pk, kind=ClockKind.REGULATORY, state=Clock.State.RUNNING
    )
    context = {
        "ticket": ticket,
        "knowing": knowing.order_by("id"),
        "lifting": lifting.select_related("proposer").first(),
        "notices": notices.order_by("id"),
        "due_at": clock.values_list("due_at", flat=True).first(),
        "call": lists_for(
            Scenario.SECURITY, service_id=ticket.service_id, team_id=ticket.team_id
        ).prefetch_related("contacts__person"),
        "acts": [act for act in RESTRICTED_ACTS if act.is_offered(at)],
        "group": CASE,
        "now": now,
        "here": "cases",
    }
    return render(request, "web/rooms/case.html", context)
