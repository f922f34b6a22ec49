"""A restricted case is known to cleared people only, whatever the policy says."""

import pytest

from escalation.models import Firing
from notifications.models import Message
from roles.refusals import Conflict
from tests.story import Story, page, unacknowledged
from tickets.incidents import declare_major
from tickets.lifecycle import resolve
from tickets.models import Ticket
from tickets.restriction import restrict


def secret(story: Story) -> Ticket:
    return story.open(
        kind="security", subject="Stolen laptop of the CFO", restricted=True, service=None
    )


def test_a_case_goes_to_the_security_lane_and_only_cleared_people_see_it(story: Story) -> None:
    case = secret(story)
    assert case.team == story.soc
    assert case.key.startswith("RES-")
    seeing = [
        person.username
        for person in (story.requester, story.analyst, story.agent, story.admin, story.manager)
        if Ticket.objects.visible_to(person).filter(pk=case.pk).exists()
    ]
    assert seeing == ["rita", "sasha"]


def test_a_policy_reaches_cleared_people_only_and_says_who_was_left_out(story: Story) -> None:
    story.policy("any", unacknowledged(5, "Page", page("on_call", "duty:incident-manager")))
    case = secret(story)
    story.phone.new()
    story.forward(minutes=5)
    story.phone.rang(("sasha", "page"))
    told = Firing.objects.get(ticket=case).explain
    assert any("Ivan" in line and "not cleared" in line for line in told["left_out"])


def test_messages_of_a_case_tell_nothing_but_that_there_is_news(story: Story) -> None:
    story.policy("any", unacknowledged(5, "Page", page("on_call")))
    case = secret(story)
    story.forward(minutes=5)
    for message in Message.objects.filter(topic=case.topic):
        assert "laptop" not in message.subject + message.body
        assert message.clearance == case.topic


def test_when_nobody_cleared_can_be_told_security_hears_that_much_and_no_more(
    story: Story,
) -> None:
    story.policy("any", unacknowledged(5, "Page", page("duty:incident-manager")))
    case = secret(story)
    case.clearances.filter(person=story.analyst).delete()
    story.phone.new()
    story.forward(minutes=5)
    story.phone.rang(("sasha", "page"))
    alarm = Message.objects.get(recipient=story.analyst, kind="page")
    assert case.key not in alarm.subject + alarm.body
    assert (alarm.clearance, alarm.data) == ("", {"veiled": True})


def test_numbers_of_ordinary_tickets_show_no_gap_for_a_case(story: Story) -> None:
    before = story.open()
    secret(story)
    after = story.open()
    assert int(after.key[-6:]) - int(before.key[-6:]) == 1


def test_a_major_that_is_over_is_refused_like_one_under_way(story: Story) -> None:
    ticket = story.open()
    declare_major(
        ticket=ticket, actor=story.incident_manager, reason="All is down", clock=story.clock
    )
    resolve(ticket=ticket, actor=None, code="fixed", text="Done", clock=story.clock)
    with pytest.raises(Conflict, match="reopen and demote it first"):
        restrict(ticket=ticket, actor=story.agent, reason="A break-in", clock=story.clock)
    assert not story.fresh(ticket).restricted
