"""One ticket: what it is, what comes next, what happened, and what this reader may do."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from escalation.why import why_nobody_was_paged
from insights.similar import similar_to, solvers
from tickets.access import allowed_actions
from tickets.canned import canned_texts, filled
from web import doors
from web.dossier import Dossier, dossier, page_of
from web.reading import visible_ticket
from web.retold import retold
from web.storyrows import Window
from web.timeline import in_reader_zone
from web.views.composer import blank_form

PAGE = "web/ticket/page.html"
PARTS = {"ticket-live": "web/ticket/_live.html", "story-earlier": "web/ticket/_earlier.html"}
"""What is drawn again alone, by the element of the page that asks for it."""


@doors.signed_in(action="view")
def ticket(request: HttpRequest, key: str) -> HttpResponse:
    """The ticket's page, or the part of it that asks for itself again."""
    read = dossier(request.user, key)
    if not read.internal:  # who only asks reads it in plain words
        return redirect("web:request", key=key)
    context = page_of(read, Window.of(request.GET))
    context["form"] = blank_form(read.ticket, request.user, _canned(request, read))
    part = request.htmx and request.htmx.target  # type: ignore[attr-defined]
    return render(request, PARTS.get(part or "", PAGE), context)


def _canned(request: HttpRequest, read: Dossier) -> str:
    """The ready-made text that the address names, filled in: the way without script."""
    number = request.GET.get("canned", "")
    if not (read.internal and number.isascii() and number.isdigit()):
        return ""
    found = canned_texts(request.user, read.ticket)
    texts = (each.text for each in found if str(each.pk) == number)
    return filled(next(texts, ""), person=request.user, ticket=read.ticket)


@doors.signed_in(action="see_internal")
def unpaged(request: HttpRequest, key: str) -> HttpResponse:
    """Why nobody has been paged for the ticket so far, in sentences, or who was."""
    found: Any = visible_ticket(request.user, key)
    if "see_internal" not in allowed_actions(request.user, found):
        raise Http404
    lines = [in_reader_zone(retold(line)) for line in why_nobody_was_paged(found, found.read_at)]
    part = bool(request.htmx)  # type: ignore[attr-defined]
    template = "web/ticket/_unpaged.html" if part else "web/ticket/unpaged.html"
    return render(request, template, {"ticket": found, "lines": lines, "here": "queue"})


@doors.signed_in(action="see_internal")
def similar(request: HttpRequest, key: str) -> HttpResponse:
    """Tickets that sound like this one, as far as the reader may see them."""
    found: Any = visible_ticket(request.user, key)
    if "see_internal" not in allowed_actions(request.user, found):
        raise Http404
    alike = similar_to(found, request.user)
    context = {"ticket": found, "found": alike, "solvers": solvers(alike), "here": "queue"}
    part = bool(request.htmx)  # type: ignore[attr-defined]
    template = "web/ticket/_similar.html" if part else "web/ticket/similar.html"
    return render(request, template, context)


@doors.signed_in(action="view")
def printed(request: HttpRequest, key: str) -> HttpResponse:
    """The whole ticket on paper: everything that the reader may know, oldest first, no buttons."""
    read = dossier(request.user, key)
    context = page_of(read, Window(since=0))
    context["items"] = context["story"].items[::-1]
    return render(request, "web/ticket/print.html", context)
