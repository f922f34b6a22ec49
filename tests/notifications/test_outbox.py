"""The outbox: one row per cause, recipient, channel and rung, in the transaction of its cause."""

from datetime import timedelta

import pytest
from django.db import transaction

from notifications.models import Message
from notifications.outbox import enqueue, require_clearance, was_told, withdraw
from tests.notifications.conftest import NOON, letter, person, post


def test_one_row_per_cause_recipient_channel_and_rung(ann):
    first = letter(ann)
    variants = [
        letter(ann, cause="firing:56"),
        letter(person("bob")),
        letter(ann, channel="sms"),
        letter(ann, rung=1),
    ]
    post(first, first, *variants)
    post(first, *variants)
    assert Message.objects.count() == 5
    assert len(set(Message.objects.values_list("key", flat=True))) == 5


def test_a_letter_known_already_gets_the_row_that_stands(ann):
    [stored] = post(letter(ann))
    [again, other] = post(letter(ann, subject="Other words"), letter(ann, rung=1))
    assert again.pk == stored.pk
    assert again.subject == "INC-000012 is overdue"
    assert other.rung == 1


def test_the_key_depends_on_nothing_but_cause_recipient_channel_and_rung(ann):
    [before] = post(letter(ann))
    key = before.key
    before.delete()
    [after] = post(letter(ann, subject="Other", body="Other", priority=1, urgency="high"))
    assert after.key == key


def test_a_site_that_moves_to_another_address_keeps_the_rows_and_keys_that_stand(ann, settings):
    [stored] = post(letter(ann))
    settings.PUBLIC_URL = "https://help.example.org"
    [again, fresh] = post(letter(ann), letter(ann, rung=1))
    assert (again.pk, again.key) == (stored.pk, stored.key)
    assert fresh.rung == 1


def test_many_letters_take_one_insert(ann, django_assert_num_queries):
    letters = [letter(ann, cause=f"event:{number}") for number in range(300)]
    with transaction.atomic(), django_assert_num_queries(3):
        assert len(enqueue(letters, now=NOON)) == 300


def test_no_letters_ask_nothing_of_the_database(db, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert enqueue([], now=NOON) == []


def test_a_letter_outside_a_transaction_is_refused(live_db):
    with pytest.raises(RuntimeError, match="transaction"):
        enqueue([letter(person("ann"))], now=NOON)
    assert not Message.objects.exists()


def test_a_cause_rolled_back_leaves_no_message(live_db):
    ann = person("ann")

    def fail() -> None:
        with transaction.atomic():
            enqueue([letter(ann)], now=NOON)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not Message.objects.exists()


def test_a_letter_for_later_waits_until_then(ann):
    later = NOON + timedelta(minutes=5)
    [message] = post(letter(ann, not_before=later))
    assert message.next_attempt_at == later


def test_withdrawing_takes_back_only_what_is_queued_for_the_topic(ann):
    [one, two, _, sent] = post(
        letter(ann),
        letter(ann, cause="event:1", kind="received"),
        letter(ann, topic="ticket:13", cause="event:2"),
        letter(ann, cause="event:3"),
    )
    Message.objects.filter(pk=sent.pk).update(state="sent", sent_at=NOON, finished_at=NOON)
    assert withdraw(topics=["ticket:12"], reason="Acknowledged by Ann.", now=NOON) == 2
    withdrawn = Message.objects.filter(state="withdrawn")
    assert set(withdrawn.values_list("pk", flat=True)) == {one.pk, two.pk}
    assert {message.finished_reason for message in withdrawn} == {"Acknowledged by Ann."}


@pytest.mark.parametrize(
    ("narrowed", "count"),
    [
        ({"causes": ["firing:55"]}, 1),
        ({"kinds": ["received"]}, 1),
        ({"causes": ["firing:55"], "kinds": ["received"]}, 0),
        ({"causes": []}, 0),
        ({"kinds": ["page", "received"]}, 2),
    ],
)
def test_withdrawing_can_be_narrowed_to_causes_and_kinds(ann, narrowed, count):
    post(letter(ann), letter(ann, cause="event:1", kind="received"))
    assert withdraw(topics=["ticket:12"], reason="Stale.", now=NOON, **narrowed) == count


def test_a_restricted_topic_takes_its_old_messages_with_it(ann):
    post(letter(ann), letter(ann, topic="ticket:13", cause="event:1"))
    assert require_clearance(topic="ticket:12", clearance="ticket:12") == 1
    assert Message.objects.get(topic="ticket:12").clearance == "ticket:12"
    assert Message.objects.get(topic="ticket:13").clearance == ""


def test_who_was_told_is_known_per_topic_and_kind(ann):
    post(letter(ann))
    assert was_told(topic="ticket:12", person_id=ann.pk, kinds=["page", "notify"])
    assert not was_told(topic="ticket:12", person_id=ann.pk, kinds=["received"])
    assert not was_told(topic="ticket:13", person_id=ann.pk, kinds=["page"])
    assert not was_told(topic="ticket:12", person_id=person("bob").pk, kinds=["page"])
