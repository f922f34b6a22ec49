"""Who may call: tokens with scopes, limits per token, and requests that are sent twice."""

import threading
from datetime import timedelta

import pytest
from django.db import connections
from django.test import Client

from api.models import IdempotencyKey
from api.tasks import forget
from roles.instants import database_now
from roles.models import ApiToken
from roles.tokens import issue, revoke
from tests.api.conftest import Caller, appoint, assert_problem
from tests.story import Story
from tickets.models import Ticket, TimelineEvent

TICKETS = "/api/v1/tickets/"


# ---- Scopes ----


def test_a_token_does_only_what_its_scopes_say(story, calling):
    key = story.open().key
    routes = {
        "tickets:read": ("GET", f"{TICKETS}{key}/"),
        "tickets:write": ("POST", f"{TICKETS}{key}/acknowledge/"),
        "catalog:read": ("GET", "/api/v1/teams/"),
        "admin:read": ("GET", "/api/v1/audit/"),
    }
    auditor = appoint(story.person("otto"), "auditor")
    for scope in routes:
        caller = calling(auditor if scope == "admin:read" else story.agent, scope)
        for wanted, (method, path) in routes.items():
            answer = caller.call(method, path)
            if wanted == scope:
                assert answer.status_code == 200, (scope, path)
            else:
                assert_problem(answer, 403, "scope_missing")
                assert f'scope="{wanted}"' in answer["WWW-Authenticate"]
        assert caller.get("/api/v1/me/").status_code == 200


def test_a_token_ends_with_its_time_its_revocation_and_its_person(story, calling):
    me = "/api/v1/me/"
    token, plain = issue(person=story.agent, name="x", scopes=["tickets:read"])
    caller = Caller(plain, Client())
    assert caller.get(me).json()["token"]["prefix"] == token.prefix
    revoke(token=token)
    assert_problem(caller.get(me), 401)
    soon = database_now() + timedelta(hours=1)
    token, plain = issue(person=story.agent, name="y", scopes=["tickets:read"], expires_at=soon)
    ApiToken.objects.filter(pk=token.pk).update(expires_at=database_now())
    assert_problem(Caller(plain, Client()).get(me), 401)
    leaver = calling(story.colleague)
    assert leaver.get(me).status_code == 200
    story.colleague.is_active = False
    story.colleague.save()
    assert_problem(leaver.get(me), 401)


def test_a_session_does_not_cover_for_a_bad_token(story):
    client = Client()
    client.force_login(story.agent)
    assert client.get("/api/v1/me/").json()["token"] is None
    assert_problem(client.get("/api/v1/me/", headers={"Authorization": "Bearer tl_x"}), 401)


# ---- Limits ----


def test_the_limit_is_told_and_kept_for_each_token(story, calling, settings):
    settings.API_REQUESTS_PER_MINUTE = 3
    first, second = calling(story.agent), calling(story.agent)
    left = [first.get("/api/v1/me/")["RateLimit-Remaining"] for _ in range(3)]
    assert left == ["2", "1", "0"]
    refused = first.get("/api/v1/me")
    assert_problem(refused, 429, "throttled")
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert (refused["RateLimit-Limit"], refused["RateLimit-Remaining"]) == ("3", "0")
    assert second.get("/api/v1/me/").status_code == 200


def test_without_the_cache_each_process_keeps_the_limit_alone(story, calling, settings, tmp_path):
    settings.REDIS_URL = f"unix://{tmp_path}/nothing.sock"
    settings.API_REQUESTS_PER_MINUTE = 2
    caller = calling(story.agent)
    assert [caller.get("/api/v1/me/").status_code for _ in range(3)] == [200, 200, 429]


# ---- The same request twice ----


def test_a_request_sent_twice_is_done_once(story, agent):
    body = {"subject": "Once only"}
    first = agent.post(TICKETS, body, idempotency_key='"abc"')
    second = agent.post(TICKETS.rstrip("/"), body, idempotency_key="abc")
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == first.json()
    assert second["Location"] == first["Location"]
    assert second["ETag"] == first["ETag"]
    assert second["Idempotent-Replayed"] == "true"
    assert Ticket.objects.count() == 1


def test_a_key_belongs_to_one_request_of_one_caller(story, calling, agent):
    key = story.open().key
    path = f"{TICKETS}{key}/comments/"
    body = {"text": "Hello", "public": True}
    assert agent.post(path, body, idempotency_key="k").status_code == 201
    other = {"text": "Bye", "public": True}
    assert_problem(agent.post(path, other, idempotency_key="k"), 422, "key_reused")
    assert_problem(agent.post(f"{TICKETS}{key}/take/", idempotency_key="k"), 422, "key_reused")
    assert calling(story.agent).post(path, other, idempotency_key="k").status_code == 201
    assert calling(story.colleague).post(path, body, idempotency_key="k").status_code == 201
    assert TimelineEvent.objects.filter(kind="commented").count() == 3


def test_a_refusal_is_not_kept(story, agent):
    assert_problem(agent.post(TICKETS, {"subject": ""}, idempotency_key="k"), 422)
    assert agent.post(TICKETS, {"subject": "Now"}, idempotency_key="k").status_code == 201


def test_a_key_is_forgotten_after_a_day(story, agent):
    agent.post(TICKETS, {"subject": "a"}, idempotency_key="k")
    IdempotencyKey.objects.update(created_at=database_now() - timedelta(hours=25))
    assert agent.post(TICKETS, {"subject": "b"}, idempotency_key="other").status_code == 201
    assert not IdempotencyKey.objects.filter(key="k").exists()
    assert agent.post(TICKETS, {"subject": "b"}, idempotency_key="k").status_code == 201


def test_an_answer_that_is_kept_is_kept_sealed(agent, settings):
    """A new token's plain text is in its answer, and stands nowhere in the database."""
    body = {"name": "ci", "scopes": ["tickets:read"]}
    first = agent.post("/api/v1/tokens/", body, idempotency_key="k")
    plain = first.json()["plain"]
    kept = IdempotencyKey.objects.get()
    assert plain not in kept.body
    assert plain.rpartition("_")[2] not in str(vars(kept))
    again = agent.post("/api/v1/tokens/", body, idempotency_key="k")
    assert (again.status_code, again.json()["plain"]) == (201, plain)
    settings.SECRET_KEY = "another key of the site"
    assert_problem(agent.post("/api/v1/tokens/", body, idempotency_key="k"), 409, "unreadable")


def test_answers_are_forgotten_though_nobody_sends_another(agent):
    agent.post(TICKETS, {"subject": "a"}, idempotency_key="k")
    assert forget() == 0
    IdempotencyKey.objects.update(created_at=database_now() - timedelta(hours=25))
    assert forget() == 1


@pytest.mark.parametrize("key", ['""', "", "a b", '"x', "é", '"' + "x" * 256 + '"'])
def test_a_key_that_is_none_is_refused(story, agent, key):
    assert_problem(agent.post(TICKETS, {"subject": "a"}, idempotency_key=key), 400)
    assert not Ticket.objects.exists()


def test_the_same_request_at_the_same_time_is_done_once(live_db):
    story = Story()
    _, plain = issue(person=story.agent, name="test", scopes=["tickets:write"])
    start = threading.Barrier(4)
    statuses: list[int] = []

    def send() -> None:
        try:
            caller = Caller(plain, Client())
            start.wait(timeout=10)
            answer = caller.post(TICKETS, {"subject": "Race"}, idempotency_key="race")
            statuses.append(answer.status_code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert 201 in statuses
    assert set(statuses) <= {201, 409}
    assert Ticket.objects.count() == 1
