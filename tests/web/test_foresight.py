"""What is likely late, what both sides said of an escalation, and what is worth teaching."""

import pytest
from django.test import Client

from escalation.models import Escalation, HandoverFeedback
from insights.models import Estimate, RiskModel
from notifications.links import make_link
from notifications.models import Message
from roles.instants import database_now
from tests.web.stage import Stage
from tickets.models import Ticket


@pytest.fixture
def estimated(stage: Stage) -> Stage:
    now = database_now()
    model = RiskModel.objects.create(
        trained_at=now,
        cases=900,
        positives=340,
        skill=0.3,
        hit_rate20=0.8,
        recall20=0.45,
        auroc=0.85,
        is_used=True,
    )
    reason = {"code": "past", "of": "service", "share": 0.61, "count": 83, "hours": 30.0}
    for number, name in enumerate(("slow", "mail", "case")):
        Estimate.objects.create(
            ticket=stage.tickets[name],
            model=model,
            probability=0.9 - 0.3 * number,
            reasons=[reason],
            seq=1,
            at=now,
        )
    return stage


def test_leads_see_the_ranking_with_reasons_and_its_own_hit_rate(
    estimated, sign_in, django_assert_max_num_queries
):
    client = sign_in(estimated.mara)
    client.get("/risk")
    with django_assert_max_num_queries(8):
        page = client.get("/risk").content.decode()
    slow, mail = estimated.tickets["slow"], estimated.tickets["mail"]
    assert page.index(slow.key) < page.index(mail.key)
    assert "61 % of 83 tickets of this service ended badly; they take 1 d 6 h." in page
    assert "80 % of the likeliest fifth ended badly" in page
    assert "900 tickets, 340 of which ended badly" in page
    assert estimated.tickets["case"].key not in page


def test_the_ranking_is_for_whoever_sees_figures(estimated, sign_in):
    assert sign_in(estimated.ada).get("/risk").status_code == 404
    assert sign_in(estimated.nora).get("/training").status_code in (200, 403)


def test_a_ticket_shows_its_own_risk_to_people_of_the_service(estimated, sign_in):
    key = estimated.tickets["slow"].key
    assert "to miss its target or need the next tier" in (
        sign_in(estimated.nora).get(f"/tickets/{key}").content.decode()
    )
    RiskModel.objects.update(is_used=False)
    assert "to miss its target" not in (
        sign_in(estimated.nora).get(f"/tickets/{key}").content.decode()
    )


def test_before_anything_is_learned_the_page_says_what_it_takes(stage, sign_in):
    page = sign_in(stage.mara).get("/risk").content.decode()
    assert "It takes 500 of them, 50 of which ended badly." in page


def receiver_of(escalation: Escalation):
    return escalation.to_team.memberships.select_related("person").first().person


def test_one_press_in_the_mail_keeps_the_receivers_word_and_the_ticket_shows_it(stage, sign_in):
    passed = Escalation.objects.filter(to_team__isnull=False, ticket__restricted=False).first()
    person = receiver_of(passed)
    letter = Message.objects.filter(
        topic=passed.ticket.topic, kind="notify", data__links__has_key="handover"
    ).first()
    Message.objects.filter(pk=letter.pk).update(recipient=person)
    link = make_link(Message.objects.get(pk=letter.pk), "handover")
    path = link[link.index("/m/") :]
    client = Client()
    asked = client.get(path).content.decode()
    assert "Was it for your tier" in asked
    assert not HandoverFeedback.objects.exists()
    assert "Thank you" in client.post(path, {"verdict": "incomplete"}).content.decode()
    assert HandoverFeedback.objects.get().person == person
    assert client.post(path, {"verdict": "helped"}).status_code == 422
    page = sign_in(person).get(f"/tickets/{passed.ticket.key}").content.decode()
    assert "Right tier, but something was missing" in page
    assert client.get("/m/forged/handover").status_code == 404


def test_the_word_is_given_on_the_ticket_too(stage, sign_in):
    passed = Escalation.objects.filter(to_team__isnull=False, ticket__restricted=False).first()
    key = passed.ticket.key
    url = f"/tickets/{key}/escalations/{passed.pk}/word"
    sign_in(receiver_of(passed)).post(url, {"verdict": "right"})
    assert HandoverFeedback.objects.get().verdict == "right"
    assert sign_in(stage.ada).post(url, {"verdict": "right"}).status_code == 404
    assert Ticket.objects.get(key=key).last_seq > 0
