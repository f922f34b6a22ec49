"""The portal: asked in plain words, answered before it is sent, followed without the inside."""

import re
from datetime import timedelta

import pytest
from django.core import signing
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from notifications.delivery import deliver_batch
from notifications.links import make_link
from notifications.models import Message
from roles.instants import database_now, fixed
from roles.models import Organisation
from roles.refusals import Forbidden
from tickets import company
from tickets.articles import draft_article, publish_article
from tickets.assignment import take, watch
from tickets.lifecycle import chase, comment, resolve
from tickets.models import Deflection, Feedback, Ticket, TimelineEvent, Watcher
from tickets.opening import open_ticket
from tickets.restriction import restrict

GIVEN = {"kind": "incident", "impact": "3", "urgency": "3", "description": ""}
INSIDE = ("after the index rebuild", "orders-db-2", "Restarted the connection pool", "drained one")


def fresh(stage, name: str) -> Ticket:
    return Ticket.objects.get(pk=stage.tickets[name].pk)


def act(stage, client: Client, name: str, what: str, **given):
    return client.post(f"/requests/{stage.tickets[name].key}/{what}", given)


@pytest.fixture
def vpn_article(stage):
    made = draft_article(
        actor=stage.ines, title="VPN drops at home", body="Choose Frankfurt.", audience="public"
    )
    publish_article(article=made, actor=None)
    return made


# ---- Who sees what -------------------------------------------------------------------------------


def test_who_only_asks_begins_at_the_portal_and_who_works_here_at_the_queue(stage, sign_in):
    assert sign_in(stage.ada).get("/")["Location"] == "/portal"
    assert sign_in(stage.ada).get("/new")["Location"] == "/portal/ask"
    assert sign_in(stage.ines).get("/").status_code == 200
    key = stage.tickets["slow"].key
    assert sign_in(stage.ada).get(f"/tickets/{key}")["Location"] == f"/requests/{key}"


def test_the_request_page_tells_what_happens_and_nothing_of_the_inside(stage, sign_in):
    page = sign_in(stage.ada).get(f"/requests/{stage.tickets['slow'].key}").content.decode()
    assert "I see the delay too" in page
    assert "Application Support has it now" in page
    assert "Somebody will take it" in page
    for secret in (*INSIDE, "rights on the database", "Acceptance"):
        assert secret not in page, secret


def test_a_note_and_the_words_of_a_move_never_reach_any_page_of_the_requester(stage, sign_in):
    slow, client = stage.tickets["slow"], sign_in(stage.ada)
    comment(ticket=slow, actor=stage.nora, text="zebrafish", public=False)
    chase(ticket=slow, actor=stage.ada, text="And?")
    for url in ("/portal", "/requests", f"/requests/{slow.key}", "/portal/ask"):
        assert "zebrafish" not in client.get(url).content.decode()


def test_what_one_may_not_see_is_not_there(stage, sign_in):
    client = sign_in(stage.stranger)
    for name in ("slow", "case"):
        key = stage.tickets[name].key
        assert client.get(f"/requests/{key}").status_code == 404
        for what in ("reply", "chase", "confirm", "reopen", "withdraw", "invite", "rate"):
            assert act(stage, client, name, what, text="x", words="x", score="5").status_code == 404


def subjects(client: Client, view: str = "") -> set[str]:
    page = client.get(f"/requests?view={view}")
    return {row["ticket"].subject for row in page.context["rows"]}


def test_my_requests_are_mine_and_the_organisations_stand_apart(stage, sign_in):
    mine = {stage.tickets[name].subject for name in ("slow", "report", "payroll")}
    client = sign_in(stage.ada)
    assert subjects(client, "open") == mine
    assert "My organisation" not in client.get("/requests").content.decode()
    assert subjects(client, "organisation") == mine  # a list that one has not is the first
    Organisation.objects.update(may_see_own=True)
    assert subjects(client, "open") == mine
    others = subjects(client, "organisation")
    assert stage.tickets["vpn"].subject in others
    assert not others & mine
    vpn = client.get(f"/requests/{stage.tickets['vpn'].key}").content.decode()
    assert "Ask for escalation" not in vpn
    assert act(stage, client, "vpn", "chase").status_code == 403
    restrict(ticket=stage.tickets["vpn"], actor=stage.omar, reason="A break-in")
    assert stage.tickets["vpn"].subject not in subjects(client, "organisation")


def test_lists_cost_the_same_however_long_they_are(stage, sign_in):
    client = sign_in(stage.ada)
    for url in ("/portal", "/requests", f"/requests/{stage.tickets['slow'].key}"):
        client.get(url)
        with CaptureQueriesContext(connection) as few:
            client.get(url)
        for number in range(6):
            open_ticket(requester=stage.ada, actor=stage.ada, subject=f"One more {number}")
            comment(ticket=stage.tickets["slow"], actor=stage.ada, text=f"{number}", public=True)
        with CaptureQueriesContext(connection) as many:
            client.get(url)
        assert len(many) <= len(few), url
        assert len(many) <= 30, url


# ---- Asking --------------------------------------------------------------------------------------


def test_asking_routes_the_ticket_and_shows_it(stage, sign_in):
    answer = sign_in(stage.bo).post("/portal/ask", {**GIVEN, "subject": "Door is stuck"})
    ticket = Ticket.objects.get(subject="Door is stuck")
    assert answer.url == f"/requests/{ticket.key}"
    assert (ticket.requester, ticket.team.slug, ticket.source) == (stage.bo, "desk", "portal")


def test_nobody_asks_in_another_name(stage, sign_in):
    sign_in(stage.bo).post("/portal/ask", {**GIVEN, "subject": "Not mine", "requester": "ada"})
    assert Ticket.objects.get(subject="Not mine").requester == stage.bo


def test_a_refused_form_keeps_what_was_typed(stage, sign_in):
    answer = sign_in(stage.bo).post("/portal/ask", {**GIVEN, "subject": "", "description": "Kept"})
    assert answer.status_code == 422
    assert "Kept" in answer.content.decode()


def test_what_may_help_is_shown_before_anything_is_sent(stage, sign_in, vpn_article):
    client = sign_in(stage.bo)
    words = {**GIVEN, "subject": "My VPN is gone", "description": "Since noon"}
    before = Ticket.objects.count()
    step = client.post("/portal/ask", words)
    assert Ticket.objects.count() == before
    page = step.content.decode()
    assert "VPN drops at home" in page
    assert "Since noon" in page
    assert "None of these helped" in page
    client.post("/portal/ask", {**words, "seen": "1"})
    assert Ticket.objects.count() == before + 1


def test_nothing_is_put_before_a_suspicion(stage, sign_in, vpn_article):
    words = {**GIVEN, "kind": "security", "subject": "Somebody uses my VPN"}
    sign_in(stage.bo).post("/portal/ask", words)
    assert Ticket.objects.filter(subject="Somebody uses my VPN").exists()


def test_suggestions_come_as_one_types(stage, sign_in, vpn_article):
    client = sign_in(stage.bo)
    fragment = client.get("/portal/suggestions?subject=the vpn is slow").content.decode()
    assert "VPN drops at home" in fragment
    assert 'name="seen"' in fragment
    assert client.get("/portal/suggestions?subject=printer").content.decode().strip() == ""
    assert client.get("/portal/suggestions?subject=v%00pn&service=9x").status_code == 200


def test_an_article_that_solved_it_counts_as_a_spared_ticket(stage, sign_in, vpn_article):
    before = Ticket.objects.count()
    answer = sign_in(stage.bo).post(
        f"/knowledge/{vpn_article.pk}/vote", {**GIVEN, "subject": "My VPN", "helpful": "spared"}
    )
    assert answer["Location"] == "/portal"
    assert Deflection.objects.get().person == stage.bo
    assert Ticket.objects.count() == before


# ---- Acting --------------------------------------------------------------------------------------


def test_a_reply_goes_to_the_team_and_resumes_what_waited(stage, sign_in):
    client = sign_in(stage.bo)
    page = client.get(f"/requests/{stage.tickets['vpn'].key}").content.decode()
    assert "We need your answer" in page
    assert "the exact words of the message" in page
    assert act(stage, client, "vpn", "reply", text="Error 691").status_code == 302
    assert fresh(stage, "vpn").status == "in_progress"
    refused = act(stage, client, "vpn", "reply", text=" ")
    assert refused.status_code == 422


def test_asking_for_escalation_is_counted_told_and_limited(stage, sign_in):
    client, omar = sign_in(stage.bo), stage.omar
    assert act(stage, client, "vpn", "chase", words="Payday").status_code == 302
    assert fresh(stage, "vpn").chase_count == 1
    told = Message.objects.get(topic=fresh(stage, "vpn").topic, kind="chased")
    assert (told.recipient, told.body) == (omar, "Payday")
    assert (
        "You have asked within the last hour"
        in client.get(f"/requests/{stage.tickets['vpn'].key}").content.decode()
    )
    again = act(stage, client, "vpn", "chase", words="Again")
    assert again.status_code == 409
    assert fresh(stage, "vpn").chase_count == 1
    seen = sign_in(omar).get(f"/tickets/{stage.tickets['vpn'].key}").content.decode()
    assert "asked where it stands" in seen


def test_solved_is_confirmed_or_opened_again_with_a_reason(stage, sign_in):
    client = sign_in(stage.bo)
    assert (
        "Yes, it is solved"
        in client.get(f"/requests/{stage.tickets['badge'].key}").content.decode()
    )
    assert act(stage, client, "badge", "reopen", reason="").status_code == 422
    assert act(stage, client, "badge", "reopen", reason="Still shut").status_code == 302
    badge = fresh(stage, "badge")
    assert (badge.status, badge.reopen_count) == ("waiting_for_support", 1)
    take(ticket=badge, actor=stage.ines)
    resolve(ticket=badge, actor=stage.ines, code="fixed", text="Now it opens.")
    assert act(stage, client, "badge", "confirm").status_code == 302
    assert fresh(stage, "badge").status == "closed"


def test_a_request_is_withdrawn(stage, sign_in):
    act(stage, sign_in(stage.bo), "chair", "withdraw")
    assert fresh(stage, "chair").status == "cancelled"


def test_words_for_a_request_that_was_ended_meanwhile_are_given_back(stage, sign_in):
    client = sign_in(stage.bo)
    act(stage, client, "chair", "withdraw")
    late = act(stage, client, "chair", "reply", text="In another tab I wrote this.")
    assert late.status_code == 409
    page = late.content.decode()
    assert "In another tab I wrote this." in page
    assert 'name="text"' not in page


# ---- Bringing people along -----------------------------------------------------------------------


def test_colleagues_are_added_by_name_and_others_by_mail(stage, sign_in):
    client = sign_in(stage.bo)
    assert act(stage, client, "vpn", "invite", person="ada park").status_code == 302
    assert act(stage, client, "vpn", "invite", person="Sid Stranger").status_code == 422
    assert act(stage, client, "vpn", "invite", person="STRANGER@example.com").status_code == 302
    assert act(stage, client, "vpn", "invite", person="nobody@example.com").status_code == 422
    assert act(stage, client, "vpn", "invite", person="ada@example.com").status_code == 409
    followers = Watcher.objects.filter(ticket=stage.tickets["vpn"].pk)
    assert {row.person.username for row in followers} == {"ada", "stranger"}
    told = Message.objects.filter(topic=stage.tickets["vpn"].topic, kind="invited")
    assert {row.recipient.username for row in told} == {"ada", "stranger"}
    other = sign_in(stage.stranger)
    assert subjects(other, "followed") == {stage.tickets["vpn"].subject}
    assert act(stage, other, "vpn", "reply", text="Me too").status_code == 302
    assert act(stage, other, "vpn", "invite", person="ines@example.com").status_code == 403
    act(stage, client, "vpn", "uninvite", id=str(stage.stranger.pk))
    assert other.get(f"/requests/{stage.tickets['vpn'].key}").status_code == 404


def test_who_of_the_service_watches_is_not_the_requesters_to_see_or_to_change(stage, sign_in):
    """A requester took the lead of a major off its watchers, by the cross beside the name."""
    ticket = stage.tickets["vpn"]
    watch(ticket=fresh(stage, "vpn"), actor=stage.ines)
    asker = sign_in(stage.bo)
    act(stage, asker, "vpn", "invite", person="ada@example.com")
    page = asker.get(f"/requests/{ticket.key}").content.decode()
    assert "Ada Park" in page
    assert "Ines Okafor" not in page
    act(stage, asker, "vpn", "uninvite", id=str(stage.ines.pk))
    with pytest.raises(Forbidden):
        company.uninvite(ticket=fresh(stage, "vpn"), actor=stage.bo, person=stage.ines)
    with pytest.raises(Forbidden):
        company.take_off(ticket=fresh(stage, "vpn"), actor=stage.bo, people=[stage.ines])
    watching = Watcher.objects.filter(ticket=ticket.pk)
    assert {row.person.username for row in watching} == {"ada", "ines"}
    company.uninvite(ticket=fresh(stage, "vpn"), actor=stage.omar, person=stage.ines)


def test_nobody_is_added_to_a_restricted_case(stage, sign_in):
    case = stage.tickets["case"]
    answer = act(stage, sign_in(stage.sam), "case", "invite", person="ada@example.com")
    assert answer.status_code == 422
    assert not Watcher.objects.filter(ticket=case).exists()


def test_a_follower_loses_sight_of_what_becomes_restricted(stage, sign_in):
    watch(ticket=stage.tickets["mail"], actor=stage.bo)
    act(stage, sign_in(stage.bo), "mail", "invite", person="ada@example.com")
    restrict(ticket=fresh(stage, "mail"), actor=stage.ines, reason="A break-in")
    assert subjects(sign_in(stage.ada), "followed") == set()


# ---- How was it? ---------------------------------------------------------------------------------


def test_one_press_on_the_page_is_a_mark_and_words_may_follow(stage, sign_in):
    client = sign_in(stage.bo)
    assert act(stage, client, "badge", "rate", score="5").status_code == 302
    act(stage, client, "badge", "rate", score="4", comment="A day late")
    held = Feedback.objects.get()
    assert (held.score, held.comment, held.person) == (4, "A day late", stage.bo)
    assert act(stage, client, "badge", "rate", score="99").status_code == 422
    assert act(stage, client, "vpn", "rate", score="5").status_code == 409
    assert act(stage, sign_in(stage.sam), "badge", "rate", score="1").status_code == 403
    seen = sign_in(stage.ines).get(f"/tickets/{stage.tickets['badge'].key}").content.decode()
    assert "rated it 4 of 5" in seen


@pytest.fixture
def letter(stage) -> Message:
    return Message.objects.get(topic=stage.tickets["badge"].topic, kind="resolved")


def token_of(address: str) -> str:
    return re.search(r"/m/([^/]+)/rate$", address)[1]


def test_the_mail_of_the_resolution_carries_the_link(stage, letter, mailoutbox):
    deliver_batch()
    body = next(mail.body for mail in mailoutbox if "resolved" in mail.subject)
    assert re.search(r"How was it\? One press: http\S+/m/\S+/rate", body)


def test_the_link_asks_first_and_takes_the_mark_without_sign_in(stage, letter):
    token, client = token_of(make_link(letter, "rate")), Client()
    asked = client.get(f"/m/{token}/rate")
    assert asked.status_code == 200
    assert stage.tickets["badge"].subject not in asked.content.decode()
    assert not Feedback.objects.exists()
    assert client.post(f"/m/{token}/rate", {"score": "2"}).status_code == 200
    assert client.post(f"/m/{token}/rate", {"score": "3"}).status_code == 200
    assert Feedback.objects.get().score == 3
    told = TimelineEvent.objects.filter(ticket=stage.tickets["badge"], kind="rated")
    assert told.count() == 2


def test_a_link_of_one_kind_opens_no_other_door(stage, letter):
    rate = token_of(make_link(letter, "rate"))
    acknowledge = make_link(letter).rstrip("/").rpartition("/")[2]
    client = Client()
    assert client.get(f"/m/{rate}/").status_code == 404
    assert client.get(f"/m/{acknowledge}/rate").status_code == 404
    assert client.get(f"/m/{signing.dumps({'m': 1}, salt='x')}/rate").status_code == 404
    old = fixed(database_now() - timedelta(days=15))
    assert (
        client.get(f"/m/{token_of(make_link(letter, 'rate', clock=old))}/rate").status_code == 404
    )
