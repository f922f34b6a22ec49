"""Opsgenie's reads: alerts by query and by name, notes, logs, recipients, status of requests."""

from typing import Any, Final

from django.db.models import QuerySet
from django.http import HttpResponse

from api.intake.alertquery import BadQuery, read_query
from api.intake.alertquery_sql import to_q
from api.intake.door import Fault
from api.intake.opsgenie import Unprocessable, stamp
from api.intake.opsgenie import told as alert_told
from api.intake.opsgenie_door import (
    CREATED,
    MISSING,
    OFFSET_MAX,
    PAGE,
    PAGE_MAX,
    Asker,
    alert_named,
    alerts_of,
    link,
    number,
    receipt_of,
    told,
)
from notifications.models import Message
from tickets.models import Alert, AlertEntry, IntakeRequest

SORTS: Final = {
    "createdAt": "first_seen_at",
    "updatedAt": "last_seen_at",
    "lastOccurredAt": "last_seen_at",
    "tinyId": "pk",
    "alias": "dedup_key",
    "message": "summary",
    "status": "state",
    "count": "count",
    "source": "details__source",
    "priority": "severity",
    "owner": "ticket__assignee__username",
    "acknowledged": "ticket__acknowledged_at",
}
NO_ALERT: Final = "Alert with id [{}] does not exist."
STATES: Final = {"sent": "notified", "dead": "failed"}


def list_alerts(asker: Asker) -> HttpResponse:
    """A page of alerts by a query, in an order, with absolute links to the other pages."""
    limit = max(1, number(asker, "limit", PAGE, PAGE_MAX))
    offset = number(asker, "offset", 0, OFFSET_MAX)
    rows = _ordered(asker, _queried(asker))
    found = list(rows[offset : offset + limit + 1])
    paging = {"first": link(asker, offset=0, limit=limit)}
    if len(found) > limit:
        paging["next"] = link(asker, offset=offset + limit, limit=limit)
    if offset:
        paging["prev"] = link(asker, offset=max(0, offset - limit), limit=limit)
    last = max(0, (_count(asker) - 1) // limit * limit)
    paging["last"] = link(asker, offset=last, limit=limit)
    return told(asker, [alert_told(alert) for alert in found[:limit]], paging=paging)


def count_alerts(asker: Asker) -> HttpResponse:
    """How many alerts a query finds."""
    return told(asker, {"count": _count(asker)})


def _count(asker: Asker) -> int:
    return _queried(asker).order_by().count()


def _queried(asker: Asker) -> QuerySet[Alert]:
    query = asker.params.get("query") or asker.params.get("searchQuery") or ""
    if "\x00" in query:
        raise Unprocessable(query="The query has a NUL character.")
    try:
        return alerts_of(asker).filter(to_q(read_query(query)))
    except BadQuery as wrong:
        raise Unprocessable(query=str(wrong)) from None


def _ordered(asker: Asker, rows: QuerySet[Alert]) -> QuerySet[Alert]:
    column = SORTS.get(asker.params.get("sort", ""), "first_seen_at")
    sign = "" if asker.params.get("order", "desc").lower() == "asc" else "-"
    return rows.order_by(f"{sign}{column}", f"{sign}pk")


def one_of(asker: Asker, identifier: str) -> Alert:
    """The alert of this name. Raises Fault for none that may be read."""
    alert = alert_named(asker, identifier)
    if alert is None and identifier.endswith("/"):
        alert = alert_named(asker, identifier.rstrip("/"))
    if alert is None:
        raise Fault(404, NO_ALERT.format(identifier[:600]))
    return alert


def get_alert(asker: Asker, identifier: str) -> HttpResponse:
    """One alert with all that is told of it."""
    return told(asker, alert_told(one_of(asker, identifier), whole=True))


def request_status(asker: Asker, request_id: str) -> HttpResponse:
    """What became of a request; 404 for one that is not known."""
    receipt = receipt_of(asker, request_id)
    if receipt is None:
        raise Fault(404, "Request not found. It might not be processed, yet.")
    is_success, words, alert_id, alias = _result(receipt)
    data = {
        "success": is_success,
        "action": receipt.act,
        "processedAt": stamp(receipt.at),
        "integrationId": str(asker.source.pk),
        "isSuccess": is_success,
        "status": words,
        "alertId": alert_id,
        "alias": alias,
    }
    return told(asker, data)


def _result(receipt: IntakeRequest) -> tuple[bool, str, str, str]:
    """Whether it succeeded, in which words, on the alert of which id and alias.

    On an alert of a restricted case it is told as on one that was never heard of.
    """
    alert = receipt.alert
    if alert is None:
        return receipt.is_success, receipt.told, "", ""
    if alert.ticket is None or not alert.ticket.restricted:
        return receipt.is_success, receipt.told, str(alert.uid), alert.dedup_key
    if receipt.act != "Create":
        return False, MISSING, "", ""
    return True, CREATED, str(receipt.uid), alert.dedup_key


def list_notes(asker: Asker, identifier: str) -> HttpResponse:
    """The notes on an alert, newest first unless asked otherwise."""
    return _entries(asker, identifier, AlertEntry.Kind.NOTE)


def list_logs(asker: Asker, identifier: str) -> HttpResponse:
    """What was done to an alert, newest first unless asked otherwise."""
    return _entries(asker, identifier, AlertEntry.Kind.LOG)


def _entries(asker: Asker, identifier: str, kind: str) -> HttpResponse:
    alert = one_of(asker, identifier)
    limit = max(1, number(asker, "limit", PAGE, PAGE_MAX))
    is_rising = asker.params.get("order", "desc").lower() == "asc"
    rows = AlertEntry.objects.filter(alert=alert, kind=kind)
    after = number(asker, "offset", 0, 10**9)
    if after:
        is_next = asker.params.get("direction", "next").lower() != "prev"
        rows = rows.filter(pk__gt=after) if is_rising is is_next else rows.filter(pk__lt=after)
    found = list(rows.order_by("pk" if is_rising else "-pk")[: limit + 1])
    paging = {"first": link(asker, limit=limit, offset="")}
    if len(found) > limit:
        paging["next"] = link(asker, limit=limit, offset=found[limit - 1].pk, direction="next")
    return told(asker, [_entry(row) for row in found[:limit]], paging=paging)


def _entry(row: AlertEntry) -> dict[str, Any]:
    told_of = {"owner": row.by or "System", "createdAt": stamp(row.at), "offset": str(row.pk)}
    if row.kind == AlertEntry.Kind.NOTE:
        return {"note": row.text, **told_of}
    return {"log": row.text, "type": "system", **told_of}


def list_recipients(asker: Asker, identifier: str) -> HttpResponse:
    """Who was told of the alert's ticket, by which way, and whether it went out."""
    alert = one_of(asker, identifier)
    if alert.ticket is None or not asker.source.reads_directory:
        return told(asker, [])
    rows = Message.objects.filter(topic=alert.ticket.topic, kind__in=("page", "notify", "involved"))
    recipients = rows.select_related("recipient").order_by("pk")[:PAGE_MAX]
    return told(asker, [_recipient(row) for row in recipients])


def _recipient(row: Message) -> dict[str, Any]:
    person = row.recipient
    return {
        "user": {"id": str(person.pk), "username": person.email or person.username},
        "state": STATES.get(row.state, "action"),
        "method": row.channel,
        "createdAt": stamp(row.created_at),
        "updatedAt": stamp(row.created_at),
    }
