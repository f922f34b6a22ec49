"""Bad input at every mount: a clear 4xx in the mount's own form, and nothing is half-stored."""

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError

from tests.api.intake import TABLE, Sender, opsgenie, pagerduty, plain, servicenow
from tickets.models import Alert, ChangeNotice, Pulse, Ticket

PD_EVENT = {
    "event_action": "trigger",
    "payload": {"summary": "x", "source": "y", "severity": "info"},
}
Form = Callable[[Any], bool]


def is_problem(answer: Any) -> bool:
    return answer["Content-Type"] == "application/problem+json" and "detail" in answer.json()


def is_event_error(answer: Any) -> bool:
    return set(answer.json()) == {"status", "message", "errors"} and answer.json()["errors"] != []


def is_opsgenie_error(answer: Any) -> bool:
    return {"message", "took", "requestId"} <= set(answer.json())


def is_table_error(answer: Any) -> bool:
    told = answer.json()
    return told["status"] == "failure" and {"message", "detail"} == set(told["error"])


def doors(story) -> dict[str, tuple[Sender, str, Any, Form]]:
    """Each door: its sender, its address, a good body, and how it says what is wrong."""
    pd, og, snow = pagerduty(story), opsgenie(story), servicenow(story)
    event = {**PD_EVENT, "routing_key": pd.key}
    v1 = {"service_key": pd.key, "event_type": "trigger", "description": "x"}
    change = {"routing_key": pd.key, "payload": {"summary": "x"}}
    alert = {"status": "firing", "labels": {"a": "b"}}
    ce = {"id": "1", "source": "s", "type": "t", "specversion": "1.0", "data": {"summary": "x"}}
    heartbeat = {"name": "x", "interval": 1, "intervalUnit": "days", "enabled": True}
    found = {
        "v2": (pd, "/v2/enqueue", event, is_event_error),
        "v1": (pd, "/generic/2010-04-15/create_event.json", v1, is_event_error),
        "change": (pd, "/v2/change/enqueue", change, is_event_error),
        "x-ere": (pd, f"/x-ere/{pd.key}", PD_EVENT, is_event_error),
        "opsgenie": (og, "/v2/alerts", {"message": "x"}, is_opsgenie_error),
        "heartbeat": (og, "/v2/heartbeats", heartbeat, is_opsgenie_error),
        "servicenow": (snow, TABLE, {"short_description": "x"}, is_table_error),
        "json": (og, f"/v1/json/x?apiKey={og.key}", {"title": "x"}, is_opsgenie_error),
    }
    bodies = {
        "alertmanager": {"alerts": [alert]},
        "grafana": {"alerts": [alert]},
        "json": {"summary": "x"},
        "cloudevents": ce,
        "sns": {"Type": "Notification", "Message": "x", "MessageId": "1"},
    }
    for product, body in bodies.items():
        found[f"/{product}"] = (plain(story, product), "", body, is_problem)
    return found


DOORS = (
    *("v2", "v1", "change", "x-ere", "opsgenie", "heartbeat", "json", "servicenow"),
    *("/alertmanager", "/grafana", "/json", "/cloudevents", "/sns"),
)
PACKED = gzip.compress(b'{"a": "' + b"x" * 500 + b'"}')
WRONG = {
    "empty": (b"", {}, {400, 422}),
    "cut": (b'{"a": 1', {}, {400}),
    "null": (b"null", {}, {400, 422}),
    "number": (b"5", {}, {400, 422}),
    "text": (b'"x"', {}, {400, 422}),
    "list": (b"[1]", {}, {400, 422}),
    "nothing in it": (b"{}", {}, {400, 422}),
    "utf-16": ('{"a": "é"}'.encode("utf-16"), {}, {400}),
    "latin-1": (b'{"a": "\xe9"}', {}, {400}),
    "charset": (b"{}", {"content_type": "application/json; charset=iso-8859-1"}, {415}),
    "deep": (b'{"a":' * 3000 + b"1" + b"}" * 3000, {}, {400}),
    "deeper": (b"[" * 200_000, {}, {400}),
    "10 MB": (b'{"x": "' + b"x" * 10_000_000 + b'"}', {}, {413}),
    "bomb": (gzip.compress(b" " * 10_000_000), {"content_encoding": "gzip"}, {413}),
    "no gzip": (b"no gzip", {"content_encoding": "gzip"}, {400}),
    "cut gzip": (PACKED[:-9], {"content_encoding": "gzip"}, {400}),
    "brotli": (b"{}", {"content_encoding": "br"}, {415}),
}  # fmt: skip


def stored() -> int:
    return sum(model.objects.count() for model in (Alert, Ticket, ChangeNotice, Pulse))


@pytest.mark.parametrize("name", DOORS)
def test_a_good_body_is_taken_in_every_wrapping(story, name):
    sender, where, body, _ = doors(story)[name]
    raw = json.dumps(body)
    odd = {"accept": "application/vnd.pagerduty+json;version=2"}
    assert sender.post(where, body, **odd).status_code in (200, 201, 202)
    bom = b"\xef\xbb\xbf" + raw.encode()
    packed = gzip.compress(raw.encode())
    text = {} if name == "/cloudevents" else {"content_type": "text/plain; charset=UTF-8"}
    assert sender.post(where, bom).status_code in (200, 201, 202)
    assert sender.post(where, packed, content_encoding="gzip").status_code in (200, 201, 202)
    assert sender.post(where, raw, **text).status_code in (200, 201, 202)
    assert stored()


@pytest.mark.parametrize("name", DOORS)
def test_bad_input_is_a_clear_refusal_and_nothing_is_stored(story, name):
    sender, where, _, is_own_form = doors(story)[name]
    for case, (body, headers, wanted) in WRONG.items():
        answer = sender.post(where, body, **headers)
        assert answer.status_code in wanted, (case, answer.status_code, answer.content[:200])
        assert is_own_form(answer), (case, answer.content[:200])
    assert not stored()


@pytest.mark.parametrize("name", DOORS)
def test_every_member_may_be_of_a_wrong_kind_without_a_fault_of_ours(story, name):
    sender, where, body, is_own_form = doors(story)[name]
    odd = (None, 5, True, "x" * 70_000, "a\x00b", [None], {"a": {"b": [1]}})
    for member in body:
        for value in odd:
            answer = sender.post(where, {**body, member: value})
            assert answer.status_code < 500, (member, value, answer.content[:200])
            if answer.status_code >= 400:
                assert is_own_form(answer), (member, value, answer.content[:200])


@pytest.mark.parametrize("name", DOORS)
def test_a_database_that_is_down_is_a_503_and_never_a_false_2xx(story, name, monkeypatch):
    sender, where, body, is_own_form = doors(story)[name]

    def be_away(*args, **kwargs):
        raise OperationalError("server closed the connection")

    with monkeypatch.context() as wire:
        wire.setattr("django.db.backends.utils.CursorWrapper.execute", be_away)
        answer = sender.post(where, body)
    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    assert is_own_form(answer)
    assert not stored()


@pytest.mark.parametrize("name", DOORS)
def test_a_bug_of_ours_is_told_in_the_mounts_own_form_and_logged(story, name, monkeypatch, caplog):
    sender, where, body, is_own_form = doors(story)[name]

    def stumble(*args, **kwargs):
        raise RuntimeError("a bug")

    with monkeypatch.context() as wire:
        wire.setattr("django.db.backends.utils.CursorWrapper.execute", stumble)
        answer = sender.post(where, body)
    assert answer.status_code == 500
    assert is_own_form(answer)
    assert b"a bug" not in answer.content
    assert "RuntimeError: a bug" in caplog.text
    assert not stored()


@pytest.mark.parametrize("name", ["opsgenie", "pagerduty", "servicenow"])
def test_a_query_of_too_many_members_is_refused_in_the_mounts_own_form(story, name):
    paths = {"opsgenie": "/v2/alerts", "pagerduty": "/incidents", "servicenow": TABLE}
    sender = {"opsgenie": opsgenie, "pagerduty": pagerduty, "servicenow": servicenow}[name](story)
    query = "&".join(f"a{number}=1" for number in range(1500))
    answer = sender.get(f"{paths[name]}?{query}")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/json"


@pytest.mark.parametrize("name", DOORS)
def test_a_site_that_can_open_no_ticket_keeps_nothing_and_says_503(story, name):
    sender, where, body, _ = doors(story)[name]
    story.desk.is_service_desk = False
    story.desk.save()
    answer = sender.post(where, body)
    if name in ("change", "heartbeat"):
        assert answer.status_code in (201, 202)
        return
    assert answer.status_code == 503
    assert not stored()


@pytest.mark.parametrize("name", DOORS)
def test_a_source_that_floods_is_told_to_wait_as_its_senders_understand(story, name, settings):
    sender, where, body, is_own_form = doors(story)[name]
    settings.INTAKE_REQUESTS_PER_MINUTE = 0
    answer = sender.post(where, body)
    wanted = 403 if name == "v1" else 503 if name.startswith("/") else 429
    assert answer.status_code == wanted
    assert int(answer["Retry-After"]) <= 60
    assert is_own_form(answer)
    assert not stored()
