"""PagerDuty's REST doors for incidents: an incident is one alert of the source, with its ticket."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpResponse, JsonResponse

from api.intake.door import Fault
from api.intake.opsgenie import priority_of
from api.intake.pagerduty_door import Caller, door, name_of, number_of, paged, reference, stamp
from api.intake.reading import text
from escalation.holding import snooze as snooze_ticket
from roles.instants import database_now
from roles.models import Person
from roles.refusals import Refused
from tickets import alertacts, alertedits, receipts, states
from tickets.incoming import FIRING, IncomingAlert
from tickets.ingest import accept
from tickets.models import Alert, AlertEntry

AT_WORK: Final = sorted(states.PENDING | {states.IN_PROGRESS})
ACKNOWLEDGED: Final = Q(ticket__acknowledged_at__isnull=False) | Q(ticket__status__in=AT_WORK)
BY_STATUS: Final = {
    "triggered": Q(state="firing") & ~ACKNOWLEDGED,
    "acknowledged": Q(state="firing") & ACKNOWLEDGED,
    "resolved": Q(state="resolved"),
}
SORTS: Final = {"created_at": "first_seen_at", "incident_number": "pk", "resolved_at": "ended_at"}
ROOM: Final = ("source", "ticket__team", "ticket__assignee", "ticket__acknowledged_by")
LONGEST_S: Final = 30 * 86_400


@door("GET", "POST", "PUT")
def incidents(caller: Caller) -> HttpResponse:
    """A page of incidents, a new one, or changes of several."""
    if caller.method == "GET":
        return paged(caller, "incidents", _queried(caller), lambda row: _told(caller, row))
    if caller.method == "POST":
        return JsonResponse({"incident": _told(caller, _create(caller))}, status=201)
    by, wanted = caller.by, caller.wrapped("incidents")
    if not isinstance(wanted, list) or not all(isinstance(one, dict) for one in wanted):
        raise Fault(400, "`incidents` must be a list of objects.")
    pairs = [(_one(caller, text(one.get("id"))), one) for one in wanted[:250]]
    with transaction.atomic():
        changed = [_change(caller, row, one, by) for row, one in pairs]
    return JsonResponse({"incidents": changed})


@door("GET", "PUT")
def incident(caller: Caller, name: str) -> HttpResponse:
    """One incident, or a change of it."""
    row = _one(caller, name)
    if caller.method == "GET":
        return JsonResponse({"incident": _told(caller, row)})
    by, wanted = caller.by, caller.wrapped("incident")
    if not isinstance(wanted, dict):
        raise Fault(400, "`incident` must be an object.")
    with transaction.atomic():
        changed = _change(caller, row, wanted, by)
    return JsonResponse({"incident": changed})


@door("GET", "POST")
def notes(caller: Caller, name: str) -> HttpResponse:
    """The notes on an incident, or one more."""
    row = _one(caller, name)
    if caller.method == "GET":
        found = AlertEntry.objects.filter(alert=row, kind=AlertEntry.Kind.NOTE).order_by("-pk")
        return JsonResponse({"notes": [_note(entry) for entry in found[:100]]})
    by, wanted = caller.by, caller.wrapped("note")
    content = text(wanted.get("content")) if isinstance(wanted, dict) else ""
    if not content.strip():
        raise Fault(400, "Content cannot be empty.", ["Content cannot be empty."])
    entry = alertacts.remark(alert=row, text=content[:25_000], by=by)
    return JsonResponse({"note": _note(entry)})


@door("GET")
def alerts(caller: Caller, name: str) -> HttpResponse:
    """The alerts of an incident: itself."""
    row = _one(caller, name)
    return paged(caller, "alerts", _rows(caller).filter(pk=row.pk), lambda one: _alert(caller, one))


@door("GET")
def log_entries(caller: Caller, name: str) -> HttpResponse:
    """What was done to an incident, newest first."""
    rows = AlertEntry.objects.filter(alert=_one(caller, name)).order_by("-pk")
    return paged(caller, "log_entries", rows, _log_entry)


@door("POST")
def snooze(caller: Caller, name: str) -> HttpResponse:
    """Hold what its ticket's policies do for some seconds."""
    row, by = _one(caller, name), caller.by
    wanted = _whole(caller)
    duration = wanted.get("duration")
    if isinstance(duration, bool) or not isinstance(duration, int) or not 0 < duration <= LONGEST_S:
        raise Fault(400, "duration is a number of seconds, within 30 days.")
    alertacts.acknowledge(source=caller.source, alert=row, by=by)
    if row.ticket is not None:
        until = database_now() + timedelta(seconds=duration)
        try:
            snooze_ticket(
                ticket=row.ticket, actor=None, until=until, reason=f"Snoozed by {by}", via="monitor"
            )
        except Refused as refusal:
            alertacts.tell(row, refusal.detail, by=by)
    return JsonResponse({"incident": _told(caller, _one(caller, name))}, status=201)


def _whole(caller: Caller) -> Mapping[str, Any]:
    found = caller.whole()
    if not isinstance(found, dict):
        raise Fault(400, "The body must be a JSON object.")
    return found


# ---- Which ----


def _rows(caller: Caller) -> QuerySet[Alert]:
    return alertacts.known_to(caller.source).select_related(*ROOM, "ticket__service")


def _one(caller: Caller, name: str) -> Alert:
    number = number_of("Q", name)
    row = _rows(caller).filter(pk=number).first() if number is not None else None
    if row is None:
        raise Fault(404, "Not Found")
    return row


def _queried(caller: Caller) -> QuerySet[Alert]:
    rows, given = _rows(caller), caller.request.GET
    if statuses := caller.values("statuses"):
        wanted = Q(pk__in=())
        for status in statuses:
            if status not in BY_STATUS:
                raise Fault(400, f"There is no status {status[:40]}.")
            wanted |= BY_STATUS[status]
        rows = rows.filter(wanted)
    if key := given.get("incident_key", ""):
        rows = rows.filter(dedup_key=key.replace("\x00", ""))
    if since := caller.moment("since"):
        rows = rows.filter(first_seen_at__gte=since)
    if until := caller.moment("until"):
        rows = rows.filter(first_seen_at__lt=until)
    if urgencies := caller.values("urgencies"):
        high = Q(ticket__priority__lte=2)
        rows = (
            rows if len(set(urgencies)) > 1 else rows.filter(high if "high" in urgencies else ~high)
        )
    for name, kind, column in (
        ("service_ids", "PV", "ticket__service"),
        ("team_ids", "PT", "ticket__team"),
        ("user_ids", "PU", "ticket__assignee"),
    ):
        if names := caller.values(name):
            numbers = [number for one in names if (number := number_of(kind, one)) is not None]
            rows = rows.filter(**{f"{column}__in": numbers})
    column, _, order = given.get("sort_by", "created_at:asc").partition(":")
    sign = "-" if order.lower() == "desc" else ""
    return rows.order_by(f"{sign}{SORTS.get(column, 'first_seen_at')}", f"{sign}pk")


# ---- Writing ----


def _create(caller: Caller) -> Alert:
    by, wanted = caller.by, caller.wrapped("incident")
    title = text(wanted.get("title")).strip() if isinstance(wanted, dict) else ""
    if not title:
        raise Fault(400, "Title cannot be empty.", ["Title cannot be empty."])
    key = text(wanted.get("incident_key"))[:255] or uuid4().hex
    if alertacts.open_alert(caller.source, key) is not None:
        raise Fault(400, "Incident key has already been used.", ["Incident key is in use."])
    body = wanted.get("body")
    alert = IncomingAlert(
        dedup_key=key,
        group_key="",
        state=FIRING,
        summary=title,
        severity="p5" if wanted.get("urgency") == "low" else "p2",
        details={"source": by},
        description=text(body.get("details"))[:15_000] if isinstance(body, dict) else "",
    )
    with transaction.atomic():
        outcomes = accept(source=caller.source, alerts=[alert])
        row = _rows(caller).filter(pk=outcomes[0].alert_id).first()
        if row is not None:
            _assign_all(row, wanted)
    receipts.note_outcomes(caller.source, outcomes, door="pagerduty", act="incident", status=201)
    if row is None:  # A rule made it a restricted case, which no sender is told of.
        raise Fault(404, "Not Found")
    return _one(caller, name_of("Q", row.pk))


def _change(caller: Caller, row: Alert, wanted: Mapping[str, Any], by: str) -> dict[str, Any]:
    status = text(wanted.get("status"))
    if status and status not in ("acknowledged", "resolved"):
        raise Fault(400, "status must be acknowledged or resolved.")
    if wanted.get("escalation_level") is not None:
        raise Fault(400, "escalation_level cannot be set here: policies say who comes next.")
    if title := text(wanted.get("title")).strip():
        alertedits.rename(row, title)
    if wanted.get("urgency") in ("high", "low"):
        alertedits.regrade(alert=row, severity="p2" if wanted["urgency"] == "high" else "p5")
    _assign_all(row, wanted)
    if status == "acknowledged":
        alertacts.acknowledge(source=caller.source, alert=row, by=by)
        alertacts.tell(row, "Acknowledged", by=by)
    elif status == "resolved":
        alertacts.close(source=caller.source, key=row.dedup_key)
        alertacts.tell(row, "Resolved", by=by)
    return _told(caller, _one(caller, name_of("Q", row.pk)))


def _assign_all(row: Alert, wanted: Mapping[str, Any]) -> None:
    assignments = wanted.get("assignments")
    for one in assignments if isinstance(assignments, list) else []:
        _assign(row, one)


def _assign(row: Alert, assignment: Any) -> None:
    assignee = assignment.get("assignee") if isinstance(assignment, dict) else None
    number = number_of("PU", text(assignee.get("id"))) if isinstance(assignee, dict) else None
    person = Person.objects.filter(pk=number, is_active=True).first() if number else None
    if person is None:
        raise Fault(400, "The assignee does not exist.")
    alertedits.hand_to(alert=row, name=person.username)


# ---- Told ----


def _status(row: Alert) -> str:
    if not row.is_firing:
        return "resolved"
    return "acknowledged" if row.is_acknowledged else "triggered"


def _told(caller: Caller, row: Alert) -> dict[str, Any]:
    ticket, status = row.ticket, _status(row)
    team, service = (ticket.team, ticket.service) if ticket is not None else (None, None)
    base = reference(caller, "Q", row.pk, f"[#{row.pk}] {row.summary}")
    page = f"{settings.PUBLIC_URL}/tickets/{ticket.key}" if ticket is not None else None
    is_over = int(not row.is_firing)
    return {
        **base,
        "type": "incident",
        "html_url": page,
        "incident_number": row.pk,
        "title": row.summary,
        "created_at": stamp(row.first_seen_at),
        "updated_at": stamp(row.ended_at or row.last_seen_at),
        "status": status,
        "incident_key": row.dedup_key,
        "urgency": "high" if ticket is not None and ticket.priority <= 2 else "low",
        "service": reference(caller, "PV", service.pk, service.name)
        if service is not None
        else None,
        "assignments": _assignments(caller, row),
        "acknowledgements": _acknowledgements(caller, row),
        "escalation_policy": None,
        "teams": [reference(caller, "PT", team.pk, team.name)] if team is not None else [],
        "priority": {"type": "priority", "summary": priority_of(row), "name": priority_of(row)},
        "alert_counts": {"all": 1, "triggered": 1 - is_over, "resolved": is_over},
        "pending_actions": [],
        "last_status_change_at": stamp(row.ended_at or row.first_seen_at),
        "last_status_change_by": None,
        "resolved_at": stamp(row.ended_at),
        "description": row.summary,
        "is_mergeable": True,
    }


def _assignments(caller: Caller, row: Alert) -> list[dict[str, Any]]:
    person = row.ticket.assignee if row.ticket is not None else None
    if person is None or row.ticket is None:
        return []
    who = reference(caller, "PU", person.pk, person.name)
    return [{"at": stamp(row.ticket.status_since), "assignee": who}]


def _acknowledgements(caller: Caller, row: Alert) -> list[dict[str, Any]]:
    person = row.ticket.acknowledged_by if row.ticket is not None else None
    if person is None or row.ticket is None or not row.is_firing:
        return []
    who = reference(caller, "PU", person.pk, person.name)
    return [{"at": stamp(row.ticket.acknowledged_at), "acknowledger": who}]


def _alert(caller: Caller, row: Alert) -> dict[str, Any]:
    base = reference(caller, "QA", row.pk, row.summary)
    return {
        **base,
        "type": "alert",
        "status": "triggered" if row.is_firing else "resolved",
        "alert_key": row.dedup_key,
        "created_at": stamp(row.first_seen_at),
        "severity": row.severity,
        "body": {"type": "alert_body", "details": row.details},
        "incident": {"id": name_of("Q", row.pk), "type": "incident_reference"},
    }


def _note(entry: AlertEntry) -> dict[str, Any]:
    return {
        "id": name_of("PN", entry.pk),
        "content": entry.text,
        "created_at": stamp(entry.at),
        "user": {"type": "user_reference", "summary": entry.by or "Tierline"},
        "channel": {"summary": "The PagerDuty website or APIs"},
    }


def _log_entry(entry: AlertEntry) -> dict[str, Any]:
    kind = "annotate" if entry.kind == AlertEntry.Kind.NOTE else "notify"
    return {
        "id": name_of("R", entry.pk),
        "type": f"{kind}_log_entry",
        "summary": entry.text,
        "created_at": stamp(entry.at),
        "agent": {"type": "user_reference", "summary": entry.by or "Tierline"},
        "channel": {"type": "api"},
    }
