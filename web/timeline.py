"""Merges what happened to a ticket (events, firings, messages) into one story to read, by pages."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from notifications.models import Message, MessageState, Outcome
from roles.models import Person, Team
from tickets.models import Ticket, TimelineEvent
from web.eventmarks import ICONS
from web.eventwords import Names
from web.forms.reach import label_of
from web.gathering import gathered
from web.mails import Mailed, mailed_with
from web.reach import reason_of
from web.retold import retold
from web.sentences import headline
from web.storyrows import (
    MOST_EVENTS,
    PAGE_EVENTS,
    PAGE_MESSAGES,
    Window,
    events_of,
    messages_of,
    readable,
)
from web.wording import inline

AFTER_ITS_CAUSE: Final = 10**9
QUIET: Final = ("targeted", "run_started", "run_stopped", "run_held", "run_released", "watched")
MOMENT: Final = re.compile(r"\b(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC\b")
"""How explanations, which are stored once for all readers, write an instant."""


@dataclass
class Item:
    """One thing in the story; `tone` is reply, note, act, quiet, climb, late or mail."""

    id: str
    at: datetime
    order: int
    tone: str
    icon: str
    who: str
    headline: str
    seq: int = 0
    text: str = ""
    details: list[str] = field(default_factory=list)
    files: list[dict[str, Any]] = field(default_factory=list)
    is_requester: bool = False
    mail: Mailed | None = None


@dataclass(frozen=True)
class Story:
    """The items, newest first; `earlier` is where the next older page begins (None: nowhere).

    `oldest` is the first event shown, `newest` the last one that the reader can know of.
    """

    items: list[Item]
    view: str = "all"
    earlier: int | None = None
    oldest: int = 0
    newest: int = 0


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads the story, as what, and what is known of names already."""

    person: Person
    internal: bool
    teams: Mapping[int, Team]
    people: Mapping[int, Person]


def story_of(ticket: Ticket, reader: Reader, window: Window) -> Story:
    """One page of the ticket's story; without `internal` only what is public, and no mail.

    Two queries, one more for names that nobody knows yet, and one where something came by mail.
    """
    limit = MOST_EVENTS if window.since is not None else PAGE_EVENTS
    found: list[TimelineEvent] = []
    if window.view != "mail":
        found = events_of(ticket, reader.person, window, internal=reader.internal)
    shown = found[:limit]
    names = names_of(reader, shown)
    items = [_item(event, ticket, names, internal=reader.internal) for event in shown]
    came = mailed_with(shown, ticket)
    for item in items:
        item.mail = came.get(item.seq)
    is_cut = len(found) > limit
    earlier = shown[-1].seq if is_cut else None
    if reader.internal and window.view in ("all", "mail"):
        messages = messages_of(ticket, window, shown[-1].at if is_cut else None)
        items += _letters(messages[:PAGE_MESSAGES], ticket)
        if window.view == "mail" and len(messages) > PAGE_MESSAGES:
            earlier = messages[PAGE_MESSAGES - 1].pk
    items.sort(key=lambda item: (item.at, item.order), reverse=True)
    return Story(
        items=gathered(items),
        view=window.view,
        earlier=earlier,
        oldest=shown[-1].seq if shown else 0,
        newest=shown[0].seq if shown and window.before is None else 0,
    )


def told(events: Sequence[TimelineEvent], ticket: Ticket, reader: Reader) -> list[Item]:
    """These events as items, in the order given."""
    names = names_of(reader, events)
    return [_item(event, ticket, names, internal=reader.internal) for event in events]


def last_seen(ticket: Ticket, person: Person, *, internal: bool) -> int:
    """The number of the newest event of the ticket that this person may read; 0 for none."""
    events = readable(ticket, person, internal=internal)
    return events.order_by("-seq").values_list("seq", flat=True).first() or 0


def names_of(reader: Reader, events: Iterable[TimelineEvent]) -> Names:
    """What the teams and people are called that these events mention: one query at the most."""
    people = {pk: str(person) for pk, person in reader.people.items()}
    missing = {pk for event in events for pk in _mentioned(event)} - people.keys()
    if missing:
        rows = Person.objects.filter(pk__in=missing).values_list("pk", "name")
        people |= dict(rows)
    gone = _("somebody who has left")
    return Names(
        teams={pk: team.name for pk, team in reader.teams.items()},
        people=_Known(people, gone),
    )


def names_for(ticket: Ticket, teams: Iterable[Team]) -> Names:
    """The names of these teams, and of everybody who acted on the ticket or was told of it."""
    actors = TimelineEvent.objects.filter(ticket=ticket.pk).values("actor_id")
    told = Message.objects.filter(topic=ticket.topic).values("recipient_id")
    people = Person.objects.filter(pk__in=actors) | Person.objects.filter(pk__in=told)
    known = dict(people.values_list("pk", "name"))
    return Names({team.pk: team.name for team in teams}, _Known(known, _("somebody")))


class _Known(dict[int, str]):
    """Names by person id, with a word for those of whom nothing is known any more."""

    def __init__(self, known: Mapping[int, str], gone: str) -> None:
        super().__init__(known)
        self._gone = gone

    def __missing__(self, person_id: int) -> str:
        return self._gone


def _mentioned(event: TimelineEvent) -> set[int]:
    """The ids of all people whom an event names."""
    facts = event.facts
    lists = [facts.get(name) for name in ("added", "removed", "people", "left")]
    told = [found for found in lists if isinstance(found, list)]  # a link is just "removed"
    named = {pk for found in told for pk in found if isinstance(pk, int)}
    roles = facts.get("named")
    if isinstance(roles, dict):
        named |= {pk for pk in roles.values() if isinstance(pk, int)}
    one = (event.actor_id, facts.get("set", {}).get("assignee_id"))
    return named | {pk for pk in one if pk}


def _item(event: TimelineEvent, ticket: Ticket, names: Names, *, internal: bool) -> Item:
    facts = event.facts
    body = getattr(event, "body", None)
    text = body.text if body and (internal or event.is_public) else ""
    actor = names.people[event.actor_id] if event.actor_id else ""
    why = getattr(event, "why", None) or {}
    return Item(
        id=f"event-{event.seq}",
        at=event.at,
        order=2 * event.seq,
        tone=_tone(event, text),
        icon=_icon(event),
        who=actor if actor and (internal or event.is_public) else "Tierline",
        headline=headline(event.kind, facts, names),
        seq=event.seq,
        text=text,
        details=[in_reader_zone(retold(line)) for line in why.get("text", [])],
        files=_files(facts, ticket),
        is_requester=event.actor_id == ticket.requester_id,
    )


def _files(facts: Mapping[str, Any], ticket: Any) -> list[dict[str, Any]]:
    """The files that came with an event, each with whether its bytes have been erased."""
    erased = getattr(ticket, "erased_files", ())
    return [{**each, "erased": each["id"] in erased} for each in facts.get("files", ())]


def in_reader_zone(line: str) -> str:
    """A stored sentence with its instants in the reader's zone, as everything else on the page."""

    def local(found: re.Match[str]) -> str:
        at = datetime.fromisoformat(found[1]).replace(tzinfo=UTC)
        return f"{localtime(at):%Y-%m-%d %H:%M:%S %Z}"

    return MOMENT.sub(local, line)


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


def _letters(messages: Sequence[Any], ticket: Ticket) -> list[Item]:
    """One item for each cause of messages: who was told what, and how each delivery went."""
    groups: dict[tuple[str, str], list[Any]] = {}
    for message in messages:
        groups.setdefault((message.cause, message.kind), []).append(message)
    return [_letter(group, ticket) for group in groups.values()]


def _letter(group: Sequence[Any], ticket: Ticket) -> Item:
    first = group[0]
    people = sorted({message.recipient_name for message in group})
    verb = _("paged") if first.kind == "page" else _("told")
    return Item(
        id=f"mail-{min(message.pk for message in group)}",
        at=max(message.created_at for message in group),
        order=AFTER_ITS_CAUSE,
        tone="mail",
        icon="siren" if first.kind == "page" else "mail",
        who="Tierline",
        headline=f"{verb} {_listed(people)}: {without_ticket(first.subject, ticket)}",
        details=[_delivery(message) for message in reversed(group)],
    )


def without_ticket(subject: str, ticket: Ticket) -> str:
    """A message's subject without what the page says already."""
    return subject.removeprefix(f"[{ticket.key}] ").removesuffix(f": {ticket.subject}")


def _delivery(message: Any) -> str:
    state = inline(MessageState(message.state).label)
    line = _("%(person)s by %(channel)s: %(state)s") % {
        "person": message.recipient_name,
        "channel": label_of(message.channel),
        "state": state,
    }
    if reason := reason_of(message):
        line += f" ({reason})"
    return "; ".join([line, *(_attempt(each) for each in message.told_tries)])


def _attempt(told: Mapping[str, Any]) -> str:
    outcome = inline(Outcome(told["outcome"]).label)
    named = {"number": told["number"], "outcome": outcome, "detail": told["detail"]}
    return _("try %(number)s: %(outcome)s, %(detail)s") % named


def _listed(people: Sequence[str]) -> str:
    if len(people) <= 3:
        return ", ".join(people)
    return _("%(some)s and %(count)d more") % {
        "some": ", ".join(people[:2]),
        "count": len(people) - 2,
    }
