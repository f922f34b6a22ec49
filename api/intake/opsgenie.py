"""Reads what is sent to Opsgenie's Alert API, cut to its limits, and writes alerts as it does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from api.intake.reading import plain, text
from tickets.incoming import FIRING, IncomingAlert
from tickets.models import Alert

PRIORITIES: Final = ("P1", "P2", "P3", "P4", "P5")
BY_SEVERITY: Final = {"critical": "P1", "error": "P2", "warning": "P3", "info": "P5"}
MESSAGE_MAX: Final = 130
ALIAS_MAX: Final = 512
COUNT_MAX: Final = 100
SOURCE_MAX: Final = 100
LIMITS: Final[dict[str, Any]] = {
    "description": 15_000,
    "entity": 512,
    "source": SOURCE_MAX,
    "user": 100,
    "note": 25_000,
    "tags": (20, 50),
    "actions": (10, 50),
}
"""How much of each member is kept: characters, or a number and characters of each."""


class Unprocessable(ValueError):
    """The body is JSON, but some of its members will not do; `errors` says which and why."""

    def __init__(self, **errors: str) -> None:
        super().__init__("Request body is not processable. Please check the errors.")
        self.errors = errors


@dataclass(frozen=True, kw_only=True)
class Creation:
    """An alert to be created, and the note that comes with it."""

    alert: IncomingAlert
    note: str
    by: str


def parse_create(payload: Any, *, uid: UUID, address: str = "") -> Creation:
    """What a create request says; without an alias the alert's own id is its alias.

    Over-long values are cut, null and missing ones are none. Raises Unprocessable.
    """
    if not isinstance(payload, dict):
        raise Unprocessable(body="Request body must be a JSON object.")
    body: Mapping[str, Any] = payload
    message = body.get("message")
    if message is not None and not isinstance(message, str | int | float):
        raise Unprocessable(message="Message must be a text.")
    if not text(message).strip():
        raise Unprocessable(message="Message can not be empty.")
    details: dict[str, Any] = {
        "source": cut(body, "source") or address[:SOURCE_MAX],
        "entity": cut(body, "entity"),
        "user": cut(body, "user"),
        "actions": listed(body, "actions"),
        "details": pairs(body.get("details")),
        "responders": responders(body),
        "visibleTo": _people(body.get("visibleTo")),
    }
    return Creation(
        alert=IncomingAlert(
            dedup_key=text(body.get("alias"))[:ALIAS_MAX] or str(uid),
            group_key="",
            state=FIRING,
            summary=text(message).strip()[:MESSAGE_MAX],
            severity=priority(body).lower(),
            details={name: value for name, value in details.items() if value},
            description=cut(body, "description"),
            tags=listed(body, "tags"),
            uid=uid,
            is_loose=True,
        ),
        note=cut(body, "note"),
        by=cut(body, "user"),
    )


def priority(body: Mapping[str, Any], default: str = "P3") -> str:
    """P1 to P5. Raises Unprocessable for anything else."""
    found = text(body.get("priority")).upper() or default
    if found not in PRIORITIES:
        raise Unprocessable(priority="Priority must be one of P1, P2, P3, P4, P5.")
    return found


def cut(body: Mapping[str, Any], name: str) -> str:
    """A text member within its limit; "" for nothing. Raises Unprocessable for another kind."""
    value = body.get(name)
    if isinstance(value, dict | list):
        raise Unprocessable(**{name: f"{name} must be a text."})
    return text(value)[: LIMITS[name]]


def listed(body: Mapping[str, Any], name: str) -> list[str]:
    """A list of texts within its limits, each once. Raises Unprocessable for another kind."""
    value = body.get(name)
    if value is None or value == "":
        return []
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, list):
        raise Unprocessable(**{name: f"{name} must be a list of texts."})
    most, longest = LIMITS[name]
    found = (text(item).strip()[:longest] for item in items if not isinstance(item, dict | list))
    return list(dict.fromkeys(item for item in found if item))[:most]


def pairs(value: Any) -> dict[str, str]:
    """Details as texts, all together within the limit. Raises Unprocessable for another kind."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Unprocessable(details="details must be an object of texts.")
    limit, kept = 8000, {}
    for name, item in value.items():
        words = text(item) if not isinstance(item, dict | list) else str(plain(item))
        limit -= len(name) + len(words)
        if limit < 0:
            break
        kept[text(name)] = words
    return kept


def responders(body: Mapping[str, Any]) -> list[dict[str, str]]:
    """Whom the sender wants told, in the newest form, whichever it used."""
    found = _people(body.get("responders"))
    found += [{**one, "type": "team"} for one in _people(body.get("teams"))]
    found += [{**one, "type": one.get("type") or "user"} for one in _people(body.get("recipients"))]
    return found[:50]


def _people(value: Any) -> list[dict[str, str]]:
    items = value if isinstance(value, list) else []
    found = []
    for item in items:
        if isinstance(item, str):
            found.append({"name": text(item)[:250]})
        elif isinstance(item, dict):
            names = ("type", "id", "name", "username")
            kept = {name: text(item[name])[:250] for name in names if item.get(name)}
            found += [kept] if kept else []
    return found[:50]


# ---- As alerts are told ----


def stamp(at: datetime | None) -> str | None:
    """The instant in UTC with milliseconds and Z, as the product writes it."""
    if at is None:
        return None
    return f"{at.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%S')}.{at.microsecond // 1000:03d}Z"


def priority_of(alert: Alert) -> str:
    """The alert's priority in the product's words."""
    said = alert.severity.upper()
    return said if said in PRIORITIES else BY_SEVERITY.get(alert.severity, "P3")


def tags_of(alert: Alert) -> list[str]:
    return [str(tag) for tag in alert.details.get("tags", ())]


def owner_of(alert: Alert) -> str:
    """Who has it: the ticket's assignee, else who acknowledged, else whom the sender named."""
    ticket = alert.ticket
    if ticket is not None:
        person = ticket.assignee or ticket.acknowledged_by
        if person is not None:
            return person.email or person.username
    return str(alert.marks.get("owner", ""))


def told(alert: Alert, *, whole: bool = False) -> dict[str, Any]:
    """The alert as lists tell it; `whole` with what only a single alert's answer has."""
    snoozed_until = alert.marks.get("snoozed_until")
    body = {
        "id": str(alert.uid),
        "tinyId": str(alert.pk),
        "alias": alert.dedup_key,
        "message": alert.summary,
        "status": "open" if alert.is_firing else "closed",
        "acknowledged": alert.is_firing and alert.is_acknowledged,
        "isSeen": alert.is_acknowledged,
        "tags": tags_of(alert),
        "snoozed": bool(snoozed_until) and alert.is_firing,
        **({"snoozedUntil": snoozed_until} if snoozed_until else {}),
        "count": min(alert.count, COUNT_MAX),
        "lastOccurredAt": stamp(alert.last_seen_at),
        "createdAt": stamp(alert.first_seen_at),
        "updatedAt": stamp(alert.ended_at or alert.last_seen_at),
        "source": alert.details.get("source", ""),
        "owner": owner_of(alert),
        "priority": priority_of(alert),
        "responders": _responders_told(alert),
        "teams": _teams_told(alert),
        "integration": _integration(alert),
        "report": _report(alert),
        "ownerTeamId": "",
    }
    if whole:
        body |= {
            "actions": alert.details.get("actions", []),
            "entity": alert.details.get("entity", ""),
            "description": alert.details.get("description", ""),
            "details": alert.details.get("details", {}),
        }
    return body


def _responders_told(alert: Alert) -> list[dict[str, str]]:
    ticket = alert.ticket
    team = ticket.team if ticket is not None else None
    return [{"type": "team", "id": str(team.pk)}] if team is not None else []


def _teams_told(alert: Alert) -> Sequence[Mapping[str, str]]:
    return [{"id": one["id"]} for one in _responders_told(alert)]


def _integration(alert: Alert) -> dict[str, str]:
    source = alert.source
    return {"id": str(source.pk), "name": source.name, "type": "API"}


def _report(alert: Alert) -> dict[str, Any]:
    ticket = alert.ticket
    found: dict[str, Any] = {}
    if ticket is not None and ticket.acknowledged_at is not None:
        found["ackTime"] = _ms(ticket.acknowledged_at, alert.first_seen_at)
        by = ticket.acknowledged_by
        found["acknowledgedBy"] = (by.email or by.username) if by is not None else ""
    if alert.ended_at is not None:
        found["closeTime"] = _ms(alert.ended_at, alert.first_seen_at)
        found["closedBy"] = alert.marks.get("closed_by", "") or alert.source.name
    return found


def _ms(later: datetime, earlier: datetime) -> int:
    return max(0, int((later - earlier).total_seconds() * 1000))
