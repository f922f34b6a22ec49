"""Every address by every caller for every kind of ticket: what is unseen does not exist."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction
from django.urls import get_resolver

from api.rest.looks import LOOKS
from api.rest.register import ACTS, SUBJECTS
from api.rest.subject import PK, Deed, Subject, may
from roles.models import Person
from roles.people import is_allowed
from tests.api.conftest import Caller, appoint
from tests.story import Story
from tickets.access import allowed_actions
from tickets.models import Ticket

V1 = "api/v1/"
NEEDS = {act.slug: set(act.needs) for act in ACTS}
NEEDS["comments"] = NEEDS["attachments"] = {"comment_public", "comment_internal"}
INSIDE = dict.fromkeys(("clocks", "escalations", "firings"), "see_internal")
INSIDE |= {look.slug: look.needs for look in LOOKS if look.needs}
BY_SLUG = {subject.slug: subject for subject in SUBJECTS}
SITE = {
    "bulk": ("POST", "tickets:write", ""),
    "break-glass": ("POST", "tickets:write", "break_glass"),
    "suggestions": ("GET", "catalog:read", ""),
    "config": ("GET", "admin:read", "manage_policies"),
    "config/plan": ("POST", "admin:write", "manage_policies"),
    "config/apply": ("POST", "admin:write", "manage_policies"),
    "audit": ("GET", "admin:read", "see_audit"),
    "risk": ("GET", "tickets:read", "see_dashboard"),
    "training": ("GET", "tickets:read", "see_dashboard"),
    "figures": ("GET", "tickets:read", "see_dashboard"),
    "figure-tickets": ("GET", "tickets:read", "see_dashboard"),
    "now": ("GET", "tickets:read", "see_dashboard"),
    "own-load": ("GET", "tickets:read", ""),
    "status": ("GET", "tickets:read", ""),
    "operations": ("GET", "admin:read", "see_audit"),
    "events": ("GET", "tickets:read", ""),
    "event-types": ("GET", "", ""),
}
"""Addresses that are no subject: method, scope, and the action that they ask for."""
ALSO = {"send-messages-again": "admin"}
"""Acts that ask for a right of the whole site, beside that on the ticket."""
OPEN_TO_ALL = {"schema", "docs"}
MISSING = "INC-999999"
CELLS_MIN = 1250
PROBED_BY = {"requester", "agent", "administrator"}
ONE_METHOD = {act.slug for act in ACTS} | {
    deed.slug for subject in SUBJECTS for deed in subject.deeds
}
LOOKED = {look.slug for look in LOOKS} | {
    look.slug for subject in SUBJECTS for look in subject.looks
}
PARTS = 4


@dataclass(frozen=True)
class Who:
    """One caller of the matrix; no person means nobody, no scopes a browser's session's rights."""

    label: str
    person: Person | None
    scopes: tuple[str, ...] = ()

    def has(self, scope: str) -> bool:
        return not scope or not self.scopes or scope in self.scopes


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
    if subject[0] in OPEN_TO_ALL:
        return {200} if method == "GET" else {405}
    if who.person is None:
        return {401}
    if subject[0] == "me":
        scope = "admin:write" if subject[1:] == ["ways"] else "tickets:write"
        denied = {403} if method != "GET" and not who.has(scope) else set()
        return denied or {"GET": {200}, "PATCH": {200}}.get(method, {405})
    if not who.has(scope_of(subject, method == "GET")):
        return {403}
    if subject[0] == "tickets":
        return expected_of_tickets(who.person, subject[2:], len(subject) > 1, method, at)
    if subject[0] in BY_SLUG:
        return expected_of_subject(who.person, BY_SLUG[subject[0]], subject[2:], route, method)
    wanted, _, action = SITE["/".join(subject)]
    if method != wanted:
        return {405}
    if action and not is_allowed(who.person, action):
        return {403}
    return {200, 400} if method == "GET" else {415, 422}


def expected_of_tickets(
    person: Person, parts: list[str], is_one: bool, method: str, at: Sight
) -> set[int]:
    part = parts[0] if parts else ""
    if method not in (methods_of(parts) if is_one else {"GET", "POST"}):
        return {405}
    if not is_one:
        may_open = is_allowed(person, "open")
        return {200} if method == "GET" else {422} if may_open else {403}
    if not at.sees or len(parts) > 1:
        return {404}
    if method == "GET":
        if part in INSIDE and INSIDE[part] not in at.allowed:
            return {403}
        return {200, 404} if part in ("major", "change", "problem") else {200}
    if part == "attachments":
        return {415}
    if part in ALSO and not is_allowed(person, ALSO[part]):
        return {403}
    if part in ("acknowledge", "unacknowledge"):
        return {200, 409} if part in at.allowed else {403}
    return {200, 204, 409, 422} if NEEDS[part] & at.allowed else {403}


def methods_of(parts: list[str]) -> set[str]:
    if len(parts) > 1:
        return {"GET", "DELETE"}
    if parts and parts[0] in ("comments", "attachments"):
        return {"GET", "POST"}
    return {"POST"} if parts and parts[0] in NEEDS else {"GET"}


def expected_of_subject(
    person: Person, subject: Subject, parts: list[str], route: str, method: str
) -> set[int]:
    """What a subject's declaration says: who reads, who may do which deed, and what there is."""
    is_one = "<" in route
    deed, action = deed_of(subject, parts, is_one, method)
    if deed is None and action is None:
        return {405}
    if deed is not None and not may(person, deed.needs):
        return {403}
    if (method == "GET" or is_one) and not may(person, subject.reads):
        return {403}
    row = subject.rows(person).first() if is_one else None
    if is_one and row is None:
        return {404}
    if method == "GET":
        return {200, 409} if may(person, str(action)) else {403}
    free = set() if deed is not None and deed.needs else {403}
    return {200, 201, 202, 204, 409, 422} | free


def deed_of(
    subject: Subject, parts: list[str], is_one: bool, method: str
) -> tuple[Deed | None, str | None]:
    """The deed behind the address and method, or the action that a look asks for."""
    if method == "GET":
        looks = {look.slug: look.needs for look in subject.looks}
        return None, looks.get(parts[0]) if parts else ""
    if parts:
        deeds = {deed.slug: deed for deed in subject.deeds}
        return (deeds.get(parts[0]) if method == "POST" else None), None
    if not is_one:
        return (subject.make if method == "POST" else None), None
    return {"PATCH": subject.change, "DELETE": subject.remove}.get(method), None


def scope_of(subject: list[str], reading: bool) -> str:
    if subject[0] in BY_SLUG:
        found = BY_SLUG[subject[0]]
        return found.read_scope if reading else found.write_scope
    if subject[0] in SITE:
        scopes = {
            "config": ("admin:read", "admin:write"),
            "audit": ("admin:read", "tickets:write"),
            "operations": ("admin:read", "tickets:write"),
            "suggestions": ("catalog:read", "tickets:write"),
            "event-types": ("", "tickets:write"),
        }
        return scopes.get(subject[0], ("tickets:read", "tickets:write"))[not reading]
    return "tickets:read" if reading else "tickets:write"


@pytest.fixture
def callers(story, calling) -> list[tuple[Who, Caller]]:
    return [(who, calling(who.person, *who.scopes)) for who in people_of(story)]


@pytest.mark.parametrize("part", range(PARTS))
def test_every_cell_of_the_matrix_holds(story, callers, settings, part):
    settings.API_REQUESTS_PER_MINUTE = 1_000_000
    watcher = next(who.person for who, _ in callers if who.label == "watcher")
    keys = tickets_of(story, watcher)
    rows = {key: Ticket.objects.filter(key=key).first() for key in keys.values()}
    sights = {(who.label, key): sight(who, row) for who, _ in callers for key, row in rows.items()}
    wrong: list[str] = []
    seen: Counter[int] = Counter()
    for route in list(routes())[part::PARTS]:
        for who, caller in callers:
            absent: dict[str, bytes] = {}
            for key, method in cells(route, keys, who):
                answer = ask(caller, method, address(route, key, who.person))
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


def cells(route: str, keys: dict[str, str], who: Who) -> Iterator[tuple[str, str]]:
    """Ticket and method; what does not exist comes first, as the measure of what is unseen.

    Acts and looks share one view each, so that each of them is tried on fewer tickets.
    """
    probed = who.label in PROBED_BY
    if probed:
        for method in ("PUT", "PATCH", "DELETE"):
            yield keys["own"] if "<str:key>" in route else MISSING, method
    last = route.rstrip("/").rpartition("/")[2]
    methods = ["POST"] if last in ONE_METHOD else ["GET"] if last in LOOKED else ["GET", "POST"]
    is_base = len(methods) > 1
    if "<str:key>" not in route:
        yield from ((MISSING, method) for method in methods)
        return
    for name, key in reversed(keys.items()):
        if is_base or name in ("own", "restricted") or (name == "missing" and probed):
            yield from ((key, method) for method in methods)
    if probed and not is_base:
        yield keys["own"], "GET" if methods == ["POST"] else "POST"


def address(route: str, key: str, person: Person | None) -> str:
    """The route filled in: with this ticket, or with the first row of its subject."""
    filled = route.replace("<str:key>", key)
    if "<" not in filled or "tickets/" in filled:
        return "/" + filled.replace("<int:number>", "1")
    subject = BY_SLUG[filled.removeprefix(V1).partition("/")[0]]
    row = subject.rows(person).first() if person else None
    name: Any = 999_999 if subject.by == PK else "nothing"
    if row is not None:
        name = row.pk if subject.by == PK else attribute(row, subject.by)
    return "/" + filled.replace("<int:number>", str(name)).replace("<str:name>", str(name))


def attribute(row: Any, path: str) -> Any:
    for step in path.split("__"):
        row = getattr(row, step)
    return row


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
