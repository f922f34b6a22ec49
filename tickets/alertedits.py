"""What a sender adds to its alert through its product: tags, details, words, gravity, an owner."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import Q

from roles.instants import TimeSource, database_now
from roles.models import Person, Team
from roles.refusals import Refused
from tickets import timeline
from tickets.alertacts import tell
from tickets.assignment import assign
from tickets.incoming import SUMMARY_MAX, level_of, urgency_of
from tickets.models import Alert
from tickets.triage import raise_priority_many

Change = Callable[[dict[str, Any]], None]


@transaction.atomic
def _edit(alert: Alert, change: Change) -> Alert:
    locked = Alert.objects.select_for_update(of=("self",)).get(pk=alert.pk)
    change(locked.details)
    locked.save(update_fields=["details"])
    alert.details = locked.details
    return alert


def add_tags(alert: Alert, tags: Iterable[str], *, most: int = 20) -> Alert:
    """The alert with these tags too, so many in all at most."""

    def change(details: dict[str, Any]) -> None:
        details["tags"] = list(dict.fromkeys([*details.get("tags", ()), *tags]))[:most]

    return _edit(alert, change)


def drop_tags(alert: Alert, tags: Iterable[str]) -> Alert:
    """The alert without these tags."""
    gone = set(tags)

    def change(details: dict[str, Any]) -> None:
        details["tags"] = [tag for tag in details.get("tags", ()) if tag not in gone]

    return _edit(alert, change)


def add_details(alert: Alert, pairs: Mapping[str, str]) -> Alert:
    """The alert with these details too."""

    def change(details: dict[str, Any]) -> None:
        details["details"] = {**_own(details), **pairs}

    return _edit(alert, change)


def drop_details(alert: Alert, names: Iterable[str]) -> Alert:
    """The alert without the details of these names."""
    gone = set(names)

    def change(details: dict[str, Any]) -> None:
        details["details"] = {k: v for k, v in _own(details).items() if k not in gone}

    return _edit(alert, change)


def describe_anew(alert: Alert, description: str) -> Alert:
    """The alert with another description."""

    def change(details: dict[str, Any]) -> None:
        details["description"] = description

    return _edit(alert, change)


def rename(alert: Alert, summary: str) -> Alert:
    """The alert with another summary; the ticket keeps its subject, which people may have set."""
    alert.summary = summary[:SUMMARY_MAX]
    Alert.objects.filter(pk=alert.pk).update(summary=alert.summary)
    return alert


@transaction.atomic
def regrade(*, alert: Alert, severity: str, clock: TimeSource = database_now) -> Alert:
    """The alert with another gravity; its ticket is raised to it, never lowered."""
    alert.severity = severity
    Alert.objects.filter(pk=alert.pk).update(severity=severity)
    if alert.ticket_id is not None:
        ticket = timeline.lock(alert.ticket_id)
        priority = urgency_of(level_of(severity))
        raised = priority < ticket.priority and ticket.priority_override is None
        if raised and ticket.is_open:
            reason = f"its alert is {severity} now"
            raise_priority_many([(ticket, priority, reason)], clock=clock)
    return alert


def hand_to(*, alert: Alert, name: str, clock: TimeSource = database_now) -> str:
    """Make this person the alert's owner, and the assignee where the team has that person.

    Returns why not, in a sentence, or "" when the ticket is theirs.
    """
    mark(alert, owner=name[:100])
    person = person_named(name)
    if person is None:
        return f"Nobody is called {name} here."
    if alert.ticket is None:
        return ""
    try:
        assign(ticket=alert.ticket, actor=None, assignee=person, clock=clock, via="monitor")
    except Refused as refusal:
        return refusal.detail
    return ""


def mark(alert: Alert, **marks: Any) -> Alert:
    """Keep what was said of the alert through its product; None takes a mark away."""
    with transaction.atomic():
        locked = Alert.objects.select_for_update(of=("self",)).get(pk=alert.pk)
        found = {**locked.marks, **marks}
        alert.marks = {name: value for name, value in found.items() if value is not None}
        Alert.objects.filter(pk=alert.pk).update(marks=alert.marks)
    return alert


def hide(alert: Alert, by: str = "", clock: TimeSource = database_now) -> Alert:
    """The alert, not told to its sender any more; people go on seeing it."""
    alert.is_hidden = True
    Alert.objects.filter(pk=alert.pk).update(is_hidden=True)
    tell(alert, "Alert deleted through its product", by=by, clock=clock)
    return alert


def person_named(name: str) -> Person | None:
    """The active person with this user name, or this mail address if only one has it."""
    people = Person.objects.filter(Q(username=name) | Q(email__iexact=name), is_active=True)
    found = list(people.order_by("pk")[:2])
    return found[0] if len(found) == 1 else None


def team_named(name: str) -> Team | None:
    """The active team with this slug or name, or number as the product's reads tell it."""
    wanted = Q(slug=name) | Q(name__iexact=name)
    if name.isascii() and name.isdecimal() and len(name) < 10:
        wanted |= Q(pk=int(name))
    return Team.objects.filter(wanted, is_active=True).order_by("pk").first()


def _own(details: Mapping[str, Any]) -> dict[str, Any]:
    found = details.get("details")
    return dict(found) if isinstance(found, dict) else {}
