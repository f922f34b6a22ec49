"""The room in a chat where a major incident is worked on: made, filled, its decisions kept."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.conf import settings

from notifications.channels import slackrooms
from notifications.models import ContactMethod
from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.oncall import duty_on_call, on_call
from roles.refusals import Conflict
from tickets.access import require
from tickets.acting import acting, required
from tickets.incidents import under_way
from tickets.models import EventKind, Involvement, Major, Ticket, TimelineEvent

PRODUCT: Final = "slack"


@dataclass(frozen=True)
class Filled:
    """Who was asked into the room, and who could not be: not known there, or it did not work."""

    asked: list[Person] = field(default_factory=list)
    missing: list[Person] = field(default_factory=list)


def open_room(
    *, ticket: Ticket, actor: Person, clock: TimeSource = database_now, via: str = "web"
) -> Filled:
    """Make a channel for the major incident, ask its people in and pin what is known.

    Call it outside a transaction: it talks to Slack, for some seconds at most. The channel is on
    record before anybody is asked in, so that what breaks off can be gone on with by `fill_room`.
    Raises Forbidden, and Conflict where Slack makes none or there is one.
    """
    major = _record(ticket, actor)
    if major.chat_id:
        raise Conflict("has_room", f"{ticket.key} has a room already.")
    try:
        channel = slackrooms.make_channel(slackrooms.name_of(f"{ticket.key} {ticket.subject}"))
    except slackrooms.RoomRefused as refused:
        raise Conflict("no_room", f"No room was made. {refused}") from None
    with acting(ticket, actor=actor, action="run_major", clock=clock, via=via) as act:
        major = under_way(act)
        major.chat_id, major.channel_url = channel, slackrooms.address_of(channel)
        major.save(update_fields=["chat_id", "channel_url"])
        act.record(EventKind.ROOM_OPENED, facts={"product": PRODUCT, "channel": channel})
    return fill_room(ticket=ticket, actor=actor, clock=clock, via=via)


def fill_room(
    *, ticket: Ticket, actor: Person, clock: TimeSource = database_now, via: str = "web"
) -> Filled:
    """Ask everybody who should be there into the room, and pin what is known by now.

    Call it outside a transaction. Raises Forbidden, and Conflict where there is no room or Slack
    does not take the summary.
    """
    major = _record(ticket, actor)
    if not major.chat_id:
        raise Conflict("no_room", f"{ticket.key} has no room yet.")
    people = people_of(major, clock())
    known = _members(people)
    left_out = slackrooms.ask_in(major.chat_id, known.values())
    failed = {pk for pk, member in known.items() if member in left_out}
    filled = Filled(
        asked=[person for person in people if person.pk in known and person.pk not in failed],
        missing=[person for person in people if person.pk not in known or person.pk in failed],
    )
    with acting(ticket, actor=actor, action="run_major", clock=clock, via=via) as act:
        facts = {
            "asked": [person.pk for person in filled.asked],
            "missing": [person.pk for person in filled.missing],
        }
        act.record(EventKind.ROOM_FILLED, facts=facts)
    try:
        slackrooms.pin_summary(major.chat_id, *_summary(major))
    except slackrooms.RoomRefused as refused:
        raise Conflict("not_pinned", f"The summary was not pinned. {refused}") from None
    return filled


def people_of(major: Major, now: datetime) -> list[Person]:
    """Who belongs into the room: the roles, who is on call, has the ticket, or helps on it."""
    ticket = major.ticket
    ids = set(major.people.values()) | set(duty_on_call("incident-manager", now))
    if ticket.team_id is not None:
        ids |= set(on_call([ticket.team_id], now)[ticket.team_id])
    ids |= {ticket.assignee_id} if ticket.assignee_id else set()
    helping = Involvement.objects.filter(ticket=ticket.pk, left_at=None)
    ids |= set(helping.values_list("person_id", flat=True))
    return list(Person.objects.filter(pk__in=ids, is_active=True).order_by("name"))


def decide(
    *,
    ticket: Ticket,
    actor: Person,
    text: str,
    clock: TimeSource = database_now,
    via: str = "web",
) -> TimelineEvent:
    """Keep what was decided, in the words of whoever says so, for those at work.

    Raises Invalid without words, Conflict unless the ticket is a major incident under way.
    """
    with acting(ticket, actor=actor, action="comment_internal", clock=clock, via=via) as act:
        under_way(act)
        return act.record(EventKind.DECIDED, body=required(text, "text", 2000))


def ticket_of_room(channel: str) -> int | None:
    """The id of the ticket whose major incident under way is worked on in this channel."""
    if not channel:
        return None
    rows = Major.objects.filter(chat_id=channel, state=Major.State.ACCEPTED)
    return rows.values_list("ticket_id", flat=True).first()


def _record(ticket: Ticket, actor: Person) -> Major:
    require(actor, "run_major", ticket)
    rows = Major.objects.filter(ticket=ticket.pk, state=Major.State.ACCEPTED)
    major = rows.select_related("ticket__team").first()
    if major is None:
        raise Conflict("no_major", f"{ticket.key} is no major incident under way.")
    if not slackrooms.is_ready():
        raise Conflict("no_chat", "This site has no app in Slack; name a channel instead.")
    return major


def _members(people: list[Person]) -> dict[int, str]:
    """By person the proved member ID."""
    rows = ContactMethod.objects.filter(
        person__in=people, channel=PRODUCT, is_active=True, verified_at__isnull=False
    ).exclude(address__startswith="https:")
    return dict(rows.order_by("-verified_at").values_list("person_id", "address"))


def _summary(major: Major) -> tuple[str, list[str]]:
    ticket = major.ticket
    said = TimelineEvent.objects.filter(ticket=ticket.pk, kind=EventKind.MAJOR_UPDATED)
    last = said.select_related("body").order_by("-seq").first()
    words = last.body.text if last is not None and hasattr(last, "body") else ""
    place = f"{settings.PUBLIC_URL.rstrip('/')}/majors/{ticket.key}"
    title = f"{ticket.key} Severity {major.severity}: {ticket.subject}"
    bridge = f"Bridge: {major.bridge_url}" if major.bridge_url else ""
    keep = "Keep what is decided: /tierline decide what and why"
    return title, [major.reason, words, place, bridge, keep]
