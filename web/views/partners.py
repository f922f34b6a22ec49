"""Vendors, problems and changes: their lists and their pages, for people of the service."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from escalation.models import Vendor
from roles.instants import database_now
from tickets.access import allowed_actions
from tickets.contactlists import lists_for
from tickets.models import Change, Kind, Problem, Scenario, Ticket
from web import doors
from web.acts import Act, situation
from web.caseacts.partners import CHANGE, PARTNER_ACTS, PROBLEM
from web.readers import is_agent
from web.rooms import partners
from web.views.acts import visible_ticket


def _require_agent(request: HttpRequest) -> None:
    if not is_agent(request.user):
        raise Http404


@doors.signed_in(action="see_internal")
def vendors(request: HttpRequest) -> HttpResponse:
    """Every vendor, and on how much each is at work."""
    _require_agent(request)
    context = {"vendors": partners.vendors(request.user), "here": "vendors"}
    return render(request, "web/rooms/vendors.html", context)


@doors.signed_in(action="see_internal")
def vendor(request: HttpRequest, slug: str) -> HttpResponse:
    """One vendor: its contract, whom to call, what it promises, what it works on."""
    _require_agent(request)
    known = Vendor.objects.select_related("calendar", "team").prefetch_related("contacts")
    found = get_object_or_404(known, slug=slug)
    page = partners.vendor_page(found, request.user)
    context = {
        "page": page,
        "vendor": found,
        "call": lists_for(Scenario.VENDOR).prefetch_related("contacts__person"),
        "now": database_now(),
        "here": "vendors",
    }
    return render(request, "web/rooms/vendor.html", context)


@doors.signed_in(action="see_internal")
def problems(request: HttpRequest) -> HttpResponse:
    """Open problems by how many tickets hang on each, and the last ones solved."""
    _require_agent(request)
    alive, over = partners.problems(request.user)
    context = {"alive": alive, "over": over, "now": database_now(), "here": "problems"}
    return render(request, "web/rooms/problems.html", context)


@doors.signed_in(action="see_internal")
def problem(request: HttpRequest, key: str) -> HttpResponse:
    """One problem: what is known of it, and what it has caused."""
    ticket = _of_kind(request, key, Kind.PROBLEM)
    known = Problem.objects.filter(ticket=ticket.pk).select_related("diagnosed_by").first()
    caused = partners.caused_by(ticket, request.user)
    more = {"problem": known, "caused": caused, "open_ones": sum(one.is_open for one in caused)}
    context = _about(request, ticket, group=PROBLEM, here="problems") | more
    return render(request, "web/rooms/problem.html", context)


@doors.signed_in(action="see_internal")
def changes(request: HttpRequest) -> HttpResponse:
    """Changes to decide on, coming, being written, and over."""
    _require_agent(request)
    context = {
        "changes": partners.changes(request.user),
        "unplanned": partners.unplanned(request.user),
        "now": database_now(),
        "here": "changes",
    }
    return render(request, "web/rooms/changes.html", context)


@doors.signed_in(action="see_internal")
def change(request: HttpRequest, key: str) -> HttpResponse:
    """One change: plan, test, back-out, window, decision, and who waits for it."""
    ticket = _of_kind(request, key, Kind.CHANGE)
    people = ("author", "submitted_by", "decided_by")
    plan = Change.objects.filter(ticket=ticket.pk).select_related(*people).first()
    more = {"change": plan, "waiting": partners.waiting_for(ticket, request.user)}
    context = _about(request, ticket, group=CHANGE, here="changes") | more
    return render(request, "web/rooms/change.html", context)


def _of_kind(request: HttpRequest, key: str, kind: str) -> Ticket:
    """The ticket of that key and kind. Raises Http404, also for who may not see its inside."""
    ticket = visible_ticket(request.user, key)
    if ticket.kind != kind or "see_internal" not in allowed_actions(request.user, ticket):
        raise Http404
    return ticket


def _about(request: HttpRequest, ticket: Ticket, *, group: str, here: str) -> dict[str, Any]:
    at = situation(ticket, request.user, allowed_actions(request.user, ticket))
    acts: list[Act] = [act for act in PARTNER_ACTS if act.group == group and act.is_offered(at)]
    return {"ticket": ticket, "acts": acts, "now": database_now(), "here": here}
