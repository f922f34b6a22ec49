"""The cast at the machines' door: callers by token, each as a program would call."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from api import limits
from roles.models import Duty, DutyAssignment, Person
from roles.models.tokens import Scope
from roles.people import forget_roles
from roles.tokens import issue
from tickets import receipts

EVERY_SCOPE = tuple(Scope.values)


@dataclass
class Caller:
    """A program with a token; every method returns Django's response."""

    plain: str
    client: Client

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        more = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
        if self.plain:
            more["HTTP_AUTHORIZATION"] = f"Bearer {self.plain}"
        if body is None:
            return self.client.generic(method, path, **more)
        return getattr(self.client, method.lower())(
            path, body, content_type="application/json", **more
        )

    def get(self, path: str, **headers: str) -> Any:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("POST", path, {} if body is None else body, **headers)

    def act(self, key: str, slug: str, **body: Any) -> Any:
        return self.post(f"/api/v1/tickets/{key}/{slug}/", body)


@pytest.fixture(autouse=True)
def fresh_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test pays for the requests of another."""
    cache.clear()
    limits.counter.away_until = 0.0
    monkeypatch.setattr(receipts, "repeats", receipts.Sampler())


def client() -> Client:
    """What is neither a browser's session nor forgiving: CSRF is enforced, faults are answered."""
    return Client(raise_request_exception=False, enforce_csrf_checks=True)


@pytest.fixture
def calling() -> Callable[..., Caller]:
    """A caller with a token of this person, with every scope unless some are named."""

    def go(person: Person | None, *scopes: str) -> Caller:
        if person is None:
            return Caller("", client())
        _, plain = issue(person=person, name="test", scopes=scopes or EVERY_SCOPE)
        return Caller(plain, client())

    return go


@pytest.fixture
def agent(story, calling) -> Caller:
    return calling(story.agent)


@pytest.fixture
def requester(story, calling) -> Caller:
    return calling(story.requester)


def assert_problem(answer: Any, status: int, code: str | None = None) -> dict[str, Any]:
    """The answer is a problem of that status in the form of RFC 9457; its members."""
    assert answer.status_code == status, answer.content[:500]
    assert answer["Content-Type"] == "application/problem+json"
    members: dict[str, Any] = answer.json()
    assert members["status"] == status
    assert {"type", "title", "detail"} <= set(members)
    if code is not None:
        assert members["code"] == code
    return members


def appoint(person: Person, slug: str) -> Person:
    """The person, now with a duty."""
    duty, _ = Duty.objects.get_or_create(slug=slug, defaults={"name": slug.title()})
    DutyAssignment.objects.create(duty=duty, person=person)
    forget_roles(person)
    return person
