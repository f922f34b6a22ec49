"""Merges what happened to a ticket (events, firings, messages) into one story to read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from escalation.models import Firing
from notifications.models import Attempt, Message
from roles.models import Person, Team
from tickets.models import Ticket, TimelineEvent
from tickets.queries import readable_events
from web.sentences import ICONS, Names, headline

SHOWN_EVENTS = 300
SHOWN_MESSAGES = 200
AFTER_ITS_CAUSE = 10**9
QUIET = ("targeted", "run_started", "run_stopped", "watched")


@dataclass
class Item:
    """One thing in the story; `tone` is reply, note, act, quiet, climb, late or mail."""

    at: datetime
    order: int
    tone: str
    icon: str
    who: str
    headline: str
    text: str = ""
    details: list[str] = field(default_factory=list)
    is_requester: bool = False


@dataclass(frozen=True)
class Story:
    """The items, newest first, and whether older ones were left out."""

    items: list[Item]
    is_cut: bool


def story_of(ticket: Ticket, person: Person, *, internal: bool, names: Names) -> Story:
    """The ticket's story for a reader; without `internal` only what is public, and no mail."""
    events = TimelineEvent.objects.filter(ticket=ticket.pk).select_related("body")
    events = readable_events(events, person)
    if not internal:
        events = events.filter(is_public=True)
    found = list(events.order_by("-seq")[: SHOWN_EVENTS + 1])
    shown = found[:SHOWN_EVENTS]
    explained = _explanations(ticket) if internal else {}
    items = [_item(event, ticket, names, explained) for event in shown]
    if internal:
        oldest = shown[-1].at if len(found) > SHOWN_EVENTS else None
        items += _mail(ticket, names, oldest)
    items.sort(key=lambda item: (item.at, item.order), reverse=True)
    return Story(items, len(found) > SHOWN_EVENTS)


def names_for(ticket: Ticket, teams: Iterable[Team]) -> Names:
    """The names of all teams, and of everybody whom the ticket's story mentions: one query."""
    known = {team.pk: team.name for team in teams}
    return Names(teams=known, people=_People(ticket))


class _People(dict[int, str]):
    """Names by person id, read for the whole ticket at the first question."""

    def __init__(self, ticket: Ticket) -> None:
        super().__init__()
        self._ticket = ticket
        self._is_read = False

    def __missing__(self, person_id: int) -> str:
        if not self._is_read:
            self._is_read = True
            self.update(self._mentioned())
        if person_id not in self.keys():
            found = Person.objects.filter(pk=person_id).values_list("name", flat=True).first()
            self[person_id] = found or "somebody who has left"
        return dict.__getitem__(self, person_id)

    def _mentioned(self) -> dict[int, str]:
        actors = TimelineEvent.objects.filter(ticket=self._ticket.pk).values("actor_id")
        told = Message.objects.filter(topic=self._ticket.topic).values("recipient_id")
        people = Person.objects.filter(pk__in=actors) | Person.objects.filter(pk__in=told)
        return dict(people.values_list("pk", "name"))


def _item(
    event: TimelineEvent, ticket: Ticket, names: Names, explained: dict[str, list[str]]
) -> Item:
    facts = event.facts
    body = getattr(event, "body", None)
    actor = names.people[event.actor_id] if event.actor_id else ""
    return Item(
        at=event.at,
        order=2 * event.seq,
        tone=_tone(event, body.text if body else ""),
        icon=_icon(event),
        who=actor or "Tierline",
        headline=headline(event.kind, facts, names),
        text=body.text if body else "",
        details=explained.get(str(facts.get("firing", "")), []),
        is_requester=event.actor_id == ticket.requester_id,
    )


def _tone(event: TimelineEvent, text: str) -> str:
    if event.kind == "commented":
        if not text:
            return "quiet"  # an imported update of which nothing but the fact is known
        return "reply" if event.is_public else "note"
    if event.kind in ("fired", "escalated", "handed_back", "involved", "accepted", "moved"):
        return "climb"
    if event.kind == "breached":
        return "late"
    return "quiet" if event.kind in QUIET else "act"


def _icon(event: TimelineEvent) -> str:
    if event.kind == "commented":
        return "message-square" if event.is_public else "notebook-pen"
    return ICONS.get(event.kind, "dot")


def _explanations(ticket: Ticket) -> dict[str, list[str]]:
    firings = Firing.objects.filter(ticket=ticket.pk).values_list("pk", "explain")
    return {str(pk): list(explain.get("text", [])) for pk, explain in firings}


def _mail(ticket: Ticket, names: Names, oldest: datetime | None) -> list[Item]:
    """One item for each cause of messages: who was told what, and how each delivery went."""
    messages = Message.objects.filter(topic=ticket.topic).prefetch_related("tries")
    if oldest is not None:
        messages = messages.filter(created_at__gte=oldest)
    groups: dict[tuple[str, str], list[Message]] = {}
    for message in messages.order_by("-id")[:SHOWN_MESSAGES]:
        groups.setdefault((message.cause, message.kind), []).append(message)
    return [_letter(group, ticket, names) for group in groups.values()]


def _letter(group: Sequence[Message], ticket: Ticket, names: Names) -> Item:
    first = group[0]
    people = sorted({names.people[message.recipient_id] for message in group})
    verb = "paged" if first.kind == "page" else "told"
    return Item(
        at=max(message.created_at for message in group),
        order=AFTER_ITS_CAUSE,
        tone="mail",
        icon="siren" if first.kind == "page" else "mail",
        who="Tierline",
        headline=f"{verb} {_listed(people)}: {_topic(first.subject, ticket)}",
        details=[_delivery(message, names) for message in reversed(group)],
    )


def _topic(subject: str, ticket: Ticket) -> str:
    """A message's subject without what the page says already."""
    return subject.removeprefix(f"[{ticket.key}] ").removesuffix(f": {ticket.subject}")


def _delivery(message: Message, names: Names) -> str:
    line = f"{names.people[message.recipient_id]} by {message.channel}: "
    line += message.get_state_display().lower()
    if message.finished_reason:
        line += f" ({message.finished_reason})"
    tries: list[Any] = [attempt for attempt in message.tries.all() if attempt.detail]
    return line + "".join(f"; {_try(attempt)}" for attempt in tries)


def _try(attempt: Attempt) -> str:
    return f"try {attempt.number}: {attempt.get_outcome_display().lower()}, {attempt.detail}"


def _listed(people: Sequence[str]) -> str:
    if len(people) <= 3:
        return ", ".join(people)
    return f"{', '.join(people[:2])} and {len(people) - 2} more"
