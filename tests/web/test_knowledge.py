"""The knowledge pages: read by everybody, written by people of the service, published by leads."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from roles.models import Membership, Person
from roles.people import forget_roles
from tickets.articles import draft_article, publish_article
from tickets.assignment import take
from tickets.lifecycle import resolve
from tickets.models import Article, ArticleUse, ArticleVote, ChecklistMark, Ticket, TimelineEvent

BODY = "Open the client and choose **Frankfurt**. <script>alert(1)</script>"


@pytest.fixture
def lead(stage):
    Membership.objects.filter(person=stage.nora).update(role="lead")
    forget_roles(stage.nora)
    return stage.nora


def article(stage, title: str, audience: str = "public", **more) -> Article:
    made = draft_article(actor=stage.ines, title=title, body=BODY, audience=audience, **more)
    publish_article(article=made, actor=None)
    return made


@pytest.fixture
def shelf(stage, lead) -> dict[str, Article]:
    return {
        "open": article(stage, "VPN drops at home"),
        "inside": article(stage, "VPN gateway failover", "internal"),
        "draft": draft_article(actor=stage.ines, title="VPN drafts", body=BODY, audience="public"),
    }


def test_requesters_find_and_read_only_what_is_published_for_them(stage, shelf, sign_in):
    client = sign_in(stage.ada)
    page = client.get("/knowledge?q=vpn").content.decode()
    assert "VPN drops at home" in page
    assert "failover" not in page
    assert "drafts" not in page
    assert client.get(f"/knowledge/{shelf['open'].pk}").status_code == 200
    for name in ("inside", "draft"):
        for part in ("", "/history", "/edit"):
            assert client.get(f"/knowledge/{shelf[name].pk}{part}").status_code == 404
        for part in ("/vote", "/publish", "/retire"):
            answer = client.post(f"/knowledge/{shelf[name].pk}{part}", {"helpful": "yes"})
            assert answer.status_code == 404
    assert client.get("/knowledge/new").status_code == 404
    assert client.get("/knowledge?state=draft").content.decode().count("VPN drafts") == 0


def test_what_is_written_is_shown_clean(stage, shelf, sign_in):
    page = sign_in(stage.ada).get(f"/knowledge/{shelf['open'].pk}").content.decode()
    assert "<strong>Frankfurt</strong>" in page
    assert "<script>alert" not in page


def test_a_vote_is_kept_and_changed(stage, shelf, sign_in):
    client, address = sign_in(stage.ada), f"/knowledge/{shelf['open'].pk}"
    for said in ("yes", "no"):
        assert client.post(f"{address}/vote", {"helpful": said}).status_code == 302
    assert ArticleVote.objects.get().helpful is False
    assert client.post(f"{address}/vote", {"helpful": "maybe"}).status_code == 404


def test_an_agent_drafts_and_a_lead_publishes(stage, shelf, sign_in):
    agent, lead = sign_in(stage.omar), sign_in(stage.nora)
    given = {"title": "Badges", "body": "Ask the desk.", "audience": "public", "items": "One\nTwo"}
    refused = agent.post("/knowledge/new", {**given, "title": ""})
    assert refused.status_code == 422
    assert "Ask the desk." in refused.content.decode()
    answer = agent.post("/knowledge/new", given)
    made = Article.objects.get(title="Badges")
    assert answer["Location"] == f"/knowledge/{made.pk}"
    assert made.items == ["One", "Two"]
    assert agent.post(f"/knowledge/{made.pk}/publish").status_code == 404
    assert lead.post(f"/knowledge/{made.pk}/publish").status_code == 302
    assert agent.post(f"/knowledge/{made.pk}/edit", {**given, "body": "Anew"}).status_code == 302
    assert "Ask the desk." in agent.get(f"/knowledge/{made.pk}").content.decode()
    lead.post(f"/knowledge/{made.pk}/publish", {"note": "Shorter"})
    assert "Shorter" in agent.get(f"/knowledge/{made.pk}/history").content.decode()
    lead.post(f"/knowledge/{made.pk}/retire")
    assert sign_in(stage.ada).get(f"/knowledge/{made.pk}").status_code == 404


def test_the_list_costs_the_same_however_long_it_is(stage, shelf, sign_in):
    client = sign_in(stage.ines)
    client.get("/knowledge")
    with CaptureQueriesContext(connection) as few:
        client.get("/knowledge")
    for number in range(10):
        article(stage, f"VPN {number}")
    with CaptureQueriesContext(connection) as many:
        client.get("/knowledge")
    assert len(many) <= len(few) <= 12


# ---- Beside a ticket -----------------------------------------------------------------------------


def known(client: Client, key: str) -> str:
    answer = client.get(f"/tickets/{key}/knowledge", headers={"HX-Request": "true",
                        "HX-Target": "knowledge-hints"})  # fmt: skip
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_ticket_page_shows_what_is_known(stage, shelf, sign_in):
    key = stage.tickets["vpn"].key
    agent = sign_in(stage.omar)
    assert f"/tickets/{key}/knowledge" in agent.get(f"/tickets/{key}").content.decode()
    fragment = known(agent, key)
    assert "VPN drops at home" in fragment
    assert "VPN gateway failover" in fragment
    assert "<html" not in fragment
    assert "<html" in agent.get(f"/tickets/{key}/knowledge").content.decode()
    agent.post(f"/tickets/{key}/knowledge/use", {"article": shelf["open"].pk})
    assert ArticleUse.objects.get().ticket.key == key
    assert "This solved it." in known(agent, key)


def test_a_requester_has_no_door_to_it(stage, shelf, sign_in):
    key, client = stage.tickets["vpn"].key, sign_in(stage.bo)
    assert client.get(f"/tickets/{key}/knowledge").status_code == 404
    posted = client.post(f"/tickets/{key}/knowledge/use", {"article": shelf["open"].pk})
    assert posted.status_code == 404
    assert (
        sign_in(stage.ines).get(f"/tickets/{stage.tickets['case'].key}/knowledge").status_code
        == 404
    )


def test_steps_of_a_runbook_are_ticked_on_the_ticket(stage, shelf, sign_in):
    book = article(stage, "VPN pool is full", "internal", items=["Count", "Clear"],
                   services=[stage.service])  # fmt: skip
    ticket, agent = stage.tickets["slow"], sign_in(stage.nora)
    Ticket.objects.filter(pk=ticket.pk).update(service=stage.service)
    fragment = known(agent, ticket.key)
    revision = re.search(r'name="revision" value="(\d+)"', fragment)[1]
    given = {"revision": revision, "item": "1", "done": "yes"}
    agent.post(f"/tickets/{ticket.key}/knowledge/tick", given)
    mark = ChecklistMark.objects.get()
    assert (mark.item, mark.by, mark.revision.article) == (1, stage.nora, book)
    told = TimelineEvent.objects.get(ticket=ticket, kind="checked")
    assert told.facts["text"] == "Clear"
    assert "1 of 2" in known(agent, ticket.key)
    assert "Clear" in agent.get(f"/tickets/{ticket.key}").content.decode()
    for wrong in ({"item": "9"}, {"item": "x"}, {"revision": "999999"}):
        answer = agent.post(f"/tickets/{ticket.key}/knowledge/tick", {**given, **wrong})
        assert answer.status_code in (302, 404)
    assert ChecklistMark.objects.count() == 1


def test_an_article_begins_with_what_solved_the_ticket(stage, lead, sign_in):
    ticket = stage.tickets["mail"]
    agent = sign_in(stage.ines)
    assert "Write down what helped" not in known(agent, ticket.key)
    take(ticket=ticket, actor=stage.ines)
    resolve(ticket=ticket, actor=stage.ines, code="fixed", text="Added the SPF record.")
    assert "Write down what helped" in known(agent, ticket.key)
    page = agent.get(f"/knowledge/new?from={ticket.key}").content.decode()
    assert "Added the SPF record." in page
    given = {"title": "Mail is returned", "body": "SPF.", "audience": "internal"}
    agent.post(f"/knowledge/new?from={ticket.key}", given)
    assert Article.objects.get().source == ticket


def test_nothing_is_begun_from_a_restricted_case(stage, lead, sign_in):
    case = stage.tickets["case"]
    assert sign_in(stage.ines).get(f"/knowledge/new?from={case.key}").status_code == 404
    assert sign_in(stage.sam).get(f"/knowledge/new?from={case.key}").status_code == 302
    assert "Write down" not in known(sign_in(stage.sam), case.key)


def test_the_forms_choices_are_in_the_readers_language(stage, sign_in):
    Person.objects.filter(pk=stage.nora.pk).update(language="de")
    page = sign_in(stage.nora).get("/knowledge/new").content.decode()
    assert "Alle, im Portal" in page
    assert "Everybody, on the portal" not in page
