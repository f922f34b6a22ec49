"""A gap in a roster is warned of before it begins, once for each gap, to the team's lead."""

from datetime import timedelta

from escalation.gaps import warn_now_and_then, warn_of_gaps
from notifications.models import Message
from tests.story import Story


def leave_nobody(story: Story) -> None:
    """From now on nobody of the desk is on call."""
    story.agent.is_active = False
    story.agent.save()


def test_a_roster_without_gaps_is_not_warned_of(story: Story) -> None:
    assert warn_of_gaps(clock=story.clock) == 0


def test_the_lead_is_told_once_a_day_while_nobody_is_on_call(story: Story) -> None:
    leave_nobody(story)
    assert warn_of_gaps(clock=story.clock) == 1
    message = Message.objects.get(kind="gap")
    assert message.recipient == story.lead
    assert "Nobody is on call in Desk" in message.subject
    story.now += timedelta(hours=2)
    assert warn_of_gaps(clock=story.clock) == 0
    story.now += timedelta(days=1)
    assert warn_of_gaps(clock=story.clock) == 1


def test_without_a_lead_the_manager_is_told(story: Story) -> None:
    leave_nobody(story)
    story.lead.is_active = False
    story.lead.save()
    warn_of_gaps(clock=story.clock)
    assert {m.recipient.username for m in Message.objects.filter(kind="gap")} == {"mona"}


def test_the_watch_looks_for_gaps_once_an_hour(story: Story) -> None:
    assert warn_now_and_then(clock=story.clock) == 0
    leave_nobody(story)
    story.now += timedelta(minutes=59)
    assert warn_now_and_then(clock=story.clock) == 0
    story.now += timedelta(minutes=1)
    assert warn_now_and_then(clock=story.clock) == 1
