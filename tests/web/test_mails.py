"""A mail on its ticket's page: its words, what was quoted folded, its HTML harmless."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from api.mail.taking import Place, take_in
from roles.models import Person
from tests.api.mails import ADDRESS, raw
from tickets.mailsources import create_mail_source
from tickets.models import Clearance, ReceivedMail, Ticket
from tickets.restriction import restrict
from web.mails import harmless

EVIL = """<p onclick="x()">Hello <b>you</b></p><script>alert(1)</script><img src=http://t.example/x>
<style>p{}</style><svg><a xlink:href="javascript:x()">s</a></svg><form action=/x><input></form>
<a href="java&#10;script:alert(1)">bad</a> <a href="https://ok.example">good</a>
<iframe src=x></iframe><meta http-equiv=refresh content=0><base href=http://t.example>
<math><mi xlink:href=data:x>m</mi></math>"""


@pytest.fixture
def mail(stage) -> ReceivedMail:
    source, _ = create_mail_source(slug="support", address=ADDRESS)
    text = "It is off.\n\nOn Mon, 2 Mar 2026, Desk wrote:\n> What is it?"
    content = raw(text, sender=f"Ada <{stage.ada.email}>", html=EVIL)
    return take_in(source=source, raw=content, place=Place("pipe"))


def page_of(mail: ReceivedMail) -> str:
    return reverse("web:ticket-mail", args=[mail.ticket.key, mail.pk])


def test_what_was_quoted_is_folded_on_the_ticket(stage, sign_in, mail):
    client = sign_in(stage.ines)
    with CaptureQueriesContext(connection) as taken:
        page = client.get(f"/tickets/{mail.ticket.key}").content.decode()
    assert len(taken) <= 16
    folded = re.search(r"<details class=\"item-rest\">.*?</details>", page, re.DOTALL)[0]
    assert "&gt; What is it?" in folded
    assert page.replace(folded, "").count("What is it?") == 0
    assert page_of(mail) in page
    own = sign_in(stage.ada).get(f"/tickets/{mail.ticket.key}", follow=True).content.decode()
    assert page_of(mail) not in own


def test_the_mails_page_shows_it_without_anything_that_could_harm(stage, sign_in, mail):
    answer = sign_in(stage.ines).get(page_of(mail))
    page = answer.content.decode()
    assert answer["Cache-Control"] == "private, no-store"
    assert "It is off." in page
    shown = page[page.index("mail-page") : page.index("</section>", page.index("mail-page"))]
    for bad in ("onclick", "alert(1)", "t.example", "javascript:", "<form", "<iframe", "<svg"):
        assert bad not in shown
    assert '<a href="https://ok.example" rel="nofollow noopener noreferrer">good</a>' in shown
    assert EVIL.splitlines()[0] in ReceivedMail.objects.get().html, "kept as it came"


@pytest.mark.parametrize("part", ["<p", "<b>", "&#x41;", "<!--", "<a href=x>"])
def test_cleaning_ends_whatever_is_cleaned(part):
    assert "<script" not in harmless(part * 50_000)


def test_only_those_who_work_on_the_ticket_read_its_mails(stage, sign_in, mail):
    assert sign_in(stage.ada).get(page_of(mail)).status_code == 404
    assert Client().get(page_of(mail)).status_code == 302
    other = page_of(mail).replace(str(mail.pk), str(mail.pk + 1))
    assert sign_in(stage.ines).get(other).status_code == 404
    of_another = reverse("web:ticket-mail", args=[stage.tickets["slow"].key, mail.pk])
    assert sign_in(stage.ines).get(of_another).status_code == 404
    restrict(ticket=mail.ticket, actor=stage.ines, reason="Fraud")
    key = Ticket.objects.get(pk=mail.ticket_id).key
    hidden = reverse("web:ticket-mail", args=[key, mail.pk])
    assert sign_in(stage.stranger).get(hidden).status_code == 404
    assert sign_in(stage.omar).get(hidden).status_code == 404


# ---- The admin ---------------------------------------------------------------------------------

LIST = "/admin/tickets/receivedmail/"


@pytest.fixture
def root(db) -> Person:
    return Person.objects.create_superuser("root", name="Root", email="root@example.net")


def test_the_admin_lists_what_waits_and_processes_it_again(stage, sign_in, root, mail):
    source = mail.source
    content = raw(sender="Eve <eve@else.example>", ident="<e@x>", subject="From outside")
    held = take_in(source=source, raw=content, place=Place("pipe"))
    client = sign_in(root)
    page = client.get(LIST).content.decode()
    assert "From outside" in page
    assert mail.subject not in page, "an administrator does not read what people ask"
    assert client.get(f"{LIST}{held.pk}/change/").status_code == 200
    assert client.get(f"{LIST}{mail.pk}/change/").status_code == 302
    chosen = {"_selected_action": [held.pk], "action": "let_in"}
    told = client.post(LIST, chosen, follow=True).content.decode()
    assert "Opened a ticket" in told
    held.refresh_from_db()
    assert (held.outcome, held.ticket.requester.email) == ("opened", "eve@else.example")


def test_the_mail_of_a_restricted_case_is_there_for_the_cleared_alone(stage, sign_in, root, mail):
    restrict(ticket=mail.ticket, actor=stage.ines, reason="Fraud")
    assert mail.subject not in sign_in(root).get(LIST).content.decode()
    Clearance.objects.create(ticket=mail.ticket, person=root)
    assert mail.subject in sign_in(root).get(LIST).content.decode()


def test_an_address_is_made_in_the_admin_and_its_key_shown_once(sign_in, root):
    client = sign_in(root)
    given = {
        "slug": "help",
        "name": "Help",
        "address": "help@desk.example",
        "unknown": "hold",
        "hourly_limit": 60,
    }
    told = client.post("/admin/tickets/mailsource/add/", given, follow=True).content.decode()
    assert re.search(r"tm_[0-9a-f]{9}_[0-9a-f]{40}", told)
    assert not re.search(r"tm_[0-9a-f]{9}_[0-9a-f]{40}", client.get(LIST).content.decode())
