"""Reads CloudEvents 1.0 over HTTP: structured, binary and batched; pure."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

from api.intake.guess import KEYS, OVER, SEVERITIES, STATES, SUMMARIES, severity
from api.intake.reading import NotUnderstood, any_moment, first_of, links, object_of, plain, text
from tickets.incoming import FIRING, RESOLVED, IncomingAlert

BATCH: Final = "application/cloudevents-batch+json"
STRUCTURED: Final = "application/cloudevents+json"
NEEDED: Final = ("id", "source", "specversion", "type")


def parse(headers: Mapping[str, str], payload: Any) -> list[IncomingAlert]:
    """The events of a request, in the content mode that its headers tell. Raises NotUnderstood."""
    media_type = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type == BATCH:
        if not isinstance(payload, list):
            raise NotUnderstood("A batch must be a JSON list.")
        return [_read(object_of(item, f"Event {n}"), n) for n, item in enumerate(payload)]
    if media_type == STRUCTURED or "ce-id" not in {name.lower() for name in headers}:
        return [_read(object_of(payload), 0)]
    return [_read({**_attributes(headers), "data": payload}, 0)]


def _attributes(headers: Mapping[str, str]) -> dict[str, str]:
    """The attributes of the binary mode, which stand percent-encoded in headers."""
    return {
        name.lower().removeprefix("ce-"): unquote(value)
        for name, value in headers.items()
        if name.lower().startswith("ce-")
    }


def _read(event: Mapping[str, Any], number: int) -> IncomingAlert:
    missing = [name for name in NEEDED if not text(event.get(name))]
    if missing:
        raise NotUnderstood(f"Event {number} lacks {', '.join(missing)}.")
    if text(event["specversion"]) != "1.0":
        raise NotUnderstood(f"Event {number} is not of specversion 1.0.")
    data = _data(event)
    said: Mapping[str, Any] = data if isinstance(data, dict) else {}
    kind, subject = text(event["type"]), text(event.get("subject"))
    ending = kind.rpartition(".")[2].lower()
    words = first_of(said, STATES).lower() or ending
    own_key = first_of(said, KEYS)
    # An event's own id is new each time; what it is about is its subject, or what its data says.
    about = subject or own_key or text(event["id"])
    return IncomingAlert(
        dedup_key=f"{text(event['source'])} {about}",
        group_key="",
        state=RESOLVED if words in OVER else FIRING,
        summary=first_of(said, SUMMARIES) or f"{kind} {subject}".strip(),
        severity=severity(first_of(said, SEVERITIES) or text(event.get("severity"))),
        starts_at=any_moment(event.get("time")),
        details={
            **{text(name): plain(value) for name, value in event.items() if name != "data"},
            "data": plain(data),
        },
        links=links([said.get("url"), event["source"], event.get("dataschema")]),
    )


def _data(event: Mapping[str, Any]) -> Any:
    if "data_base64" not in event:
        return event.get("data")
    try:
        return base64.b64decode(text(event["data_base64"]), validate=True).decode()
    except (binascii.Error, ValueError):
        return text(event["data_base64"])[:2000]
