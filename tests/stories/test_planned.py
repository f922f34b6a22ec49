"""Changes: planned, approved by somebody else, ended with a result; and the tickets that wait."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from notifications.models import Message
from roles.models import Duty, DutyAssignment
from roles.refusals import Conflict, Forbidden, Invalid
from tests.story import Story
from tickets.assignment import take
from tickets.changes import (
    approve_change,
    end_change,
    plan_change,
    reject_change,
    submit_change,
)
from tickets.lifecycle import cancel, comment, pend, resolve, resume
from tickets.models import Change, TimelineEvent
from tickets.restriction import restrict
from tickets.waiting import waiting_for


@pytest.fixture
def rosa(story: Story):  # type: ignore[no-untyped-def]
    person = story.person("rosa")
    duty = Duty.objects.create(slug="change-manager", name="Change manager")
    DutyAssignment.objects.create(duty=duty, person=person)
    return person


def planned(story: Story, **more):  # type: ignore[no-untyped-def]
    ticket = story.open(kind="change", subject="New gateway", actor=story.agent)
    given = {"plan": "Swap it", "test": "Ping it", "back_out": "Swap back", **more}
    plan_change(ticket=ticket, actor=story.agent, clock=story.clock, **given)
    return ticket


def approved(story: Story, rosa):  # type: ignore[no-untyped-def]
    ticket = planned(story)
    submit_change(ticket=ticket, actor=story.agent, clock=story.clock)
    approve_change(ticket=ticket, actor=rosa, clock=story.clock)
    story.phone.new()
    return ticket


def waiting(story: Story, change, actor=None, **about):  # type: ignore[no-untyped-def]
    ticket = story.open(**about)
    actor = actor or story.agent
    take(ticket=ticket, actor=actor, clock=story.clock)
    pend(
        ticket=ticket, actor=actor, status="pending_change", reason="The gateway", change=change,
        clock=story.clock,
    )  # fmt: skip
    story.phone.new()
    return ticket


def kinds(ticket) -> list[str]:  # type: ignore[no-untyped-def]
    rows = TimelineEvent.objects.filter(ticket=ticket, kind__startswith="change_")
    return [row.kind for row in rows.order_by("seq")]


def end(story: Story, change, how="implemented", actor=None):  # type: ignore[no-untyped-def]
    return end_change(
        ticket=change, actor=actor or story.agent, how=how, result="It runs", clock=story.clock
    )


def test_a_change_is_planned_submitted_approved_and_implemented(story, rosa) -> None:
    change = planned(story)
    story.phone.new()
    submit_change(ticket=change, actor=story.agent, clock=story.clock)
    story.phone.rang(("rosa", "approval_wanted"))
    approve_change(ticket=change, actor=rosa, reason="Fine", clock=story.clock)
    story.phone.rang(("ann", "change_approved"))
    done = end(story, change)
    assert (done.state, done.ended_at, done.decided_by) == ("implemented", story.now, rosa)
    assert kinds(change) == [
        "change_planned", "change_planned", "change_approved", "change_ended",
    ]  # fmt: skip
    assert story.fresh(change).is_open


def test_only_a_change_manager_approves(story, rosa) -> None:
    change = planned(story)
    submit_change(ticket=change, actor=story.agent, clock=story.clock)
    for person in (story.colleague, story.lead, story.incident_manager, story.admin):
        with pytest.raises(Forbidden):
            approve_change(ticket=change, actor=person, clock=story.clock)
        with pytest.raises(Forbidden):
            reject_change(ticket=change, actor=person, reason="No", clock=story.clock)


def test_nobody_decides_on_a_change_of_their_own(story, rosa) -> None:
    change = planned(story)
    plan_change(ticket=change, actor=rosa, plan="Better", test="x", back_out="y", clock=story.clock)
    submit_change(ticket=change, actor=story.agent, clock=story.clock)
    with pytest.raises(Forbidden, match="Somebody else"):
        approve_change(ticket=change, actor=rosa, clock=story.clock)
    # Not even after somebody else has written the last word.
    plan_change(
        ticket=change, actor=story.agent, plan="a", test="b", back_out="c", clock=story.clock
    )
    submit_change(ticket=change, actor=story.agent, clock=story.clock)
    with pytest.raises(Forbidden, match="Somebody else"):
        approve_change(ticket=change, actor=rosa, clock=story.clock)
    with pytest.raises(IntegrityError), transaction.atomic():
        Change.objects.filter(ticket=change).update(
            state="approved", decided_by=story.agent, decided_at=story.now
        )


def test_a_plan_is_whole_before_it_is_submitted(story, rosa) -> None:
    change = planned(story, test="", back_out=" ")
    with pytest.raises(Invalid) as refused:
        submit_change(ticket=change, actor=story.agent, clock=story.clock)
    assert set(refused.value.fields) == {"test", "back_out"}


def test_a_window_has_two_ends_in_order(story, rosa) -> None:
    hour = timedelta(hours=1)
    for window in (
        {"window_from": story.now},
        {"window_from": story.now, "window_until": story.now},
        {"window_from": story.now + hour, "window_until": story.now},
    ):
        with pytest.raises(Invalid):
            planned(story, **window)
    planned(story, window_from=story.now, window_until=story.now + hour)


def test_writing_it_anew_takes_back_the_approval(story, rosa) -> None:
    change = approved(story, rosa)
    plan_change(
        ticket=change, actor=story.agent, plan="Other", test="x", back_out="y", clock=story.clock
    )
    with pytest.raises(Conflict):
        end(story, change)
    last = TimelineEvent.objects.filter(ticket=change, kind="change_planned").last()
    assert last.facts["lapsed"] == "approved"
    submit_change(ticket=change, actor=story.agent, clock=story.clock)
    approve_change(ticket=change, actor=rosa, clock=story.clock)
    end(story, change)
    with pytest.raises(Conflict):
        plan_change(ticket=change, actor=story.agent, plan="More", clock=story.clock)


def test_only_tickets_of_that_kind_have_a_plan_and_only_their_people_write_it(story, rosa) -> None:
    with pytest.raises(Invalid):
        plan_change(ticket=story.open(), actor=story.agent, plan="x", clock=story.clock)
    change = planned(story)
    for person in (story.requester, story.stranger, story.engineer):
        with pytest.raises(Forbidden):
            plan_change(ticket=change, actor=person, plan="x", clock=story.clock)


def test_waiting_for_a_change_needs_one(story, rosa) -> None:
    ticket = story.open()
    take(ticket=ticket, actor=story.agent, clock=story.clock)
    other = story.open()
    over = approved(story, rosa)
    end(story, over)
    cancelled = planned(story)
    cancel(ticket=cancelled, actor=story.agent, reason="No", clock=story.clock)
    for change in (None, ticket, other, over, cancelled):
        with pytest.raises(Invalid) as refused:
            pend(
                ticket=ticket, actor=story.agent, status="pending_change", reason="x",
                change=change, clock=story.clock,
            )  # fmt: skip
        assert "change" in refused.value.fields
    assert story.fresh(ticket).status == "in_progress"


def test_implementing_a_change_resumes_each_ticket_that_waits_for_it(story, rosa) -> None:
    early = story.open()
    take(ticket=early, actor=story.colleague, clock=story.clock)
    change = approved(story, rosa)
    late = waiting(story, change)
    pend(
        ticket=early, actor=story.colleague, status="pending_change", reason="x", change=change,
        clock=story.clock,
    )  # fmt: skip
    elsewhere = waiting(story, planned(story))
    assert waiting_for(change) == [early.pk, late.pk]
    story.phone.new()
    end(story, change)
    story.phone.rang(("bob", "resumed"))
    for ticket in (early, late):
        assert story.fresh(ticket).status == "in_progress"
        event = TimelineEvent.objects.filter(ticket=ticket, kind="resumed").get()
        assert event.facts["because"] == f"{change.key} has been implemented"
    assert story.fresh(elsewhere).status == "pending_change"
    assert waiting_for(change) == []


@pytest.mark.parametrize("how", ["failed", "backed_out"])
def test_a_change_that_fails_resumes_them_too_and_says_so(story, rosa, how) -> None:
    change = approved(story, rosa)
    ticket = waiting(story, change, actor=story.colleague)
    end(story, change, how=how)
    event = TimelineEvent.objects.filter(ticket=ticket, kind="resumed").get()
    assert how.replace("_", " ") in event.facts["because"].replace("has been ", "")
    assert ("bob", "resumed") in story.phone.new()


def test_a_rejected_change_resumes_them_and_may_be_planned_again(story, rosa) -> None:
    change = planned(story)
    submit_change(ticket=change, actor=story.agent, clock=story.clock)
    ticket = waiting(story, change, actor=story.colleague)
    reject_change(ticket=change, actor=rosa, reason="Not this week", clock=story.clock)
    assert story.fresh(ticket).status == "in_progress"
    assert story.phone.new() == [("ann", "change_rejected"), ("bob", "resumed")]
    plan_change(
        ticket=change, actor=story.agent, plan="Next", test="x", back_out="y", clock=story.clock
    )
    submit_change(ticket=change, actor=story.agent, clock=story.clock)


def test_a_ticket_resumed_by_hand_waits_no_more(story, rosa) -> None:
    change = approved(story, rosa)
    ticket = waiting(story, change)
    resume(ticket=ticket, actor=story.agent, clock=story.clock)
    pend(
        ticket=ticket, actor=story.agent, status="pending_requester", reason="?", clock=story.clock
    )
    assert waiting_for(change) == []
    end(story, change)
    assert story.fresh(ticket).status == "pending_requester"
    comment(ticket=ticket, actor=story.requester, text="!", public=True, clock=story.clock)


@pytest.mark.parametrize("act", [cancel, resolve])
def test_a_change_that_ends_without_a_result_frees_what_waits(story, rosa, act) -> None:
    change = planned(story)
    ticket = waiting(story, change, actor=story.colleague)
    given = {"reason": "No"} if act is cancel else {"code": "fixed", "text": "Done"}
    act(ticket=change, actor=story.agent, clock=story.clock, **given)
    story.phone.new()
    story.forward(minutes=1)
    assert story.fresh(ticket).status == "in_progress"
    assert ("bob", "resumed") in story.phone.new()


def test_a_restricted_case_and_an_open_change_know_nothing_of_each_other(story, rosa) -> None:
    case = story.open(kind="security", restricted=True)
    take(ticket=case, actor=story.analyst, clock=story.clock)
    with pytest.raises(Invalid):
        pend(
            ticket=case, actor=story.analyst, status="pending_change", reason="x",
            change=planned(story), clock=story.clock,
        )  # fmt: skip


@pytest.mark.parametrize("how", ["ended", "cancelled"])
def test_what_waits_for_a_change_that_became_restricted_goes_on_and_is_told_nothing(
    story, rosa, how
) -> None:
    change = approved(story, rosa)
    ticket = waiting(story, change, story.colleague)
    restrict(
        ticket=change, actor=story.agent, reason="A leak", cleared=[story.agent], clock=story.clock
    )
    if how == "ended":
        end_change(
            ticket=change, actor=story.analyst, how="implemented", result="Keys", clock=story.clock
        )
    else:
        cancel(ticket=change, actor=None, reason="Keys", clock=story.clock)
        story.sweep()
    assert story.fresh(ticket).status == "in_progress"
    event = TimelineEvent.objects.get(ticket=ticket, kind="resumed")
    assert change.key not in event.canonical
    letter = Message.objects.get(topic=ticket.topic, kind="resumed")
    assert letter.recipient == story.colleague
    assert change.key not in letter.subject + letter.body
    assert "Keys" not in letter.body
