"""Steps that are due together move a ticket once: to where the latest of them would have it."""

from escalation.engine import climb
from escalation.models import Firing
from tests.story import Story, move, notify, percent, unacknowledged


def test_steps_of_one_policy_that_are_due_together_move_a_ticket_once(story: Story) -> None:
    story.target("resolution", 60)
    story.policy(
        "p", unacknowledged(30, "Up", move()), percent("resolution", 50, "Up by clock", move())
    )
    ticket = story.open()
    story.forward(minutes=30)
    assert story.fresh(ticket).team == story.apps
    assert story.fired(ticket) == ["Up", "Up by clock (skipped)"]
    told = Firing.objects.get(outcome="skipped").explain["text"][0]
    assert told.endswith("was skipped: the ticket was passed on at that moment.")


def test_of_moves_that_came_due_in_an_outage_the_latest_is_carried_out(story: Story) -> None:
    story.target("resolution", 60)
    story.policy(
        "p",
        unacknowledged(10, "Up", move()),
        percent("resolution", 50, "To the experts", move("team:platform")),
    )
    ticket = story.open()
    story.sleep(minutes=45)
    story.sweep()
    assert story.fresh(ticket).team == story.platform
    assert story.fresh(ticket).entry == 2
    assert story.fired(ticket) == ["To the experts", "Up (skipped)"]


def test_steps_of_two_policies_that_are_due_together_move_a_ticket_once(story: Story) -> None:
    story.target("resolution", 60)
    story.policy("main", unacknowledged(30, "Up", move()))
    story.policy(
        "beside", percent("resolution", 50, "Up by clock", move()), mode="beside", position=20
    )
    ticket = story.open()
    story.forward(minutes=30)
    assert (story.fresh(ticket).team, story.fresh(ticket).entry) == (story.apps, 2)
    assert sorted(story.fired(ticket)) == ["Up", "Up by clock (skipped)"]


def test_what_only_tells_goes_on_after_another_policy_has_moved_the_ticket(story: Story) -> None:
    story.target("resolution", 60)
    story.policy("main", unacknowledged(30, "Up", move()))
    story.policy(
        "beside", percent("resolution", 50, "Half", notify("lead")), mode="beside", position=20
    )
    ticket = story.open()
    story.forward(minutes=30)
    assert story.fired(ticket) == ["Up", "Half"]


def test_all_that_is_due_of_a_ticket_is_judged_at_once_however_small_a_batch(
    story: Story,
) -> None:
    story.target("resolution", 60)
    story.policy("main", unacknowledged(30, "Up", move()))
    story.policy(
        "beside", percent("resolution", 50, "Up by clock", move()), mode="beside", position=20
    )
    ticket = story.open()
    story.sleep(minutes=30)
    while climb(limit=1, clock=story.clock):
        pass
    assert story.fresh(ticket).team == story.apps
