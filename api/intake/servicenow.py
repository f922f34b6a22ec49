"""ServiceNow's Table API for incidents: made, read by encoded query, changed, ended."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Greatest
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path, re_path

from api.intake.door import Fault, Mount, body_of, json_of, key_in_header, known_source
from api.intake.opsgenie_door import public_root
from api.intake.reading import any_moment, text
from roles.refusals import Refused
from tickets import alertacts, alertedits, receipts, states
from tickets.incoming import FIRING, IncomingAlert
from tickets.ingest import accept
from tickets.lifecycle import comment, resolve
from tickets.models import Alert, AlertSource
from tickets.priority import MATRIX

PRODUCT: Final = AlertSource.Product.SERVICENOW
LIMIT: Final = 1000
PENDING: Final = sorted(states.PENDING)
STATES: Final = {
    states.NEW: ("1", "New"),
    states.WAITING: ("1", "New"),
    states.IN_PROGRESS: ("2", "In Progress"),
    **dict.fromkeys(PENDING, ("3", "On Hold")),
    states.RESOLVED: ("6", "Resolved"),
    states.CLOSED: ("7", "Closed"),
    states.CANCELLED: ("8", "Canceled"),
}
QUEUED: Final = {states.NEW, states.WAITING}
WORKING: Final = "2"
OVER: Final = ("6", "7")
COLUMNS: Final = {
    "number": "ticket__key",
    "short_description": "summary",
    "correlation_id": "dedup_key",
    "description": "details__description",
    "priority": "ticket__priority",
    "urgency": "ticket__urgency",
    "impact": "ticket__impact",
    "category": "details__category",
    "assignment_group": "ticket__team__name",
    "assigned_to": "ticket__assignee__username",
    "sys_created_on": "first_seen_at",
    "sys_updated_on": "changed_at",
}
NUMBERS: Final = ("ticket__priority", "ticket__urgency", "ticket__impact")
LOOKUPS: Final = (
    ("!=", ""), (">=", "__gte"), ("<=", "__lte"), (">", "__gt"), ("<", "__lt"),
    ("STARTSWITH", "__istartswith"), ("ENDSWITH", "__iendswith"),
    ("NOT LIKE", "__icontains"), ("LIKE", "__icontains"), ("IN", "__in"), ("=", ""),
)  # fmt: skip
ORDERED: Final = ("__gte", "__lte", "__gt", "__lt")


def _answer_fault(request: HttpRequest, fault: Fault) -> HttpResponse:
    error = {"message": fault.message, "detail": " ".join(fault.reasons)}
    body = {"error": error, "status": "failure"}
    return JsonResponse(body, status=fault.status, headers=fault.headers)


TABLE: Final = Mount(name="servicenow", answer_fault=_answer_fault)


@TABLE.door
def incidents(request: HttpRequest) -> HttpResponse:
    """A list of incidents, or a new one."""
    source = _source(request)
    if request.method == "GET":
        return _listed(request, source)
    if request.method != "POST":
        raise Fault(405, "Method not supported")
    row = _create(source, _body(request))
    answer = JsonResponse({"result": _told(request, row)}, status=201)
    answer["Location"] = _address(request, row)
    return answer


@TABLE.door
def incident(request: HttpRequest, sys_id: str) -> HttpResponse:
    """One incident: read, changed or ended."""
    source = _source(request)
    row = _one(source, sys_id)
    if request.method in ("PUT", "PATCH"):
        wanted = _body(request)
        with transaction.atomic():
            _change(source, row, wanted)
        row = _one(source, sys_id)
    elif request.method == "DELETE":
        with transaction.atomic():
            alertacts.close(source=source, key=row.dedup_key)
            alertedits.hide(row)
        return HttpResponse(status=204)
    elif request.method != "GET":
        raise Fault(405, "Method not supported")
    return JsonResponse({"result": _told(request, row)})


@TABLE.door
def nothing(request: HttpRequest, rest: str = "") -> HttpResponse:
    """No other table is answered for."""
    _source(request)
    raise Fault(400, "Invalid table", ["Only the table incident is answered for."])


def _source(request: HttpRequest) -> AlertSource:
    source = known_source(request, key_in_header(request), PRODUCT)
    if source is None:
        challenge = {"WWW-Authenticate": 'Basic realm="Service-now"'}
        reason = "Required to provide Auth information"
        raise Fault(401, "User Not Authenticated", [reason], challenge)
    return source


def _body(request: HttpRequest) -> Mapping[str, Any]:
    found = json_of(request, body_of(request))
    if not isinstance(found, dict):
        raise Fault(400, "Exception while reading request", ["The body must be a JSON object."])
    return found


def _rows(source: AlertSource) -> QuerySet[Alert]:
    changed_at = Greatest("last_seen_at", "ended_at", "ticket__last_event_at")
    rows = alertacts.known_to(source).annotate(changed_at=changed_at)
    return rows.select_related(
        "source", "ticket__team", "ticket__assignee", "ticket__service", "ticket__requester"
    )


def _one(source: AlertSource, sys_id: str) -> Alert:
    try:
        row = _rows(source).filter(uid=UUID(sys_id)).first()
    except ValueError:
        row = None
    if row is None:
        reason = "Record doesn't exist or ACL restricts the record retrieval"
        raise Fault(404, "No Record found", [reason])
    return row


# ---- Writing ----


def _level(body: Mapping[str, Any], name: str, default: int) -> int:
    found = text(body.get(name)).strip()[:1]
    return int(found) if found in ("1", "2", "3") else default


def _create(source: AlertSource, body: Mapping[str, Any]) -> Alert:
    uid = uuid4()
    summary = text(body.get("short_description")).strip() or text(body.get("description")).strip()
    if not summary:
        raise Fault(400, "Invalid request", ["short_description is needed."])
    level = (_level(body, "impact", 3), _level(body, "urgency", 3))
    kept = ("category", "cmdb_ci", "caller_id", "assignment_group", "contact_type", "u_source")
    alert = IncomingAlert(
        dedup_key=text(body.get("correlation_id")) or uid.hex,
        group_key="",
        state=FIRING,
        summary=summary,
        severity=f"p{MATRIX[level]}",
        level=level,
        details={name: text(body[name])[:1000] for name in kept if body.get(name)},
        description=text(body.get("description"))[:15_000],
        uid=uid,
        is_loose=True,
    )
    outcomes = accept(source=source, alerts=[alert])
    receipts.note_outcomes(source, outcomes, door=PRODUCT, act="incident", status=201)
    row = _rows(source).filter(pk=outcomes[0].alert_id).first()
    if row is None:  # A rule made it a restricted case, which no sender is told of.
        raise Fault(404, "No Record found")
    _speak(row, body)
    return row


def _change(source: AlertSource, row: Alert, body: Mapping[str, Any]) -> None:
    if summary := text(body.get("short_description")).strip():
        alertedits.rename(row, summary)
    if body.get("description") is not None:
        alertedits.describe_anew(row, text(body["description"])[:15_000])
    ticket = row.ticket
    if ticket is not None and (body.get("impact") or body.get("urgency")):
        impact = _level(body, "impact", ticket.impact)
        level = (impact, _level(body, "urgency", ticket.urgency))
        alertedits.regrade(alert=row, severity=f"p{MATRIX[level]}")
    _speak(row, body)
    state = text(body.get("state") or body.get("incident_state")).strip()
    if state == WORKING:
        alertacts.acknowledge(source=source, alert=row)
    elif state in OVER:
        _end(source, row, text(body.get("close_notes")).strip())


def _speak(row: Alert, body: Mapping[str, Any]) -> None:
    """Work notes are internal, comments are read by the requester too."""
    if notes := text(body.get("work_notes")).strip():
        alertacts.remark(alert=row, text=notes[:20_000])
    words = text(body.get("comments")).strip()[:20_000]
    if words and row.ticket is not None:
        try:
            comment(ticket=row.ticket, actor=None, text=words, public=True, via="monitor")
        except Refused as refusal:
            alertacts.tell(row, f"{refusal.detail} {words}")


def _end(source: AlertSource, row: Alert, words: str) -> None:
    alertacts.close(source=source, key=row.dedup_key)
    ticket = row.ticket
    if ticket is None:
        return
    ticket.refresh_from_db()
    if ticket.is_open and not ticket.alerts.filter(state=FIRING).exists():
        words = words or "Resolved by its sender."
        resolve(ticket=ticket, actor=None, code="fixed", text=words, via="monitor")


# ---- Reading ----


def _listed(request: HttpRequest, source: AlertSource) -> HttpResponse:
    rows = _queried(source, request.GET.get("sysparm_query", ""))
    limit = max(1, min(_number(request.GET.get("sysparm_limit", ""), LIMIT), LIMIT))
    offset = _number(request.GET.get("sysparm_offset", ""), 0)
    total = rows.order_by().count()
    found = [_told(request, row) for row in rows[offset : offset + limit]]
    answer = JsonResponse({"result": found})
    answer["X-Total-Count"] = str(total)
    offsets = {"first": 0, "last": max(0, (total - 1) // limit * limit)}
    if offset + limit < total:
        offsets["next"] = offset + limit
    if offset:
        offsets["prev"] = max(0, offset - limit)
    answer["Link"] = ",".join(
        f'<{_page(request, at, limit)}>;rel="{name}"' for name, at in offsets.items()
    )
    return answer


def _page(request: HttpRequest, offset: int, limit: int) -> str:
    query = request.GET.copy()
    query["sysparm_offset"], query["sysparm_limit"] = str(offset), str(limit)
    return f"{public_root(request)}{request.path}?{query.urlencode()}"


def _queried(source: AlertSource, query: str) -> QuerySet[Alert]:
    """Rows of an encoded query; conditions on columns that are not here count for nothing."""
    wanted, orders = Q(), []
    for part in query.replace("\x00", "").split("^")[:50]:
        if part.startswith("ORDERBY"):
            is_falling = part.startswith("ORDERBYDESC")
            column = COLUMNS.get(part.removeprefix("ORDERBY").removeprefix("DESC"))
            orders += [("-" if is_falling else "") + column] if column else []
        elif part.startswith("OR"):
            wanted |= _condition(part.removeprefix("OR")) or Q(pk__in=())
        elif part and part != "EQ":
            wanted &= _condition(part) or Q()
    return _rows(source).filter(wanted).order_by(*orders, "pk")


def _condition(part: str) -> Q | None:
    for mark, lookup in LOOKUPS:
        name, found, value = part.partition(mark)
        if not found or not name.replace("_", "").isalnum():
            continue
        condition = _compared(name, lookup, value)
        is_not = mark in ("!=", "NOT LIKE")
        return ~condition if is_not and condition is not None else condition
    return None


def _compared(name: str, lookup: str, value: str) -> Q | None:
    if name == "active":
        over = Q(ticket__status__in=[states.RESOLVED, *states.FINAL])
        return ~over if value.lower() == "true" else over
    if name in ("state", "incident_state"):
        return _in_states(value.split(","))
    if name == "sys_id":
        return Q(uid__in=[uid for one in value.split(",") if (uid := _uuid(one)) is not None])
    column = COLUMNS.get(name)
    if column is None:
        return None
    if column.endswith("_at"):
        at = any_moment(value) if lookup in ORDERED else None
        return Q(**{column + lookup: at}) if at is not None else None
    if column in NUMBERS:
        numbers = [int(one) for one in value.split(",") if one in ("1", "2", "3", "4", "5")]
        if lookup in ORDERED:
            return Q(**{column + lookup: numbers[0]}) if numbers else None
        return Q(**{f"{column}__in": numbers})
    return Q(**{f"{column}{lookup}": value.split(",") if lookup == "__in" else value})


def _in_states(codes: list[str]) -> Q:
    """Incidents in these states: one that somebody has acknowledged is in progress there."""
    meant = {status for status, (code, _) in STATES.items() if code in codes}
    found = Q(ticket__status__in=sorted(meant - QUEUED))
    if meant & QUEUED:
        found |= Q(ticket__status__in=sorted(QUEUED), ticket__acknowledged_at=None)
    if WORKING in codes:
        found |= Q(ticket__status__in=sorted(QUEUED), ticket__acknowledged_at__isnull=False)
    return found


def _uuid(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None


def _told(request: HttpRequest, row: Alert) -> dict[str, Any]:
    ticket = row.ticket
    code, label = STATES[ticket.status] if ticket is not None else STATES[states.NEW]
    if code == "1" and row.is_acknowledged:
        code, label = STATES[states.IN_PROGRESS]
    team, person = (ticket.team, ticket.assignee) if ticket is not None else (None, None)
    body = {
        "sys_id": row.uid.hex,
        "number": ticket.key if ticket is not None else "",
        "short_description": row.summary,
        "description": row.details.get("description", ""),
        "state": code,
        "incident_state": code,
        "active": str(code in ("1", "2", "3")).lower(),
        "impact": str(ticket.impact) if ticket is not None else "3",
        "urgency": str(ticket.urgency) if ticket is not None else "3",
        "priority": str(ticket.priority) if ticket is not None else "5",
        "category": row.details.get("category", ""),
        "cmdb_ci": row.details.get("cmdb_ci", ""),
        "caller_id": row.details.get("caller_id", ""),
        "correlation_id": row.dedup_key,
        "assignment_group": team.name if team is not None else "",
        "assigned_to": person.username if person is not None else "",
        "close_code": ticket.resolution_code if ticket is not None else "",
        "close_notes": ticket.resolution if ticket is not None else "",
        "sys_created_on": _stamp(row.first_seen_at),
        "sys_updated_on": _stamp(getattr(row, "changed_at", row.last_seen_at)),
        "resolved_at": _stamp(ticket.resolved_at) if ticket is not None else "",
        "sys_class_name": "incident",
    }
    if request.GET.get("sysparm_display_value", "").lower() == "true":
        body["state"] = body["incident_state"] = label
    fields = [name for name in request.GET.get("sysparm_fields", "").split(",") if name]
    return {name: body.get(name, "") for name in fields} if fields else body


def _stamp(at: datetime | None) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") if at is not None else ""


def _address(request: HttpRequest, row: Alert) -> str:
    return f"{public_root(request)}{request.path.rstrip('/')}/{row.uid.hex}"


def _number(given: str, default: int) -> int:
    return int(given) if given.isascii() and given.isdecimal() and len(given) < 9 else default


def addresses(prefix: str) -> list[URLPattern]:
    """ServiceNow's addresses below a prefix, of every version of the interface."""
    found: list[URLPattern] = []
    views: dict[str, Callable[..., HttpResponse]] = {"": incidents, "/<str:sys_id>": incident}
    for version in ("", "v1/", "v2/"):
        for part, view in views.items():
            route, name = f"{prefix}api/now/{version}table/incident{part}", f"servicenow-{version}"
            name += "one" if part else "all"
            found += [path(route, view, name=name), path(f"{route}/", view, name=f"{name}-slash")]
    where = prefix.rstrip("/")
    found.append(re_path(rf"^{where}(?:/?(?P<rest>.*))?$", nothing, name="servicenow-nothing"))
    return found
