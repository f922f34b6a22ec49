"""Links in messages: genuine, fresh, single-use, and bound to one person and one message."""

from datetime import timedelta

import pytest
from django.core import signing

from notifications.delivery import deliver_batch
from notifications.links import LINK_PATH, make_link, read_link, use_link
from notifications.models import Message
from roles.instants import fixed
from roles.refusals import Conflict, Invalid
from tests.notifications.conftest import NOON, letter, person, post

CLOCK = fixed(NOON)


@pytest.fixture
def message(db) -> Message:
    return post(letter(person("ann")))[0]


def token_of(url: str) -> str:
    return url.partition(LINK_PATH)[2].rstrip("/")


@pytest.fixture
def token(message) -> str:
    return token_of(make_link(message, clock=CLOCK))


def test_a_link_tells_whom_and_what_it_is_for(message, token):
    claim = read_link(token, CLOCK)
    assert (claim.message_id, claim.person_id) == (message.pk, message.recipient_id)
    assert (claim.cause, claim.topic, claim.action) == ("firing:55", "ticket:12", "ack")
    assert not claim.used


def test_reading_a_link_spends_nothing(token):
    for _ in range(3):
        assert not read_link(token, CLOCK).used
    use_link(token, CLOCK)
    assert read_link(token, CLOCK).used


def test_a_link_works_once(message, token):
    use_link(token, CLOCK)
    with pytest.raises(Conflict, match="used already"):
        use_link(token, CLOCK)
    message.refresh_from_db()
    assert message.acted_at == NOON


def test_a_second_link_of_the_same_message_is_spent_with_the_first(message, token):
    use_link(token, CLOCK)
    with pytest.raises(Conflict):
        use_link(token_of(make_link(message, clock=CLOCK)), CLOCK)


def test_a_link_is_good_for_a_day(token):
    assert read_link(token, fixed(NOON + timedelta(hours=24)))
    with pytest.raises(Invalid, match="24 hours"):
        use_link(token, fixed(NOON + timedelta(hours=24, seconds=1)))


def tampered(token: str) -> list[str]:
    return [
        "",
        "x",
        token[:-1],
        token + " ",
        token.swapcase(),
        token.replace(":", "", 1),
        "a" + token,
    ]


def test_a_tampered_link_is_refused(token):
    for wrong in tampered(token):
        with pytest.raises(Invalid):
            use_link(wrong, CLOCK)


def test_a_link_signed_for_something_else_is_refused(message):
    claim = {"m": message.pk, "p": message.recipient_id, "a": "ack", "t": NOON.timestamp()}
    with pytest.raises(Invalid):
        read_link(signing.dumps(claim, salt="password reset"), CLOCK)


def test_a_link_whose_message_is_not_this_persons_is_refused(message):
    other = person("bob")
    forged = Message(pk=message.pk, recipient=other)
    with pytest.raises(Invalid):
        read_link(token_of(make_link(forged, clock=CLOCK)), CLOCK)


def test_the_link_of_a_person_switched_off_is_refused(message, token):
    message.recipient.is_active = False
    message.recipient.save()
    with pytest.raises(Invalid):
        use_link(token, CLOCK)


def test_the_link_in_the_mail_is_the_genuine_one(db, mailbox):
    [message] = post(letter(person("ann"), data={"ack": True, "url": "/tickets/12"}))
    deliver_batch(clock=CLOCK)
    lines = mailbox.mails[0].get_body(("plain",)).get_content().splitlines()
    [url] = [line.removeprefix("Acknowledge: ") for line in lines if line.startswith("Ack")]
    assert url.startswith("https://desk.example/m/")
    assert use_link(token_of(url), CLOCK).message_id == message.pk
    assert f"Open: https://desk.example/tickets/12?told={message.pk}" in lines


@pytest.mark.parametrize("url", ["//evil.example/", "https://evil.example/", "javascript:1", ""])
def test_a_message_never_opens_another_site(db, mailbox, url):
    post(letter(person("ann"), data={"url": url}))
    deliver_batch(clock=CLOCK)
    assert "Open" not in mailbox.mails[0].as_string()
