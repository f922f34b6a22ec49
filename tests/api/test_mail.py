"""Mail becomes tickets and replies: by proof and by right, once, and never lost."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from api.mail.taking import Place, process_again, take_in
from notifications.channels.email import compose
from notifications.models import Message
from notifications.replies import claimed, message_id, reply_address
from notifications.sending import outgoing
from roles.people import deactivate
from roles.refusals import Conflict, Forbidden
from tests.api.mails import ADDRESS, raw
from tests.api.mailstage import answer, asked, take, talk
from tickets.lifecycle import close, comment, resolve
from tickets.mailsources import create_mail_source, issue_mail_key, mail_source_by_key
from tickets.models import Attachment, MailSource, ReceivedMail, Ticket
from tickets.restriction import restrict

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def answers_are_taken(settings, tmp_path):
    settings.MAIL_REPLY_ADDRESS = ADDRESS
    settings.MEDIA_ROOT = str(tmp_path)


@pytest.fixture
def source(story) -> MailSource:
    made, _ = create_mail_source(slug="support", address=ADDRESS, clock=story.clock)
    return made


# ---- A mail opens a ticket ----------------------------------------------------------------------


def test_a_mail_of_somebody_known_opens_a_ticket(story, source):
    received = take(story, source, raw("It is off.\n-- \nRita", files=(("log.txt", b"abc"),)))
    assert (received.outcome, received.person) == ("opened", story.requester)
    ticket = received.ticket
    assert (ticket.subject, ticket.description) == ("Printer", "It is off.")
    assert (ticket.source, ticket.requester) == ("email", story.requester)
    assert received.rest == "-- \nRita"
    assert Attachment.objects.get(ticket=ticket).name == "log.txt"
    story.phone.rang(("rita", "received"))


def test_the_same_mail_by_any_road_is_taken_in_once(story, source):
    first = take(story, source, raw())
    again = take_in(source=source, raw=raw(), place=Place("imap", 1, 7), clock=story.clock)
    other, _ = create_mail_source(slug="it", address="it@desk.example", clock=story.clock)
    third = take(story, other, raw())
    assert first.pk == again.pk == third.pk
    assert Ticket.objects.count() == ReceivedMail.objects.count() == 1


def test_without_a_message_id_a_mail_is_known_by_its_bytes(story, source):
    take(story, source, raw(ident=""))
    take(story, source, raw(ident=""))
    assert Ticket.objects.count() == 1
    take(story, source, raw("Other words", ident=""))
    assert Ticket.objects.count() == 2


def test_a_source_names_the_team_and_the_service_of_its_tickets(story):
    made, _ = create_mail_source(
        slug="apps", address=ADDRESS, team=story.apps, service=story.mail, clock=story.clock
    )
    ticket = take(story, made, raw()).ticket
    assert (ticket.team, ticket.service) == (story.apps, story.mail)


@pytest.mark.parametrize(
    ("policy", "outcome"), [("hold", "held"), ("refuse", "refused"), ("guest", "opened")]
)
def test_strangers_are_met_by_the_rule_of_the_source(story, source, policy, outcome):
    source.unknown = policy
    source.save()
    received = take(story, source, raw(sender="Eve <eve@else.example>"))
    assert received.outcome == outcome
    assert ("eve@else.example" in received.reason) == (policy != "guest")
    if policy == "guest":
        assert received.ticket.requester.name == "Eve"
        assert not received.ticket.requester.has_usable_password()
        assert received.ticket.tags == ["guest"]
        assert "not verified" in talk(received.ticket)[0][2]
    else:
        assert not Ticket.objects.exists()


def test_whoever_has_left_is_refused(story, source):
    deactivate(person=story.requester, clock=story.clock)
    received = take(story, source, raw())
    assert (received.outcome, received.ticket) == ("refused", None)
    assert "switched off" in received.reason


def test_a_flood_of_one_sender_is_held(story, source):
    source.hourly_limit = 2
    source.save()
    found = [take(story, source, raw(ident=f"<{n}@example.org>")).outcome for n in range(3)]
    assert found == ["opened", "opened", "held"]
    story.now += timedelta(hours=2)
    assert take(story, source, raw(ident="<9@example.org>")).outcome == "opened"


# ---- An answer proves what it answers -----------------------------------------------------------


def test_an_answer_to_the_signed_address_is_the_recipients_reply(story, source):
    ticket, message = asked(story)
    received = take(story, source, answer(message, "It says 42.\n\nOn Mon Ann wrote:\n> What?"))
    assert (received.outcome, received.ticket, received.about) == ("commented", ticket, message)
    assert talk(ticket)[-1] == ("rita", True, "It says 42.")
    assert "> What?" in received.rest


def test_the_signed_message_id_is_enough_where_the_address_was_lost(story, source):
    ticket, message = asked(story)
    received = take(story, source, answer(message, to=ADDRESS))
    assert (received.outcome, received.ticket) == ("commented", ticket)
    only_thread = raw("x", ident="<3@example.org>", References=message_id(message.key))
    assert take(story, source, only_thread).ticket == ticket


def test_a_mail_of_ours_carries_what_its_answer_will_prove(story):
    _, message = asked(story)
    mail = compose(outgoing(message, story.now), "rita@example.org")
    sent = mail.message()
    assert sent["Reply-To"] == reply_address(message)
    assert re.fullmatch(r"support\+r\d+-[a-z2-7]{26}@desk\.example", sent["Reply-To"])
    assert sent["Message-ID"] == message_id(message.key)
    assert claimed([sent["Reply-To"]], []).message == message
    assert claimed([], [sent["Message-ID"]]).message == message


@pytest.mark.parametrize("damage", ["mac", "number", "short", "subject", "bare"])
def test_a_forged_thread_touches_no_ticket(story, source, damage):
    ticket, message = asked(story)
    before = talk(ticket)
    address = reply_address(message)
    local, _, mac = address.partition("@")[0].rpartition("-")
    forged = {
        "mac": f"{local}-{'a' * 26}@desk.example",
        "number": f"support+r{message.pk + 1}-{mac}@desk.example",
        "short": f"{local}-{mac[:20]}@desk.example",
        "subject": ADDRESS,
        "bare": ADDRESS,
    }[damage]
    more = {"In_Reply_To": f"<{message.key}@testserver>"} if damage == "bare" else {}
    content = raw("Do it.", to=forged, subject=f"Re: [{ticket.key}] Printer", **more)
    received = take(story, source, content)
    assert received.ticket != ticket
    assert talk(ticket) == before
    assert ("unverified" in received.ticket.tags) == (damage in ("mac", "number"))


def test_the_signed_address_speaks_for_its_recipient_alone(story, source):
    ticket, message = asked(story)
    received = take(story, source, answer(message, sender="Zoe <zoe@example.org>"))
    assert (received.outcome, received.person) == ("held", None)
    assert len(talk(ticket)) == 1


def test_whoever_may_not_write_there_is_held(story, source):
    ticket, message = asked(story)
    Ticket.objects.filter(pk=ticket.pk).update(requester=story.stranger, organisation=None)
    received = take(story, source, answer(message))
    assert received.outcome == "held"
    assert "may not write" in received.reason
    assert len(talk(ticket)) == 1


def test_an_agents_answer_stays_an_internal_note(story, source):
    ticket, _ = asked(story)
    comment(ticket=ticket, actor=story.requester, text="42", public=True, clock=story.clock)
    story.phone.new()
    from_tickets = Message.objects.filter(kind="assigned")
    assert not from_tickets.exists()
    letter = Message.objects.create(
        key="00000000-0000-5000-8000-000000000001",
        topic=ticket.topic,
        cause="test:1",
        recipient=story.agent,
        kind="notify",
        subject="x",
        next_attempt_at=story.now,
        created_at=story.now,
    )
    received = take(story, source, answer(letter, "Ask the vendor.", sender="ann@example.org"))
    assert received.outcome == "commented"
    assert talk(ticket)[-1] == ("ann", False, "Ask the vendor.")
    story.phone.ignore("notify")
    story.phone.was_silent()


def test_a_further_mail_to_ones_own_goes_to_the_same_ticket(story, source):
    first = take(story, source, raw(ident="<first@example.org>"))
    further = raw("More.", ident="<second@example.org>", In_Reply_To="<first@example.org>")
    assert take(story, source, further).ticket == first.ticket
    by_another = raw(
        "Me too.",
        sender="Zoe <zoe@example.org>",
        ident="<third@example.org>",
        In_Reply_To="<first@example.org>",
    )
    other = take(story, source, by_another)
    assert (other.outcome, other.ticket != first.ticket) == ("opened", True)


def test_an_answer_reopens_what_was_solved_and_follows_what_is_closed(story, source):
    ticket, message = asked(story)
    resolve(ticket=ticket, actor=story.agent, code="fixed", text="Done", clock=story.clock)
    take(story, source, answer(message))
    assert story.fresh(ticket).status == "waiting_for_support"
    resolve(ticket=ticket, actor=story.agent, code="fixed", text="Done", clock=story.clock)
    close(ticket=ticket, actor=story.agent, clock=story.clock)
    late = take(story, source, answer(message, ident="<4@example.org>"))
    assert (late.outcome, late.ticket != ticket) == ("opened", True)
    link = late.ticket.links_out.get()
    assert (link.relation, link.target) == ("follows", ticket)


# ---- Restricted cases ---------------------------------------------------------------------------


def test_an_answer_never_reaches_or_tells_of_a_restricted_case(story, source):
    ticket, message = asked(story)
    restrict(ticket=ticket, actor=story.agent, reason="Fraud", clock=story.clock)
    message.refresh_from_db()
    assert reply_address(message) == "", "no answer is asked for"
    content = raw("Secret.", ident="<9@example.org>", In_Reply_To=message_id(message.key))
    before = talk(ticket)
    received = take(story, source, content)
    assert received.outcome == "held"
    assert ticket.key not in received.reason
    assert talk(ticket) == before
    assert Ticket.objects.count() == 1


# ---- A second look ------------------------------------------------------------------------------


def test_what_was_held_is_processed_again_when_the_reason_is_mended(story, source):
    received = take(story, source, raw(sender="Eve <eve@else.example>"))
    assert process_again(received=received, clock=story.clock).outcome == "held"
    story.person("eve")
    story.stranger.email = "eve@else.example"
    story.stranger.save()
    done = process_again(received=received, actor=story.admin, clock=story.clock)
    assert (done.outcome, done.ticket.requester) == ("opened", story.stranger)
    with pytest.raises(Conflict):
        process_again(received=received, actor=story.admin, clock=story.clock)
    with pytest.raises(Forbidden):
        process_again(received=received, actor=story.agent, clock=story.clock)


def test_a_stranger_may_be_let_in_by_hand(story, source):
    received = take(story, source, raw(sender="Eve <eve@else.example>"))
    done = process_again(received=received, as_guest=True, actor=story.admin, clock=story.clock)
    assert (done.outcome, done.ticket.requester.email) == ("opened", "eve@else.example")


# ---- The door over HTTP -------------------------------------------------------------------------


@pytest.fixture
def key(story, source) -> str:
    return issue_mail_key(source=source, clock=story.clock)


def post(path: str, content: bytes, **headers: str):
    return Client().post(path, content, content_type="message/rfc822", headers=headers)


def test_the_door_takes_raw_mail_for_its_key(key):
    for path, headers in (
        (f"/intake/v1/mail/{key}", {}),
        ("/intake/v1/mail/", {"authorization": f"Bearer {key}"}),
    ):
        answer = post(path, raw(), **headers)
        assert (answer.status_code, answer.json()) == (
            200,
            {"status": "stored", "outcome": "opened"},
        )
    assert Ticket.objects.count() == 1


def test_the_door_says_no_more_than_it_must(key, source):
    assert post("/intake/v1/mail/tm_000000000_" + "0" * 40, raw()).status_code == 404
    assert post("/intake/v1/mail/", raw()).status_code == 401
    assert post(f"/intake/v1/mail/{key}", b"").status_code == 400
    assert Client().get(f"/intake/v1/mail/{key}").status_code == 405
    assert post(f"/intake/v1/mail/{key}", b"x" * 30_000_001).status_code == 413
    MailSource.objects.update(is_active=False)
    assert post(f"/intake/v1/mail/{key}", raw()).status_code == 404
    assert mail_source_by_key("x") is None
