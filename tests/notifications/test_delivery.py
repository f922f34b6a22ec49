"""Delivery over real SMTP: once where nothing is interrupted, with one key whatever happens."""

import threading
from datetime import timedelta

import pytest
from django.db import OperationalError, connection

from notifications import leases
from notifications.delivery import (
    last_delivery_at,
    on_dead,
    register_clearance,
    run_delivery,
)
from notifications.models import ContactMethod, Message
from notifications.outbox import withdraw
from notifications.replies import message_id
from notifications.sending import MAX_ATTEMPTS, Sender, backoff_s, steps_of, tries_of
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

# ---- The plain road ----------------------------------------------------------------------------


def test_a_letter_arrives_with_its_key(ann, mailbox):
    [message] = post(letter(ann))
    assert deliver() == 1
    [mail] = mailbox.mails
    assert mail["To"] == "ann@example.org"
    assert mail["Message-ID"] == message_id(message.key)
    assert mail["X-Tierline-Key"] == message.key
    message.refresh_from_db()
    assert (message.state, message.attempts, message.leased_until) == ("sent", 1, None)
    assert message.sent_at == NOON
    assert tries(message) == ["sent"]
    assert deliver(minutes=5) == 0


def test_the_most_urgent_is_claimed_first(ann, mailbox):
    post(
        letter(ann, cause="event:1", priority=5),
        letter(ann, cause="event:2", priority=1),
        letter(ann, cause="event:3", priority=4, urgency="high"),
        letter(ann, cause="event:4", priority=2, urgency="high"),
    )
    order = [Message.objects.get(pk=c.message_id).cause for c in leases.claim(10, NOON)]
    assert order == ["event:4", "event:3", "event:2", "event:1"]


def test_claiming_reads_the_backlog_and_not_the_archive(ann):
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO notifications_message (key, topic, cause, recipient_id, channel, rung,
                 kind, urgency, priority, subject, body, data, clearance, state, next_attempt_at,
                 attempts, lease_epoch, created_at, sent_at, finished_at, finished_reason)
               SELECT 'k' || n, 'ticket:1', 'old:' || n, %s, 'email', 0, 'page', 'low', 3, '', '',
                 '{}', '', 'sent', %s, 1, 1, %s, %s, %s, '' FROM generate_series(1, 20000) AS n""",
            [ann.pk, NOON, NOON, NOON, NOON],
        )
        post(letter(ann))
        cursor.execute("ANALYZE notifications_message")
        values = {"now": NOON, "until": NOON, "limit": 50}
        cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + leases._CLAIM, values)
        plan = str(cursor.fetchone()[0])
    assert "message_to_send" in plan
    assert "Seq Scan" not in plan


def test_a_letter_for_later_is_not_sent_early(ann, mailbox):
    post(letter(ann, not_before=NOON + timedelta(minutes=5)))
    assert deliver(minutes=4, seconds=59) == 0
    assert deliver(minutes=5) == 1


def test_a_round_sends_everything_due_and_leaves_a_heartbeat(ann, mailbox):
    assert last_delivery_at() is None
    post(*(letter(ann, **alone(number)) for number in range(120)))
    assert run_delivery(clock=forward()) == 120
    assert len({mail["Message-ID"] for mail in mailbox.mails}) == len(mailbox.mails) == 120
    assert last_delivery_at() == NOON


# ---- A last look before sending ----------------------------------------------------------------


def test_a_withdrawn_letter_is_not_sent(ann, mailbox):
    post(letter(ann))
    withdraw(topics=["ticket:12"], reason="Acknowledged.", now=NOON)
    assert deliver() == 0
    assert not mailbox.mails


def test_a_letter_withdrawn_between_claim_and_send_is_not_sent(ann, mailbox):
    [message] = post(letter(ann))
    [claim] = leases.claim(1, NOON)
    withdraw(topics=["ticket:12"], reason="Acknowledged.", now=NOON)
    launch(claim)
    assert not mailbox.mails
    message.refresh_from_db()
    assert (message.state, message.finished_reason) == ("withdrawn", "Acknowledged.")
    assert tries(message) == ["skipped"]


def test_a_letter_withdrawn_while_it_goes_out_says_both(ann, mailbox):
    [message] = post(letter(ann))
    [claim] = leases.claim(1, NOON)
    sender = Sender(forward(seconds=1))
    sender.launch([claim])
    withdraw(topics=["ticket:12"], reason="Acknowledged.", now=NOON)
    sender.land_all()
    assert len(mailbox.mails) == 1
    message.refresh_from_db()
    assert (message.state, message.sent_at) == ("withdrawn", NOON + timedelta(seconds=1))
    assert message.finished_reason == "Acknowledged. It had just gone out."
    assert tries(message) == ["sent"]


def dropped_because(message: Message) -> str:
    message.refresh_from_db()
    assert message.state == "dropped"
    assert tries(message) == ["skipped"]
    return message.finished_reason


def test_a_person_switched_off_is_told_nothing_and_it_is_said_so(ann, mailbox):
    [message] = post(letter(ann))
    ann.is_active = False
    ann.save()
    deliver()
    assert "switched off" in dropped_because(message)
    assert not mailbox.mails


def test_a_lost_clearance_drops_the_letter(ann, mailbox):
    cleared = {ann.pk}
    register_clearance("ticket", lambda topic, who: topic == "ticket:12" and who in cleared)
    [first] = post(letter(ann, clearance="ticket:12"))
    deliver()
    first.refresh_from_db()
    assert first.state == "sent"
    cleared.clear()
    [second] = post(letter(ann, clearance="ticket:12", cause="firing:56"))
    deliver(minutes=1)
    assert "not cleared" in dropped_because(second)
    assert len(mailbox.mails) == 1


def test_a_clearance_that_nobody_can_check_is_refused(ann, mailbox):
    [message] = post(letter(ann, clearance="vault:1"))
    deliver()
    assert "not cleared" in dropped_because(message)


def test_a_clearance_check_that_fails_sends_nothing_and_delays_no_other(ann, mailbox):
    def fail(topic, who):
        raise ZeroDivisionError

    register_clearance("ticket", fail)
    [bad, _] = post(letter(ann, clearance="ticket:12"), letter(ann, cause="event:1"))
    deliver()
    bad.refresh_from_db()
    assert bad.state == "queued"
    assert tries(bad) == ["failed"]
    assert len(mailbox.mails) == 1


def test_nobody_without_an_address_is_told_and_it_is_said_so(ann, mailbox):
    ann.email = ""
    ann.save()
    [message] = post(letter(ann))
    deliver()
    assert "no address" in dropped_because(message)


def test_a_page_without_an_address_becomes_a_dead_letter_with_its_alarm(ann, mailbox):
    buried = []
    on_dead(lambda message, now: buried.append(message.finished_reason))
    ann.email = ""
    ann.save()
    [message] = post(letter(ann, urgency="high"))
    deliver()
    message.refresh_from_db()
    assert message.state == "dead"
    assert buried == ["The recipient has no address for email."]


def test_a_verified_contact_method_goes_before_any_other_address(ann, mailbox):
    ContactMethod.objects.create(person=ann, address="old@example.org", is_active=False)
    ContactMethod.objects.create(person=ann, address="new@example.org")
    ContactMethod.objects.create(person=ann, address="sure@example.org", verified_at=NOON)
    post(letter(ann))
    deliver()
    assert [mail["To"] for mail in mailbox.mails] == ["sure@example.org"]


# ---- Failures ----------------------------------------------------------------------------------


def test_a_temporary_refusal_is_tried_again_with_the_same_key(ann, mailbox):
    mailbox.greylisted["ann@example.org"] = 2
    [message] = post(letter(ann))
    key = message.key
    deliver()
    message.refresh_from_db()
    assert message.state == "queued"
    assert NOON < message.next_attempt_at <= NOON + timedelta(seconds=5)
    deliver(seconds=6)
    deliver(minutes=1)
    message.refresh_from_db()
    assert (message.state, message.attempts, message.key) == ("sent", 3, key)
    assert tries(message) == ["failed", "failed", "sent"]
    assert message.tries.first().detail == "451 4.7.1 Greylisted, come again"
    assert [mail["X-Tierline-Key"] for mail in mailbox.mails] == [key]


def test_a_permanent_refusal_kills_that_letter_and_no_other(ann, mailbox):
    bob, cyd = person("bob"), person("cyd")
    mailbox.refused.add("bob@example.org")
    mailbox.content_refused.add("cyd@example.org")
    buried = []
    on_dead(lambda message, now: buried.append((message.recipient.username, now)))
    [to_ann, to_bob, to_cyd] = post(letter(ann), letter(bob), letter(cyd))
    deliver()
    for message in (to_ann, to_bob, to_cyd):
        message.refresh_from_db()
    assert (to_ann.state, to_bob.state, to_cyd.state) == ("sent", "dead", "dead")
    assert to_bob.finished_reason == "550 5.1.1 No such mailbox"
    assert tries(to_bob) == ["refused"]
    assert sorted(buried) == [("bob", NOON), ("cyd", NOON)]
    assert deliver(hours=1) == 0
    assert mailbox.asked["bob@example.org"] == 1


def test_a_line_cut_before_the_answer_is_tried_again_with_the_same_key(ann, mailbox):
    mailbox.dropped["ann@example.org"] = 1
    [message] = post(letter(ann))
    deliver()
    deliver(minutes=1)
    message.refresh_from_db()
    assert (message.state, tries(message)) == ("sent", ["failed", "sent"])
    assert [mail["X-Tierline-Key"] for mail in mailbox.mails] == [message.key] * 2


def test_after_eight_tries_a_letter_is_dead_and_the_alarm_is_raised_once(ann, mailbox):
    mailbox.greylisted["ann@example.org"] = 1000
    buried = []
    on_dead(lambda message, now: buried.append(message.pk))
    [message] = post(letter(ann))
    for hour in range(MAX_ATTEMPTS + 3):
        deliver(hours=hour)
    message.refresh_from_db()
    assert message.state == "dead"
    assert message.finished_reason.startswith("Gave up after 8 tries: 451")
    assert tries(message) == ["failed"] * 8
    assert buried == [message.pk]


def test_a_letter_is_not_buried_without_its_alarm(ann, mailbox):
    broken = [True]

    def alarm(message, now):
        if broken[0]:
            raise ZeroDivisionError

    on_dead(alarm)
    mailbox.refused.add("ann@example.org")
    [message] = post(letter(ann))
    deliver()
    message.refresh_from_db()
    assert message.state == "queued"
    broken[0] = False
    deliver(seconds=61)
    message.refresh_from_db()
    assert message.state == "dead"


def test_no_server_at_all_is_a_failure_that_passes(ann, mailbox, settings):
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 1
    [message] = post(letter(ann))
    deliver()
    message.refresh_from_db()
    assert message.state == "queued"
    assert "ConnectionRefusedError" in message.tries.get().detail
    settings.EMAIL_PORT = port
    deliver(minutes=1)
    assert len(mailbox.mails) == 1


def test_one_slow_recipient_delays_no_other(ann, mailbox):
    mailbox.slow_s["slow@example.org"] = 8  # longer than a busy machine needs for the others
    slow = person("slow")
    post(
        letter(slow, priority=1, urgency="high"),
        *(letter(ann, **alone(number)) for number in range(100)),
    )
    seen: list[int] = []
    look = threading.Timer(7.0, lambda: seen.append(len(mailbox.to("ann@example.org"))))
    look.start()
    assert run_delivery(clock=forward()) == 101
    look.join()
    assert seen == [100]
    assert len(mailbox.to("slow@example.org")) == 1


@pytest.mark.parametrize(
    ("attempts", "longest"), [(1, 5), (2, 15), (3, 45), (4, 120), (5, 300), (6, 600), (40, 600)]
)
def test_the_wait_grows_with_full_jitter_and_never_beyond_ten_minutes(attempts, longest):
    assert backoff_s(attempts, draw=lambda: 1.0) == longest
    assert backoff_s(attempts, draw=lambda: 0.5) == longest / 2
    assert backoff_s(attempts, draw=lambda: 0.0) == 1


def test_news_outlives_an_hour_without_a_server_and_a_page_is_given_up_before(ann):
    """Each wait is between nothing and its step, so half of it in the mean."""
    for urgency, lasts in (("low", True), ("high", False)):
        [message] = post(letter(ann, urgency=urgency, cause=urgency))
        waits = [
            backoff_s(number, draw=lambda: 0.5, steps=steps_of(message))
            for number in range(1, tries_of(message))
        ]
        assert (sum(waits) > 3600) is lasts


def test_a_providers_own_wish_is_honoured_within_reason():
    assert backoff_s(1, retry_after_s=30) == 30
    assert backoff_s(1, retry_after_s=86_400) == 600


def test_a_round_leaves_no_thread_behind_not_even_where_it_breaks_off(ann, mailbox, monkeypatch):
    def threads() -> int:
        return sum(thread.name == "send" for thread in threading.enumerate())

    post(*(letter(ann, **alone(number)) for number in range(20)))
    before = threads()
    run_delivery(clock=forward())
    post(letter(ann, **alone(99)))
    monkeypatch.setattr(leases, "mark_sent", broken)
    with pytest.raises(OperationalError):
        run_delivery(clock=forward())
    for thread in threading.enumerate():
        if thread.name == "send":
            thread.join(5)
    assert threads() <= before


def broken(*_given) -> None:
    raise OperationalError("the database is gone")
