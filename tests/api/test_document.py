"""What is answered is what the OpenAPI document promises: a client made from it takes it."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as site
from django.core.files.uploadedfile import SimpleUploadedFile
from jsonschema import Draft202012Validator

from api.rest.register import SUBJECTS
from api.rest.subject import PK
from api.schema import document
from tests.api.conftest import Caller, appoint
from tests.story import Story, page, unacknowledged
from tickets.assignment import take
from tickets.attachments import keep_upload
from tickets.incidents import declare_major
from tickets.lifecycle import comment
from tickets.models import Ticket

V1 = "/api/v1/"
BY_SLUG = {subject.slug: subject for subject in SUBJECTS}
NEVER_JSON = "/config/"


@pytest.fixture
def callers(story: Story, calling: Any, settings: Any, tmp_path: Any) -> list[Caller]:
    """People who are told different things of a site on which something has happened."""
    settings.MEDIA_ROOT = str(tmp_path)
    story.policy("any", unacknowledged(5, "Page", page("on_call")))
    ticket = story.open()
    story.open(subject="Another", requester=story.stranger)
    story.forward(minutes=6)
    take(ticket=ticket, actor=story.agent, clock=story.clock)
    comment(ticket=ticket, actor=story.agent, text="x", public=True, clock=story.clock)
    lead = appoint(story.agent, "incident-manager")
    declare_major(ticket=ticket, actor=lead, reason="All are hit", clock=story.clock)
    people = (story.admin, lead, story.requester, story.colleague)
    called = [calling(person) for person in people]
    draft = {"slug": "new", "name": "New", "position": 5}
    assert called[0].post(f"{V1}policies/", draft).status_code == 201
    upload = SimpleUploadedFile("log.txt", b"x")
    keep_upload(ticket=ticket, actor=lead, upload=upload, clock=story.clock)
    return called


def promises() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each address that is read, and the schema of its answer."""
    made = document()
    for path, operations in made["paths"].items():
        told = operations.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        if "application/json" in told and NEVER_JSON not in path:
            yield path, {**told["application/json"]["schema"], "components": made["components"]}


def places(path: str, caller_of: Any) -> Iterator[str]:
    """The address for each row that there is, three at most."""
    if "{" not in path:
        yield path
        return
    slug = path.removeprefix(V1).partition("/")[0]
    if slug == "tickets":
        names: list[Any] = list(Ticket.objects.values_list("key", flat=True)[:3])
    else:
        subject = BY_SLUG[slug]
        names = [_named(row, subject.by) for row in subject.rows(caller_of)[:3]]
    for name in names:
        head, _, rest = path.partition("{")
        filled = f"{head}{name}{rest.partition('}')[2]}"
        if "{" not in filled:
            yield filled


def _named(row: Any, path: str) -> Any:
    for step in ("pk",) if path == PK else path.split("__"):
        row = getattr(row, step)
    return row


def test_every_answer_is_as_the_document_promises(story, callers, monkeypatch):
    monkeypatch.setattr(site, "API_REQUESTS_PER_MINUTE", 1_000_000)
    wrong: list[str] = []
    answered = 0
    for path, schema in promises():
        judge = Draft202012Validator(schema)
        for caller in callers:
            for place in places(path, story.admin):
                answer = caller.get(place)
                if answer.status_code != 200 or "json" not in answer["Content-Type"]:
                    continue
                answered += 1
                for trouble in list(judge.iter_errors(answer.json()))[:2]:
                    at = "/".join(map(str, trouble.absolute_path))
                    wrong.append(f"{place} at {at}: {trouble.message[:150]}")
    assert not wrong, "\n".join(wrong[:30])
    assert answered > 300
