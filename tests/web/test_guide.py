"""Who does what: an index, and a page for each tier, lane, team and duty."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from escalation.contracts import set_contract
from roles.models import DutyAssignment, Person
from tests.web.stage import Stage
from tickets.articles import draft_article, publish_article
from tickets.feedback import rate
from tickets.models import Route, Service
from tickets.opening import open_ticket

PAGES = ("/guide", "/guide/tier/l2", "/guide/tier/security", "/guide/team/support")


def text(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as taken:
        assert client.get(url).status_code == 200
    return len(taken)


def test_every_tier_lane_team_and_duty_has_a_page_that_the_index_leads_to(stage, sign_in):
    client = sign_in(stage.ines)
    found = re.findall(r'href="(/guide/[^"]+)"', client.get("/guide").content.decode())
    kinds = {address.split("/")[2] for address in found}
    assert kinds == {"tier", "team", "duty"}
    assert len(found) == 4 + 4 + 1
    for address in found:
        assert client.get(address).status_code == 200


def test_a_team_page_says_where_work_goes_and_what_the_receiver_needs(stage, sign_in):
    support, platform = stage.teams["support"], stage.teams["platform"]
    needs = [{"slug": "logs", "name": "The logs"}, {"slug": "a", "name": "A", "required": False}]
    set_contract(to_team=platform, from_team=support, needs=needs)
    set_contract(to_team=support, needs=[{"slug": "tried", "name": "What was tried"}])
    told = text(sign_in(stage.nora), "/guide/team/support")
    assert "From everybody What was tried required" in told
    assert re.search(r"L3 Platform Engineering for everything else needs: The logs, A", told)
    assert "Nora Weiss (lead)" in told
    assert "Nora Weiss Team lead Teo Marin Analyst or engineer" in told


def test_an_explicit_route_and_an_owner_stand_before_the_rest(stage, sign_in):
    support = stage.teams["support"]
    Service.objects.create(slug="mail", name="Mail", owner_team=support)
    pay = Service.objects.create(slug="pay", name="Pay")
    Route.objects.create(service=pay, tier=support.tier, team=support)
    page = sign_in(stage.ines).get("/guide/team/desk").context["page"]
    assert [(way.team, way.about) for way in page.ways] == [(support, "")]
    other = type(support).objects.create(
        slug="other", name="Other", tier=support.tier, calendar=support.calendar
    )
    page = sign_in(stage.ines).get("/guide/team/desk").context["page"]
    assert [(way.team, way.about) for way in page.ways] == [(support, "Pay, Mail")]
    Route.objects.create(tier=support.tier, team=other)
    page = sign_in(stage.ines).get("/guide/team/desk").context["page"]
    assert {(way.team, way.about) for way in page.ways} == {(support, "Pay, Mail"), (other, "")}


def test_at_the_top_authority_is_called(stage, sign_in):
    told = text(sign_in(stage.ines), "/guide/team/platform")
    assert "This is the top: the work stays. Authority is called instead: Incident manager" in told


def test_acceptance_is_promised_and_measured_or_said_not_to_be(stage, sign_in):
    told = text(sign_in(stage.ines), "/guide/team/support")
    assert "30 min" in told
    assert re.search(r"Service Desk 1 not measured 0", told)


def test_open_work_shows_no_restricted_ticket_to_the_uncleared(stage, sign_in):
    case = stage.tickets["case"]
    address = f"/guide/team/{case.team.slug}"
    assert case.key in text(sign_in(stage.sam), address)
    for person in (stage.ines, stage.mara):
        told = text(sign_in(person), address)
        assert case.key not in told
        assert case.subject not in told


def test_hours_stand_in_the_readers_own_zone(stage, sign_in):
    page = sign_in(stage.ines).get("/guide/team/support").context["page"]
    assert len(page.week) == 7
    assert all(day.start.utcoffset() or day.start.tzinfo for day in page.week)
    assert "In your time, Europe/Berlin" in text(sign_in(stage.ines), "/guide/team/support")


def test_a_duty_that_nobody_holds_says_so(stage, sign_in):
    assert "Mara Lindt" in text(sign_in(stage.ines), "/guide/duty/incident-manager")
    DutyAssignment.objects.all().delete()
    assert "Nobody holds it" in text(sign_in(stage.ines), "/guide/duty/incident-manager")


def test_whoever_asks_for_help_reads_no_name_and_no_page_of_the_inside(stage, sign_in):
    client = sign_in(stage.ada)
    told = text(client, "/guide")
    assert "First answer to everybody who asks" in told
    for person in ("Nora Weiss", "Mara Lindt", "Logs, the time it began"):
        assert person not in told
    for address in (*PAGES[1:], "/guide/duty/incident-manager"):
        assert client.get(address).status_code == 404


@pytest.mark.parametrize("address", ["/guide/team/none", "/guide/tier/none", "/guide/duty/none"])
def test_what_is_not_there_is_not_found(stage, sign_in, address):
    assert sign_in(stage.ines).get(address).status_code == 404


def test_pages_cost_the_same_whatever_there_is(stage: Stage, sign_in):
    client = sign_in(stage.ines)
    few = [queries(client, address) for address in PAGES]
    support = stage.teams["support"]
    for number in range(4):
        fellow = Person.objects.create_user(
            f"f{number}", f"f{number}@example.com", name=f"F{number}"
        )
        support.memberships.create(person=fellow)
        service = Service.objects.create(slug=f"s{number}", name=f"S{number}", owner_team=support)
        ticket = open_ticket(requester=stage.ada, actor=stage.ada, subject="More", service=service)
        type(ticket).objects.filter(pk=ticket.pk).update(team=support)
        type(support).objects.create(
            slug=f"t{number}", name=f"T{number}", tier=support.tier, calendar=support.calendar
        )
    set_contract(to_team=support, needs=[{"slug": "x", "name": "X"}])
    many = [queries(client, address) for address in PAGES]
    # A first contract brings the query for its needs.
    assert [later - before for before, later in zip(few, many, strict=True)] == [0, 0, 0, 1]
    assert many[-1] <= 30
    assert max(many[:-1]) <= 16


def test_a_team_page_tells_what_requesters_said_and_which_runbooks_there_are(stage, sign_in):
    badge = stage.tickets["badge"]
    rate(ticket=badge, actor=badge.requester, score=4, comment="Quick, but I had to ask twice.")
    stage.service.owner_team = stage.teams["desk"]
    stage.service.save()
    given = {"body": "Do this.", "items": ["Look", "Mend"], "services": [stage.service]}
    article = draft_article(actor=stage.ines, title="Restart the till", **given)
    publish_article(article=article, actor=stage.ines)
    desk = text(sign_in(stage.nora), "/guide/team/desk")
    assert "4.0 of 5 from 1 mark; 100 % were content." in desk
    assert "Quick, but I had to ask twice." in desk
    assert "Restart the till 2 steps" in desk
    assert "No marks yet." in text(sign_in(stage.nora), "/guide/team/support")
