"""Somebody pulled in can help at once, is listed while they do, and leaves again."""

import pytest

from escalation.handover import involve
from roles.refusals import Conflict, Forbidden
from tests.story import Story
from tickets.lifecycle import comment
from tickets.models import Watcher
from tickets.swarming import involved, leave


def test_who_is_pulled_in_watches_writes_notes_and_is_listed(story: Story) -> None:
    ticket = story.open()
    story.phone.new()
    involve(ticket=ticket, actor=story.agent, team=story.apps, reason="Logs", clock=story.clock)
    story.phone.rang(("cleo", "involved"))
    comment(ticket=ticket, actor=story.engineer, text="Looking", public=False, clock=story.clock)
    (helper,) = involved(ticket)
    assert (helper.person, helper.team_name) == (story.engineer, "Apps")
    assert story.fresh(ticket).team == story.desk


def test_who_leaves_is_told_no_more(story: Story) -> None:
    ticket = story.open()
    involve(ticket=ticket, actor=story.agent, person=story.engineer, reason="?", clock=story.clock)
    with pytest.raises(Forbidden):
        leave(ticket=ticket, actor=story.expert, person=story.engineer, clock=story.clock)
    with pytest.raises(Conflict):
        leave(ticket=ticket, actor=story.expert, clock=story.clock)
    leave(ticket=ticket, actor=story.engineer, clock=story.clock)
    assert not involved(ticket).exists()
    assert not Watcher.objects.filter(ticket=ticket).exists()
    involve(ticket=ticket, actor=story.agent, person=story.engineer, reason="!", clock=story.clock)
    leave(ticket=ticket, actor=story.agent, person=story.engineer, clock=story.clock)
    assert not involved(ticket).exists()


def test_into_a_case_only_the_cleared_are_pulled(story: Story) -> None:
    case = story.open(kind="security", restricted=True, service=None)
    with pytest.raises(Forbidden):
        involve(ticket=case, actor=story.agent, team=story.apps, reason="?", clock=story.clock)
    with pytest.raises(Conflict):
        involve(ticket=case, actor=story.analyst, team=story.apps, reason="?", clock=story.clock)
    assert not involved(case).exists()
