"""What machines write, and whatever else comes, is kept, answers nothing and harms nobody."""

import pytest
from django.db import OperationalError

from api.mail.taking import take_in
from notifications.bounces import note_bounce
from notifications.models import Message
from notifications.replies import message_id
from tests.api.mails import ADDRESS, raw, returned
from tests.api.mailstage import PIPE, answer, asked, take, talk
from tickets.mailsources import create_mail_source
from tickets.models import Attachment, MailSource, ReceivedMail, Ticket
from tickets.sources import create_source

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def answers_are_taken(settings, tmp_path):
    settings.MAIL_REPLY_ADDRESS = ADDRESS
    settings.MEDIA_ROOT = str(tmp_path)


@pytest.fixture
def source(story) -> MailSource:
    made, _ = create_mail_source(slug="support", address=ADDRESS, clock=story.clock)
    return made


# ---- Machines -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Precedence": "bulk"},
        {"X_Auto_Response_Suppress": "All"},
        {"X_Autoreply": "yes"},
        {"Return_Path": "<>"},
        {"List_Id": "<news.example.org>"},
        {"X_Tierline_Key": "k"},
    ],
)
def test_what_a_machine_wrote_is_kept_and_answers_nothing(story, source, headers):
    ticket, message = asked(story)
    story.phone.new()
    received = take(story, source, answer(message, **headers))
    assert received.outcome == "ignored"
    assert received.reason
    assert len(talk(ticket)) == 1
    story.phone.was_silent()


def test_mail_from_ourselves_goes_nowhere(story, source):
    assert take(story, source, raw(sender=f"Us <{ADDRESS}>")).outcome == "ignored"
    assert not Ticket.objects.exists()


def test_a_mail_that_came_back_is_a_dead_letter_and_told_on_the_ticket(story, source):
    ticket, message = asked(story)
    Message.objects.filter(pk=message.pk).update(
        state="sent", sent_at=story.now, finished_at=story.now
    )
    received = take(story, source, returned(message_id(message.key)))
    message.refresh_from_db()
    assert (received.outcome, received.ticket, received.about) == ("bounced", ticket, message)
    assert (message.state, message.sent_at) == ("dead", story.now)
    assert "No such user" in message.finished_reason
    who, public, words = talk(ticket)[-1]
    assert (who, public) == ("", False)
    assert "The mail to rita@example.org came back: 5.1.1 550 5.1.1 No such user" in words
    assert not note_bounce(message, "again", story.now), "only once"


def test_reports_on_forged_or_late_mails_change_nothing(story, source):
    ticket, message = asked(story)
    Message.objects.filter(pk=message.pk).update(
        state="sent", sent_at=story.now, finished_at=story.now
    )
    forged = take(story, source, returned(f"<{message.key}.{'a' * 26}@testserver>"))
    assert forged.outcome == "ignored"
    ReceivedMail.objects.all().delete()
    late = take(story, source, returned(message_id(message.key), action="delayed"))
    assert (late.outcome, late.about) == ("ignored", message)
    message.refresh_from_db()
    assert message.state == "sent"
    assert len(talk(ticket)) == 1


MONITORS = {
    "nagios": (
        "** PROBLEM Service Alert: web01/HTTP is CRITICAL **",
        "** RECOVERY Service Alert: web01/HTTP is OK **",
        "",
    ),
    "nagios host": (
        "** PROBLEM Host Alert: web01 is DOWN **",
        "** RECOVERY Host Alert: web01 is UP **",
        "",
    ),
    "icinga": ("[PROBLEM] disk on web01 is WARNING!", "[RECOVERY] disk on web01 is OK!", ""),
    "icinga host": ("[PROBLEM] Host web01 is DOWN!", "[RECOVERY] Host web01 is UP!", ""),
    "monit": (
        "monit alert --  Connection failed nginx",
        "monit alert --  Connection succeeded nginx",
        "Connection failed Service nginx\n\n Action: restart\n Host: web01\n Description: refused",
    ),
}


@pytest.mark.parametrize("shape", MONITORS)
def test_problem_and_recovery_of_a_monitor_are_one_alert(story, source, shape):
    problem, recovery, body = MONITORS[shape]
    monitor, _ = create_source(slug="nagios", product="alertmanager", clock=story.clock)
    source.monitor = monitor
    source.save()
    machine = {"sender": "nagios@mon.example", "Auto_Submitted": "auto-generated"}
    fired = take(story, source, raw(body or "x", subject=problem, ident="<p@m>", **machine))
    again = take(story, source, raw(body or "x", subject=problem, ident="<q@m>", **machine))
    assert (fired.outcome, again.reason) == ("alerted", "repeated")
    ticket = Ticket.objects.get()
    assert (fired.ticket, ticket.source) == (ticket, "monitor")
    over = take(story, source, raw(body or "x", subject=recovery, ident="<r@m>", **machine))
    assert over.outcome == "alerted"
    assert story.fresh(ticket).status == "resolved"


def test_without_a_rule_a_monitors_mail_is_a_machines(story, source):
    content = raw("x", sender="n@mon.example", subject=MONITORS["icinga"][0], Auto_Submitted="auto")
    assert take(story, source, content).outcome == "ignored"


# ---- Whatever comes -----------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"\x00" * 100, b"no mail", b"From: \xff\xfe\r\n\r\nx"])
def test_what_cannot_be_read_is_kept_with_the_reason(story, source, content):
    received = take(story, source, content)
    assert (received.outcome, bytes(received.raw)) == ("failed", content)
    assert received.reason


def test_ten_megabytes_are_taken_in_and_more_than_enough_is_kept_in_part(story, source):
    big = take(story, source, raw(files=(("big.bin", b"x" * 10_000_000),)))
    assert big.outcome == "opened"
    assert Attachment.objects.get(ticket=big.ticket).size == 10_000_000
    huge = take(story, source, raw(ident="<h@x>") + b"x" * 30_000_001)
    assert huge.outcome == "failed"
    assert "larger than" in huge.reason
    assert len(huge.raw) == 30_000_000 < huge.size


def test_files_that_the_pages_refuse_are_left_out_and_named(story, source):
    files = (("run.exe", b"MZ"), ("empty.txt", b""), ("ok.txt", b"x"))
    received = take(story, source, raw(files=files))
    assert received.outcome == "opened"
    assert [a.name for a in Attachment.objects.filter(ticket=received.ticket)] == ["ok.txt"]
    assert "run.exe is a program" in received.reason
    many = tuple((f"{n}.txt", b"x") for n in range(12))
    other = take(story, source, raw(ident="<m@x>", files=many))
    assert Attachment.objects.filter(ticket=other.ticket).count() == 10
    assert "At most 10 files" in other.reason


def test_long_words_are_cut_on_the_ticket_and_whole_with_the_mail(story, source):
    received = take(story, source, raw("word " * 10_000, subject="long " * 200))
    assert received.outcome == "opened"
    assert len(received.ticket.description) <= 20_000
    assert "[The mail goes on" in received.ticket.description
    assert len(received.text) > 49_000
    assert len(received.ticket.subject) <= 250


def test_a_database_that_is_away_loses_nothing(story, source, settings):
    class Away:
        def __call__(self):
            raise OperationalError("the server has gone")

    with pytest.raises(OperationalError):
        take_in(source=source, raw=raw(), place=PIPE, clock=Away())
    assert not ReceivedMail.objects.exists()
    assert take(story, source, raw()).outcome == "opened"
