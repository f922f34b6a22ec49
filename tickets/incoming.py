"""What a monitor says, in the words of every product, and how it compares with what is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from tickets import states
from tickets.models import Alert, AlertSource
from tickets.priority import priority_of

FIRING, RESOLVED = Alert.State.FIRING.value, Alert.State.RESOLVED.value
Level = tuple[int, int]
LEVEL_UNKNOWN: Final[Level] = (3, 3)
LEVELS: Final[Mapping[str, Level]] = {
    "critical": (1, 1),
    "fatal": (1, 1),
    "emergency": (1, 1),
    "disaster": (1, 1),
    "p1": (1, 1),
    "high": (1, 2),
    "p2": (1, 2),
    "error": (2, 2),
    "major": (2, 2),
    "warning": (2, 2),
    "average": (2, 2),
    "p3": (2, 2),
    "minor": (2, 3),
    "p4": (2, 3),
    "info": (3, 3),
    "p5": (3, 3),
}
"""Impact and urgency of a ticket by what its monitor calls the alert."""
STRAGGLER: Final = timedelta(minutes=5)
"""How long after a resolution a word from before it may still arrive: a second instance of a
monitor, or a retry, is late by seconds; a monitor that insists for longer means it."""
SUMMARY_MAX: Final = 250
KEY_MAX: Final = 512


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
    description: str = ""
    tags: Sequence[str] = ()
    uid: UUID | None = None
    """The name that its sender has been given for it already."""
    level: Level | None = None
    """Impact and urgency, of a sender that knows them itself; else its severity says them."""
    is_loose: bool = False
    """Whatever it says, it repeats a firing alert of its key, whose words stand."""
    is_echo: bool = False
    """Nobody said it anew: it is looked at again, and counts for nothing."""


@dataclass(frozen=True)
class Outcome:
    """What became of one alert.

    `result` is opened, joined, repeated, changed, reopened, suppressed, cleared or ignored.
    """

    dedup_key: str
    result: str
    ticket_key: str = ""
    reason: str = ""
    row: Alert | None = field(default=None, compare=False, repr=False)
    folded_id: int | None = field(default=None, compare=False, repr=False)

    @property
    def alert_id(self) -> int | None:
        """The alert that it went into, once all is written; None for an unknown one."""
        return self.row.pk if self.row is not None else self.folded_id


def fitted(alert: IncomingAlert) -> IncomingAlert:
    """The alert with keys and summary that fit their columns; over-long keys stay distinct."""
    key = shortened(alert.dedup_key, KEY_MAX)
    return replace(
        alert,
        dedup_key=key,
        group_key=shortened(alert.group_key, 1000) or key,
        summary=(" ".join(alert.summary.split()) or "Alert")[:SUMMARY_MAX],
        severity=alert.severity.lower()[:50],
    )


def shortened(key: str, limit: int) -> str:
    """The key if it fits, else its beginning and a digest of all of it."""
    if len(key) <= limit:
        return key
    return f"{key[: limit - 65]}~{sha256(key.encode(errors='replace')).hexdigest()}"


def is_plain_repeat(row: Alert | None, alert: IncomingAlert) -> bool:
    """Whether the alert says only what is known already, of a ticket that is being worked on."""
    return (
        row is not None
        and row.state == FIRING == alert.state
        and row.ticket_status in states.OPEN  # type: ignore[attr-defined]
        and says_the_same(row, alert)
        and (alert.starts_at is None or alert.starts_at <= row.started_at)
    )


def level_of(severity: str) -> Level:
    """Impact and urgency for what a monitor calls an alert."""
    return LEVELS.get(severity.lower(), LEVEL_UNKNOWN)


def echo_of(row: Alert, state: str) -> IncomingAlert:
    """What is known of an alert, to be decided on anew."""
    return IncomingAlert(
        dedup_key=row.dedup_key,
        group_key=row.group_key,
        state=state,
        summary=row.summary,
        severity=row.severity,
        starts_at=row.started_at if state == FIRING else None,
        details={k: v for k, v in row.details.items() if k not in ("links", "description", "tags")},
        links=row.details.get("links", ()),
        description=row.details.get("description", ""),
        tags=row.details.get("tags", ()),
        is_echo=True,
    )


def urgency_of(level: Level) -> int:
    """The priority that a ticket of this level has by itself."""
    return priority_of(*level, override=None, floor=None)


def says_the_same(row: Alert, alert: IncomingAlert) -> bool:
    """Whether a firing alert's words have not changed."""
    return alert.is_loose or (row.summary, row.severity) == (alert.summary, alert.severity)


def is_of_earlier(alert: IncomingAlert, row: Alert) -> bool:
    """Whether a resolution speaks of an occurrence that ended before the present one began."""
    return (
        alert.starts_at is not None
        and alert.starts_at < row.started_at
        and (alert.ends_at is None or alert.ends_at <= row.started_at)
    )


def details_of(alert: IncomingAlert) -> dict[str, Any]:
    """Everything said of the alert that has no column of its own."""
    more: dict[str, Any] = {"links": list(alert.links)}
    if alert.description:
        more["description"] = alert.description
    if alert.tags:
        more["tags"] = list(alert.tags)
    return {**alert.details, **more}


def facts_of(alert: IncomingAlert, source: AlertSource) -> dict[str, Any]:
    """What conditions may ask of an alert, by name."""
    return {
        **details_of(alert),
        "summary": alert.summary,
        "severity": alert.severity,
        "key": alert.dedup_key,
        "group": alert.group_key,
        "source": source.slug,
    }


def describe(alert: IncomingAlert, source: AlertSource) -> str:
    """The alert in words that can be read without its monitor."""
    lines = [f"{source.name} reports: {alert.summary}", ""]
    if alert.description:
        lines += [alert.description, ""]
    for title in ("annotations", "labels", "details"):
        pairs = alert.details.get(title)
        if isinstance(pairs, Mapping) and pairs:
            lines += [f"{title.capitalize()}:", *(f"  {k}: {v}" for k, v in pairs.items()), ""]
    return "\n".join([*lines, *alert.links]).strip()[:20_000]
