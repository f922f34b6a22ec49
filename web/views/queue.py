"""The queue: what is open, most pressing first."""

import re

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from roles.instants import database_now
from tickets import states
from tickets.models import Ticket
from tickets.priority import LABELS as PRIORITIES
from web import doors
from web.queue import Filters, queue_page

KEY = re.compile(r"[A-Za-z]{3}-\d{1,12}")


@doors.signed_in(action="view")
def queue(request: HttpRequest) -> HttpResponse:
    """One page of the queue, or only its rows when a live page asks for them again."""
    filters = Filters.read(request.GET)
    if KEY.fullmatch(filters.q) and not request.htmx:  # type: ignore[attr-defined]
        ticket = Ticket.objects.visible_to(request.user).filter(key=filters.q.upper()).first()
        if ticket is not None:
            return redirect("web:ticket", key=ticket.key)
    page = queue_page(request.user, filters, database_now())
    context = {
        "page": page,
        "now": page.now,
        "here": "queue",
        "statuses": [(name, states.LABELS[name]) for name in _ORDER],
        "priorities": PRIORITIES,
        "example_site": getattr(settings, "EXAMPLE_SITE", False),
        "next_query": _query(request, after=page.after),
        "first_query": _query(request, after=""),
    }
    live = request.htmx and request.htmx.target in ("rows", "queue-live")  # type: ignore[attr-defined]
    return render(request, "web/queue/_live.html" if live else "web/queue/page.html", context)


def _query(request: HttpRequest, **changes: str) -> str:
    query = request.GET.copy()
    for name, value in changes.items():
        query.pop(name, None)
        if value:
            query[name] = value
    return query.urlencode()


_ORDER = [
    states.NEW,
    states.WAITING,
    states.IN_PROGRESS,
    states.PENDING_REQUESTER,
    states.PENDING_VENDOR,
    states.PENDING_CHANGE,
    states.RESOLVED,
    states.CLOSED,
    states.CANCELLED,
]
