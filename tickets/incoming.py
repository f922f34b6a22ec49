"""What a monitor says, in the words of every product, and how it compares with what is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from tickets import states
from tickets.models import Alert, AlertSource

FIRING, RESOLVED = Alert.State.FIRING.value, Alert.State.RESOLVED.value
LEVELS: Final = {"critical": 1, "error": 2, "warning": 2, "info": 3}
LEVEL_UNKNOWN: Final = 3
STRAGGLER: Final = timedelta(minutes=5)
"""How long after a resolution a word from before it may still arrive: a second instance of a
monitor, or a retry, is late by seconds; a monitor that insists for longer means it."""


@dataclass(frozen=True, kw_only=True)
class IncomingAlert:
    """One alert as a monitor tells it, in the words of every product."""

    dedup_key: str
    group_key: str
    state: str
    summary: str
    severity: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    links: Sequence[str] = ()


@dataclass(frozen=True)
class Outcome:
    """What became of one alert: opened, joined, repeated, changed, reopened, cleared or ignored."""

    dedup_key: str
    result: str
    ticket_key: str = ""
    reason: str = ""


def fitted(alert: IncomingAlert) -> IncomingAlert:
    """The alert with keys and summary that fit their columns; over-long keys stay distinct."""
    key = _short(alert.dedup_key, 512)
    return replace(
        alert,
        dedup_key=key,
        group_key=_short(alert.group_key, 1000) or key,
        summary=(" ".join(alert.summary.split()) or "Alert")[:250],
        severity=alert.severity.lower()[:50],
    )


def _short(key: str, limit: int) -> str:
    if len(key) <= limit:
        return key
    return f"{key[: limit - 65]}~{sha256(key.encode()).hexdigest()}"


def is_plain_repeat(row: Alert | None, alert: IncomingAlert) -> bool:
    """Whether the alert says only what is known already, of a ticket that is being worked on."""
    return (
        row is not None
        and row.state == FIRING == alert.state
        and row.ticket_status in states.OPEN  # type: ignore[attr-defined]
        and says_the_same(row, alert)
        and (alert.starts_at is None or alert.starts_at <= row.started_at)
    )


def severity_of(row: Alert) -> str:
    """How grave the monitor called it last; "" when it did not say."""
    return str(row.details.get("severity", ""))


def says_the_same(row: Alert, alert: IncomingAlert) -> bool:
    """Whether a firing alert's words have not changed."""
    return (row.summary, severity_of(row)) == (alert.summary, alert.severity)


def is_of_earlier(alert: IncomingAlert, row: Alert) -> bool:
    """Whether a resolution speaks of an occurrence that ended before the present one began."""
    return (
        alert.starts_at is not None
        and alert.starts_at < row.started_at
        and (alert.ends_at is None or alert.ends_at <= row.started_at)
    )


def details_of(alert: IncomingAlert) -> dict[str, Any]:
    """Everything said of the alert that has no column of its own."""
    return {**alert.details, "severity": alert.severity, "links": list(alert.links)}


def describe(alert: IncomingAlert, source: AlertSource) -> str:
    """The alert in words that can be read without its monitor."""
    lines = [f"{source.name} reports: {alert.summary}", ""]
    for title in ("annotations", "labels"):
        pairs = alert.details.get(title)
        if isinstance(pairs, Mapping) and pairs:
            lines += [f"{title.capitalize()}:", *(f"  {k}: {v}" for k, v in pairs.items()), ""]
    return "\n".join([*lines, *alert.links]).strip()[:20_000]
