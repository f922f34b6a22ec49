"""One request as its requester sees it, and what they can do with it."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from roles.instants import database_now
from roles.models import Person
from roles.refusals import Refused
from tickets import company, feedback, lifecycle
from tickets.access import allowed_actions
from tickets.answering import Answer, answer
from tickets.attachments import keep_upload
from tickets.models import Feedback, Ticket
from web import doors
from web.reading import visible_ticket
from web.requests import SCORES, after_asking, standing, story
from web.views.attachments import require_whole

Act = Callable[[HttpRequest, Ticket], str]


@doors.signed_in(action="view")
def request_page(request: HttpRequest, key: str) -> HttpResponse:
    """What happens now, by when, who has it, and what has happened; never a note."""
    ticket = visible_ticket(request.user, key)
    live = request.htmx and request.htmx.target == "request-live"  # type: ignore[attr-defined]
    template = "web/portal/_live.html" if live else "web/portal/request.html"
    return render(request, template, _context(request.user, ticket))


def _context(person: Person, ticket: Ticket) -> dict[str, Any]:
    now = database_now()
    allowed = allowed_actions(person, ticket)
    given = Feedback.objects.filter(ticket=ticket.pk, person=person.pk).first()
    again_at = lifecycle.chase_again_at(ticket) if ticket.chase_count else None
    rateable = "rate" in allowed and ticket.status in feedback.RATEABLE
    return {
        "ticket": ticket,
        "now": now,
        "standing": standing(ticket, now),
        "story": story(ticket, person),
        "allowed": allowed,
        "is_mine": ticket.requester_id == person.pk,
        "may_reply": "comment_public" in allowed and ticket.status not in ("closed", "cancelled"),
        "may_chase": "chase" in allowed and ticket.is_open,
        "again_at": again_at if again_at is not None and again_at > now else None,
        "after_asking": after_asking(ticket) if ticket.is_open else "",
        "followers": list(company.guests(ticket)),
        "feedback": given,
        "scores": SCORES,
        "may_rate": rateable and feedback.may_change(given, now),
        "here": "requests",
    }


def _perform(action: str, act: Act) -> doors.View:
    """The view of one act on a request; what is refused is said, with what was typed kept."""

    @doors.signed_in(action=action, methods=("GET", "POST"))
    def perform(request: HttpRequest, key: str) -> HttpResponse:
        ticket = visible_ticket(request.user, key)
        if request.method != "POST":  # the address of a refused act, opened again
            return redirect("web:request", key=key)
        try:
            said = act(request, ticket)
        except Refused as refused:
            context = _context(request.user, ticket)
            context |= {"refused": refused, "refused_act": action, "typed": request.POST}
            status = doors.status_of(refused)
            return render(request, "web/portal/request.html", context, status=status)
        messages.success(request, said)
        return redirect("web:request", key=key)

    return perform


def _words(request: HttpRequest, name: str) -> str:
    return request.POST.get(name, "")


def _reply(request: HttpRequest, ticket: Ticket) -> str:
    require_whole(request)
    given = {"ticket": ticket, "actor": request.user}
    with transaction.atomic():
        kept = [keep_upload(upload=one, **given) for one in request.FILES.getlist("files")]
        files = [each.pk for each in kept]
        answer(given=Answer(text=_words(request, "text"), public=True, files=files), **given)
    return _("Sent. Those who work on it are told.")


def _chase(request: HttpRequest, ticket: Ticket) -> str:
    lifecycle.chase(ticket=ticket, actor=request.user, text=_words(request, "words"))
    return _("Noted. The team sees that you have asked, and how often.")


def _confirm(request: HttpRequest, ticket: Ticket) -> str:
    lifecycle.confirm(ticket=ticket, actor=request.user)
    return _("Good. It is closed.")


def _reopen(request: HttpRequest, ticket: Ticket) -> str:
    lifecycle.reopen(ticket=ticket, actor=request.user, reason=_words(request, "reason"))
    return _("It is open again. The team has been told.")


def _withdraw(request: HttpRequest, ticket: Ticket) -> str:
    reason = _words(request, "why") or _("Not needed any more.")
    lifecycle.cancel(ticket=ticket, actor=request.user, reason=reason)
    return _("Withdrawn. Nobody works on it any more.")


def _invite(request: HttpRequest, ticket: Ticket) -> str:
    person = company.known_person(request.user, _words(request, "person"))
    company.invite(ticket=ticket, actor=request.user, person=person)
    return _("%(name)s can follow this now, and has been told.") % {"name": person}


def _uninvite(request: HttpRequest, ticket: Ticket) -> str:
    given = _words(request, "id")
    person = (
        company.guests(ticket)
        .filter(pk=int(given) if given.isdecimal() and len(given) < 18 else 0)
        .first()
    )
    if person is not None:
        company.uninvite(ticket=ticket, actor=request.user, person=person)
    return _("Done.")


def _rate(request: HttpRequest, ticket: Ticket) -> str:
    return rate_as(request, ticket, request.user)


def rate_as(request: HttpRequest, ticket: Ticket, person: Person, *, via: str = "web") -> str:
    """Take the mark, and the words if any came with it, from the form."""
    given = _words(request, "score")
    score = int(given) if given.isascii() and given.isdecimal() and len(given) < 3 else 0
    comment = request.POST.get("comment")
    feedback.rate(ticket=ticket, actor=person, score=score, comment=comment, via=via)
    return _("Thank you. The team reads it.")


reply = _perform("comment_public", _reply)
chase = _perform("chase", _chase)
confirm = _perform("confirm", _confirm)
reopen = _perform("reopen", _reopen)
withdraw = _perform("cancel", _withdraw)
invite = _perform("invite", _invite)
uninvite = _perform("invite", _uninvite)
rate = _perform("rate", _rate)
ACTS = ("reply", "chase", "confirm", "reopen", "withdraw", "invite", "uninvite", "rate")
"""What can be done with a request; each is a view above, under an address of its own."""
