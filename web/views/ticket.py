"""One ticket: what it is, what comes next, what happened, and what this reader may do."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from escalation.models import Escalation
from escalation.outlook import next_steps
from escalation.why import why_nobody_was_paged
from notifications.models import Message
from roles.instants import database_now
from roles.models import Person, Team
from roles.refusals import Refused
from tickets.access import allowed_actions
from tickets.lifecycle import comment
from tickets.models import Alert, Ticket, TicketLink
from web import doors
from web.acts import Situation, situation
from web.clocks import cards, next_card
from web.forms.acts import CommentForm
from web.register import ACTS
from web.timeline import names_for, story_of
from web.views.acts import UNPROCESSABLE, status_of, visible_ticket

BACKWARD: dict[str, str] = {
    TicketLink.Relation.CHILD_OF: "Parent of",
    TicketLink.Relation.DUPLICATE_OF: "Duplicated by",
    TicketLink.Relation.CAUSED_BY: "Cause of",
    TicketLink.Relation.FOLLOWS: "Followed by",
    TicketLink.Relation.RELATED: "Related to",
}
"""How a link reads from its other end."""


@doors.signed_in(action="view")
def ticket(request: HttpRequest, key: str) -> HttpResponse:
    """The ticket's page, or its live part when the page asks for it again."""
    found = visible_ticket(request.user, key)
    at = situation(found, request.user, allowed_actions(request.user, found))
    form = CommentForm(ticket=found, person=request.user)
    live = request.htmx and request.htmx.target == "ticket-live"  # type: ignore[attr-defined]
    template = "web/ticket/_live.html" if live else "web/ticket/page.html"
    return render(request, template, _context(at, form))


@doors.signed_in(action="comment_public", methods=("GET", "POST"))
def add_comment(request: HttpRequest, key: str) -> HttpResponse:
    """Add the reply or note; when it is refused the page keeps what was written."""
    found = visible_ticket(request.user, key)
    if request.method == "GET":  # the address of a refused note, opened again
        return redirect("web:ticket", key=key)
    at = situation(found, request.user, allowed_actions(request.user, found))
    form = CommentForm(request.POST, ticket=found, person=request.user)
    status = UNPROCESSABLE
    if form.is_valid():
        public = form.cleaned_data["mode"] == "reply"
        try:
            comment(ticket=found, actor=request.user, text=form.cleaned_data["text"], public=public)
        except Refused as refused:
            form.show(refused)
            status = status_of(refused)
        else:
            messages.success(request, "Reply sent." if public else "Note added.")
            return redirect("web:ticket", key=key)
    return render(request, "web/ticket/page.html", _context(at, form), status=status)


@dataclass(frozen=True)
class Stop:
    """One team on the ticket's way, and when it came there."""

    name: str
    tier: Any
    since: datetime | None
    is_here: bool


def _context(at: Situation, form: CommentForm) -> dict[str, Any]:
    found, now = at.ticket, database_now()
    internal = "see_internal" in at.allowed
    teams = {team.pk: team for team in Team.objects.select_related("tier")}
    offered = [act for act in ACTS if act.is_offered(at)]
    main = [act for act in offered if act.main] or ([] if internal else offered[:1])
    shown_clocks = cards(found, now) if internal else []
    return {
        "ticket": found,
        "now": now,
        "here": "queue",
        "internal": internal,
        "standing": at.standing,
        "main_acts": main,
        "more_acts": [act for act in offered if act not in main],
        "may_reply": "comment_public" in at.allowed,
        "may_note": "comment_internal" in at.allowed,
        "form": form,
        "story": story_of(
            found, at.person, internal=internal, names=names_for(found, teams.values())
        ),
        "clocks": shown_clocks,
        "next_deadline": next_card(shown_clocks),
        "is_watching": at.is_watching,
        **(_inside(found, at, teams, now) if internal else {}),
    }


def _inside(found: Ticket, at: Situation, teams: dict[int, Team], now: datetime) -> dict[str, Any]:
    """What people of the service see beside the story."""
    escalations = list(
        Escalation.objects.filter(ticket=found.pk)
        .select_related("from_team", "to_team", "actor", "accepted_by", "firing")
        .order_by("-id")[:20]
    )
    sent = Message.objects.filter(topic=found.topic).aggregate(
        pages=Count("pk", filter=Q(kind="page")), dead=Count("pk", filter=Q(state="dead"))
    )
    return {
        "next_step": next_steps([found.pk], now).get(found.pk) if found.is_open else None,
        "escalations": escalations,
        "open_escalation": at.escalation,
        "path": _path(found, escalations, teams),
        "watchers": at.watchers,
        "alerts": list(Alert.objects.filter(ticket=found.pk).select_related("source")[:20]),
        "links": _links(found, at.person),
        "unpaged": [] if sent["pages"] else why_nobody_was_paged(found, now),
        "undelivered": sent["dead"],
    }


def _links(found: Ticket, person: Person) -> list[tuple[str, Ticket]]:
    """How other tickets that this person may see belong to this one, in words, with each."""
    seen = Ticket.objects.visible_to(person)
    rows = TicketLink.objects.filter(Q(source=found.pk) | Q(target=found.pk)).select_related(
        "source", "target"
    )
    rows = rows.filter(source__in=seen, target__in=seen)
    return [
        (row.get_relation_display(), row.target)
        if row.source_id == found.pk
        else (BACKWARD[row.relation], row.source)
        for row in rows.order_by("id")
    ]


def _path(found: Ticket, escalations: list[Escalation], teams: dict[int, Team]) -> list[Stop]:
    """The teams from the first to the present one, by the escalations that led on."""
    functional = [each for each in reversed(escalations) if each.type == "functional"]
    stops = []
    if functional:
        first = teams[functional[0].from_team_id]
        stops.append(Stop(first.name, first.tier, found.opened_at, False))
    for each in functional:
        if each.to_team_id is not None:
            team = teams[each.to_team_id]
            stops.append(Stop(team.name, team.tier, each.opened_at, False))
        if each.state == Escalation.State.HANDED_BACK:
            team = teams[each.from_team_id]
            stops.append(Stop(team.name, team.tier, each.ended_at, False))
    if found.team_id is None:
        return stops
    here = teams[found.team_id]
    if stops and stops[-1].name == here.name:
        stops.pop()
    return [*stops, Stop(here.name, here.tier, found.entered_at, True)]
