"""Inbound heartbeats: set up, heard, and missed; a missed one is an alert until the next comes."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from roles.instants import TimeSource, database_now
from roles.refusals import Invalid
from tickets.incoming import FIRING, RESOLVED, IncomingAlert
from tickets.ingest import accept
from tickets.models import AlertSource, Pulse

FIELDS: Final = (
    *("description", "interval", "interval_unit", "is_enabled", "owner_team"),
    *("alert_message", "alert_tags", "alert_priority"),
)
BATCH: Final = 200


@transaction.atomic
def put_pulse(*, source: AlertSource, name: str, values: Mapping[str, Any]) -> Pulse:
    """The source's heartbeat of that name, made or changed to hold the values.

    Raises Invalid with the bad fields named.
    """
    _check(name, values)
    pulse = Pulse.objects.select_for_update().filter(source=source, name=name).first()
    if pulse is None:
        pulse = Pulse(source=source, name=name)
    for field in FIELDS:
        if field in values:
            setattr(pulse, field, values[field])
    if pulse.last_ping_at is not None:
        pulse.expires_at = pulse.last_ping_at + pulse.span
    pulse.save()
    return pulse


def ping(*, source: AlertSource, name: str, clock: TimeSource = database_now) -> Pulse | None:
    """Note that a heartbeat came; its alert ends if there was one. None for an unknown name."""
    with transaction.atomic():
        pulse = Pulse.objects.select_for_update().filter(source=source, name=name).first()
        if pulse is None:
            return None
        was_expired, now = pulse.is_expired, clock()
        pulse.last_ping_at, pulse.is_expired = now, False
        pulse.expires_at = now + pulse.span
        pulse.save(update_fields=["last_ping_at", "is_expired", "expires_at"])
        if was_expired:
            accept(source=source, alerts=[_alert(pulse, RESOLVED, now)], clock=clock)
    return pulse


def switch(
    *, source: AlertSource, name: str, is_enabled: bool, clock: TimeSource = database_now
) -> Pulse | None:
    """Let a heartbeat count or not; one switched off ends its alert. None for an unknown name."""
    with transaction.atomic():
        pulse = Pulse.objects.select_for_update().filter(source=source, name=name).first()
        if pulse is None:
            return None
        if pulse.is_expired and not is_enabled:
            accept(source=source, alerts=[_alert(pulse, RESOLVED, clock())], clock=clock)
        pulse.is_enabled, pulse.is_expired, pulse.expires_at = is_enabled, False, None
        pulse.last_ping_at = None
        pulse.save()
        return pulse


def remove(*, source: AlertSource, name: str, clock: TimeSource = database_now) -> bool:
    """Delete a heartbeat, ending its alert; whether there was one."""
    with transaction.atomic():
        pulse = Pulse.objects.select_for_update().filter(source=source, name=name).first()
        if pulse is None:
            return False
        if pulse.is_expired:
            accept(source=source, alerts=[_alert(pulse, RESOLVED, clock())], clock=clock)
        pulse.delete()
        return True


def miss(*, clock: TimeSource = database_now, limit: int = BATCH) -> int:
    """Begin an alert for each heartbeat that stayed out; returns how many.

    Any number of workers may do this at once.
    """
    now = clock()
    late = Pulse.objects.filter(is_enabled=True, is_expired=False, expires_at__lte=now)
    found = 0
    for pulse_id in late.order_by("expires_at").values_list("pk", flat=True)[:limit]:
        with transaction.atomic():
            pulse = (
                late.filter(pk=pulse_id, source__is_active=True)
                .select_related("source__requester__organisation")
                .select_for_update(skip_locked=True, of=("self",))
                .first()
            )
            if pulse is None:
                continue
            pulse.is_expired = True
            pulse.save(update_fields=["is_expired"])
            accept(source=pulse.source, alerts=[_alert(pulse, FIRING, now)], clock=clock)
            found += 1
    return found


def _alert(pulse: Pulse, state: str, now: datetime) -> IncomingAlert:
    return IncomingAlert(
        dedup_key=f"heartbeat:{pulse.name}",
        group_key="",
        state=state,
        summary=pulse.alert_message or f"Heartbeat {pulse.name} is missing",
        severity=pulse.alert_priority.lower(),
        starts_at=pulse.expires_at if state == FIRING else None,
        ends_at=now if state == RESOLVED else None,
        details={"heartbeat": pulse.name},
        description=pulse.description,
        tags=[str(tag) for tag in pulse.alert_tags],
    )


def _check(name: str, values: Mapping[str, Any]) -> None:
    problems: dict[str, str] = {}
    if not name or len(name) > 200 or "\x00" in name:
        problems["name"] = "1 to 200 characters."
    interval = values.get("interval", 10)
    if isinstance(interval, bool) or not isinstance(interval, int) or not 1 <= interval <= 10_000:
        problems["interval"] = "A whole number from 1 to 10000."
    if values.get("interval_unit", "minutes") not in Pulse.Unit.values:
        problems["intervalUnit"] = "minutes, hours or days."
    if values.get("alert_priority", "P3") not in ("P1", "P2", "P3", "P4", "P5"):
        problems["alertPriority"] = "P1 to P5."
    if problems:
        raise Invalid("bad_heartbeat", "This heartbeat cannot be kept.", problems)
