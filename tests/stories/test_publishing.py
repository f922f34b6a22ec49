"""Publishing tells what changes and whom it touches; climbs move on request, and repeat nothing."""

import pytest

from escalation.difference import Difference
from escalation.models import Firing, Run
from escalation.moving import move_runs
from escalation.policies import draft_policy, preview, publish_policy
from escalation.steps import LEFT_LOOP
from roles.models import AuditEntry
from roles.refusals import Conflict, Forbidden, Invalid
from tests.story import Story, move, notify, page, percent, unacknowledged
from tickets.assignment import acknowledge, unacknowledge
from tickets.models import EventBody, Ticket


def revise(story: Story, *steps: dict, **about: object):
    """A new revision of the one policy; returns what publishing it told."""
    policy = story.policy_row("p")
    about.setdefault("conditions", [])
    draft_policy(policy=policy, steps=steps, clock=story.clock, **about)
    return publish_policy(policy=policy, actor=about.get("actor"), clock=story.clock)


def go_on(story: Story, **about: object):
    about.setdefault("actor", None)
    about.setdefault("reason", "The night shift asked for it")
    return move_runs(policy=story.policy_row("p"), clock=story.clock, **about)


def test_publishing_tells_the_difference_step_by_step_and_field_by_field(story: Story) -> None:
    story.policy(
        "p",
        unacknowledged(5, "Page", page("on_call")),
        unacknowledged(10, "Lead", page("lead")),
        unacknowledged(20, "Gone", page("manager")),
    )
    told = revise(
        story,
        unacknowledged(3, "Page", page("on_call", "lead")),
        unacknowledged(10, "Lead", page("lead")),
        percent("resolution", 75, "Warn", notify("lead")),
        conditions=[{"fact": "priority", "is": [1, 2]}],
        repeat_limit=2,
        stop_on=["taken"],
    )
    found = told.difference
    assert (found.added, found.removed) == (("Warn",), ("Gone",))
    (page_change,) = found.changed
    assert set(page_change.fields) == {"delay_s", "actions"}
    assert page_change.fields["delay_s"] == (300, 180)
    assert set(found.settings) == {"conditions", "repeat_limit", "stop_on"}
    assert found.sentences == [
        "It applies when: was always, becomes priority is 1 or 2.",
        "The ladder starts over, at most: was 0 times, becomes 2 times.",
        "It ends by itself when: was nothing, becomes “Taken”.",
        "Step “Gone” is removed.",
        "Step “Warn” is added.",
        "Step “Page”: delay was 5 min, becomes 3 min.",
        "Step “Page”: actions was page on call, becomes page on call, lead.",
    ]
    entry = AuditEntry.objects.filter(action="policy.published").latest("id")
    assert entry.changes["difference"] == found.sentences


def test_publishing_the_same_again_changes_nothing(story: Story) -> None:
    story.policy("p", unacknowledged(5, "Page", page("on_call")))
    told = revise(story, unacknowledged(5, "Page", page("on_call")))
    assert told.difference == Difference()
    assert told.difference.sentences == ["Nothing changes."]


def test_running_climbs_stay_on_their_revision_and_are_named(story: Story) -> None:
    story.policy("p", unacknowledged(5, "Page", page("on_call")))
    ticket = story.open()
    told = revise(story, unacknowledged(5, "Other", page("lead")))
    assert (told.touched.count, told.touched.keys) == (1, (ticket.key,))
    story.forward(minutes=6)
    assert story.fired(ticket) == ["Page"]


def test_a_preview_writes_nothing_and_counts_no_case_for_the_uncleared(story: Story) -> None:
    story.policy("p", unacknowledged(5, "Page", page("on_call")))
    ticket = story.open()
    case = story.open(kind="security", restricted=True, service=None)
    policy = story.policy_row("p")
    draft_policy(
        policy=policy,
        conditions=[],
        steps=[unacknowledged(9, "X", page("lead"))],
        clock=story.clock,
    )
    seen = {
        person.username: preview(policy=policy, actor=person).touched
        for person in (story.incident_manager, story.admin, story.analyst)
    }
    assert (seen["ivan"].count, seen["ivan"].keys) == (1, (ticket.key,))
    assert (seen["root"].count, seen["root"].keys) == (1, ()), "runs the product, reads no ticket"
    assert (seen["sasha"].count, set(seen["sasha"].keys)) == (2, {ticket.key, case.key})
    assert policy.revisions.filter(published_at=None).exists()


def test_a_moved_climb_repeats_no_step_and_takes_the_new_ones(story: Story) -> None:
    story.policy(
        "p",
        unacknowledged(5, "Page", page("on_call")),
        unacknowledged(30, "Gone", page("manager")),
    )
    ticket = story.open()
    story.forward(minutes=6)
    revise(
        story,
        unacknowledged(8, "Page", page("on_call")),
        unacknowledged(10, "Lead", page("lead")),
    )
    moved = go_on(story)
    assert (moved.moved, moved.left) == (1, 0)
    story.forward(hours=2)
    assert story.fired(ticket) == ["Page", "Lead"]
    lead = Firing.objects.get(step__name="Lead")
    assert (lead.fired_at - ticket.opened_at).total_seconds() == 600


def test_a_step_that_was_only_renamed_is_the_same_step(story: Story) -> None:
    story.policy("p", unacknowledged(5, "Page", page("on_call")))
    ticket = story.open()
    story.forward(minutes=6)
    revise(story, unacknowledged(5, "Page the one on call", page("on_call")))
    go_on(story)
    story.forward(hours=2)
    assert story.fired(ticket) == ["Page"]


def test_a_new_step_below_the_one_reached_is_recorded_as_skipped(story: Story) -> None:
    story.target("resolution", 60)
    story.policy(
        "p",
        unacknowledged(5, "Page", page("on_call")),
        percent("resolution", 50, "Half", notify("lead")),
    )
    ticket = story.open()
    story.forward(minutes=31)
    revise(
        story,
        unacknowledged(3, "Earlier", page("lead")),
        unacknowledged(5, "Page", page("on_call")),
        percent("resolution", 25, "Quarter", notify("lead")),
        percent("resolution", 50, "Half", notify("lead")),
        unacknowledged(10, "Overdue already", page("manager")),
    )
    story.phone.new()
    go_on(story)
    story.forward(seconds=1)
    assert story.fired(ticket) == [
        "Page",
        "Half",
        "Earlier (skipped)",
        "Quarter (skipped)",
        "Overdue already",
    ]
    story.phone.rang(("mona", "page"))
    skipped = Firing.objects.filter(outcome="skipped").first()
    assert "further already" in " ".join(skipped.explain["text"])
    assert ticket.events.filter(kind="skipped").count() == 2


def test_a_lapsed_acknowledgement_resumes_at_the_rung_that_was_reached_before(
    story: Story,
) -> None:
    ladder = (
        unacknowledged(5, "First", page("on_call")),
        unacknowledged(10, "Second", page("lead")),
        unacknowledged(20, "Third", page("manager")),
    )
    story.policy("p", *ladder)
    ticket = story.open()
    story.forward(minutes=11)
    acknowledge(ticket=ticket, actor=story.agent, clock=story.clock)
    revise(story, unacknowledged(2, "Zeroth", page("on_call")), *ladder)
    go_on(story)
    unacknowledge(ticket=ticket, actor=story.agent, clock=story.clock)
    story.forward(minutes=11)
    assert story.fired(ticket)[2:] == ["Second", "Third"]


def test_a_step_that_moved_the_ticket_does_not_move_it_again(story: Story) -> None:
    story.policy("p", unacknowledged(5, "Up", move()))
    ticket = story.open()
    story.forward(minutes=6)
    assert story.fresh(ticket).team == story.apps
    revise(story, unacknowledged(4, "Up", move()))
    go_on(story)
    run = Run.objects.get(ticket=ticket, state="active")
    step = run.revision.steps.get().pk
    assert run.carried == [[1, step, 1, "fired"], [LEFT_LOOP, step, 1, "fired"]]


def test_the_timeline_and_the_audit_tell_of_a_move_with_its_reason(story: Story) -> None:
    story.policy("p", unacknowledged(5, "Page", page("on_call")))
    ticket = story.open()
    revise(story, unacknowledged(7, "Page", page("on_call")))
    go_on(story, actor=story.incident_manager, reason="Shorter nights")
    stopped = ticket.events.filter(kind="run_stopped").get()
    started = ticket.events.filter(kind="run_started").latest("seq")
    assert stopped.facts["because"] == started.facts["because"] == "moved from revision 1 to 2"
    assert started.actor_id == story.incident_manager.pk
    assert EventBody.objects.get(event=started).text == "Shorter nights"
    entry = AuditEntry.objects.get(action="policy.runs_moved")
    assert (entry.reason, entry.changes["moved"]) == ("Shorter nights", 1)
    assert [run.state for run in Run.objects.order_by("id")] == ["superseded", "active"]


def test_a_ticket_that_the_new_conditions_do_not_fit_stays_where_it_is(story: Story) -> None:
    story.policy("p", unacknowledged(5, "Page", page("on_call")))
    ticket = story.open()
    revise(
        story,
        unacknowledged(9, "Page", page("lead")),
        conditions=[{"fact": "priority", "is": 1}],
    )
    assert (go_on(story).moved, go_on(story).left) == (0, 1)
    story.forward(minutes=6)
    assert story.fired(ticket) == ["Page"]


def test_some_tickets_may_be_moved_and_a_second_move_does_nothing(story: Story) -> None:
    story.policy("p", unacknowledged(5, "Page", page("on_call")))
    first, second = story.open(), story.open()
    revise(story, unacknowledged(50, "Page", page("on_call")))
    assert go_on(story, ticket_ids=[first.pk]).moved == 1
    assert go_on(story, ticket_ids=[first.pk]).moved == 0
    story.forward(minutes=6)
    assert (story.fired(first), story.fired(second)) == ([], ["Page"])


def test_a_case_is_moved_with_the_others_and_tells_the_uncleared_nothing(story: Story) -> None:
    story.policy("p", unacknowledged(5, "Page", page("on_call")))
    case = story.open(kind="security", restricted=True, service=None)
    revise(story, unacknowledged(50, "Page", page("on_call")))
    named = go_on(story, actor=story.incident_manager, ticket_ids=[case.pk])
    assert (named.moved, named.left) == (0, 0)
    assert Run.objects.get(ticket=case).revision.number == 1
    assert go_on(story, actor=story.incident_manager).moved == 0
    assert Run.objects.get(ticket=case, state="active").revision.number == 2
    entries = AuditEntry.objects.filter(action="policy.runs_moved")
    assert {entry.changes["moved"] for entry in entries} == {0}


def test_moving_needs_a_right_a_reason_and_something_published(story: Story) -> None:
    story.policy("p", unacknowledged(5, "Page", page("on_call")))
    with pytest.raises(Forbidden):
        go_on(story, actor=story.agent)
    with pytest.raises(Invalid):
        go_on(story, reason="  ")
    policy = story.policy_row("p")
    policy.current = None
    policy.save()
    with pytest.raises(Conflict):
        go_on(story)


def test_a_held_climb_stays_held(story: Story) -> None:
    story.policy("p", unacknowledged(5, "Page", page("on_call")))
    ticket: Ticket = story.open()
    run = Run.objects.get(ticket=ticket)
    Run.objects.filter(pk=run.pk).update(held="snoozed", held_until=story.now.replace(hour=12))
    revise(story, unacknowledged(7, "Page", page("on_call")))
    go_on(story)
    heir = Run.objects.get(ticket=ticket, state="active")
    assert (heir.held, heir.held_until) == ("snoozed", story.now.replace(hour=12))
