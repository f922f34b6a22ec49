"""What the pages about reviews, contacts, one's own ways and figures do, done by programs."""

import json
from datetime import timedelta

import pytest

from insights.figures.folding import fold_all
from notifications.models import Message, TeamRule
from roles.instants import database_now
from tests.api.conftest import appoint, assert_problem
from tests.story import page, unacknowledged
from tickets.mailsources import create_mail_source
from tickets.models import ReceivedMail, TimelineEvent

V1 = "/api/v1/"


@pytest.fixture
def admin(story, calling):
    return calling(story.admin)


def test_a_review_is_drafted_edited_agreed_on_and_signed(story, agent, calling):
    ticket = story.open()
    assert_problem(agent.post(f"{V1}reviews/", {"ticket": ticket.key}), 409, "not_solved")
    agent.act(ticket.key, "take")
    agent.act(ticket.key, "resolve", code="fixed", text="Changed the fuser.")
    drafted = agent.post(f"{V1}reviews/", {"ticket": ticket.key})
    assert drafted.status_code == 201, drafted.content
    here = f"{V1}reviews/{ticket.key}/"
    assert drafted["Location"].endswith(here)
    edited = agent.call("PATCH", here, {"cause": "A worn part"}, if_match=drafted["ETag"])
    assert edited.json()["cause"] == "A worn part"
    assert_problem(agent.call("PATCH", here, {"cause": "x"}, if_match=drafted["ETag"]), 412)
    soon = (database_now() + timedelta(days=9)).date().isoformat()
    action = {"text": "Order two spares", "owner": story.colleague.username, "due_on": soon}
    agreed = agent.post(f"{here}agree/", action).json()["actions"][0]
    assert (agreed["text"], agreed["done_at"]) == ("Order two spares", None)
    assert agent.post(f"{here}finish/", {"action": agreed["id"]}).json()["actions"][0]["done_at"]
    assert_problem(agent.post(f"{here}sign/"), 403, "not_quality")
    quality = calling(appoint(story.colleague, "qa-reviewer"))
    signed = quality.post(f"{here}sign/")
    assert signed.json()["signed_by"]["username"] == story.colleague.username, signed.content
    assert_problem(agent.call("PATCH", here, {"cause": "y"}), 409, "signed")
    assert agent.get(f"{V1}reviews/?signed=true").json()["results"][0]["ticket"] == ticket.key
    assert agent.get(f"{V1}reviews/?signed=false").json()["results"] == []


def test_a_contact_list_is_kept_and_a_team_says_how_it_is_told(story, admin, agent):
    given = {"name": "Mail outage", "scenario": "outage", "services": ["mail"]}
    assert_problem(agent.post(f"{V1}contact-lists/", given), 403)
    made = admin.post(f"{V1}contact-lists/", given)
    assert made.status_code == 201, made.content
    here = f"{V1}contact-lists/{made.json()['id']}/"
    named = {"person": story.expert.username, "part": "Knows mail"}
    assert admin.post(f"{here}add-person/", named).json()["contacts"][0]["part"] == "Knows mail"
    changed = admin.call("PATCH", here, {"severity": 1}).json()
    assert (changed["severity"], changed["services"]) == (1, ["mail"])
    gone = admin.post(f"{here}remove-person/", {"person": story.expert.username})
    assert gone.json()["contacts"] == []
    assert admin.call("DELETE", here).status_code == 204
    assert agent.get(f"{V1}contact-lists/").json()["results"] == []
    rules = {"urgency": "high", "rules": [{"channel": "email", "delay_s": 300}]}
    told = admin.post(f"{V1}teams/desk/set-contact-rules/", rules)
    assert told.json() == rules, told.content
    assert TeamRule.objects.get().delay_s == 300
    assert rules in agent.get(f"{V1}teams/desk/contact-rules/").json()["results"]
    assert_problem(agent.post(f"{V1}teams/desk/set-contact-rules/", rules), 403)


def test_people_say_by_program_how_they_are_told(story, agent):
    here = f"{V1}me/ways/"
    assert agent.get(here).json()["holds"]["high"] == [{"channel": "email", "delay_s": 0}]
    body = {
        "quiet_from": "22:00",
        "quiet_until": "07:00",
        "rules": {"high": [{"channel": "email", "delay_s": 60}]},
    }
    told = agent.call("PATCH", here, body).json()
    assert (told["quiet_from"], told["rules"]["high"][0]["delay_s"]) == ("22:00:00", 60)
    half = agent.call("PATCH", here, {"rules": {"low": []}, "quiet_from": "21:00"})
    assert_problem(half, 422, "half_quiet")
    assert agent.get(here).json()["quiet_from"] == "22:00:00"
    until = (database_now() + timedelta(days=2)).isoformat()
    away = {"away": {"until": until, "taker": story.colleague.username}}
    assert agent.call("PATCH", here, away).json()["taker"]["username"] == story.colleague.username
    assert agent.call("PATCH", here, {"away": None}).json()["away_until"] is None
    added = agent.post(f"{V1}addresses/", {"channel": "email", "address": "omar@elsewhere.test"})
    assert added.json()["verified_at"] is None, added.content
    code = Message.objects.get(kind="code").subject[-6:]
    proved = agent.post(f"{V1}addresses/{added.json()['id']}/prove/", {"code": code})
    assert proved.json()["verified_at"], proved.content


def test_calendar_links_and_subscriptions_are_ones_own(story, agent, calling):
    made = agent.post(f"{V1}calendar-links/", {"name": "Phone"}).json()
    assert made["url"].endswith("/mine.ics")
    other = calling(story.colleague)
    assert other.get(f"{V1}calendar-links/{made['id']}/").status_code == 404
    assert agent.call("DELETE", f"{V1}calendar-links/{made['id']}/").status_code == 204
    assert agent.post(f"{V1}subscriptions/", {"service": "mail"}).status_code == 201
    assert other.get(f"{V1}subscriptions/").json()["results"] == []
    assert agent.call("DELETE", f"{V1}subscriptions/mail/").status_code == 204


def test_figures_risk_and_teaching_are_read_by_those_who_lead(story, agent, calling):
    story.open()
    lead = calling(story.lead)
    board = lead.get(f"{V1}figures/?board=escalations&team=desk").json()
    assert (board["board"], "flow" in {split["figure"] for split in board["splits"]}) == (
        "escalations",
        True,
    )
    assert {"slug", "value", "before", "facts"} <= set(board["figures"][0])
    assert_problem(lead.get(f"{V1}figures/?board=nothing"), 400, "bad_parameter")
    assert lead.get(f"{V1}risk/").json()["results"] == []
    assert lead.get(f"{V1}training/").json()["results"] == []
    assert_problem(agent.get(f"{V1}figures/"), 403)
    ordered = {"board": "escalations", "every": "week", "hour": 8, "team": "desk", "form": "pdf"}
    mail = lead.post(f"{V1}board-mails/", ordered)
    assert mail.json()["words"] == {"team": "desk"}, mail.content
    assert mail.json()["form"] == "pdf"
    assert lead.call("DELETE", f"{V1}board-mails/{mail.json()['id']}/").status_code == 204


def test_what_stands_behind_a_figure_is_read_and_ones_own_load(story, agent, calling):
    lead, ticket = calling(story.lead), story.open(subject="Printer")
    fold_all()
    (fact,) = lead.get(f"{V1}figure-tickets/?figure=backlog&team=desk").json()["results"]
    assert (fact["key"], fact["team"]) == (ticket.key, "desk")
    assert lead.get(f"{V1}figure-tickets/?figure=backlog&team=apps").json()["results"] == []
    assert_problem(lead.get(f"{V1}figure-tickets/?figure=nothing"), 400, "bad_parameter")
    assert_problem(agent.get(f"{V1}figure-tickets/?figure=backlog"), 403)
    assert agent.get(f"{V1}own-load/").json()["open"] == 0
    agent.act(ticket.key, "take")
    assert agent.get(f"{V1}own-load/").json()["open"] == 1
    sums = lead.get(f"{V1}now/").json()["results"][0]
    assert ["Open", 1] in [row[:2] for row in sums["rows"]]
    assert_problem(agent.get(f"{V1}now/"), 403)


def test_a_mail_is_read_with_its_ticket_by_the_service_alone(story, agent, requester):
    ticket, case = (
        story.open(),
        story.open(kind="security", restricted=True, requester=story.expert),
    )
    source, _ = create_mail_source(slug="support", address="support@desk.example")
    ReceivedMail.objects.create(
        source=source,
        identity="one",
        subject=f"Re: {case.key}",
        raw=b"",
        size=9,
        text="It smokes.",
        rest="> Does it smoke?",
        html="<script>alert(1)</script>",
        received_at=story.now,
        settled_at=story.now,
        outcome=ReceivedMail.Outcome.COMMENTED,
        person=story.requester,
        ticket=ticket,
    )
    (mail,) = agent.get(f"{V1}tickets/{ticket.key}/mails/").json()["results"]
    assert (mail["text"], mail["rest"]) == ("It smokes.", "> Does it smoke?")
    assert mail["subject"] == "Re: another ticket"
    assert "script" not in json.dumps(mail)
    assert_problem(requester.get(f"{V1}tickets/{ticket.key}/mails/"), 403)


def test_the_word_on_a_hand_over_and_what_sounds_alike(story, agent, calling):
    solved, ticket = story.open(subject="Printer jams"), story.open(subject="Printer jams again")
    agent.act(solved.key, "take")
    agent.act(solved.key, "resolve", code="fixed", text="Changed the fuser.")
    here = f"{V1}tickets/{ticket.key}/"
    alike = agent.get(f"{here}similar/").json()["results"][0]
    assert (alike["key"], alike["how"]) == (solved.key, "Changed the fuser.")
    agent.act(ticket.key, "take")
    passed = agent.act(ticket.key, "escalate", reason_code="skill", reason="Cache", tried="Twice")
    assert passed.status_code == 200, passed.content
    number = agent.get(f"{here}escalations/").json()["results"][0]["id"]
    word = {"escalation": number, "verdict": "right"}
    assert calling(story.engineer).act(ticket.key, "rate-handover", **word).status_code == 200
    assert TimelineEvent.objects.filter(ticket=ticket, kind="handover_rated").count() == 1
    lost = agent.act(ticket.key, "rate-handover", **{**word, "escalation": 999_999})
    assert_problem(lost, 422, "unknown_choice")


def test_only_an_administrator_sends_dead_letters_again(story, agent, calling):
    story.policy("any", unacknowledged(5, "Page", page("on_call")))
    ticket = story.open()
    agent.post(f"{V1}tickets/{ticket.key}/comments/", {"text": "Hello", "public": True})
    dead = {"state": "dead", "finished_reason": "refused", "finished_at": database_now()}
    Message.objects.filter(topic=ticket.topic).update(**dead)
    assert_problem(agent.act(ticket.key, "send-messages-again"), 403)
    keeper = calling(appoint(story.lead, "administrator"))
    assert keeper.act(ticket.key, "send-messages-again").status_code == 200
    assert not Message.objects.filter(topic=ticket.topic, state="dead").exists()
    assert_problem(keeper.act(ticket.key, "send-messages-again"), 409, "not_dead")
