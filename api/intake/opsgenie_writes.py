"""Opsgenie's writes: an alert created, and every verb on one; each answered by a receipt."""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from datetime import UTC
from typing import Any, Final
from uuid import uuid4

from django.db import transaction
from django.http import HttpResponse

from api.intake.opsgenie import (
    MESSAGE_MAX,
    Creation,
    Unprocessable,
    cut,
    listed,
    pairs,
    parse_create,
    priority,
)
from api.intake.opsgenie_door import CREATED, MISSING, Asker, alert_named, processed
from api.intake.reading import any_moment, text
from escalation.handover import involve
from escalation.holding import snooze
from escalation.routes import Routes
from roles.instants import database_now
from roles.models import Person, Team
from roles.refusals import Refused
from tickets import alertacts, alertedits
from tickets.alertacts import remark, tell
from tickets.incoming import Outcome
from tickets.ingest import accept
from tickets.models import Alert
from tickets.receipts import outcome_of

Verb = Callable[[Asker, Alert, Mapping[str, Any]], str]


class Failed(Exception):
    """The request was taken, and could not be carried out; says why, as its status."""


def create(asker: Asker) -> HttpResponse:
    """Create an alert, or count one more occurrence of the open one with its alias."""
    uid = uuid4()
    address = asker.request.META.get("REMOTE_ADDR") or ""
    wanted = parse_create(asker.body(), uid=uid, address=address)
    says_more = wanted.note or wanted.alert.details.get("responders")
    # Sent again, it would be a repeat, whose responders are not called: all of it or nothing.
    with transaction.atomic() if says_more else nullcontext():
        (outcome,) = accept(source=asker.source, alerts=[wanted.alert])
        if says_more and outcome.alert_id is not None:
            _heed(wanted, outcome)
    is_new = outcome.row is not None and outcome.row.uid == uid
    return processed(
        asker,
        "Create",
        words=CREATED if is_new else "Deduplicated alert",
        alert_id=outcome.alert_id,
        uid=uid if not is_new else None,
        outcome=outcome_of([outcome]),
    )


def _heed(wanted: Creation, outcome: Outcome) -> None:
    """Keep the note that an alert came with; call in whom one names that opened a ticket."""
    alert = Alert.objects.select_related("ticket").get(pk=outcome.alert_id)
    if wanted.note:
        remark(alert=alert, text=wanted.note, by=wanted.by)
    if outcome.result != "opened":
        return
    for responder in wanted.alert.details.get("responders", ()):
        try:
            tell(alert, _respond(alert, {}, responder), by=wanted.by)
        except (Failed, Refused) as why_not:
            tell(alert, str(why_not), by=wanted.by)


def carry_out(asker: Asker, identifier: str, action: str, body: Mapping[str, Any]) -> HttpResponse:
    """One verb on one alert; what cannot be done is told by the status of the request."""
    verb, word, check = VERBS[action]
    check(asker, body)
    alert = alert_named(asker, identifier, to_act=True)
    if alert is None:
        return processed(asker, word, words=MISSING, is_success=False)
    note, by = cut(body, "note"), cut(body, "user")
    try:
        with transaction.atomic():
            words = verb(asker, alert, body)
            if note and action != "notes":
                remark(alert=alert, text=note, by=by)
            tell(alert, words, by=by)
    except Failed as failed:
        return processed(asker, word, words=str(failed), alert_id=alert.pk, is_success=False)
    except Refused as refusal:
        return processed(asker, word, words=refusal.detail, alert_id=alert.pk, is_success=False)
    return processed(asker, word, words=words, alert_id=alert.pk)


def run_action(asker: Asker, identifier: str, name: str, body: Mapping[str, Any]) -> HttpResponse:
    """A custom action: told on the ticket for whoever carries it out."""
    alert = alert_named(asker, identifier, to_act=True)
    if alert is None:
        return processed(asker, "Custom", words=MISSING, is_success=False)
    words = f"Action {name[:50]} was called for"
    remark(alert=alert, text=words, by=cut(body, "user"))
    return processed(asker, name[:30], words=words, alert_id=alert.pk)


# ---- Verbs ----


def _require_open(alert: Alert) -> None:
    if not alert.is_firing:
        raise Failed("Alert is already closed")


def _acknowledge(asker: Asker, alert: Alert, body: Mapping[str, Any]) -> str:
    _require_open(alert)
    if not alertacts.acknowledge(source=asker.source, alert=alert, by=cut(body, "user")):
        raise Failed("Alert is already acknowledged")
    return "Alert acknowledged"


def _unacknowledge(asker: Asker, alert: Alert, body: Mapping[str, Any]) -> str:
    _require_open(alert)
    if not alertacts.unacknowledge(source=asker.source, alert=alert, by=cut(body, "user")):
        raise Failed("Alert is already unacknowledged")
    return "Alert unacknowledged"


def _close(asker: Asker, alert: Alert, body: Mapping[str, Any]) -> str:
    _require_open(alert)
    if by := cut(body, "user"):
        alertedits.mark(alert, closed_by=by)
    outcome = alertacts.close(source=asker.source, key=alert.dedup_key)
    if outcome.result != "cleared":
        raise Failed("Alert is already closed")
    return "Alert closed"


def _note(asker: Asker, alert: Alert, body: Mapping[str, Any]) -> str:
    remark(alert=alert, text=cut(body, "note"), by=cut(body, "user"))
    return "Note added"


def _snooze(asker: Asker, alert: Alert, body: Mapping[str, Any]) -> str:
    _require_open(alert)
    until = any_moment(body.get("endTime"))
    assert until is not None
    told = until.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    alertedits.mark(alert, snoozed_until=told)
    if alert.ticket is not None:
        reason = f"Snoozed by {cut(body, 'user') or asker.source.name}"
        try:
            snooze(ticket=alert.ticket, actor=None, until=until, reason=reason, via="monitor")
        except Refused as refusal:
            return f"Alert snoozed; {refusal.detail}"
    return "Alert snoozed"


def _escalate(asker: Asker, alert: Alert, body: Mapping[str, Any]) -> str:
    _require_open(alert)
    if alert.ticket is None:
        raise Failed("Alert has no ticket, so there is nobody to escalate to")
    named = _name_of(body.get("escalation"))
    found = alertedits.team_named(named) if named else None
    if found is None:
        step = Routes().next_tier(alert.ticket)
        found = step.team if step else None
    if found is None:
        raise Failed("There is no tier above")
    _call_in(alert, body, team=found)
    return f"Alert escalated to {found.name}"


def _assign(asker: Asker, alert: Alert, body: Mapping[str, Any]) -> str:
    name = _name_of(body.get("owner"))
    why_not = alertedits.hand_to(alert=alert, name=name)
    return f"Alert assigned to {name}" + (f"; {why_not}" if why_not else "")


def _add_responder(asker: Asker, alert: Alert, body: Mapping[str, Any]) -> str:
    return _respond(alert, body, body.get("responder"))


def _add_team(asker: Asker, alert: Alert, body: Mapping[str, Any]) -> str:
    return _respond(alert, body, body.get("team"))


def _respond(alert: Alert, body: Mapping[str, Any], responder: Any) -> str:
    name = _name_of(responder)
    team = alertedits.team_named(name)
    person = None if team is not None else alertedits.person_named(name)
    if team is None and person is None:
        raise Failed(f"Responder {name} does not exist")
    ticket = alert.ticket
    if ticket is not None and ticket.is_open and (team is None or team.pk != ticket.team_id):
        _call_in(alert, body, team=team, person=person)
    return f"Responder {name} added"


def _call_in(
    alert: Alert, body: Mapping[str, Any], *, team: Team | None = None, person: Person | None = None
) -> None:
    assert alert.ticket is not None
    reason = cut(body, "note") or f"Called for through {alert.source.name}: {alert.summary}"
    involve(ticket=alert.ticket, actor=None, reason=reason, team=team, person=person, via="monitor")


def _tag(asker: Asker, alert: Alert, body: Mapping[str, Any]) -> str:
    alertedits.add_tags(alert, listed(body, "tags"))
    return "Tags added"


def _untag(asker: Asker, alert: Alert, body: Mapping[str, Any]) -> str:
    alertedits.drop_tags(alert, listed(body, "tags"))
    return "Tags removed"


def _detail(asker: Asker, alert: Alert, body: Mapping[str, Any]) -> str:
    alertedits.add_details(alert, pairs(body.get("details")))
    return "Details added"


def _undetail(asker: Asker, alert: Alert, body: Mapping[str, Any]) -> str:
    names = text(body.get("keys")).split(",")
    alertedits.drop_details(alert, [name.strip() for name in names])
    return "Details removed"


def _reprioritise(asker: Asker, alert: Alert, body: Mapping[str, Any]) -> str:
    alertedits.regrade(alert=alert, severity=priority(body).lower())
    return f"Priority set to {priority(body)}"


def _rename(asker: Asker, alert: Alert, body: Mapping[str, Any]) -> str:
    alertedits.rename(alert, text(body.get("message")).strip()[:MESSAGE_MAX])
    return "Message updated"


def _describe(asker: Asker, alert: Alert, body: Mapping[str, Any]) -> str:
    alertedits.describe_anew(alert, cut(body, "description"))
    return "Description updated"


def _delete(asker: Asker, alert: Alert, body: Mapping[str, Any]) -> str:
    if alert.is_firing:
        alertacts.close(source=asker.source, key=alert.dedup_key)
    alertedits.hide(alert, by=cut(body, "user"))
    return "Alert deleted"


# ---- What a verb needs ----


def _nothing(asker: Asker, body: Mapping[str, Any]) -> None:
    """Every member may be missing, but those that there are must be of their kind."""
    for name in ("user", "source", "note"):
        cut(body, name)


def _needs(member: str, words: str) -> Callable[[Asker, Mapping[str, Any]], None]:
    def check(asker: Asker, body: Mapping[str, Any]) -> None:
        _nothing(asker, body)
        value = body.get(member)
        if not value or (isinstance(value, str) and not value.strip()):
            raise Unprocessable(**{member: f"{words} can not be empty."})
        if isinstance(value, dict) or (isinstance(value, list) and member != "tags"):
            raise Unprocessable(**{member: f"{words} must be a text."})

    return check


def _needs_named(member: str, words: str) -> Callable[[Asker, Mapping[str, Any]], None]:
    def check(asker: Asker, body: Mapping[str, Any]) -> None:
        _nothing(asker, body)
        if not _name_of(body.get(member)):
            raise Unprocessable(**{member: f"{words} needs an id, a name or a username."})

    return check


def _needs_moment(asker: Asker, body: Mapping[str, Any]) -> None:
    _nothing(asker, body)
    until = any_moment(body.get("endTime"))
    if until is None or until <= database_now():
        raise Unprocessable(endTime="End time must be a time that lies ahead.")


def _needs_priority(asker: Asker, body: Mapping[str, Any]) -> None:
    priority(body, default="?")


def _needs_details(asker: Asker, body: Mapping[str, Any]) -> None:
    if not pairs(body.get("details")):
        raise Unprocessable(details="Details can not be empty.")


def _name_of(value: Any) -> str:
    if isinstance(value, str):
        return text(value).strip()
    if not isinstance(value, dict):
        return ""
    found = (value.get(name) for name in ("name", "username", "id"))
    return next((text(one).strip() for one in found if one and isinstance(one, str | int)), "")


Check = Callable[[Asker, Mapping[str, Any]], None]
VERBS: Final[dict[str, tuple[Verb, str, Check]]] = {
    "acknowledge": (_acknowledge, "Acknowledge", _nothing),
    "unacknowledge": (_unacknowledge, "UnAcknowledge", _nothing),
    "close": (_close, "Close", _nothing),
    "notes": (_note, "AddNote", _needs("note", "Note")),
    "snooze": (_snooze, "Snooze", _needs_moment),
    "escalate": (_escalate, "EscalateToNext", _needs_named("escalation", "Escalation")),
    "assign": (_assign, "Assign", _needs_named("owner", "Owner")),
    "responders": (_add_responder, "AddResponder", _needs_named("responder", "Responder")),
    "teams": (_add_team, "AddTeam", _needs_named("team", "Team")),
    "tags": (_tag, "AddTags", _needs("tags", "Tags")),
    "details": (_detail, "AddDetails", _needs_details),
    "priority": (_reprioritise, "UpdatePriority", _needs_priority),
    "message": (_rename, "UpdateMessage", _needs("message", "Message")),
    "description": (_describe, "UpdateDescription", _needs("description", "Description")),
    "DELETE tags": (_untag, "RemoveTags", _needs("tags", "Tags")),
    "DELETE details": (_undetail, "RemoveDetails", _needs("keys", "Keys")),
    "DELETE": (_delete, "Delete", _nothing),
}
"""Each verb, the word for it in receipts, and what it needs."""
POSTED: Final = frozenset(
    {
        *("acknowledge", "unacknowledge", "close", "notes", "snooze", "escalate", "assign"),
        *("responders", "teams", "tags", "details"),
    }
)
PUT: Final = frozenset({"priority", "message", "description"})
