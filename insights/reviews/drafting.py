"""Drafts a review from what the timeline, the clocks and the messages of a ticket say."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from django.db.models import Count

from escalation.models import Clock, ClockKind, Escalation
from notifications.models import Message, MessageState
from roles.models import Person, Team
from tickets.models import EventKind, Ticket, TimelineEvent

MOST_EVENTS: Final = 300
LONGEST: Final = 240
QUIET: Final = frozenset(
    {
        EventKind.TARGETED,
        EventKind.RUN_STARTED,
        EventKind.RUN_STOPPED,
        EventKind.SKIPPED,
        EventKind.WATCHED,
        EventKind.RATED,
        EventKind.HANDOVER_RATED,
    }
)
"""What is no part of the story."""
CHATS: Final = frozenset({"chat", "slack", "mattermost", "teams"})
"""The ways in by which somebody acts from a chat."""


def draft_of(ticket: Ticket) -> dict[str, str]:
    """The sections that can be drafted, in Markdown, by their name; times in UTC."""
    return {
        "summary": "\n".join(_summary(ticket)),
        "story": "\n".join(_story(ticket)),
        "impact": "\n".join(_impact(ticket)),
    }


def _summary(ticket: Ticket) -> Iterator[str]:
    yield f"{ticket.key}, P{ticket.priority}: {ticket.subject}"
    yield ""
    yield f"- Opened {moment(ticket.opened_at)}"
    if ticket.resolved_at is not None:
        hours = (ticket.resolved_at - ticket.opened_at).total_seconds() / 3600
        yield f"- Resolved {moment(ticket.resolved_at)}, after {hours:.1f} h"
    if ticket.resolution:
        yield f"- Resolution: {_short(ticket.resolution)}"
    clocks = Clock.objects.filter(ticket=ticket.pk).order_by("started_at", "pk")
    for clock in clocks.select_related("team"):
        yield f"- {_clock(clock)}"


def _clock(clock: Clock) -> str:
    allowed = f"{clock.elapsed_s / 3600:.1f} h of {clock.target_s / 3600:.1f} h"
    missed = f", missed {moment(clock.breached_at)}" if clock.breached_at else ""
    about = f" ({clock.team})" if clock.team else ""
    return f"{ClockKind(clock.kind).label}{about}: {allowed}{missed}"


def _story(ticket: Ticket) -> Iterator[str]:
    events = TimelineEvent.objects.filter(ticket=ticket.pk).exclude(kind__in=QUIET)
    rows = list(events.select_related("body").order_by("seq")[:MOST_EVENTS])
    people = Person.objects.in_bulk({row.actor_id for row in rows if row.actor_id})
    teams = {team.pk: team.name for team in Team.objects.all()}
    for row in rows:
        who = str(people.get(row.actor_id or 0) or "Tierline")
        who = f"{who}, in the chat" if row.via in CHATS else who
        facts = row.facts
        to_team = teams.get(facts.get("set", {}).get("team_id") or 0)
        what = str(EventKind(row.kind).label)
        if to_team and row.kind != EventKind.OPENED:
            what = f"{what.removesuffix(' to a team')} to {to_team}"
        text = _short(getattr(getattr(row, "body", None), "text", "")) or _named(row)
        told = f": {text}" if text else ""
        yield f"- {moment(row.at)} {who}: {what}{told}"


def _named(event: TimelineEvent) -> str:
    """Which step fired, or which clock was missed: of these nobody writes a word."""
    if event.kind == EventKind.FIRED:
        return str(event.facts.get("name", ""))
    kind = event.facts.get("clock") if event.kind == EventKind.BREACHED else ""
    return str(ClockKind(kind).label) if kind in ClockKind.values else ""


def _impact(ticket: Ticket) -> Iterator[str]:
    for passed in Escalation.objects.filter(ticket=ticket.pk).exclude(impact="").order_by("pk"):
        yield f"- {_short(passed.impact)}"
    sent = Message.objects.filter(topic=ticket.topic, state=MessageState.SENT).order_by()
    for kind, times in sent.values_list("kind").annotate(n=Count("pk")).order_by("-n", "kind"):
        yield f"- Messages of the kind “{kind}”: {times}"


def moment(at: datetime) -> str:
    """An instant in UTC, to the minute."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
