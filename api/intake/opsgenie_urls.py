"""Which of Opsgenie's doors an address and a method lead to; an alias may hold any character."""

from collections.abc import Callable
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, re_path

from api.intake import alertmanager, grafana
from api.intake import opsgenie_files as files
from api.intake import opsgenie_heartbeats as heartbeats
from api.intake import opsgenie_oncall as oncall
from api.intake import opsgenie_reads as reads
from api.intake import opsgenie_writes as writes
from api.intake.door import Fault, body_of, json_of
from api.intake.guess import guess
from api.intake.opsgenie_door import ALERTS, Asker, alert_named, door, processed
from tickets import receipts
from tickets.ingest import accept

KINDS: Final = {"grafana": grafana.parse, "prometheus": alertmanager.parse}
"""Kinds of incoming webhook with a form of their own; all others are read as any JSON."""
READS: Final = {
    "notes": reads.list_notes,
    "logs": reads.list_logs,
    "recipients": reads.list_recipients,
    "attachments": files.listed,
}
Done = Callable[[Asker, str], HttpResponse]


@door
def alerts(asker: Asker) -> HttpResponse:
    """A list of alerts, or a new one."""
    if asker.request.method == "GET":
        return reads.list_alerts(asker)
    _only(asker, "POST")
    return writes.create(asker)


@door
def count(asker: Asker) -> HttpResponse:
    """How many alerts there are."""
    _only(asker, "GET")
    return reads.count_alerts(asker)


@door
def request_status(asker: Asker, request_id: str) -> HttpResponse:
    """What became of a request."""
    _only(asker, "GET")
    return reads.request_status(asker, request_id)


@door
def one_alert(asker: Asker, rest: str) -> HttpResponse:
    """Whatever is asked of one alert: its name goes as far as no verb of the method follows."""
    method = asker.request.method or ""
    if method in ("GET", "DELETE") and (found := files.split(asker, rest)) is not None:
        return files.get(asker, *found) if method == "GET" else files.drop(asker, *found)
    if method == "GET":
        name, verb = _split(rest, READS)
        by_alias = asker.params.get("identifierType", "").lower() == "alias"
        if not verb or (by_alias and alert_named(asker, rest) is not None):
            return reads.get_alert(asker, rest)
        return READS[verb](asker, name)
    if method == "POST":
        name, _, action = _tidy(rest).rpartition("/actions/")
        if name and action and "/" not in action:
            return writes.run_action(asker, name, action, asker.body())
        name, verb = _split(rest, ("attachments",))
        if verb:
            return files.add(asker, name)
        name, verb = _split(rest, writes.POSTED)
        if verb:
            return writes.carry_out(asker, name, verb, asker.body())
    if method in ("PUT", "PATCH"):
        name, verb = _split(rest, writes.PUT)
        if verb:
            return writes.carry_out(asker, name, verb, asker.body())
    if method == "DELETE":
        return _deleted(asker, rest)
    raise Fault(405, "This method is not supported here.")


def _deleted(asker: Asker, rest: str) -> HttpResponse:
    params = dict(asker.params.items())
    name, verb = _split(rest, ("tags", "details"))
    if verb and params.get("tags" if verb == "tags" else "keys"):
        return writes.carry_out(asker, name, f"DELETE {verb}", params)
    return writes.carry_out(asker, _tidy(rest), "DELETE", params)


def _split(rest: str, verbs: Any) -> tuple[str, str]:
    name, _, verb = _tidy(rest).rpartition("/")
    return (name, verb) if name and verb in verbs else (rest, "")


def _tidy(rest: str) -> str:
    return rest.removesuffix("/")


@door
def all_heartbeats(asker: Asker) -> HttpResponse:
    """A list of heartbeats, or a new one."""
    if asker.request.method == "GET":
        return heartbeats.list_pulses(asker)
    _only(asker, "POST")
    return heartbeats.put(asker)


@door
def one_heartbeat(asker: Asker, rest: str) -> HttpResponse:
    """Whatever is asked of one heartbeat; a ping may come by any method."""
    method = asker.request.method or ""
    name, verb = _split(rest, ("ping", "enable", "disable"))
    if verb == "ping":
        _only(asker, "GET", "POST", "PUT", "PATCH")
        return heartbeats.ping(asker, name)
    if verb:
        _only(asker, "POST")
        return heartbeats.switch(asker, name, verb == "enable")
    name = _tidy(rest)
    by_method: dict[str, Done] = {
        "GET": heartbeats.get,
        "PATCH": heartbeats.change,
        "PUT": heartbeats.change,
        "DELETE": heartbeats.delete,
    }
    if method not in by_method:
        raise Fault(405, "This method is not supported here.")
    return by_method[method](asker, name)


@door
def schedules(asker: Asker, rest: str = "") -> HttpResponse:
    """Who is on call."""
    _only(asker, "GET")
    rest = _tidy(rest)
    if not rest:
        return oncall.list_schedules(asker)
    if rest == "on-calls":
        return oncall.all_on_calls(asker)
    name, verb = _split(rest, ("on-calls", "next-on-calls"))
    if verb:
        done: Done = oncall.on_calls if verb == "on-calls" else oncall.next_on_calls
        return done(asker, name)
    return oncall.get_schedule(asker, rest)


@door
def incoming_json(asker: Asker, kind: str) -> HttpResponse:
    """A webhook of another product for which Opsgenie has an address, its key in the query."""
    _only(asker, "POST", "PUT")
    payload = json_of(asker.request, body_of(asker.request))
    outcomes = accept(source=asker.source, alerts=KINDS.get(kind, guess)(payload))
    if not outcomes:
        raise Fault(422, "There is no alert in the body.")
    return processed(
        asker,
        f"json/{kind}",
        words=receipts.words_of(outcomes),
        alert_id=outcomes[0].alert_id,
        outcome=receipts.outcome_of(outcomes),
    )


def _only(asker: Asker, *methods: str) -> None:
    if asker.request.method not in methods:
        allowed = {"Allow": ", ".join(methods)}
        raise Fault(405, "This method is not supported here.", headers=allowed)


@ALERTS.door
def nothing(request: HttpRequest, rest: str = "") -> HttpResponse:
    """404 in the vendor's form for whatever we do not answer for."""
    raise Fault(404, "There is no such address here.")


def addresses(prefix: str, name: str, version: str = "v2/") -> list[URLPattern]:
    """Opsgenie's addresses below a prefix; its successor's have no version in them."""
    base = prefix + version
    return [
        *_both(f"{base}alerts", alerts, f"{name}-alerts"),
        *_both(f"{base}alerts/count", count, f"{name}-count"),
        *_both(f"{base}alerts/requests/<str:request_id>", request_status, f"{name}-request"),
        path(f"{base}alerts/<path:rest>", one_alert, name=f"{name}-alert"),
        *_both(f"{base}heartbeats", all_heartbeats, f"{name}-heartbeats"),
        path(f"{base}heartbeats/<path:rest>", one_heartbeat, name=f"{name}-heartbeat"),
        *_both(f"{base}schedules", schedules, f"{name}-schedules"),
        path(f"{base}schedules/<path:rest>", schedules, name=f"{name}-schedule"),
        *_both(f"{prefix}v1/json/<str:kind>", incoming_json, f"{name}-json"),
        re_path(rf"^{prefix.rstrip('/')}(?:/?(?P<rest>.*))?$", nothing, name=f"{name}-nothing"),
    ]


def _both(route: str, view: Callable[..., Any], name: str) -> list[URLPattern]:
    return [path(route, view, name=name), path(f"{route}/", view, name=f"{name}-slash")]
