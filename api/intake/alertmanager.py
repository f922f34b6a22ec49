"""Reads the webhook of Prometheus Alertmanager, version 4; pure."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlsplit

from tickets.incoming import IncomingAlert

NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Go's zero time, 0001-01-01, means "none"; nothing before this can be meant."""
FAR: Final = datetime(9000, 1, 1, tzinfo=UTC)
DOUBLE_ZONE: Final = re.compile(r"([+-]\d\d:?\d\d)Z$")
DEPTH_MAX: Final = 12
OWN: Final = ("status", "startsAt", "endsAt", "fingerprint", "labels", "annotations")


class NotUnderstood(ValueError):
    """The body is JSON, but no webhook of Alertmanager; says why."""


def parse(payload: Any) -> list[IncomingAlert]:
    """The alerts of one webhook, in order.

    Missing and null optional members count as empty; unknown ones are kept in the details. The
    group is known by `groupKey`, an alert by its fingerprint. Raises NotUnderstood.
    """
    if not isinstance(payload, dict):
        raise NotUnderstood("The body must be a JSON object.")
    alerts = payload.get("alerts")
    if not isinstance(alerts, list):
        raise NotUnderstood("`alerts` must be a list.")
    return [_read(alert, payload, f"alerts[{number}]") for number, alert in enumerate(alerts)]


def _read(alert: Any, payload: Mapping[str, Any], place: str) -> IncomingAlert:
    if not isinstance(alert, dict):
        raise NotUnderstood(f"`{place}` must be an object.")
    labels = _texts(alert.get("labels"), f"{place}.labels")
    annotations = _texts(alert.get("annotations"), f"{place}.annotations")
    state = alert.get("status") or payload.get("status")
    if state not in ("firing", "resolved"):
        raise NotUnderstood(f"`{place}.status` must be firing or resolved.")
    return IncomingAlert(
        dedup_key=_text(alert.get("fingerprint")) or _fingerprint(labels),
        group_key=_text(payload.get("groupKey")),
        state=state,
        summary=_summary(labels, annotations),
        severity=labels.get("severity", ""),
        starts_at=_moment(alert.get("startsAt"), f"{place}.startsAt"),
        ends_at=_moment(alert.get("endsAt"), f"{place}.endsAt") if state == "resolved" else None,
        details=_details(alert, payload, labels, annotations),
        links=_links(alert, payload, annotations),
    )


def _summary(labels: Mapping[str, str], annotations: Mapping[str, str]) -> str:
    """What a person would call it: the summary, else the description, else name and place."""
    for name in ("summary", "title", "message", "description"):
        if annotations.get(name, "").strip():
            return annotations[name].strip()
    name, where = labels.get("alertname", "Alert"), labels.get("instance", "")
    return f"{name} on {where}" if where else name


def _details(
    alert: Mapping[str, Any],
    payload: Mapping[str, Any],
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
) -> dict[str, Any]:
    more = {name: _plain(value) for name, value in alert.items() if name not in OWN and value}
    details: dict[str, Any] = {"labels": labels, "annotations": annotations, **more}
    if receiver := _text(payload.get("receiver")):
        details["receiver"] = receiver
    return details


def _links(
    alert: Mapping[str, Any], payload: Mapping[str, Any], annotations: Mapping[str, str]
) -> tuple[str, ...]:
    found = [annotations.get("runbook_url"), alert.get("generatorURL"), payload.get("externalURL")]
    return tuple(link for link in map(_text, found) if _is_link(link))


def _is_link(text: str) -> bool:
    try:
        return urlsplit(text).scheme in ("http", "https")
    except ValueError:
        return False


def _texts(value: Any, place: str) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise NotUnderstood(f"`{place}` must be an object.")
    return {_text(name): _text(item) for name, item in value.items()}


def _text(value: Any) -> str:
    """The value as text that PostgreSQL can keep; "" for nothing."""
    if value is None:
        return ""
    return (value if isinstance(value, str) else str(value)).replace("\x00", "\ufffd")


def _plain(value: Any, depth: int = 0) -> Any:
    """Any JSON value without what PostgreSQL cannot keep, and not endlessly deep."""
    if depth > DEPTH_MAX:
        return "…"
    if isinstance(value, dict):
        return {_text(name): _plain(item, depth + 1) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, depth + 1) for item in value]
    return _text(value) if isinstance(value, str) else value


def _moment(value: Any, place: str) -> datetime | None:
    """The instant; None for none and for Go's zero time; without a zone it is UTC."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise NotUnderstood(f"`{place}` must be a time in ISO 8601.")
    try:
        moment = datetime.fromisoformat(DOUBLE_ZONE.sub(r"\1", value.strip().upper()))
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        return None
    except ValueError:
        raise NotUnderstood(f"`{place}` must be a time in ISO 8601.") from None
    return moment if NEVER < moment < FAR else None


def _fingerprint(labels: Mapping[str, str]) -> str:
    """A name for an alert that came without one: the same labels, the same alert."""
    text = "\x1f".join(f"{name}={labels[name]}" for name in sorted(labels))
    return sha256(text.encode()).hexdigest()[:16]
