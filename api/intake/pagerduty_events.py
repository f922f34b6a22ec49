"""PagerDuty's doors for events: version 2, changes, version 1, and event rules."""

from typing import Any, Final
from uuid import uuid4

from django.http import HttpRequest, HttpResponse, JsonResponse

from api.intake import pagerduty
from api.intake.door import Fault, Mount, body_of, json_of, known_source
from api.intake.guess import guess
from roles.instants import database_now
from tickets import alertacts, receipts
from tickets.ingest import accept
from tickets.models import AlertSource, ChangeNotice

BYTES_MAX: Final = 512 * 1024
INVALID: Final = "Event object is invalid"
PRODUCT: Final = AlertSource.Product.PAGERDUTY


def _answer_fault(request: HttpRequest, fault: Fault) -> HttpResponse:
    """Every fault as the product tells of an event that it does not take."""
    words = {"status": "invalid event", "message": INVALID, "errors": list(fault.reasons)}
    if fault.status != 400:
        word = "throttle exceeded" if fault.status in (403, 429) else "error"
        words = {"status": word, "message": fault.message, "errors": [fault.message]}
    elif not fault.reasons:
        words["errors"] = [fault.message]
    return JsonResponse(words, status=fault.status, headers=fault.headers)


EVENTS: Final = Mount(name="pagerduty", answer_fault=_answer_fault)
EVENTS_V1: Final = Mount(name="pagerduty", answer_fault=_answer_fault, busy=403)


@EVENTS.door
def enqueue(request: HttpRequest) -> HttpResponse:
    """An event of version 2: stored, then answered with 202 and its dedup key."""
    event = pagerduty.parse(_payload(request), new_key=uuid4().hex)
    _carry_out(_source(request, event.key), event, "v2")
    told = {"status": "success", "message": "Event processed", "dedup_key": event.dedup_key}
    return JsonResponse(told, status=202)


@EVENTS_V1.door
def create_event(request: HttpRequest) -> HttpResponse:
    """An event of version 1: stored, then answered with 200 and its incident key."""
    event = pagerduty.parse_v1(_payload(request), new_key=uuid4().hex)
    _carry_out(_source(request, event.key), event, "v1")
    told = {"status": "success", "message": "Event processed", "incident_key": event.dedup_key}
    return JsonResponse(told)


@EVENTS.door
def take_by_rules(request: HttpRequest, key: str) -> HttpResponse:
    """An event whose key stands in the address: of version 2, or any JSON that can be read."""
    payload = _payload(request)
    source = _source(request, key)
    if isinstance(payload, dict) and "event_action" in payload:
        _carry_out(source, pagerduty.parse(payload, key=key, new_key=uuid4().hex), "x-ere")
    else:
        outcomes = accept(source=source, alerts=guess(payload))
        receipts.note_outcomes(source, outcomes, door=PRODUCT, act="x-ere", status=202)
    return JsonResponse({"status": "success", "message": "Event processed"}, status=202)


@EVENTS.door
def enqueue_change(request: HttpRequest) -> HttpResponse:
    """A change event: kept and shown beside tickets; it opens nothing and tells nobody."""
    change = pagerduty.parse_change(_payload(request))
    source = _source(request, change.key)
    now = database_now()
    ChangeNotice.objects.create(
        source=source,
        at=min(change.at or now, now),
        received_at=now,
        summary=change.summary,
        origin=change.origin,
        details=change.details,
        links=list(change.links),
    )
    receipts.note(
        source, door=PRODUCT, act="change", status=202, outcome=receipts.Kinds.ACCEPTED, told="kept"
    )
    told = {"status": "success", "message": "Change event processed"}
    return JsonResponse(told, status=202)


def _payload(request: HttpRequest) -> Any:
    if request.method != "POST":
        raise Fault(405, "Events are sent by POST.", headers={"Allow": "POST"})
    return json_of(request, body_of(request, BYTES_MAX))


def _source(request: HttpRequest, key: str) -> AlertSource:
    source = known_source(request, key, PRODUCT)
    if source is None:
        raise Fault(400, INVALID, ["Invalid routing key"])
    return source


def _carry_out(source: AlertSource, event: pagerduty.Event, act: str) -> None:
    """Do what the event says; what it says of an alert that is not open is dropped, as there."""
    if event.alert is not None:
        outcomes = accept(source=source, alerts=[event.alert])
        receipts.note_outcomes(source, outcomes, door=PRODUCT, act=f"{act} trigger", status=202)
        return
    if event.action == "resolve":
        outcomes = [alertacts.close(source=source, key=event.dedup_key)]
        receipts.note_outcomes(source, outcomes, door=PRODUCT, act=f"{act} resolve", status=202)
        return
    alert = alertacts.open_alert(source, event.dedup_key)
    is_news = alert is not None and alertacts.acknowledge(source=source, alert=alert)
    receipts.note(
        source,
        door=PRODUCT,
        act=f"{act} acknowledge",
        status=202,
        outcome=receipts.Kinds.ACCEPTED if is_news else receipts.Kinds.IGNORED,
        told="acknowledged" if is_news else "nothing to acknowledge",
        alert_id=alert.pk if alert else None,
    )
