"""What other systems are told of an event: its type, its body, and the forms of other products."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings

from notifications.models import Hook
from notifications.outbox import Letter
from notifications.subscriptions import KIND, subscribes
from notifications.webhooks import CHANNEL
from roles.models import Person
from tickets.models import EventKind, Ticket, TimelineEvent
from tickets.timeline import instant_text

PAGERDUTY: Final[Mapping[str, str]] = {
    EventKind.OPENED: "incident.triggered",
    EventKind.ACKNOWLEDGED: "incident.acknowledged",
    EventKind.UNACKNOWLEDGED: "incident.unacknowledged",
    EventKind.ESCALATED: "incident.escalated",
    EventKind.TAKEN: "incident.reassigned",
    EventKind.ASSIGNED: "incident.reassigned",
    EventKind.MOVED: "incident.delegated",
    EventKind.COMMENTED: "incident.annotated",
    EventKind.PRIORITISED: "incident.priority_updated",
    EventKind.RESOLVED: "incident.resolved",
    EventKind.REOPENED: "incident.reopened",
    EventKind.INVOLVED: "incident.responder.added",
}
OPSGENIE: Final[Mapping[str, str]] = {
    EventKind.OPENED: "Create",
    EventKind.ACKNOWLEDGED: "Acknowledge",
    EventKind.UNACKNOWLEDGED: "UnAcknowledge",
    EventKind.COMMENTED: "AddNote",
    EventKind.TAKEN: "AssignOwnership",
    EventKind.ASSIGNED: "AssignOwnership",
    EventKind.ESCALATED: "Escalate",
    EventKind.RESOLVED: "Close",
    EventKind.CLOSED: "Close",
}


@dataclass(frozen=True, slots=True)
class Body:
    """One event as it is told: `event` is the row, `data` what stands in every form."""

    event: TimelineEvent
    data: Mapping[str, Any]

    @property
    def type(self) -> str:
        """The name that subscriptions choose by."""
        return type_of(self.event.kind)


def type_of(kind: str) -> str:
    """The type of an event of this kind, such as ticket.resolved."""
    return f"ticket.{kind}"


def bodies_of(events: Sequence[TimelineEvent]) -> Iterator[Body]:
    """The events as they are told; one query for the names of those who acted."""
    ids = {event.actor_id for event in events if event.actor_id}
    names = dict(Person.objects.filter(pk__in=ids).values_list("pk", "username")) if ids else {}
    for event in events:
        yield Body(event, _data(event, names))


def standard(body: Body) -> dict[str, Any]:
    """The body after the Standard Webhooks rules."""
    at = instant_text(body.event.at)
    return {"type": body.type, "timestamp": at, "data": dict(body.data)}


def letters_for(body: Body, hooks: Sequence[Hook]) -> list[Letter]:
    """One letter to each hook that wants it, in the form that it asks for."""
    ticket = body.event.ticket
    found = []
    for hook in hooks:
        if not subscribes(hook, body.type, facts_of(ticket)):
            continue
        shaped = _shaped(hook, body)
        if shaped is not None:
            found.append(
                Letter(
                    topic=ticket.topic,
                    cause=f"feed:{body.event.pk}",
                    recipient_id=hook.account_id,
                    kind=KIND,
                    channel=CHANNEL,
                    subject=f"{body.type} {ticket.key}",
                    body="",
                    priority=5,
                    data={"event": shaped, "shape": hook.shape},
                )
            )
    return found


def facts_of(ticket: Ticket) -> dict[str, Any]:
    """What subscriptions can be narrowed by."""
    return {
        "team": ticket.team.slug if ticket.team else None,
        "service": ticket.service.slug if ticket.service else None,
        "category": ticket.category.slug if ticket.category else None,
        "priority": ticket.priority,
        "kind": ticket.kind,
    }


def _data(event: TimelineEvent, names: Mapping[int, str]) -> dict[str, Any]:
    ticket, body = event.ticket, getattr(event, "body", None)
    return {
        "ticket": {
            "key": ticket.key,
            "url": f"{settings.PUBLIC_URL}/tickets/{ticket.key}",
            "subject": ticket.subject,
            "status": ticket.status,
            "impact": ticket.impact,
            "urgency": ticket.urgency,
            "tier": ticket.team.tier.slug if ticket.team else None,
            "assignee": ticket.assignee.username if ticket.assignee else None,
            "requester": ticket.requester.username,
            "opened_at": instant_text(ticket.opened_at),
            **facts_of(ticket),
        },
        "event": {
            "seq": event.seq,
            "kind": event.kind,
            "at": instant_text(event.at),
            "actor": names.get(event.actor_id or 0),
            "public": event.is_public,
            "text": body.text if body else "",
        },
    }


def _shaped(hook: Hook, body: Body) -> dict[str, Any] | None:
    """The body in the hook's form; None where that form has no word for the event."""
    if hook.shape == Hook.Shape.PAGERDUTY:
        return _pagerduty(body)
    return _opsgenie(body, hook) if hook.shape == Hook.Shape.OPSGENIE else standard(body)


def _pagerduty(body: Body) -> dict[str, Any] | None:
    """A V3 webhook of PagerDuty."""
    name = PAGERDUTY.get(body.event.kind)
    if name is None:
        return None
    told = body.data["ticket"]
    states = {"resolved": "resolved", "closed": "resolved", "cancelled": "resolved"}
    status = states.get(told["status"], "acknowledged" if told["assignee"] else "triggered")
    incident = {
        "id": told["key"],
        "type": "incident",
        "self": f"{settings.PUBLIC_URL}/api/v1/tickets/{told['key']}/",
        "html_url": told["url"],
        "number": int(told["key"].rpartition("-")[2]),
        "status": status,
        "incident_key": told["key"],
        "created_at": told["opened_at"],
        "title": told["subject"],
        "urgency": "high" if told["priority"] <= 2 else "low",
        "priority": {"id": f"P{told['priority']}", "summary": f"P{told['priority']}"},
        "service": _named("service_reference", told["service"]),
        "assignees": [_named("user_reference", told["assignee"])] if told["assignee"] else [],
        "teams": [_named("team_reference", told["team"])] if told["team"] else [],
    }
    return {
        "event": {
            "id": body.event.hash[:26].upper(),
            "event_type": name,
            "resource_type": "incident",
            "occurred_at": instant_text(body.event.at),
            "agent": _named("user_reference", body.data["event"]["actor"]),
            "client": {"name": "Tierline"},
            "data": incident,
        }
    }


def _named(kind: str, name: str | None) -> dict[str, str] | None:
    return {"id": name, "type": kind, "summary": name} if name else None


def _opsgenie(body: Body, hook: Hook) -> dict[str, Any] | None:
    """A webhook of Opsgenie's integrations."""
    action = OPSGENIE.get(body.event.kind)
    if action is None:
        return None
    told, event = body.data["ticket"], body.data["event"]
    ticket = body.event.ticket
    alert = {
        "alertId": told["key"],
        "tinyId": told["key"].rpartition("-")[2].lstrip("0"),
        "alias": told["key"],
        "message": told["subject"][:130],
        "tags": list(ticket.tags),
        "teams": [told["team"]] if told["team"] else [],
        "recipients": [told["assignee"]] if told["assignee"] else [],
        "username": event["actor"] or "System",
        "userId": event["actor"] or "",
        "entity": ticket.asset,
        "source": "Tierline",
        "priority": f"P{told['priority']}",
        "createdAt": int(ticket.opened_at.timestamp() * 1000),
        "updatedAt": int(body.event.at.timestamp() * 1_000_000) * 1000,
        **({"note": event["text"]} if action == "AddNote" else {}),
    }
    return {
        "action": action,
        "alert": alert,
        "source": {"name": event["actor"] or "", "type": "web"},
        "integrationId": hook.slug,
        "integrationName": hook.name,
    }
