"""Reads what is sent to PagerDuty: Events API v2 and v1, and change events; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from api.intake.reading import NotUnderstood, any_moment, links, object_of, plain, text
from tickets.incoming import FIRING, IncomingAlert

ACTIONS: Final = ("trigger", "acknowledge", "resolve")
SEVERITIES: Final = ("critical", "error", "warning", "info")
KEY_MAX: Final = 255
SUMMARY_MAX: Final = 1024
OWN: Final = ("source", "component", "group", "class")


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event: what to do, with which alert; `alert` is None unless it is a trigger."""

    key: str
    action: str
    dedup_key: str
    alert: IncomingAlert | None = None


@dataclass(frozen=True, kw_only=True)
class ChangeEvent:
    """One change that a sender tells of."""

    key: str
    summary: str
    origin: str
    at: datetime | None
    details: Mapping[str, Any]
    links: tuple[str, ...]


def parse(payload: Any, *, key: str = "", new_key: str = "") -> Event:
    """An event of version 2; `new_key` is the dedup key of a trigger that has none.

    A key in the address stands for the routing key. Raises NotUnderstood with each thing that is
    wrong, in the words of the product.
    """
    event = _event(payload)
    errors: list[str] = []
    routing_key = key or _needed(event, "routing_key", errors)
    action = _needed(event, "event_action", errors).lower()
    if action and action not in ACTIONS:
        errors.append(f"'event_action' is invalid (must be one of the following: {_or(ACTIONS)})")
    dedup_key = _dedup_key(event.get("dedup_key"), action, "dedup_key", errors) or new_key
    body = event.get("payload")
    alert = None
    if action == "trigger":
        alert = _triggered(event, body, dedup_key, errors)
    if errors:
        raise NotUnderstood(*errors)
    return Event(key=routing_key, action=action, dedup_key=dedup_key, alert=alert)


def parse_v1(payload: Any, *, new_key: str = "") -> Event:
    """An event of version 1. Raises NotUnderstood."""
    event = _event(payload)
    errors: list[str] = []
    service_key = _needed(event, "service_key", errors)
    action = _needed(event, "event_type", errors).lower()
    if action and action not in ACTIONS:
        errors.append(f"Event type is invalid (must be one of the following: {_or(ACTIONS)})")
    dedup_key = _dedup_key(event.get("incident_key"), action, "incident_key", errors) or new_key
    alert = None
    if action == "trigger":
        summary = _needed(event, "description", errors)
        alert = IncomingAlert(
            dedup_key=dedup_key,
            group_key="",
            state=FIRING,
            summary=summary[:SUMMARY_MAX],
            severity=_v1_severity(event.get("details")),
            details=_details({"details": event.get("details"), "client": event.get("client")}),
            links=links([event.get("client_url"), *_hrefs(event.get("contexts"))]),
        )
    if errors:
        raise NotUnderstood(*errors)
    return Event(key=service_key, action=action, dedup_key=dedup_key, alert=alert)


def parse_change(payload: Any) -> ChangeEvent:
    """A change event. Raises NotUnderstood."""
    event = _event(payload)
    errors: list[str] = []
    routing_key = _needed(event, "routing_key", errors)
    body = event.get("payload")
    if not isinstance(body, dict):
        raise NotUnderstood(*errors, "'payload' is missing or blank")
    summary = _needed(body, "summary", errors, "payload.")
    if errors:
        raise NotUnderstood(*errors)
    return ChangeEvent(
        key=routing_key,
        summary=summary[:SUMMARY_MAX],
        origin=text(body.get("source"))[:255],
        at=any_moment(body.get("timestamp")),
        details=_details({"details": body.get("custom_details")}),
        links=links([*_hrefs(event.get("links")), *_hrefs(event.get("images"))]),
    )


def _event(payload: Any) -> Mapping[str, Any]:
    return object_of(payload, "The event")


def _triggered(
    event: Mapping[str, Any], body: Any, dedup_key: str, errors: list[str]
) -> IncomingAlert | None:
    if not isinstance(body, dict):
        errors.append("'payload' is missing or blank")
        return None
    summary = _needed(body, "summary", errors, "payload.")
    origin = _needed(body, "source", errors, "payload.")
    severity = _needed(body, "severity", errors, "payload.").lower()
    if severity and severity not in SEVERITIES:
        words = _or(SEVERITIES)
        errors.append(f"'payload.severity' is invalid (must be one of the following: {words})")
    more = {name: body.get(name) for name in OWN if name != "source"}
    return IncomingAlert(
        dedup_key=dedup_key,
        group_key="",
        state=FIRING,
        summary=summary[:SUMMARY_MAX],
        severity=severity,
        details=_details(
            {
                "source": origin,
                **more,
                "details": body.get("custom_details"),
                "client": event.get("client"),
                "timestamp": body.get("timestamp"),
                "images": event.get("images"),
            }
        ),
        links=links([*_hrefs(event.get("links")), event.get("client_url")]),
    )


def _needed(values: Mapping[str, Any], name: str, errors: list[str], place: str = "") -> str:
    value = values.get(name)
    if value is None or value == "":
        errors.append(f"'{place}{name}' is missing or blank")
    elif not isinstance(value, str):
        errors.append(f"'{place}{name}' is invalid (must be a string)")
    elif not value.strip():
        errors.append(f"'{place}{name}' is missing or blank")
    else:
        return text(value)
    return ""


def _dedup_key(value: Any, action: str, name: str, errors: list[str]) -> str:
    if value is not None and not isinstance(value, str | int):
        errors.append(f"'{name}' is invalid (must be a string)")
        return ""
    key = text(value)
    if len(key) > KEY_MAX:
        errors.append(f"'{name}' is invalid (must be at most {KEY_MAX} characters)")
    if not key and action in ("acknowledge", "resolve"):
        errors.append(f"'{name}' is missing or blank")
    return key


def _details(found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: plain(value) for name, value in found.items() if value not in (None, "", [], {})}


def _hrefs(found: Any) -> list[Any]:
    listed = found if isinstance(found, list) else []
    return [item.get("href") or item.get("src") for item in listed if isinstance(item, dict)]


def _v1_severity(details: Any) -> str:
    said = details.get("severity") if isinstance(details, dict) else None
    severity = text(said).lower()
    return severity if severity in SEVERITIES else "error"


def _or(words: tuple[str, ...]) -> str:
    quoted = [f"'{word}'" for word in words]
    return f"{', '.join(quoted[:-1])} or {quoted[-1]}"
