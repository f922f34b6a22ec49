"""What a sender does to the ticket of its alert, in its own name: acknowledge, remark, close."""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from notifications.outbox import withdraw
from roles.instants import TimeSource, database_now
from tickets.access import PAGES
from tickets.acting import acting
from tickets.incoming import RESOLVED, IncomingAlert, Outcome
from tickets.ingest import accept
from tickets.lifecycle import comment
from tickets.models import Alert, AlertEntry, AlertSource, EventKind, Ticket

VIA = "monitor"
BY_MAX = 100


def known_to(source: AlertSource) -> QuerySet[Alert]:
    """The alerts that this source may read: its own, but for restricted cases and deleted ones."""
    rows = Alert.objects.filter(source=source, is_hidden=False)
    return rows.exclude(ticket__restricted=True).select_related(
        "ticket__team", "ticket__assignee", "ticket__acknowledged_by", "ticket__service"
    )


def open_alert(source: AlertSource, key: str) -> Alert | None:
    """The source's firing alert of that key; a restricted case's too, since it may be acted on."""
    rows = Alert.objects.filter(source=source, dedup_key=key, state=Alert.State.FIRING)
    return rows.select_related("ticket").first()


def acknowledge(
    *, source: AlertSource, alert: Alert, by: str = "", clock: TimeSource = database_now
) -> bool:
    """Say that somebody at the sender's side has it; whether that was news.

    It stands in the name of the source's account, with the word of the sender on who it was.
    """
    if alert.ticket is None:
        return _mark_acknowledged(alert, by or source.name)
    with acting(alert.ticket, actor=None, action="acknowledge", clock=clock, via=VIA) as act:
        if not act.ticket.is_open or act.ticket.is_acknowledged:
            return False
        act.ticket.acknowledged_at, act.ticket.acknowledged_by = act.now, source.requester
        facts = {"source": source.slug, "said_by": by[:BY_MAX]}
        act.record(EventKind.ACKNOWLEDGED, facts=facts)
        withdraw(topics=[act.ticket.topic], kinds=PAGES, reason="acknowledged", now=act.now)
        alert.ticket = act.ticket
    return True


def unacknowledge(
    *, source: AlertSource, alert: Alert, by: str = "", clock: TimeSource = database_now
) -> bool:
    """Take the acknowledgement back; whether there was one."""
    if alert.ticket is None:
        return _mark_acknowledged(alert, "")
    with acting(alert.ticket, actor=None, action="unacknowledge", clock=clock, via=VIA) as act:
        if not act.ticket.is_open or not act.ticket.is_acknowledged:
            return False
        act.ticket.acknowledged_at = act.ticket.acknowledged_by = None
        facts = {"source": source.slug, "said_by": by[:BY_MAX]}
        act.record(EventKind.UNACKNOWLEDGED, facts=facts)
        alert.ticket = act.ticket
    return True


def close(
    *,
    source: AlertSource,
    key: str,
    ends_at: datetime | None = None,
    clock: TimeSource = database_now,
) -> Outcome:
    """End the source's firing alert of that key, as its monitor would."""
    over = IncomingAlert(dedup_key=key, group_key="", state=RESOLVED, summary="", ends_at=ends_at)
    (outcome,) = accept(source=source, alerts=[over], clock=clock)
    return outcome


def remark(
    *, alert: Alert, text: str, by: str = "", clock: TimeSource = database_now
) -> AlertEntry:
    """Keep a note with the alert, and as an internal note of its ticket while that is not final."""
    with transaction.atomic():
        ticket = alert.ticket
        if ticket is not None and _takes_notes(ticket):
            words = f"{by}: {text}" if by else text
            comment(
                ticket=ticket, actor=None, text=words[:20_000], public=False, clock=clock, via=VIA
            )
        return tell(alert, text, by=by, kind=AlertEntry.Kind.NOTE, clock=clock)


def tell(
    alert: Alert,
    text: str,
    *,
    by: str = "",
    kind: str = AlertEntry.Kind.LOG,
    clock: TimeSource = database_now,
) -> AlertEntry:
    """One more line in the alert's own log."""
    return AlertEntry.objects.create(
        alert=alert, at=clock(), kind=kind, text=text[:25_000], by=by[:BY_MAX]
    )


def _takes_notes(ticket: Ticket) -> bool:
    return ticket.merged_into_id is None and (ticket.is_open or ticket.status == "resolved")


def _mark_acknowledged(alert: Alert, by: str) -> bool:
    if bool(alert.marks.get("acknowledged_by")) is bool(by):
        return False
    alert.marks = {**alert.marks, "acknowledged_by": by[:BY_MAX]}
    alert.save(update_fields=["marks"])
    return True
