"""All that the page of one ticket shows to one reader: read once, then handed on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef
from django.db.models.functions import JSONObject

from escalation.models import Escalation, HandoverFeedback
from escalation.outlook import NextStep, coming_steps, told_step
from escalation.routes import Routes
from escalation.staff import Staff
from escalation.targets import People
from roles.instances import relate
from roles.models import Person, Team
from roles.written import Written
from tickets.access import allowed_actions
from tickets.models import Ticket
from tickets.queries import discreet
from web.acts import Situation
from web.clocks import cards, next_card
from web.composing import writing_of
from web.foresight import outlook_of
from web.handovers import with_questions
from web.reading import links_of, path_of, whole_ticket
from web.register import ACTS
from web.standing import standing_of
from web.storyrows import VIEWS, Window
from web.timeline import Reader, story_of

SHOWN_ESCALATIONS = 20


@dataclass(frozen=True, slots=True)
class Dossier:
    """One ticket as one person sees it; `at` says what that person may do."""

    at: Situation
    now: datetime
    teams: dict[int, Team]
    escalations: list[Escalation]

    @property
    def ticket(self) -> Any:
        """The ticket, read whole."""
        return self.at.ticket

    @property
    def internal(self) -> bool:
        """Whether the reader sees what only people of the service see."""
        return "see_internal" in self.at.allowed


def dossier(person: Person, key: str) -> Dossier:
    """The ticket of that key with its teams and escalations. Raises Http404."""
    ticket: Any = whole_ticket(person, key)
    # It may name the ticket in which this one goes on, and that may be closed to this reader.
    ticket.resolution = discreet(ticket.resolution, person)
    allowed = frozenset(allowed_actions(person, ticket))
    teams = {team.pk: team for team in TEAMS.rows()}
    escalations = _escalations(ticket) if "see_internal" in allowed else []
    present = (each for each in escalations if each.entry == ticket.entry)
    escalation = next((each for each in present if each.type == "functional"), None)
    at = Situation(ticket, person, allowed, escalation, standing_of(ticket))
    return Dossier(at, ticket.read_at, teams, escalations)


def _escalations(ticket: Ticket) -> list[Escalation]:
    rows: list[Any] = NEWEST.all(ticket=ticket.pk)
    for row in rows:
        row.words = [_word(told) for told in row.told_words]
    return rows


def _word(told: Mapping[str, Any]) -> HandoverFeedback:
    """What somebody said of an escalation, as it was read along with it."""
    word = HandoverFeedback(
        person_id=told["person"], verdict=told["verdict"], comment=told["comment"]
    )
    relate(word, "person", Person(pk=told["person"], name=told["name"]))
    return word


def _words() -> ArraySubquery:
    rows = HandoverFeedback.objects.filter(escalation=OuterRef("pk")).order_by("given_at", "pk")
    told = JSONObject(person="person_id", name="person__name", verdict="verdict", comment="comment")
    return ArraySubquery(rows.values(found=told))


TEAMS: Final = Written(lambda: Team.objects.select_related("tier", "calendar"))
NEWEST: Final = Written(
    lambda ticket: (
        Escalation.objects.filter(ticket=ticket)
        .annotate(told_words=_words())
        .select_related("from_team", "to_team", "actor", "accepted_by", "firing", "sender")
        .order_by("-id")[:SHOWN_ESCALATIONS]
    ),
    ticket=int,
)
"""The newest escalations of a ticket with all whom they name."""


def _teams_of(ticket: Any) -> frozenset[int]:
    """The teams of whoever the ticket was read for."""
    return frozenset(place["team"] for place in ticket.places)


def page_of(read: Dossier, window: Window) -> dict[str, Any]:
    """What the templates of the page take."""
    at, internal = read.at, read.internal
    offered = [act for act in ACTS if act.is_offered(at)]
    main = [act for act in offered if act.main] or ([] if internal else offered[:1])
    people = _people(read)
    next_step = _next_step(read, people) if people and read.ticket.is_open else None
    reader = reader_of(read, people.people if people else {})
    story = story_of(read.ticket, reader, window)
    return {
        "ticket": read.ticket,
        "now": read.now,
        "here": "queue",
        "internal": internal,
        "standing": at.standing,
        "main_acts": main,
        "more_acts": [act for act in offered if act not in main],
        "story": story,
        "writing": writing_of(at, story.newest),
        "story_views": VIEWS if internal else {},
        "is_watching": at.is_watching,
        "offered": {act.slug for act in offered},
        "next_step": next_step,
        **(_beside(read) if internal else {}),
    }


def reader_of(read: Dossier, people: Mapping[int, Person] | None = None) -> Reader:
    """Who reads the story; `people` are those whose names are known already."""
    return Reader(read.at.person, read.internal, read.teams, people or {})


def _people(read: Dossier) -> People | None:
    """Who is meant by the targets of the next step; nothing is read before it is asked for."""
    if not read.internal:
        return None
    ticket = read.ticket
    watching = {ticket.pk: [each["id"] for each in ticket.watched_by]}
    return People([ticket], read.now, Staff(read.teams), watching)


def _next_step(read: Dossier, people: People) -> NextStep | None:
    coming = coming_steps({read.ticket.pk: read.ticket}).get(read.ticket.pk)
    if coming is None:
        return None
    return told_step(read.ticket, coming, people, lambda: Routes(read.teams))


def _beside(read: Dossier) -> dict[str, Any]:
    """What people of the service see beside the story."""
    ticket = read.ticket
    shown = cards(ticket, read.now, read.teams)
    return {
        "clocks": shown,
        "next_deadline": next_card(shown),
        "escalations": with_questions(read.escalations, read.at.person, _teams_of(ticket)),
        "open_escalation": read.at.escalation,
        "path": path_of(ticket, read.escalations, read.teams),
        "links": links_of(ticket),
        "undelivered": ticket.undelivered or 0,
        "outlook": outlook_of(ticket),
    }
