"""Whatever fits our OpenAPI document is answered as the document says, and never with a fault."""

from typing import Any

import pytest
import schemathesis
from django.conf import settings as site
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings

from api.schema import document
from tests.api.conftest import Caller
from tests.story import Story, page, unacknowledged

PARTS = 4
EXAMPLES = 2
BY_HAND = ("/config/", "/attachments/", "/break-glass/")
"""Bodies that are no JSON have tests of their own."""


def operations() -> list[Any]:
    found = schemathesis.openapi.from_dict(document()).get_all_operations()
    ours = [each.ok() for each in found]
    return [each for each in ours if not any(part in each.path for part in BY_HAND)]


@pytest.fixture
def callers(story: Story, calling: Any) -> list[Caller]:
    """People who may do most, and see the ticket that addresses name."""
    story.policy("any", unacknowledged(5, "Page", page("on_call")))
    story.open()
    return [calling(person) for person in (story.agent, story.incident_manager, story.admin)]


@pytest.mark.parametrize("part", range(PARTS))
def test_no_request_that_fits_the_document_is_a_fault(callers, monkeypatch, part):
    monkeypatch.setattr(site, "API_REQUESTS_PER_MINUTE", 1_000_000)
    wrong: list[str] = []
    for number, operation in enumerate(operations()[part::PARTS]):
        wrong += faults_of(operation, callers[number % len(callers)])
    assert not wrong, "\n".join(wrong[:30])


def faults_of(operation: Any, caller: Caller) -> list[str]:
    """What went wrong with a few requests that hypothesis makes for one operation."""
    wrong: list[str] = []
    declared = set(operation.definition.raw["responses"])

    @settings_of
    @given(case=operation.as_strategy())
    def run(case: Any) -> None:
        with transaction.atomic():
            answer = send(caller, case)
            transaction.set_rollback(True)
        if answer.status_code >= 500 or str(answer.status_code) not in declared:
            where = f"{case.method} {case.formatted_path} {case.query} {case.body!r}"
            wrong.append(f"{answer.status_code} {where[:300]}: {answer.content[:200]!r}")

    run()
    return wrong


def settings_of(test: Any) -> Any:
    return settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )(test)


def send(caller: Caller, case: Any) -> Any:
    path = case.formatted_path
    if "{key}" in case.operation.path:
        path = case.operation.path.replace("{key}", "INC-000001")
        path = path.format(**(case.path_parameters or {})) if "{" in path else path
    query = {name: str(value) for name, value in (case.query or {}).items()}
    body = case.body if isinstance(case.body, dict | list) else {}
    headers = {"HTTP_AUTHORIZATION": f"Bearer {caller.plain}"}
    if case.method == "GET":
        return caller.client.get(path, query, **headers)
    return getattr(caller.client, case.method.lower())(
        path, body, content_type="application/json", **headers
    )
