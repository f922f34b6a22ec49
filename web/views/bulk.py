"""Acting on the tickets chosen in the queue, and taking it back."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from roles.refusals import Refused
from tickets.bulk import MOST, chosen
from tickets.bulk import undo as take_back
from tickets.models import BulkAct, Ticket
from web import bulk, doors
from web.filters import Filters
from web.forms.bulk import BulkForm
from web.readers import is_agent
from web.retold import retold
from web.views.acts import UNPROCESSABLE

NAMED = 12
"""So many people are named before an act that tells them; more are counted."""


def view_of(kind: bulk.BulkKind) -> doors.View:
    """The view of one act on many: GET asks, POST acts."""

    @doors.signed_in(action=kind.needs[0], methods=doors.FORM)
    def act(request: HttpRequest) -> HttpResponse:
        if not is_agent(request.user):
            raise Http404
        given = request.POST if request.method == "POST" else request.GET
        keys = [key.upper() for key in given.getlist("key")][: MOST + 1]
        tickets = chosen(request.user, keys)
        form = _form(kind, request, tickets)
        is_ready = form is None or form.is_valid()
        if request.method != "POST" or not is_ready:
            status = UNPROCESSABLE if request.method == "POST" else 200
            return _ask(request, kind, form, tickets, status=status)
        try:
            done = bulk.do(
                kind=kind, actor=request.user, keys=keys, data=form.cleaned_data if form else {}
            )
        except Refused as refused:
            messages.error(request, retold(refused.detail))
        else:
            bulk.note_report(request.session, done)
        return _back(request)

    return act


@doors.signed_in(action="view", methods=("POST",))
def undo(request: HttpRequest, token: UUID) -> HttpResponse:
    """Take one's own act back."""
    act = get_object_or_404(BulkAct, token=token, actor=request.user.pk)
    try:
        bulk.note_report(request.session, take_back(act=act, actor=request.user))
    except Refused as refused:
        messages.error(request, retold(refused.detail))
    return _back(request)


def _form(kind: bulk.BulkKind, request: HttpRequest, tickets: Sequence[Ticket]) -> BulkForm | None:
    if kind.form is None:
        return None
    given = request.POST if request.method == "POST" else None
    return kind.form(given, tickets=tickets, may=bulk.may_ever(request.user))


def _ask(
    request: HttpRequest,
    kind: bulk.BulkKind,
    form: BulkForm | None,
    tickets: Sequence[Ticket],
    *,
    status: int = 200,
) -> HttpResponse:
    people = list(dict.fromkeys(ticket.requester for ticket in tickets))
    context: dict[str, Any] = {
        "kind": kind,
        "form": form,
        "tickets": tickets,
        "people": people[:NAMED],
        "people_more": max(0, len(people) - NAMED),
        "back": _address(request),
        "here": "queue",
    }
    part = request.htmx and not request.htmx.boosted  # type: ignore[attr-defined]
    template = "web/bulk/_ask.html" if part else "web/bulk/page.html"
    return render(request, template, context, status=status)


def _address(request: HttpRequest) -> str:
    """The query string of the queue from which somebody came; nothing else is read of it."""
    given = request.POST if request.method == "POST" else request.GET
    return Filters.read(dict(parse_qsl(given.get("back", "")[:1000]))).address()


def _back(request: HttpRequest) -> HttpResponse:
    onward = f"{reverse('web:queue')}?{_address(request)}".rstrip("?")
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponse(status=204, headers={"HX-Redirect": onward})
    return redirect(onward)
