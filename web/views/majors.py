"""Major incidents: the list, one room, and the status page of stakeholders."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.timezone import localtime
from django.utils.translation import get_language

from roles.instants import database_now
from roles.models import Team
from tickets.access import allowed_actions
from tickets.contactlists import lists_for
from tickets.models import Major, Phase, Scenario, Service
from tickets.outages import offered_services
from tickets.subscriptions import subscribe, subscribed_services, unsubscribe
from tickets.updatewords import words_for
from web import doors
from web.acts import Act, situation
from web.caseacts.majors import MAJOR, MAJOR_ACTS
from web.forms.cases import UpdateForm
from web.readers import is_agent
from web.rooms import majors
from web.templatetags.tierline import clock_time
from web.timeline import names_for
from web.views.acts import visible_ticket
from web.wording import worded_choices


@doors.signed_in(action="view")
def index(request: HttpRequest) -> HttpResponse:
    """Every major incident: to decide on, under way, over. For people of the service."""
    if not is_agent(request.user):
        raise Http404
    now = database_now()
    context = {"lists": majors.lists(request.user, now), "now": now, "here": "majors"}
    return render(request, "web/rooms/majors.html", context)


@doors.signed_in(action="see_internal", methods=doors.FORM)
def room(request: HttpRequest, key: str) -> HttpResponse:
    """One major incident's room, or its live part when the page asks for it again.

    What is posted asks for words kept ready, and sends nothing.
    """
    ticket = visible_ticket(request.user, key)
    may = allowed_actions(request.user, ticket)
    people = ("manager", "coordinator", "technical_lead", "scribe", "proposer", "decided_by")
    record = get_object_or_404(Major.objects.select_related(*people), ticket=ticket.pk)
    if "see_internal" not in may:
        raise Http404
    record.ticket = ticket
    now = database_now()
    at = situation(ticket, request.user, may)
    names = names_for(ticket, Team.objects.all())
    offered = [act for act in MAJOR_ACTS if act.is_offered(at)]
    context = {
        "room": majors.room(record, request.user, now, names),
        "major": record,
        "ticket": ticket,
        "acts": [act for act in offered if act.slug != "update-major"],
        "update": _update_form(request, record, offered),
        "phases": worded_choices(Phase.choices),
        "call": lists_for(
            Scenario.OUTAGE, service_id=ticket.service_id, team_id=ticket.team_id
        ).prefetch_related("contacts__person"),
        "group": MAJOR,
        "now": now,
        "here": "majors",
    }
    live = request.htmx and request.htmx.target == "room-live"  # type: ignore[attr-defined]
    return render(request, "web/rooms/_major.html" if live else "web/rooms/major.html", context)


def _update_form(request: HttpRequest, major: Major, offered: list[Act]) -> UpdateForm | None:
    if not any(act.slug == "update-major" for act in offered):
        return None
    typed = request.POST
    initial = {name: typed[name] for name in ("text", "audience", "next_in_min") if name in typed}
    if phase := typed.get("words", ""):
        minutes = str(initial.get("next_in_min", ""))
        said = words_for(
            phase,
            major.ticket,
            language=get_language() or "en",
            since=f"{clock_time(major.proposed_at)} {localtime(major.proposed_at):%Z}",
            next_in_min=int(minutes) if minutes.isascii() and minutes.isdigit() else 30,
        )
        initial |= {"phase": phase, "text": "\n\n".join(filter(None, (typed.get("text"), said)))}
    return UpdateForm(ticket=major.ticket, person=request.user, initial=initial)


@doors.signed_in(action="view")
def status(request: HttpRequest) -> HttpResponse:
    """What does not work at the moment, for everybody who is concerned by it."""
    now = database_now()
    found = majors.outages(request.user, now)
    context = {
        "alive": [each for each in found if each.outage.major.is_under_way],
        "over": [each for each in found if not each.outage.major.is_under_way],
        "now": now,
        "here": "status",
        "services": offered_services(),
        "subscribed": subscribed_services(request.user),
    }
    return render(request, "web/rooms/status.html", context)


@doors.signed_in(action="view", methods=doors.POST)
def subscription(request: HttpRequest, slug: str) -> HttpResponse:
    """Hear of majors of a service from now on, or no more."""
    service = get_object_or_404(Service, slug=slug)
    with doors.refusals_told(request):
        do = subscribe if request.POST.get("hear") == "yes" else unsubscribe
        do(actor=request.user, service=service)
    return redirect("web:status")
