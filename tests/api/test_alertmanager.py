"""The webhook of Alertmanager: what is understood, what is refused, and that 200 means stored."""

import base64
import gzip
import json
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.test import Client

from api.intake.alertmanager import NotUnderstood, parse
from tests.api.conftest import assert_problem
from tickets.models import Alert, AlertSource, Ticket
from tickets.sources import create_source

BASE = "/intake/v1/alertmanager"


@pytest.fixture
def key(story) -> str:
    return create_source(slug="prom", product="alertmanager", service=story.mail)[1]


def webhook(*alerts: Any, **more: Any) -> dict[str, Any]:
    given = {
        "version": "4",
        "groupKey": '{}:{alertname="DiskFull"}',
        "status": "firing",
        "receiver": "tierline",
        "alerts": list(alerts) or [alert()],
    }
    return {**given, **more}


def alert(**more: Any) -> dict[str, Any]:
    given = {
        "status": "firing",
        "labels": {"alertname": "DiskFull", "instance": "db1", "severity": "critical"},
        "annotations": {"summary": "disk full on db1", "runbook_url": "https://example.org/rb"},
        "startsAt": "2026-11-21T21:04:33.123456789Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example.org/graph",
        "fingerprint": "07ca3caf9db6daac",
    }
    return {**given, **more}


def post(path: str, body: Any, **headers: str) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    kind = headers.pop("kind", "application/json")
    client = Client(raise_request_exception=False, enforce_csrf_checks=True)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.generic("POST", path, raw, content_type=kind, headers=named)


# ---- Reading ----


def test_a_webhook_is_read_as_alertmanager_means_it():
    (found,) = parse(webhook())
    assert found.dedup_key == "07ca3caf9db6daac"
    assert found.group_key == '{}:{alertname="DiskFull"}'
    assert (found.state, found.severity) == ("firing", "critical")
    assert found.summary == "disk full on db1"
    assert found.starts_at == datetime(2026, 11, 21, 21, 4, 33, 123456, tzinfo=UTC)
    assert found.ends_at is None
    assert found.links == ("https://example.org/rb", "http://prometheus.example.org/graph")


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("annotations", None),
        ("labels", None),
        ("labels", {}),
        ("fingerprint", None),
        ("fingerprint", ""),
        ("startsAt", None),
        ("startsAt", ""),
        ("startsAt", "2026-11-21T21:04:33"),
        ("startsAt", "2026-11-21T21:04:33+0000"),
        ("startsAt", "2026-11-21T21:04:33+00:00Z"),
        ("startsAt", "0001-01-01T00:00:00Z"),
        ("startsAt", "0001-01-01T00:00:00+14:00"),
        ("startsAt", "9999-12-31T23:59:59-14:00"),
        ("endsAt", None),
        ("generatorURL", None),
        ("generatorURL", "javascript:alert(1)"),
        ("generatorURL", "http://[broken"),
        ("generatorURL", 5),
        ("status", None),
        ("somethingNew", {"deep": [1, "a\u0000b", None]}),
    ],
)
def test_optional_members_may_be_missing_null_or_odd(story, key, member, value):
    for body in (alert(**{member: value}), {k: v for k, v in alert().items() if k != member}):
        answer = post(f"{BASE}/{key}", webhook(body))
        assert answer.status_code == 200, answer.content
    assert Ticket.objects.count() == 1


def test_unknown_members_are_kept(story, key):
    post(f"{BASE}/{key}", webhook(alert(values={"B": 22.5}, note="a\u0000b")))
    details = Alert.objects.get().details
    assert details["values"] == {"B": 22.5}
    assert details["note"] == "a\ufffdb"
    assert details["labels"]["instance"] == "db1"


def test_texts_with_nul_and_of_any_length_are_kept_as_far_as_they_can_be(story, key):
    long = alert(annotations={"summary": "a\u0000b " + "x" * 5000}, fingerprint="f" * 3000)
    assert post(f"{BASE}/{key}", webhook(long, groupKey="g" * 9000)).status_code == 200
    assert Ticket.objects.get().subject.startswith("a\ufffdb xxx")


def test_an_alert_without_a_fingerprint_is_known_by_its_labels():
    bare = [
        alert(fingerprint=None),
        alert(fingerprint=None, annotations={}),
        alert(labels={"a": "b"}, fingerprint=None),
    ]
    first, same, other = parse(webhook(*bare))
    assert first.dedup_key == same.dedup_key != other.dedup_key


@pytest.mark.parametrize(
    "body",
    [
        [],
        None,
        "x",
        5,
        {},
        {"alerts": None},
        {"alerts": {}},
        webhook("x"),
        webhook(None),
        webhook(alert(labels=[])),
        webhook(alert(annotations="x")),
        webhook(alert(status="broken")),
        webhook(alert(startsAt="yesterday")),
        webhook(alert(startsAt=5)),
        webhook(alert(), alert(status="resolved", endsAt={})),
    ],
)
def test_what_is_no_webhook_is_refused_whole(story, key, body):
    with pytest.raises(NotUnderstood):
        parse(body)
    assert_problem(post(f"{BASE}/{key}", body), 400, "not_understood")
    assert not Alert.objects.exists()


def test_an_empty_list_is_fine(key):
    assert post(f"{BASE}/{key}", webhook() | {"alerts": []}).json() == {
        "status": "stored",
        "alerts": [],
    }


# ---- The door ----


def test_an_alert_fires_and_clears(story, key):
    answer = post(f"{BASE}/{key}", webhook())
    ticket = Ticket.objects.get()
    assert answer.json() == {
        "status": "stored",
        "alerts": [{"fingerprint": "07ca3caf9db6daac", "result": "opened", "ticket": ticket.key}],
    }
    assert (ticket.priority, ticket.source, ticket.service) == (1, "monitor", story.mail)
    over = alert(status="resolved", endsAt="2026-11-21T22:00:00Z")
    answer = post(f"{BASE}/{key}", webhook(over, status="resolved"))
    assert answer.json()["alerts"][0]["result"] == "cleared"
    assert Ticket.objects.get().status == "resolved"
    assert AlertSource.objects.get().last_seen_at is not None


def test_the_key_may_stand_in_the_address_or_in_the_header(story, key):
    basic = base64.b64encode(f"anybody:{key}".encode()).decode()
    assert post(f"{BASE}/{key}", webhook()).status_code == 200
    assert post(f"{BASE}/{key}/", webhook()).status_code == 200
    assert post(BASE, webhook(), authorization=f"Bearer {key}").status_code == 200
    assert post(f"{BASE}/", webhook(), authorization=f"Basic {basic}").status_code == 200
    assert Alert.objects.get().count == 4


def test_a_foreign_authorization_is_ignored_beside_a_key_in_the_address(story, key):
    for foreign in ("Token token=x", "Bearer other", "Basic !!!", "GenieKey k", "Digest x"):
        assert post(f"{BASE}/{key}", webhook(), authorization=foreign).status_code == 200


def test_an_accept_header_of_another_product_does_no_harm(story, key):
    accept = "application/vnd.pagerduty+json;version=2"
    assert post(f"{BASE}/{key}", webhook(), accept=accept).status_code == 200
    assert post(f"{BASE}/{key}", webhook(), kind="text/plain").status_code == 200


def test_a_wrong_key_is_told_nothing_and_stores_nothing(story, key):
    wrong = key[:-1] + ("a" if key[-1] != "a" else "b")
    for path in (f"{BASE}/{wrong}", f"{BASE}/x/", f"{BASE}/{key}x", f"{BASE}/{key}%00"):
        members = assert_problem(post(path, webhook()), 404, "not_found")
        assert members["detail"] == "There is nothing here."
    basic = base64.b64encode(b"x:y").decode()
    for header in ("", f"Bearer {wrong}", f"Basic {basic}", "Basic !!", "Basic"):
        headers = {"authorization": header} if header else {}
        answer = post(BASE, webhook(), **headers)
        assert_problem(answer, 401)
        assert "Bearer" in answer["WWW-Authenticate"]
    AlertSource.objects.update(is_active=False)
    assert_problem(post(f"{BASE}/{key}", webhook()), 404)
    assert not Ticket.objects.exists()


@pytest.mark.parametrize(
    "path",
    [
        "/intake/v1/nagios/x",
        "/intake/v2/alertmanager/x",
        f"{BASE}/a/b/c",
        "/intake/v1",
        "/intake/x/",
    ],
)
def test_an_unknown_address_is_not_found_and_never_a_redirect(db, path):
    assert_problem(post(path, webhook()), 404)


def test_reading_an_address_for_alerts_is_not_possible(story, key):
    for method in ("GET", "HEAD", "DELETE", "OPTIONS"):
        answer = Client().generic(method, f"{BASE}/{key}")
        assert answer.status_code == 405
        assert answer["Allow"] == "POST, PUT"


def test_a_packed_body_is_unpacked(story, key):
    packed = gzip.compress(json.dumps(webhook()).encode())
    assert post(f"{BASE}/{key}", packed, content_encoding="gzip").status_code == 200


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"", {}, 400),
        (b"{", {}, 400),
        (b"\xff\xfe{}", {}, 400),
        (json.dumps(webhook()).encode("utf-16"), {}, 400),
        (b'{"alerts": [{"status": "firing", "fingerprint": "\xe9"}]}', {}, 400),
        (b'{"a":' * 3000 + b"1" + b"}" * 3000, {}, 400),
        (b"[" * 200_000, {}, 400),
        (b'{"alerts": [], "x": "' + b"x" * 10_000_000 + b'"}', {}, 413),
        (gzip.compress(json.dumps(webhook()).encode())[:-20], {"content_encoding": "gzip"}, 400),
        (b"no gzip", {"content_encoding": "gzip"}, 400),
        (gzip.compress(b" " * 10_000_000), {"content_encoding": "gzip"}, 413),
        (b"{}", {"content_encoding": "br"}, 415),
        (b"{}", {"kind": "application/json; charset=iso-8859-1"}, 415),
    ],
    ids="empty cut bom utf16 latin deep deeper large torn nogzip bomb brotli charset".split(),  # noqa: SIM905
)
def test_a_bad_body_is_refused_and_nothing_is_stored(story, key, body, headers, status):
    assert_problem(post(f"{BASE}/{key}", body, **headers), status)
    assert not Alert.objects.exists()


def test_trouble_of_ours_is_a_503_so_that_the_monitor_sends_it_again(story, key, monkeypatch):
    def be_away(*args, **kwargs):
        raise OperationalError("server closed the connection")

    with monkeypatch.context() as wire:
        wire.setattr("django.db.backends.utils.CursorWrapper.execute", be_away)
        answer = post(f"{BASE}/{key}", webhook())
    assert_problem(answer, 503, "unavailable")
    assert answer["Retry-After"] == "5"
    story.desk.is_service_desk = False
    story.desk.save()
    assert_problem(post(f"{BASE}/{key}", webhook()), 503)
    assert not Alert.objects.exists()


# ---- Recorded from the real client ----


def recorded(captures, status: str) -> dict[str, Any]:
    known = json.loads((captures / "alertmanager.json").read_text())["requests"]
    found = [one for one in known if one["path"] == "/webhook/alertmanager"]
    return next(one for one in found if one["body"]["status"] == status)


@pytest.mark.needs_captures
def test_the_recorded_requests_are_taken(story, key, captures):
    for status, result in (("firing", "opened"), ("resolved", "ignored")):
        request = recorded(captures, status)
        headers = {"user_agent": request["headers"]["User-Agent"]}
        answer = post(f"{BASE}/{key}", request["body"], **headers)
        assert answer.status_code == request["response_status"]
        assert answer.json()["alerts"][0]["result"] == result
    assert Ticket.objects.get().subject.startswith("disk full on db0")


@pytest.mark.needs_captures
def test_a_recorded_alert_clears(story, key, captures):
    over = recorded(captures, "resolved")["body"]
    fired = {**over, "status": "firing", "alerts": [{**over["alerts"][0], "status": "firing"}]}
    post(f"{BASE}/{key}", fired)
    post(f"{BASE}/{key}", over)
    assert Ticket.objects.get().status == "resolved"


# ---- manage.py create_source ----


def test_a_source_is_made_on_the_command_line(story):
    out = StringIO()
    call_command("create_source", "prom-eu", "--name", "Prom EU", "--service", "mail", stdout=out)
    address = out.getvalue().strip()
    assert address.startswith("http://localhost:8000/intake/v1/alertmanager/ts_")
    path = address.removeprefix("http://localhost:8000")
    assert post(path, webhook()).status_code == 200
    assert Ticket.objects.get().service == story.mail
    again = StringIO()
    call_command("create_source", "prom-eu", "--new-key", stdout=again)
    assert post(path, webhook()).status_code == 404
    renewed = again.getvalue().strip().removeprefix("http://localhost:8000")
    assert post(renewed, webhook()).status_code == 200


@pytest.mark.parametrize(
    "arguments",
    [["Bad Slug"], ["prom", "--service", "none"], ["prom", "--new-key"], ["prom", "--team", "x"]],
)
def test_a_wrong_command_line_is_told(db, arguments):
    with pytest.raises(CommandError):
        call_command("create_source", *arguments)
    assert not AlertSource.objects.exists()
