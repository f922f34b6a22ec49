"""Reads the webhook of Prometheus Alertmanager, version 4, which Grafana sends too; pure."""

from collections.abc import Mapping
from typing import Any, Final

from api.intake.reading import NotUnderstood, digest, links, moment, object_of, plain, text, texts
from tickets.incoming import IncomingAlert

OWN: Final = ("status", "startsAt", "endsAt", "fingerprint", "labels", "annotations")
LINKS: Final = ("silenceURL", "dashboardURL", "panelURL", "imageURL")
"""Links that Grafana adds to each alert."""

__all__ = ["NotUnderstood", "parse"]


def parse(payload: Any) -> list[IncomingAlert]:
    """The alerts of one webhook, in order.

    Missing and null optional members count as empty; unknown ones are kept in the details. The
    group is known by `groupKey`, an alert by its fingerprint. Raises NotUnderstood.
    """
    whole = object_of(payload)
    alerts = whole.get("alerts")
    if not isinstance(alerts, list):
        raise NotUnderstood("`alerts` must be a list.")
    return [_read(alert, whole, f"alerts[{number}]") for number, alert in enumerate(alerts)]


def _read(alert: Any, payload: Mapping[str, Any], place: str) -> IncomingAlert:
    if not isinstance(alert, dict):
        raise NotUnderstood(f"`{place}` must be an object.")
    labels = texts(alert.get("labels"), f"{place}.labels")
    annotations = texts(alert.get("annotations"), f"{place}.annotations")
    state = alert.get("status") or payload.get("status")
    if state not in ("firing", "resolved"):
        raise NotUnderstood(f"`{place}.status` must be firing or resolved.")
    return IncomingAlert(
        dedup_key=text(alert.get("fingerprint")) or digest(labels),
        group_key=text(payload.get("groupKey")),
        state=state,
        summary=_summary(labels, annotations),
        severity=labels.get("severity", ""),
        starts_at=moment(alert.get("startsAt"), f"{place}.startsAt"),
        ends_at=moment(alert.get("endsAt"), f"{place}.endsAt") if state == "resolved" else None,
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
    more = {text(name): plain(item) for name, item in alert.items() if name not in OWN and item}
    details: dict[str, Any] = {"labels": labels, "annotations": annotations, **more}
    if receiver := text(payload.get("receiver")):
        details["receiver"] = receiver
    return details


def _links(
    alert: Mapping[str, Any], payload: Mapping[str, Any], annotations: Mapping[str, str]
) -> tuple[str, ...]:
    found = [annotations.get("runbook_url"), alert.get("generatorURL"), payload.get("externalURL")]
    return links([*found, *(alert.get(name) for name in LINKS)])
