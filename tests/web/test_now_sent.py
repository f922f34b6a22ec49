"""The page of now away from the screen: on paper, and as a mail that comes by the clock."""

import re
from datetime import timedelta
from io import BytesIO

import pytest
from pypdf import PdfReader

from insights.figures.mailing import send_due
from insights.figures.models import BoardMail
from notifications.channels.email import compose
from notifications.models import Message
from notifications.sending import outgoing
from roles.instants import fixed
from tickets.models import Clearance, Ticket


def words_of(pdf: bytes) -> str:
    return " ".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)


@pytest.fixture
def cleared(stage):
    """Mara, who may see the stage's restricted ticket too."""
    Clearance.objects.create(ticket=stage.tickets["case"], person=stage.mara)
    return stage.mara


def test_the_page_of_now_comes_by_mail_without_what_is_restricted(stage, cleared, sign_in):
    client = sign_in(cleared)
    given = {"every": "day", "hour": "6", "since": "2026-01-01", "team": "desk"}
    answer = client.post("/figures/now/mail", given)
    assert answer.url == "/figures"
    mail = BoardMail.objects.get()
    assert (mail.board, mail.words, mail.days) == ("now", {}, 1), "it has neither"
    assert '<a href="/figures">Now</a>' in client.get("/figures/mine").content.decode()

    at = mail.next_at + timedelta(minutes=2)
    assert (send_due(clock=fixed(at)), send_due(clock=fixed(at))) == (1, 0)
    letter = Message.objects.get(kind="figures")
    others = Ticket.objects.open().filter(restricted=False).count()
    assert f"Open: {others}\n" in letter.body
    assert re.fullmatch(r"Now, \d+ \w+ \d{4}, 06:02 \(.+\)", letter.subject), letter.subject
    html = compose(outgoing(letter, at), "mara@example.com").alternatives[0].content
    waiting = Ticket.objects.open().filter(restricted=False, status="waiting_for_support")
    longest = waiting.filter(acknowledged_at=None).order_by("status_since", "pk")[0]
    assert longest.key in html
    assert "Who is on call now, by team" in html
    case = stage.tickets["case"]
    for told in (letter.body, html):
        assert case.key not in told
        assert case.subject not in told


def test_the_page_of_now_is_put_on_paper(stage, cleared, sign_in):
    client = sign_in(cleared)
    answer = client.get("/figures/now.pdf")
    assert answer["Content-Type"] == "application/pdf"
    every = Ticket.objects.open().count()
    assert re.search(rf"Open\s+{every}\b", words_of(answer.content)), "one's own paper has all"

    client.post("/figures/now/mail", {"every": "week", "hour": "6", "form": "pdf"})
    at = BoardMail.objects.get().next_at
    assert send_due(clock=fixed(at)) == 1
    composed = compose(outgoing(Message.objects.get(kind="figures"), at), "mara@example.com")
    assert "<table" not in composed.alternatives[0].content
    ((name, content, kind),) = composed.attachments
    assert (name, kind) == (f"now-{at.date()}.pdf", "application/pdf")
    said = words_of(content)
    assert re.search(rf"Open\s+{every - 1}\b", said), "a mail counts nothing restricted"
    assert "Who is on call now, by team" in said
    assert stage.tickets["case"].key not in said


def test_only_whoever_leads_takes_the_page_of_now_away(stage, sign_in):
    client = sign_in(stage.omar)
    assert client.get("/figures/now.pdf").status_code == 403
    client.post("/figures/now/mail", {"every": "day", "hour": "6"})
    assert not BoardMail.objects.exists()
