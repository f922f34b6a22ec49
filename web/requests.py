"""A ticket as its requester reads it: what happens now, by when, who has it, what has happened."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db.models import Case, When
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from escalation.models import Clock, ClockKind, PolicyStep, Run
from roles.models import Person, Team
from roles.people import works_here
from tickets import states
from tickets.attachments import erasable
from tickets.models import Ticket, TimelineEvent
from tickets.queries import readable_events
from web.markdown import html_of

SHOWN: Final = 200
MOVES: Final = ("moved", "escalated", "handed_back")
TOLD: Final = (*MOVES, "taken", "closed", "watched")
"""Kinds that are told without their words: a requester's mails tell of them, or the page does."""
ICONS: Final = {
    "opened": "circle-plus",
    "commented": "message-square",
    "taken": "hand",
    "pended": "circle-pause",
    "resolved": "circle-check",
    "reopened": "rotate-ccw",
    "closed": "archive",
    "cancelled": "circle-x",
    "chased": "megaphone",
    "watched": "user-plus",
    "merged": "merge",
    "major_updated": "megaphone",
}
STANDING_ICONS: Final = {
    states.RESOLVED: "circle-check-big",
    states.CLOSED: "archive",
    states.CANCELLED: "circle-x",
    states.IN_PROGRESS: "circle-play",
    states.PENDING_REQUESTER: "message-circle-question-mark",
}
SHORT: Final = {
    states.NEW: lazy("Received"),
    states.WAITING: lazy("Waiting for us"),
    states.IN_PROGRESS: lazy("Being worked on"),
    states.PENDING_REQUESTER: lazy("Waiting for you"),
    states.PENDING_VENDOR: lazy("Waiting for a supplier"),
    states.PENDING_CHANGE: lazy("Planned"),
    states.RESOLVED: lazy("Solved?"),
    states.CLOSED: lazy("Solved"),
    states.CANCELLED: lazy("Withdrawn"),
}
"""A status in a requester's words."""

SCORES: Final = (
    (5, lazy("Very good")),
    (4, lazy("Good")),
    (3, lazy("So-so")),
    (2, lazy("Bad")),
    (1, lazy("Very bad")),
)
"""The marks, the best first."""


@dataclass(frozen=True)
class Standing:
    """What happens now: a sentence, more of it, who has it, and by when we have promised what."""

    headline: str
    more: str
    icon: str
    tone: str
    who: str
    promise: str
    promise_at: datetime | None
    is_late: bool


@dataclass(frozen=True)
class Line:
    """One thing in the story; `tone` is mine, theirs or quiet."""

    at: datetime
    who: str
    words: str
    icon: str
    tone: str
    text: SafeString | str = ""
    files: Sequence[Mapping[str, Any]] = ()


# ---- What happens now ----------------------------------------------------------------------------


def standing(ticket: Ticket, now: datetime) -> Standing:
    """How the ticket stands, for whoever asked; one query for its clocks."""
    headline, more = _now(ticket)
    promise, at = _promise(ticket)
    return Standing(
        headline=headline,
        more=more,
        icon=STANDING_ICONS.get(ticket.status, "inbox"),
        tone=_tone(ticket),
        who=_who(ticket),
        promise=promise,
        promise_at=at,
        is_late=at is not None and at < now,
    )


def _tone(ticket: Ticket) -> str:
    if ticket.status == states.PENDING_REQUESTER:
        return "yours"
    return "done" if not ticket.is_open else "ours"


def _who(ticket: Ticket) -> str:
    team = ticket.team.name if ticket.team else ""
    if ticket.assignee is None:
        return team
    return _("%(name)s, %(team)s") % {"name": ticket.assignee, "team": team}


def _now(ticket: Ticket) -> tuple[str, str]:
    team = ticket.team.name if ticket.team else _("The service desk")
    status = ticket.status
    if ticket.merged_into_id is not None:
        return _("It goes on under another request."), ""
    if status == states.IN_PROGRESS:
        return _("%(name)s is working on it.") % {"name": ticket.assignee or team}, ""
    if status == states.PENDING_REQUESTER:
        return _("We need your answer to go on."), ticket.pending_reason
    if status == states.PENDING_VENDOR:
        return _("We are waiting for a supplier."), _("We keep at it; you need not do anything.")
    if status == states.PENDING_CHANGE:
        return _("The repair is planned."), _("It comes with a change; we tell you when it is in.")
    if status == states.RESOLVED:
        closes = timedelta(days=settings.AUTO_CLOSE_DAYS).days
        more = _("If it is not, say so. It closes by itself after %(days)s days.")
        return _("We think it is solved."), more % {"days": closes}
    if status == states.CLOSED:
        return _("This is solved and closed."), _("If it comes back, open a new request.")
    if status == states.CANCELLED:
        return _("This was withdrawn."), ""
    return _("%(team)s has it. Somebody will take it.") % {"team": team}, ""


PROMISES: Final = {
    ClockKind.FIRST_RESPONSE.value: lazy("We answer by"),
    ClockKind.NEXT_UPDATE.value: lazy("We tell you more by"),
    ClockKind.RESOLUTION.value: lazy("We want it solved by"),
}


def _promise(ticket: Ticket) -> tuple[str, datetime | None]:
    """The first of our promises that still runs, in words, and when it falls due."""
    if not ticket.is_open:
        return "", None
    running = Clock.objects.filter(
        ticket=ticket.pk, kind__in=PROMISES, state=Clock.State.RUNNING, due_at__isnull=False
    )
    found = {clock.kind: clock.due_at for clock in running}
    for kind, words in PROMISES.items():
        if kind in found:
            return str(words), found[kind]
    return "", None


# ---- What has happened ---------------------------------------------------------------------------


def story(ticket: Ticket, person: Person) -> list[Line]:
    """What happened, newest first: what is public, and moves without a word of the inside.

    Three queries. Notes, and the words of moves, are never among them.
    """
    events = TimelineEvent.objects.filter(ticket=ticket.pk).select_related("body")
    public = readable_events(events, person).filter(is_public=True)
    moves = readable_events(events, person).filter(is_public=False, kind__in=TOLD)
    rows = [*public.order_by("-seq")[:SHOWN], *moves.order_by("-seq")[:SHOWN]]
    rows.sort(key=lambda event: event.seq, reverse=True)
    names = _names(rows, ticket)
    lines = [_line(event, ticket, person, names) for event in rows]
    shown = [line for line in lines if line is not None]
    return _with_files_left(ticket, shown) if any(line.files for line in shown) else shown


def _with_files_left(ticket: Ticket, lines: Iterable[Line]) -> list[Line]:
    """The lines, each with those of its files that have not been erased. One query."""
    left = set(erasable(ticket).values_list("pk", flat=True))
    return [
        replace(line, files=[file for file in line.files if file["id"] in left]) for line in lines
    ]


@dataclass(frozen=True)
class Names:
    """What people and teams are called; guests are those of the people who do not work here."""

    people: Mapping[int, str]
    guests: Mapping[int, str]
    teams: Mapping[int, str]


def _names(events: Iterable[TimelineEvent], ticket: Ticket) -> Names:
    ids = {event.actor_id for event in events if event.actor_id} | {ticket.requester_id}
    for event in events:
        if event.kind == "watched":
            ids |= set(event.facts.get("added", []))
    people = Person.objects.filter(pk__in=ids).annotate(
        is_inside=Case(When(works_here(), then=True), default=False)
    )
    found = list(people.values_list("pk", "name", "is_inside"))
    return Names(
        people={pk: name for pk, name, _inside in found},
        guests={pk: name for pk, name, is_inside in found if not is_inside},
        teams=dict(Team.objects.values_list("pk", "name")),
    )


def _line(event: TimelineEvent, ticket: Ticket, person: Person, names: Names) -> Line | None:
    facts = event.facts
    words = _words(event.kind, facts, names)
    if words is None:
        return None
    # What came by mail, by telephone or from a program was still asked by somebody.
    actor_id = event.actor_id or (ticket.requester_id if event.kind == "opened" else None)
    mine = actor_id == person.pk
    body = getattr(event, "body", None) if event.is_public else None
    by_us = event.kind in (*MOVES, "closed") or actor_id is None
    return Line(
        at=event.at,
        who="" if by_us else _("You") if mine else names.people.get(actor_id or 0, ""),
        words=words,
        icon="arrow-right" if event.kind in MOVES else ICONS.get(event.kind, "dot"),
        tone="quiet" if not body else "mine" if mine else "theirs",
        text=html_of(body.text) if body else "",
        files=facts.get("files", ()) if event.is_public else (),
    )


def _words(kind: str, facts: Mapping[str, Any], names: Names) -> str | None:
    """The rest of the sentence; None for what a requester is not told of."""
    if kind in MOVES:
        team = names.teams.get(facts.get("set", {}).get("team_id"))
        return _("%(team)s has it now") % {"team": team} if team else None
    if kind == "watched":
        added = [names.guests[pk] for pk in facts.get("added", []) if pk in names.guests]
        return _("%(names)s can follow this now") % {"names": ", ".join(added)} if added else None
    return PLAIN[kind]() if kind in PLAIN else None


PLAIN: Final = {
    "opened": lambda: _("asked"),
    "commented": lambda: _("wrote"),
    "taken": lambda: _("took it in hand"),
    "pended": lambda: _("asked back"),
    "resolved": lambda: _("solved it"),
    "reopened": lambda: _("said that it is not solved"),
    "closed": lambda: _("Closed"),
    "cancelled": lambda: _("withdrew it"),
    "chased": lambda: _("asked where it stands"),
    "merged": lambda: _("joined it with another request"),
    "major_updated": lambda: _("told everybody concerned"),
}


# ---- What asking again does ----------------------------------------------------------------------

HEADS: Final = {
    "lead": lazy("the team's lead"),
    "manager": lazy("the team's manager"),
    "duty:incident-manager": lazy("the incident manager"),
}


def after_asking(ticket: Ticket) -> str:
    """Whom asking again brings in by the policies that run on this ticket; one query."""
    running = Run.objects.filter(ticket=ticket.pk, state=Run.State.ACTIVE)
    steps = PolicyStep.objects.filter(
        revision__runs__in=running, trigger=PolicyStep.Trigger.CHASED, count__gt=ticket.chase_count
    )
    step = steps.order_by("count", "position").first()
    if step is None or step.count is None:
        return ""
    named = [
        str(HEADS[goal]) for act in step.actions for goal in act.get("to", ()) if goal in HEADS
    ]
    whom = " ".join(dict.fromkeys(named[:1])) or _("somebody with more authority")
    if step.count == ticket.chase_count + 1:
        return _("Asking now also tells %(whom)s.") % {"whom": whom}
    return _("When it has been asked %(times)s times, %(whom)s is told as well.") % {
        "times": step.count,
        "whom": whom,
    }
