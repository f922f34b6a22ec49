"""Whoever depends on a service hears of its major incidents, without being in them."""

import pytest

from notifications.models import Message
from roles.models import Organisation
from roles.refusals import Invalid
from tests.story import Story
from tickets.incidents import declare_major, post_update
from tickets.subscriptions import subscribe, subscribed_services, unsubscribe


def outage(story: Story):
    ticket = story.open(subject="Mailboxes of the board are empty")
    declare_major(
        ticket=ticket,
        actor=story.incident_manager,
        reason="Everybody is concerned.",
        clock=story.clock,
    )
    return ticket


def words_to(story: Story, person) -> list[Message]:
    return list(Message.objects.filter(recipient=person).order_by("pk"))


def test_a_subscriber_is_told_by_the_services_name_and_led_to_the_status_page(
    story: Story,
) -> None:
    mate = story.person("max", organisation=story.company)
    subscribe(actor=mate, service=story.mail, clock=story.clock)
    ticket = outage(story)
    post_update(
        ticket=ticket, actor=story.incident_manager, text="We found the cause.", clock=story.clock
    )
    told = words_to(story, mate)
    assert [message.kind for message in told] == ["major_declared", "major_updated"]
    for message in told:
        assert message.subject.startswith("Mail: ")
        assert "board" not in message.subject + message.body
        assert message.data["url"] == "/status"
    assert "We found the cause." in told[1].body


def test_another_customers_outage_is_none_of_theirs(story: Story) -> None:
    other = Organisation.objects.create(name="Other", slug="other")
    foreign = story.person("olga", organisation=other)
    for person in (foreign, story.colleague):
        subscribe(actor=person, service=story.mail, clock=story.clock)
    outage(story)
    assert words_to(story, foreign) == []
    assert words_to(story, story.colleague), "people of the service see all"


def test_nobody_is_told_twice_and_whoever_stopped_not_at_all(story: Story) -> None:
    for person in (story.requester, story.stranger):
        subscribe(actor=person, service=story.mail, clock=story.clock)
    unsubscribe(actor=story.stranger, service=story.mail, clock=story.clock)
    assert subscribed_services(story.stranger) == set()
    outage(story)
    kinds = [message.kind for message in words_to(story, story.requester)]
    assert kinds.count("major_declared") == 1
    assert words_to(story, story.stranger) == []


def test_a_service_that_is_retired_has_no_news(story: Story) -> None:
    story.mail.is_active = False
    with pytest.raises(Invalid):
        subscribe(actor=story.stranger, service=story.mail, clock=story.clock)
