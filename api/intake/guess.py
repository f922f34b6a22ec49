"""Reads any JSON object as an alert, by the names that monitors commonly use; pure."""

from collections.abc import Mapping
from typing import Any, Final

from api.intake.reading import NotUnderstood, any_moment, digest, first_of, links, plain, text
from tickets.incoming import FIRING, RESOLVED, IncomingAlert

KEYS: Final = (
    *("dedup_key", "alias", "incident_key", "fingerprint", "alert_id", "alertId", "incident_id"),
    *("problem_id", "problemId", "ProblemID", "event_id", "eventId", "key", "id", "ruleId"),
)
SUMMARIES: Final = (
    *("summary", "title", "message", "subject", "alert_name", "alertname", "ruleName", "name"),
    *("alarm", "description", "text", "info"),
)
SEVERITIES: Final = ("severity", "priority", "level", "alert_level", "criticality")
STATES: Final = ("state", "status", "event_action", "event_type", "action", "alert_state")
DESCRIPTIONS: Final = ("description", "details", "body", "text", "message")
OVER: Final = frozenset(
    {
        *("ok", "okay", "resolved", "resolve", "closed", "close", "clear", "cleared", "recovery"),
        *("recovered", "normal", "up", "success", "solved", "inactive", "ended", "done", "green"),
    }
)
SAID_OTHERWISE: Final[Mapping[str, str]] = {
    "crit": "critical",
    "emerg": "critical",
    "alert": "critical",
    "alerting": "error",
    "err": "error",
    "warn": "warning",
    "urgent": "critical",
    "normal": "info",
    "information": "info",
    "informational": "info",
    "notice": "info",
    "low": "p4",
    "medium": "p3",
}
LINKS: Final = ("url", "link", "client_url", "ruleUrl", "alert_url", "event_url", "href")


def guess(payload: Any) -> list[IncomingAlert]:
    """The alert, or alerts when the payload is a list of objects. Raises NotUnderstood."""
    if isinstance(payload, list):
        return [one for item in payload for one in guess(item)]
    if not isinstance(payload, dict):
        raise NotUnderstood("The body must be a JSON object, or a list of them.")
    summary = first_of(payload, SUMMARIES)
    if not summary:
        raise NotUnderstood("Nothing in the body says what is wrong, such as `summary`.")
    state = RESOLVED if first_of(payload, STATES).lower() in OVER else FIRING
    return [
        IncomingAlert(
            dedup_key=first_of(payload, KEYS) or digest({"summary": summary}),
            group_key="",
            state=state,
            summary=summary,
            severity=severity(first_of(payload, SEVERITIES)),
            starts_at=any_moment(payload.get("starts_at") or payload.get("timestamp")),
            details={text(name): plain(value) for name, value in payload.items()},
            links=links(payload.get(name) for name in LINKS),
            description=_description(payload, summary),
        )
    ]


def severity(said: str) -> str:
    """A severity in the words that we know, where it is one of the common others."""
    return SAID_OTHERWISE.get(said.lower(), said)


def _description(payload: Mapping[str, Any], summary: str) -> str:
    texts = (payload.get(name) for name in DESCRIPTIONS)
    found = next((one for one in texts if isinstance(one, str) and one.strip() != summary), "")
    return text(found)[:15_000]
