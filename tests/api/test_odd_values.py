"""Values at the end of all ranges are refused by name or answered, and never a fault of ours."""

from inspect import Parameter, signature
from typing import Any

import pytest

from api.rest.register import ACTS, SUBJECTS
from api.schema import document
from tests.api.conftest import Caller, assert_problem
from tickets.lifecycle import comment

V1 = "/api/v1/"
ENDS = (
    *("0001-01-01T00:00:00Z", "0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59Z"),
    *("9999-12-31T23:59:59-14:00", "0001-01-01", "9999-12-31"),
)
MOMENTS = {"since", "until", "at", "due_before", "updated_since", "opened_since"}


@pytest.fixture
def admin(story, calling) -> Caller:
    return calling(story.admin)


def looks(key: str) -> list[tuple[str, list[str]]]:
    """Each address that takes a moment in its query, and the names of these moments."""
    found = []
    for path, operations in document()["paths"].items():
        named = {one["name"] for one in operations.get("get", {}).get("parameters", [])}
        if asked := sorted(named & MOMENTS):
            place = path.replace("{key}", key).replace("{name}", "desk").replace("{number}", "1")
            found.append((place, asked))
    return found


def test_no_moment_is_too_early_or_too_late_for_an_answer(story, agent, admin):
    places = looks(story.open().key)
    assert len(places) > 8
    wrong = []
    for path, asked in places:
        queries = [f"{name}={end}" for name in asked for end in ENDS]
        if {"since", "until"} <= set(asked):
            queries += [f"since={one}&until={other}" for one in ENDS for other in ENDS]
        for query in queries:
            for caller in (agent, admin):
                answer = caller.get(f"{path}?{query}")
                if answer.status_code >= 500:
                    wrong.append(f"{path}?{query}: {answer.content[:200]!r}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", ["status", "kind", "priority"])
@pytest.mark.parametrize("value", [",", "1,", ",,,", "open,,"])
def test_nothing_between_two_commas_is_no_choice(agent, name, value):
    problem = assert_problem(agent.get(f"{V1}tickets/?{name}={value}"), 400, "bad_parameter")
    assert problem["errors"][0]["parameter"] == name


def every_act() -> list[tuple[str, Any, Any]]:
    """Name, function and body of everything that can be done."""
    deeds = [
        (f"{subject.slug} {deed.slug or deed.summary}", deed.perform, deed.body)
        for subject in SUBJECTS
        for deed in (subject.make, subject.change, subject.remove, *subject.deeds)
        if deed is not None
    ]
    return [(act.slug, act.perform, act.body) for act in ACTS] + deeds


def test_every_member_of_a_body_is_taken_by_what_it_is_for():
    wrong = []
    for name, perform, body in every_act():
        taken = signature(perform).parameters
        if any(each.kind == Parameter.VAR_KEYWORD for each in taken.values()):
            continue
        fields = body().get_fields()
        if unknown := sorted(set(fields) - set(taken)):
            wrong.append(f"{name}: {', '.join(unknown)}")
    assert not wrong, wrong


def test_a_member_that_an_act_has_no_use_for_is_refused_by_name(story, agent):
    ticket = story.open()
    comment(ticket=ticket, actor=story.agent, text="x", public=False)
    body = {"code": "fixed", "text": "It is solved now.", "quietly": True}
    problem = assert_problem(agent.post(f"{V1}tickets/{ticket.key}/resolve-problem/", body), 422)
    assert problem["errors"][0]["pointer"] == "#/quietly"
