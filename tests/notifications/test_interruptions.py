"""Interrupted senders, senders at the same time, and letters that died: one key throughout."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection

from notifications import leases
from notifications.delivery import run_delivery, send_again
from notifications.models import Message
from notifications.replies import message_id
from notifications.sending import MAX_ATTEMPTS
from roles.models import AuditEntry
from roles.refusals import Forbidden
from tests.notifications.conftest import (
    NOON,
    alone,
    deliver,
    forward,
    launch,
    letter,
    person,
    post,
    tries,
)


def test_an_expired_lease_is_sent_again_with_the_same_message_id(ann, mailbox):
    [message] = post(letter(ann))
    leases.claim(1, NOON)
    assert deliver(seconds=59) == 0
    assert deliver(seconds=60) == 1
    message.refresh_from_db()
    assert (message.state, message.attempts) == ("sent", 2)
    assert tries(message) == ["interrupted", "sent"]
    assert [mail["Message-ID"] for mail in mailbox.mails] == [message_id(message.key)]


def test_a_sender_that_wakes_too_late_changes_nothing(ann, mailbox):
    [message] = post(letter(ann))
    [stale] = leases.claim(1, NOON)
    mailbox.greylisted["ann@example.org"] = 1
    deliver(seconds=60)
    assert leases.mark_sent([stale], NOON) == 0
    assert leases.mark_dead(stale, "failed", "late", NOON) is False
    assert leases.mark_failed(stale, "late", NOON, NOON) is False
    message.refresh_from_db()
    assert (message.state, message.lease_epoch) == ("queued", 2)


def test_a_sender_does_not_begin_under_a_lease_that_is_nearly_over(ann, mailbox):
    [message] = post(letter(ann))
    [claim] = leases.claim(1, NOON)
    launch(leases.Claim(claim.message_id, claim.epoch, time.monotonic() - 46))
    message.refresh_from_db()
    assert (message.state, message.attempts, message.leased_until) == ("queued", 0, None)
    assert not mailbox.mails
    assert deliver() == 1
    assert len(mailbox.mails) == 1


def test_a_letter_that_kills_its_senders_is_given_up(ann, mailbox):
    [message] = post(letter(ann))
    for minute in range(MAX_ATTEMPTS):
        assert leases.claim(1, NOON + timedelta(minutes=minute))
    deliver(hours=1)
    message.refresh_from_db()
    assert message.state == "dead"
    assert tries(message) == ["interrupted"] * 8 + ["skipped"]


def test_two_senders_at_once_send_each_letter_once(live_db, mailbox):
    ann = person("ann")
    post(*(letter(ann, **alone(number)) for number in range(200)))
    together = threading.Barrier(3)

    def send() -> None:
        together.wait()
        try:
            run_delivery(clock=forward())
        finally:
            connection.close()

    senders = [threading.Thread(target=send) for _ in range(3)]
    for thread in senders:
        thread.start()
    for thread in senders:
        thread.join()
    assert len({mail["X-Tierline-Key"] for mail in mailbox.mails}) == len(mailbox.mails) == 200
    assert set(Message.objects.values_list("state", "attempts")) == {("sent", 1)}


# ---- Dead letters ------------------------------------------------------------------------------


def dead_letter(to, mailbox) -> Message:
    mailbox.refused.add(to.email)
    [message] = post(letter(to))
    deliver()
    mailbox.refused.clear()
    return message


def test_a_dead_letter_sent_again_keeps_its_key_and_is_written_down(ann, mailbox):
    message = dead_letter(ann, mailbox)
    assert send_again([message.pk], actor=None, clock=forward(hours=1)) == 1
    deliver(hours=1)
    message.refresh_from_db()
    assert (message.state, message.attempts) == ("sent", 1)
    assert tries(message) == ["refused", "sent"]
    assert mailbox.mails[0]["X-Tierline-Key"] == message.key
    entry = AuditEntry.objects.get(action="message.sent_again")
    assert entry.reason == "550 5.1.1 No such mailbox"


def test_only_dead_letters_are_sent_again(ann, mailbox):
    [message] = post(letter(ann))
    deliver()
    assert send_again([message.pk], actor=None, clock=forward()) == 0
    assert deliver() == 0


def test_only_an_administrator_sends_dead_letters_again(ann, mailbox):
    message = dead_letter(ann, mailbox)
    with pytest.raises(Forbidden):
        send_again([message.pk], actor=person("bob"), clock=forward())
    message.refresh_from_db()
    assert message.state == "dead"
