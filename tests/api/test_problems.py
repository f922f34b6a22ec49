"""Whatever goes wrong at the machines' door is told in one form, and tells no more than it must."""

import gzip

import pytest
from django.db import OperationalError
from django.test import Client

from tests.api.conftest import assert_problem
from tickets.models import Ticket

TICKETS = "/api/v1/tickets/"
NOWHERE = [
    "/api",
    "/api/",
    "/api/v2/tickets",
    f"{TICKETS}a/b/c/",
    "/api/v1/",
    "/intake/",
    "/intake",
]


def test_who_does_not_say_who_he_is_is_asked(db):
    answer = Client().get(TICKETS)
    assert_problem(answer, 401, "not_authenticated")
    assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer x", "Bearer tl_aaaaaaaaaa_" + "b" * 43, "bearer \x00", "Bearer é"]
)
def test_a_useless_token_is_refused(db, header):
    assert_problem(Client().get(TICKETS, headers={"Authorization": header}), 401)


def test_foreign_schemes_count_as_none(db):
    for header in ("Token token=x", "GenieKey x", "Basic cm9vdDpyb290"):
        answer = Client().get(TICKETS, headers={"Authorization": header})
        assert_problem(answer, 401, "not_authenticated")


@pytest.mark.parametrize("path", NOWHERE)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_what_does_not_exist_is_a_problem_and_never_a_redirect(db, path, method):
    client = Client(enforce_csrf_checks=True)
    assert_problem(client.generic(method, path), 404, "not_found")


def test_a_method_that_is_not_there_is_told(agent):
    for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
        answer = agent.call(method, TICKETS)
        assert_problem(answer, 405, "method_not_allowed")
        assert set(answer["Allow"].split(", ")) >= {"GET", "POST"}


def test_only_json_is_spoken(agent):
    assert_problem(agent.get(TICKETS, accept="text/html"), 406, "not_acceptable")
    headers = {"Authorization": f"Bearer {agent.plain}"}
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "x"):
        answer = agent.client.generic("POST", TICKETS, b"{}", content_type=kind, headers=headers)
        assert_problem(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b'{"subject": "x",}', 400),
        (b'{"subject": NaN}', 400),
        (b'{"subject": 1e999}', 400),
        (b'{"subject": "\\ud800"}', 400),
        (b'{"subject": "\xff"}', 400),
        ("{}".encode("utf-16"), 400),
        (b"[" * 100_000 + b"]" * 100_000, 400),
        (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, 400),
        (b'{"subject": "' + b"x" * 1_000_001 + b'"}', 413),
    ],
    ids=["cut", "comma", "nan", "inf", "surrogate", "latin", "utf16", "deep", "deeper", "large"],
)
def test_a_broken_body_is_refused(story, agent, body, status):
    headers = {"Authorization": f"Bearer {agent.plain}"}
    answer = agent.client.generic(
        "POST", TICKETS, body, content_type="application/json", headers=headers
    )
    assert_problem(answer, status)
    assert not Ticket.objects.exists()


def test_other_charsets_and_encodings_are_refused(agent):
    headers = {"Authorization": f"Bearer {agent.plain}"}
    latin = "application/json; charset=iso-8859-1"
    answer = agent.client.generic("POST", TICKETS, b"{}", content_type=latin, headers=headers)
    assert_problem(answer, 415)
    packed = {**headers, "Content-Encoding": "gzip"}
    answer = agent.client.generic(
        "POST", TICKETS, gzip.compress(b"{}"), content_type="application/json", headers=packed
    )
    assert_problem(answer, 415)


def test_a_byte_order_mark_does_no_harm(story, agent):
    headers = {"Authorization": f"Bearer {agent.plain}"}
    body = '\ufeff{"subject": "With a mark"}'.encode()
    answer = agent.client.generic(
        "POST", TICKETS, body, content_type="application/json; charset=UTF-8", headers=headers
    )
    assert answer.status_code == 201


def test_a_fault_of_ours_tells_nothing_of_itself(agent, monkeypatch):
    def break_down(*args):
        raise ZeroDivisionError("secret inside")

    with monkeypatch.context() as inside:
        inside.setattr("django.db.models.query.QuerySet.defer", break_down)
        answer = agent.get(TICKETS)
    assert_problem(answer, 500, "fault")
    assert b"secret" not in answer.content
    assert b"Traceback" not in answer.content


def test_a_database_that_is_away_is_no_fault_and_no_success(agent, monkeypatch):
    def be_away(*args, **kwargs):
        raise OperationalError("connection refused")

    with monkeypatch.context() as wire:
        wire.setattr("django.db.backends.utils.CursorWrapper.execute", be_away)
        answer = agent.get(TICKETS)
    assert_problem(answer, 503, "unavailable")
    assert answer["Retry-After"] == "5"


def test_nobody_else_may_keep_an_answer(agent):
    assert agent.get(TICKETS)["Cache-Control"] == "no-store"
    assert agent.get(f"{TICKETS}INC-1/")["Cache-Control"] == "no-store"


def test_a_key_with_anything_in_it_is_just_unknown(agent):
    for key in ("INC-000001%00", "%2e%2e", "' OR 1=1 --", "é" * 300, "INC-000001%0a"):
        assert_problem(agent.get(f"{TICKETS}{key}/"), 404)
        assert_problem(agent.get(f"/api/v1/teams/{key}/"), 404)
        assert_problem(agent.get(f"/api/v1/people/{key}/"), 404)
