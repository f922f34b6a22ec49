"""A storm of news comes as few messages; a page never waits for it."""

import pytest

from notifications.models import Message
from tests.notifications.conftest import deliver, letter, person, post, tries


def texts(mailbox) -> list[str]:
    return [mail.get_body(("plain",)).get_content() for mail in mailbox.mails]


def test_news_about_one_ticket_comes_in_one_mail(ann, mailbox):
    rows = post(*(letter(ann, cause=f"event:{n}", body=f"Word {n}.") for n in range(3)))
    assert deliver() == 3
    [text] = texts(mailbox)
    assert [f"Word {n}." in text for n in range(3)] == [True] * 3
    assert text.index("Word 2.") < text.index("Word 0.")
    for row in rows:
        row.refresh_from_db()
    assert [row.state for row in rows] == ["dropped", "dropped", "sent"]
    assert rows[0].finished_reason == f"Told together with message {rows[2].key}."
    assert mailbox.mails[0]["X-Tierline-Key"] == rows[2].key
    assert tries(rows[0]) == ["skipped"]


def test_other_tickets_and_other_people_get_their_own(ann, mailbox):
    bob = person("bob")
    post(letter(ann), letter(bob), letter(ann, topic="ticket:13", cause="event:13"))
    deliver()
    assert len(mailbox.mails) == 3


def test_more_news_waits_until_the_minute_is_over(ann, mailbox):
    post(letter(ann, kind="replied"))
    deliver()
    [later] = post(letter(ann, kind="replied", cause="event:2"))
    deliver(seconds=20)
    later.refresh_from_db()
    assert (later.state, later.attempts) == ("queued", 0)
    assert len(mailbox.mails) == 1
    assert deliver(seconds=59) == 0
    deliver(seconds=60)
    assert len(mailbox.mails) == 2


def test_a_page_waits_for_nothing_and_is_not_mixed_with_news(ann, mailbox):
    post(letter(ann, kind="replied"))
    deliver()
    post(
        letter(ann, cause="event:2", urgency="high", data={"ack": True}),
        letter(ann, cause="event:3", kind="replied"),
    )
    deliver(seconds=5)
    assert len(mailbox.mails) == 2
    assert "Acknowledge" in texts(mailbox)[1]


def test_two_pages_about_one_ticket_due_at_once_ring_once(ann, mailbox):
    post(*(letter(ann, cause=f"firing:{n}", urgency="high", rung=n) for n in range(4)))
    deliver()
    assert len(mailbox.mails) == 1


def test_above_the_threshold_news_of_many_tickets_is_one_digest(ann, mailbox):
    post(*(news(ann, n) for n in range(8)))
    deliver()
    [mail] = mailbox.mails
    assert mail["Subject"] == "8 pieces of news"
    assert "About 7" in texts(mailbox)[0]
    assert "About 0" in texts(mailbox)[0]


def test_below_the_threshold_each_ticket_speaks_for_itself(ann, mailbox):
    post(*(news(ann, n) for n in range(7)))
    deliver()
    assert len(mailbox.mails) == 7


def news(ann, n: int, **more):
    given = {"topic": f"ticket:{n}", "cause": f"event:{n}", "kind": "replied"}
    return letter(ann, **{**given, "subject": f"About {n}", **more})


def test_a_major_incident_is_never_one_line_among_others(ann, mailbox):
    major = news(ann, 20, kind="major_updated", subject="The shop is down")
    post(major, *(news(ann, n) for n in range(8)))
    deliver()
    assert sorted(mail["Subject"] for mail in mailbox.mails) == [
        "8 pieces of news",
        "The shop is down",
    ]


@pytest.mark.parametrize("data", [{"links": {"rate": "How was it?"}}, {"method": 1}])
def test_what_carries_links_of_its_own_comes_alone(ann, mailbox, data):
    post(*(letter(ann, cause=f"event:{n}", data=data, channel="email") for n in range(2)))
    deliver()
    assert len(mailbox.mails) == (2 if "links" in data else 0)


def test_when_the_bundle_fails_all_of_it_is_tried_again_together(ann, mailbox):
    mailbox.greylisted["ann@example.org"] = 1
    rows = post(*(letter(ann, cause=f"event:{n}") for n in range(2)))
    deliver()
    assert {Message.objects.get(pk=row.pk).state for row in rows} == {"queued"}
    assert [tries(row) for row in rows] == [["failed"], ["failed"]]


def test_after_an_outage_each_ticket_is_told_of_once(ann, mailbox, settings):
    port = settings.EMAIL_PORT
    settings.EMAIL_PORT = 9
    for minute in range(5):
        post(letter(ann, cause=f"firing:{minute}", urgency="high"))
        deliver(minutes=minute)
    settings.EMAIL_PORT = port
    deliver(minutes=40)
    assert len(mailbox.mails) == 1
    assert Message.objects.filter(state="queued").count() == 0
