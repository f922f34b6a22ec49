"""What there is to choose from, who works here, and who is calling."""

from django.db import connection
from django.test.utils import CaptureQueriesContext

from roles.tokens import issue
from tests.api.conftest import appoint, assert_problem
from tickets.models import Category


def slugs(answer) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["slug"] for row in answer.json()["results"]]


def test_teams_tiers_services_and_categories_are_there_for_everybody(story, agent, requester):
    parent = Category.objects.create(slug="hardware", name="Hardware")
    Category.objects.create(slug="print", name="Printing", parent=parent)
    for caller in (agent, requester):
        assert slugs(caller.get("/api/v1/teams/")) == [
            "apps",
            "desk",
            "incidents",
            "platform",
            "soc",
        ]
        assert slugs(caller.get("/api/v1/services/")) == ["mail"]
        assert slugs(caller.get("/api/v1/categories/")) == ["hardware", "print"]
        assert len(slugs(caller.get("/api/v1/tiers/"))) == 7
    assert slugs(agent.get("/api/v1/teams/?limit=2&ordering=-name")) == ["soc", "platform"]


def test_who_is_on_call_is_told_to_the_service_only(story, agent, requester):
    assert agent.get("/api/v1/teams/desk/").json()["on_call"] == ["ann"]
    assert requester.get("/api/v1/teams/desk/").json()["on_call"] is None
    assert_problem(agent.get("/api/v1/teams/none/"), 404)


def test_people_are_looked_up_by_colleagues_only(story, agent, requester):
    found = agent.get("/api/v1/people/?q=ann").json()["results"]
    assert [person["username"] for person in found] == ["ann"]
    assert found[0]["teams"] == ["desk"]
    assert agent.get("/api/v1/people/rita/").json()["organisation"] == "acme"
    assert_problem(requester.get("/api/v1/people/"), 403, "not_allowed")
    assert_problem(requester.get("/api/v1/people/rita/"), 403, "not_allowed")
    assert_problem(requester.get("/api/v1/people/nobody/"), 403, "not_allowed")


def test_everybody_knows_who_he_is(story, agent):
    me = agent.get("/api/v1/me/").json()
    assert (me["username"], me["teams"]) == ("ann", ["desk"])
    assert me["roles"] == ["agent", "requester"]
    assert "digest" not in me["token"]


def test_the_audit_is_for_those_who_may_see_it(story, calling, agent):
    auditor = appoint(story.person("otto"), "auditor")
    issue(person=story.admin, name="laptop", scopes=["tickets:read"], actor=story.admin)
    rows = calling(auditor).get("/api/v1/audit/?limit=2").json()["results"]
    assert rows[1]["action"] == "token.issued"
    assert rows[1]["actor"] == "root"
    assert_problem(agent.get("/api/v1/audit/"), 403)


def test_lists_cost_the_same_however_long(story, agent):
    def cost(path: str) -> int:
        with CaptureQueriesContext(connection) as caught:
            assert agent.get(path).status_code == 200
        return len(caught)

    paths = ["/api/v1/teams/", "/api/v1/people/", "/api/v1/services/"]
    agent.get("/api/v1/me/")
    before = [cost(path) for path in paths]
    for number in range(10):
        person = story.person(f"p{number}")
        story.team(f"team{number}", "l2", [person], lead=person)
    assert [cost(path) for path in paths] == before
