"""What must not happen: silence, a page after "take", an answer taken back, waiting forgotten."""

import pytest
from django.db import connection

from escalation.engine import tick
from escalation.handover import escalate, hand_back
from escalation.models import Clock
from notifications.models import Message
from roles.refusals import Invalid
from tests.story import Story, move, notify, page, percent, unacknowledged
from tickets.assignment import acknowledge, assign, take, unacknowledge
from tickets.lifecycle import comment, pend, resolve, resume
from tickets.triage import set_urgency_impact


def test_a_move_whose_page_reaches_nobody_tells_the_fallback(story: Story) -> None:
    story.put_on_call(story.apps, [])
    story.policy("p", unacknowledged(5, "Up", move(), page("on_call")))
    ticket = story.open()
    story.phone.ignore("received", "escalated")
    story.forward(minutes=5)
    assert story.fresh(ticket).team == story.apps
    story.phone.rang(("ivan", "page"))


def test_a_ticket_passed_to_a_team_without_people_is_not_passed_in_silence(story: Story) -> None:
    story.put_on_call(story.apps, [])
    story.apps.memberships.all().delete()
    story.apps.lead = None
    story.apps.save()
    ticket = story.open()
    story.phone.ignore("received", "escalated")
    escalate(
        ticket=ticket, actor=story.agent, reason_code="skill", reason="Stuck", clock=story.clock
    )
    story.phone.rang(("ivan", "notify"))


def test_taking_what_one_was_assigned_acknowledges(story: Story) -> None:
    story.policy("p", unacknowledged(15, "Page", page("on_call")))
    ticket = story.open()
    assign(ticket=ticket, actor=story.lead, assignee=story.agent, clock=story.clock)
    take(ticket=ticket, actor=story.agent, clock=story.clock)
    story.phone.new()
    story.forward(hours=1)
    story.phone.was_silent()


def test_an_answer_is_not_taken_back_when_the_ticket_is_resolved_at_once(story: Story) -> None:
    ticket = story.open()
    take(ticket=ticket, actor=story.agent, clock=story.clock)
    comment(ticket=ticket, actor=story.agent, text="Try again", public=True, clock=story.clock)
    resolve(ticket=ticket, actor=story.agent, code="fixed", text="Done", clock=story.clock)
    assert Message.objects.get(kind="replied").state == "queued"


def test_a_requester_named_by_a_step_reads_no_internals_and_cannot_stop_it(story: Story) -> None:
    story.policy(
        "p",
        unacknowledged(5, "Tell all", notify("requester", "on_call")),
        unacknowledged(10, "Page the lead", page("lead")),
    )
    ticket = story.open()
    story.phone.ignore("received")
    story.forward(minutes=5)
    story.phone.rang(("rita", "informed"), ("ann", "notify"))
    told = Message.objects.get(kind="informed")
    assert "policy" not in told.body
    with pytest.raises(Exception, match="may not acknowledge"):
        acknowledge(ticket=ticket, actor=story.requester, clock=story.clock)


def test_a_superseding_climb_keeps_what_was_waited_and_its_pauses(story: Story) -> None:
    step = unacknowledged(60, "Page", page("on_call"))
    story.policy("high", step, conditions=[{"fact": "priority", "is": 1}], position=1)
    story.policy("low", step, position=2)
    ticket = story.open()
    assign(ticket=ticket, actor=story.lead, assignee=story.agent, clock=story.clock)
    story.forward(minutes=5)
    pend(
        ticket=ticket,
        actor=story.agent,
        status="pending_requester",
        reason="Which?",
        clock=story.clock,
    )
    story.forward(hours=3)
    resume(ticket=ticket, actor=story.agent, clock=story.clock)
    set_urgency_impact(
        ticket=ticket, actor=story.agent, impact=1, urgency=1, reason="All", clock=story.clock
    )
    story.forward(minutes=54)
    assert story.fired(ticket) == []
    story.forward(minutes=1)
    assert story.fired(ticket) == ["Page"]


def test_a_hand_back_is_not_undone_by_the_same_step_in_another_loop_or_clock(story: Story) -> None:
    story.target("acceptance", 30)
    story.policy(
        "p",
        unacknowledged(10, "Page", page("on_call")),
        unacknowledged(20, "Up", move()),
        percent("acceptance", 300, "Up by clock", move()),
    )
    ticket = story.open()
    story.forward(minutes=11)
    acknowledge(ticket=ticket, actor=story.agent, clock=story.clock)
    unacknowledge(ticket=ticket, actor=story.agent, clock=story.clock)
    story.forward(minutes=10)
    assert story.fresh(ticket).team == story.apps
    hand_back(
        ticket=ticket,
        actor=story.engineer,
        reason_code="solvable",
        reason="Cache",
        clock=story.clock,
    )
    story.forward(minutes=60)
    assert story.fired(ticket).count("Up") == 1
    assert story.fresh(ticket).team == story.desk


def test_only_a_human_of_the_service_meets_the_first_response(story: Story) -> None:
    story.target("first_response", 60)
    robot = story.person("robot", kind="service")
    ticket = story.open()
    comment(ticket=ticket, actor=robot, text="Beep", public=True, clock=story.clock)
    assert Clock.objects.get().state == "running"
    take(ticket=ticket, actor=story.agent, clock=story.clock)
    pend(
        ticket=ticket,
        actor=story.agent,
        status="pending_requester",
        reason="Which one?",
        clock=story.clock,
    )
    assert Clock.objects.get().ended_as == "met", "a question is an answer too"


def test_one_breach_that_cannot_be_noted_holds_up_no_other_and_no_step(story: Story) -> None:
    story.target("resolution", 10)
    story.policy("p", unacknowledged(10, "Page", page("on_call")))
    bad, good = story.open(), story.open()
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'spoiled'; END $$;"
            " CREATE TRIGGER spoil BEFORE INSERT ON tickets_timelineevent FOR EACH ROW"
            f" WHEN (NEW.ticket_id = {bad.pk} AND NEW.kind = 'breached') EXECUTE FUNCTION spoil()"
        )
    story.sleep(minutes=11)
    assert tick(clock=story.clock).breached == 1
    assert story.fired(good) == ["Page"]


def test_a_policy_that_names_what_the_site_has_not_is_refused(story: Story) -> None:
    with pytest.raises(Invalid) as refused:
        story.policy("p", unacknowledged(5, "Page", page("team:typo")))
    assert refused.value.fields == {"steps.1.actions.1": "There is no team typo."}
