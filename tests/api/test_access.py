"""Every address by every caller for every kind of ticket: what is unseen does not exist."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction
from django.urls import get_resolver

from api.rest.acts import ACTS
from api.rest.resource import sees_internal
from roles.models import Person
from roles.people import is_allowed
from tests.api.conftest import Caller, appoint
from tests.story import Story
from tickets.access import allowed_actions
from tickets.models import Ticket

V1 = "api/v1/"
NEEDS = {act.slug: set(act.needs) for act in ACTS}
NEEDS["comments"] = {"comment_public", "comment_internal"}
INSIDE = {"clocks", "escalations", "firings"}
OPEN_TO_ALL = {"schema", "docs"}
MISSING = "INC-999999"
CELLS_MIN = 5000


@dataclass(frozen=True)
class Who:
    """One caller of the matrix; no person means nobody, no scopes a browser's session's rights."""

    label: str
    person: Person | None
    scopes: tuple[str, ...] = ()

    def has(self, scope: str) -> bool:
        return not self.scopes or scope in self.scopes


def routes() -> Iterator[str]:
    """Every address under /api/v1/, as the URL map has it, in its form with the last slash."""
    for resolver in get_resolver().url_patterns:
        if getattr(resolver, "app_name", None) == "api":
            for pattern in resolver.url_patterns:
                route = str(pattern.pattern)
                if route.startswith(V1) and route.endswith("/"):
                    yield route


def people_of(story: Story) -> list[Who]:
    robot = story.person("robot", kind="service")
    auditor = appoint(story.person("otto"), "auditor")
    watcher = story.person("wanda")
    return [
        Who("nobody", None),
        Who("requester", story.requester),
        Who("stranger", story.stranger),
        Who("watcher", watcher),
        Who("agent", story.agent),
        Who("lead", story.lead),
        Who("incident manager", story.incident_manager),
        Who("cleared analyst", story.analyst),
        Who("auditor", auditor),
        Who("administrator", story.admin),
        Who("service", robot),
        Who("service that reads", robot, ("tickets:read",)),
        Who("service that writes", robot, ("tickets:write",)),
        Who("agent's catalogue", story.agent, ("catalog:read",)),
        Who("auditor's configuration", auditor, ("admin:read",)),
    ]


def tickets_of(story: Story, watcher: Person) -> dict[str, str]:
    own = story.open(subject="own")
    other = story.open(subject="other", requester=story.person("paul"))
    other.watchers.create(person=watcher)
    secret = story.open(subject="secret", kind="security", restricted=True, requester=story.expert)
    return {"own": own.key, "other": other.key, "restricted": secret.key, "missing": MISSING}


@dataclass(frozen=True)
class Sight:
    """What one caller sees of one ticket, and may do to it."""

    sees: bool
    allowed: set[str]


def sight(who: Who, ticket: Ticket | None) -> Sight:
    if who.person is None or ticket is None:
        return Sight(False, set())
    sees = Ticket.objects.visible_to(who.person).filter(pk=ticket.pk).exists()
    return Sight(sees, allowed_actions(who.person, ticket))


def expected(who: Who, route: str, method: str, at: Sight) -> set[int]:
    """The statuses that the rules allow for this cell."""
    subject = route.removeprefix(V1).strip("/").split("/")
    reading = method == "GET"
    if subject[0] in OPEN_TO_ALL:
        return {200} if reading else {405}
    if who.person is None:
        return {401}
    if reading and subject[0] == "me":
        return {200}
    if not who.has(scope_of(subject[0], reading)):
        return {403}
    if subject[0] == "tickets":
        return expected_of_tickets(who.person, subject[2:], len(subject) > 1, method, at)
    if not reading:
        return {405}
    if subject[0] == "people":
        return {200} if sees_internal(who.person) else {403}
    if subject[0] == "audit":
        return {200} if is_allowed(who.person, "see_audit") else {403}
    return {200}


def expected_of_tickets(
    person: Person, parts: list[str], is_one: bool, method: str, at: Sight
) -> set[int]:
    part = parts[0] if parts else ""
    if method not in (methods_of(part) if is_one else {"GET", "POST"}):
        return {405}
    if not is_one:
        may_open = is_allowed(person, "open")
        return {200} if method == "GET" else {422} if may_open else {403}
    if not at.sees:
        return {404}
    if method == "GET":
        return {200} if part not in INSIDE or "see_internal" in at.allowed else {403}
    if part in ("acknowledge", "unacknowledge"):
        return {200, 409} if part in at.allowed else {403}
    return {200, 204, 409, 422} if NEEDS[part] & at.allowed else {403}


def methods_of(part: str) -> set[str]:
    if part == "comments":
        return {"GET", "POST"}
    return {"POST"} if part in NEEDS else {"GET"}


def scope_of(subject: str, reading: bool) -> str:
    if not reading:
        return "tickets:write"
    return {"tickets": "tickets:read", "audit": "admin:read"}.get(subject, "catalog:read")


@pytest.fixture
def callers(story, calling) -> list[tuple[Who, Caller]]:
    return [(who, calling(who.person, *who.scopes)) for who in people_of(story)]


def test_every_cell_of_the_matrix_holds(story, callers, settings):
    settings.API_REQUESTS_PER_MINUTE = 1_000_000
    watcher = next(who.person for who, _ in callers if who.label == "watcher")
    keys = tickets_of(story, watcher)
    rows = {key: Ticket.objects.filter(key=key).first() for key in keys.values()}
    sights = {(who.label, key): sight(who, row) for who, _ in callers for key, row in rows.items()}
    wrong: list[str] = []
    seen: Counter[int] = Counter()
    for route in routes():
        for who, caller in callers:
            absent: dict[str, bytes] = {}
            for key, method in cells(route, keys):
                answer = ask(caller, method, address(route, key))
                seen[answer.status_code] += 1
                wanted = expected(who, route, method, sights[who.label, key])
                where = f"{method} {route} {key} by {who.label}: {answer.status_code}"
                if answer.status_code not in wanted:
                    wrong.append(f"{where}, not {wanted}")
                if answer.status_code == 404:
                    plain = answer.content.replace(key.encode(), b"KEY")
                    if absent.setdefault(method, plain) != plain:
                        wrong.append(f"{where} differs from one that does not exist")
    assert not wrong, "\n".join(wrong[:40])
    assert sum(seen.values()) >= CELLS_MIN
    assert not [status for status in seen if status >= 500]


def cells(route: str, keys: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Ticket and method; what does not exist comes first, as the measure of what is unseen."""
    for method in ("PUT", "PATCH", "DELETE"):
        yield keys["own"] if "<str:key>" in route else MISSING, method
    for key in reversed(keys.values()) if "<str:key>" in route else [MISSING]:
        yield key, "GET"
        yield key, "POST"


def address(route: str, key: str) -> str:
    filled = route.replace("<str:key>", key).replace("<str:slug>", "desk")
    return "/" + filled.replace("<str:username>", "ann")


def ask(caller: Caller, method: str, path: str) -> Any:
    """The answer, with whatever it changed undone."""
    with transaction.atomic():
        answer = caller.get(path) if method == "GET" else caller.call(method, path, {})
        transaction.set_rollback(True)
    return answer


def test_both_forms_of_every_address_lead_to_the_same_door():
    for resolver in get_resolver().url_patterns:
        if getattr(resolver, "app_name", None) == "api":
            doors = {str(one.pattern): one.callback for one in resolver.url_patterns}
            slashed = {route for route in doors if route.startswith(V1) and route.endswith("/")}
            assert slashed
            assert all(doors[route.rstrip("/")] is doors[route] for route in slashed)
