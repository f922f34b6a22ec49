"""Opsgenie's heartbeats: set up, changed, switched, and heard."""

from collections.abc import Mapping
from typing import Any, Final

from django.http import HttpResponse

from api.intake.door import Fault
from api.intake.opsgenie import Unprocessable, stamp
from api.intake.opsgenie_door import Asker, processed, told
from api.intake.reading import text
from roles.refusals import Invalid
from tickets import pulses, receipts
from tickets.models import Pulse

PONG: Final = "PONG - Heartbeat received"
FIELDS: Final = {
    "description": "description",
    "interval": "interval",
    "intervalUnit": "interval_unit",
    "enabled": "is_enabled",
    "alertMessage": "alert_message",
    "alertPriority": "alert_priority",
    "alertTags": "alert_tags",
}


def list_pulses(asker: Asker) -> HttpResponse:
    """All heartbeats of the source, in short."""
    rows = Pulse.objects.filter(source=asker.source)
    return told(asker, {"heartbeats": [_whole(pulse) for pulse in rows]})


def put(asker: Asker) -> HttpResponse:
    """Set up a heartbeat, or another of that name anew."""
    body = asker.body()
    name = text(body.get("name")).strip()
    for needed in ("name", "interval", "intervalUnit"):
        if body.get(needed) in (None, ""):
            raise Unprocessable(**{needed: f"{needed} can not be empty."})
    return told(asker, _short(_put(asker, name, body)), status=201)


def get(asker: Asker, name: str) -> HttpResponse:
    """One heartbeat."""
    return told(asker, _whole(_one(asker, name)))


def change(asker: Asker, name: str) -> HttpResponse:
    """Change some of a heartbeat's members."""
    _one(asker, name)
    return told(asker, _short(_put(asker, name, asker.body())))


def delete(asker: Asker, name: str) -> HttpResponse:
    """Forget a heartbeat; its alert ends."""
    if not pulses.remove(source=asker.source, name=name):
        raise _unknown(name)
    return told(asker, {"name": name, "enabled": False, "expired": False}, result="Deleted")


def switch(asker: Asker, name: str, is_enabled: bool) -> HttpResponse:
    """Let a heartbeat count, or not."""
    pulse = pulses.switch(source=asker.source, name=name, is_enabled=is_enabled)
    if pulse is None:
        raise _unknown(name)
    return told(asker, _short(pulse))


def ping(asker: Asker, name: str) -> HttpResponse:
    """A heartbeat that came; one of a name that is not known changes nothing, as there."""
    pulse = pulses.ping(source=asker.source, name=name)
    words = "heartbeat received" if pulse is not None else f"there is no heartbeat {name[:200]}"
    return processed(
        asker,
        "Ping",
        words=words,
        is_success=pulse is not None,
        outcome=receipts.Kinds.FOLDED,
        answer=PONG,
    )


def _put(asker: Asker, name: str, body: Mapping[str, Any]) -> Pulse:
    values = {ours: body[theirs] for theirs, ours in FIELDS.items() if body.get(theirs) is not None}
    for member in ("description", "alert_message"):
        if member in values:
            values[member] = text(values[member])[: 10_000 if member == "description" else 250]
    if "is_enabled" in values:
        values["is_enabled"] = values["is_enabled"] is True or values["is_enabled"] == "true"
    if "alert_tags" in values:
        listed = values["alert_tags"]
        tags = listed if isinstance(listed, list) else text(listed).split(",")
        values["alert_tags"] = [text(tag)[:50] for tag in tags][:20]
    if isinstance(values.get("interval"), str) and values["interval"].isdecimal():
        values["interval"] = int(values["interval"])
    team = body.get("ownerTeam")
    if isinstance(team, dict):
        values["owner_team"] = text(team.get("name") or team.get("id"))[:100]
    try:
        return pulses.put_pulse(source=asker.source, name=name, values=values)
    except Invalid as wrong:
        raise Unprocessable(**wrong.fields) from None


def _one(asker: Asker, name: str) -> Pulse:
    pulse = Pulse.objects.filter(source=asker.source, name=name).first()
    if pulse is None:
        raise _unknown(name)
    return pulse


def _unknown(name: str) -> Fault:
    return Fault(404, f"Heartbeat with name [{name[:200]}] does not exist.")


def _short(pulse: Pulse) -> dict[str, Any]:
    return {"name": pulse.name, "enabled": pulse.is_enabled, "expired": pulse.is_expired}


def _whole(pulse: Pulse) -> dict[str, Any]:
    return {
        **_short(pulse),
        "description": pulse.description,
        "interval": pulse.interval,
        "intervalUnit": pulse.interval_unit,
        "ownerTeam": {"name": pulse.owner_team} if pulse.owner_team else {},
        "alertMessage": pulse.alert_message,
        "alertTags": pulse.alert_tags,
        "alertPriority": pulse.alert_priority,
        **({"lastPingTime": stamp(pulse.last_ping_at)} if pulse.last_ping_at else {}),
    }
