"""A form that is sent twice does its work once."""

import re

from tests.web.test_portal import GIVEN
from tickets.models import Ticket
from web.models import SentForm

WORDS = {
    "kind": "incident",
    "subject": "The lift is stuck",
    "impact": "3",
    "urgency": "3",
    "source": "portal",
}


def token_of(client) -> str:
    found = re.search(r'name="form_token" value="([^"]+)"', client.get("/new").content.decode())
    return found[1]


def test_going_back_and_sending_again_opens_no_second_ticket(stage, sign_in):
    client = sign_in(stage.ines)
    given = {**WORDS, "form_token": token_of(client)}
    before = Ticket.objects.count()
    first, second = client.post("/new", given), client.post("/new", given)
    assert first.url == second.url
    assert Ticket.objects.count() == before + 1
    assert "This was sent before" in client.get(second.url).content.decode()


def test_a_fresh_form_opens_another(stage, sign_in):
    client = sign_in(stage.ines)
    before = Ticket.objects.count()
    for _ in range(2):
        client.post("/new", {**WORDS, "form_token": token_of(client)})
    assert Ticket.objects.count() == before + 2


def test_a_refused_form_keeps_its_token_and_may_be_sent_again(stage, sign_in):
    client = sign_in(stage.ines)
    token = token_of(client)
    refused = client.post("/new", {**WORDS, "subject": "", "form_token": token})
    assert refused.status_code == 422
    assert token in refused.content.decode()
    assert client.post("/new", {**WORDS, "form_token": token}).status_code == 302


def test_a_request_from_the_portal_is_opened_once(stage, sign_in):
    client = sign_in(stage.bo)
    page = client.get("/portal/ask").content.decode()
    token = re.search(r'name="form_token" value="([^"]+)"', page)[1]
    words = {**GIVEN, "subject": "The lift is stuck", "seen": "1", "form_token": token}
    before = Ticket.objects.count()
    answers = [client.post("/portal/ask", words) for _ in "12"]
    assert answers[0].status_code == 302, answers[0].context["form"].errors
    assert answers[0].url == answers[1].url
    assert Ticket.objects.count() == before + 1


def test_what_is_no_token_hinders_nobody(stage, sign_in):
    token = token_of(sign_in(stage.ines))
    sign_in(stage.ines).post("/new", {**WORDS, "form_token": token})
    onward = SentForm.objects.get().onward
    assert onward.startswith("/tickets/")
    before = Ticket.objects.count()
    for token in (onward, "nonsense", ""):
        sign_in(stage.ines).post("/new", {**WORDS, "form_token": token})
    assert Ticket.objects.count() == before + 3, "whatever is no token does not hinder"
