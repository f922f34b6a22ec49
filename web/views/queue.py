"""The queue: what is open, most pressing first."""

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse

from roles.models import Person
from tickets import states
from tickets.finding import keys_like
from tickets.models import Ticket
from tickets.priority import LABELS as PRIORITIES
from web import bulk, doors
from web.filters import STATUS_ORDER, Filters
from web.queue import Page, live_page, queue_page
from web.readers import is_agent
from web.wording import worded


@doors.signed_in(action="view")
def queue(request: HttpRequest) -> HttpResponse:
    """One page of the queue, or only its rows when a live page asks for them again."""
    if not is_agent(request.user):
        return redirect("web:portal")
    filters = Filters.read(request.GET)
    meant = _meant(request.user, filters) if "X-Live" not in request.headers else None
    if meant is not None:
        return _lead_to(request, meant)
    live = bool(request.htmx and request.htmx.target in ("rows", "queue-live"))  # type: ignore[attr-defined]
    asked_again = live and "X-Live" in request.headers
    page = (live_page if asked_again else queue_page)(request.user, filters)
    if asked_again and request.headers.get("X-Shown") == page.shown:
        return HttpResponse(status=HTTPStatus.NO_CONTENT)  # as it stands on the page already
    context: dict[str, Any] = {"page": page, "now": page.now, "filters": filters}
    if asked_again:
        page.table.html = context["table"] = page.table.html or _draw(page)
    if live:
        return render(request, "web/queue/_live.html", context)
    return render(request, "web/queue/page.html", context | _around(request, page))


def _around(request: HttpRequest, page: Page) -> dict[str, Any]:
    """What the whole page shows beside its live part."""
    return {
        "here": "queue",
        "statuses": [(name, worded(states.LABELS[name])) for name in STATUS_ORDER],
        "priorities": {level: worded(word) for level, word in PRIORITIES.items()},
        "example_site": getattr(settings, "EXAMPLE_SITE", False),
        "last_act": bulk.take_report(request.session, request.user),
        "my_teams": [team for team in page.teams if team.is_mine],  # type: ignore[attr-defined]
    }


def _lead_to(request: HttpRequest, ticket: Ticket) -> HttpResponse:
    if request.htmx:  # type: ignore[attr-defined]
        onward = reverse("web:ticket", args=[ticket.key])
        return HttpResponse(status=204, headers={"HX-Redirect": onward})
    return redirect("web:ticket", key=ticket.key)


def _draw(page: Page) -> str:
    return render_to_string("web/queue/_table.html", {"page": page, "now": page.now})


def _meant(person: Person, filters: Filters) -> Ticket | None:
    """The one ticket that is meant by a search for nothing but a key."""
    terms = filters.search.terms
    if len(terms) != 1 or terms[0].name != "key" or terms[0].is_not:
        return None
    keys = keys_like(str(terms[0].values[0]))
    return Ticket.objects.visible_to(person).filter(key=keys[-1]).first()
