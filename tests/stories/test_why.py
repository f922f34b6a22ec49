"""Why was nobody paged? Why was this escalated? The stored facts answer in plain sentences."""

from datetime import timedelta

from escalation.handover import escalate, hand_back
from escalation.models import Firing, Policy, Quarantine
from escalation.why import why_escalated, why_nobody_was_paged
from notifications.models import Message
from tests.story import Story, move, notify, page, unacknowledged
from tickets.assignment import acknowledge, assign
from tickets.lifecycle import pend, resolve
from tickets.models import Origin, Ticket


def why(story: Story, ticket: Ticket, **about: object) -> str:
    return " ".join(why_nobody_was_paged(story.fresh(ticket), story.now, **about))


def paging(story: Story, **about: object) -> None:
    story.policy("page", unacknowledged(5, "Page on call", page("on_call")), **about)


def test_a_policy_that_does_not_apply_says_which_condition_failed(story: Story) -> None:
    paging(story, conditions=[{"fact": "priority", "is": [1, 2]}, {"fact": "vip", "not": True}])
    told = why(story, story.open())
    assert "Policy “Page” did not apply: it asks that priority is 1 or 2, and it is 5." in told
    assert "Nobody had been paged." in told


def test_a_site_without_policies_says_so(story: Story) -> None:
    assert "The site has no policy at all." in why(story, story.open())


def test_a_policy_that_is_switched_off_or_a_draft_says_so(story: Story) -> None:
    paging(story)
    policy = story.policy("other", unacknowledged(5, "X", page("on_call")))
    policy.is_active = False
    policy.save()
    Policy.objects.create(slug="draft", name="Draft", position=30)
    Policy.objects.filter(slug="page").update(is_active=False)
    told = why(story, story.open())
    assert "Policy “Other” is switched off." in told
    assert "Policy “Draft” has never been published." in told


def test_a_step_that_waits_says_until_when_and_whom_it_would_reach(story: Story) -> None:
    paging(story)
    told = why(story, story.open())
    assert "waits until 2026-03-02 09:05:00 UTC, and would reach Ann (on call in Desk)." in told


def test_an_acknowledgement_says_who_and_when(story: Story) -> None:
    paging(story)
    ticket = story.open()
    story.forward(minutes=2)
    acknowledge(ticket=ticket, actor=story.agent, clock=story.clock)
    story.forward(minutes=10)
    assert "Ann had acknowledged it 2026-03-02 09:02:00 UTC" in why(story, ticket)


def test_a_pending_ticket_says_that_it_stands_still(story: Story) -> None:
    paging(story)
    ticket = story.open()
    assign(ticket=ticket, actor=story.lead, assignee=story.agent, clock=story.clock)
    pend(
        ticket=ticket, actor=story.agent, status="pending_requester", reason="?", clock=story.clock
    )
    assert "stand still" in why(story, ticket)


def test_a_step_that_left_everybody_out_says_whom_and_why(story: Story) -> None:
    story.policy("hollow", unacknowledged(5, "Tell the lead", page("lead")))
    story.lead.is_active = False
    story.lead.save()
    story.incident_manager.is_active = False
    story.incident_manager.save()
    ticket = story.open()
    story.forward(minutes=6)
    told = why(story, ticket)
    assert "Nobody was told." in told
    assert "Left out: Lena (lead of Desk): account is inactive." in told


def test_a_firing_keeps_who_was_on_call_and_how_its_clocks_stood(story: Story) -> None:
    story.target("resolution", 60)
    story.target("acceptance", 20)
    story.policy("tell", unacknowledged(5, "Tell", notify("lead")))
    story.open()
    story.forward(minutes=5)
    kept = Firing.objects.get().explain
    assert [item["name"] for item in kept["on_call"]] == ["Ann"]
    assert [item["name"] for item in kept["told"]] == ["Lena"]
    due = {kind: clock["due_at"][:19] for kind, clock in kept["clocks"].items()}
    assert due == {"acceptance": "2026-03-02T09:20:00", "resolution": "2026-03-02T10:00:00"}


def test_messages_that_did_not_arrive_say_why(story: Story) -> None:
    story.policy("tell", unacknowledged(5, "Tell", notify("on_call")))
    ticket = story.open()
    story.forward(minutes=5)
    Message.objects.filter(kind="notify").update(
        state="dead", finished_at=story.now, finished_reason="550 no such mailbox"
    )
    told = why(story, ticket)
    assert "to Ann by email was given up" in told
    assert "550 no such mailbox" in told
    assert "had not been sent yet" in told, "the requester's message is still queued"


def test_quarantine_import_and_an_end_say_so(story: Story) -> None:
    paging(story)
    ticket = story.open()
    Quarantine.objects.create(
        ticket=ticket, tries=3, last_error="boom", last_tried_at=story.now, since=story.now
    )
    assert "stands in quarantine" in why(story, ticket)
    Ticket.objects.filter(pk=ticket.pk).update(origin=Origin.IMPORTED)
    assert "came by import" in why(story, ticket)
    resolve(ticket=ticket, actor=story.agent, code="fixed", text="Done", clock=story.clock)
    assert "policies run for open tickets only" in why(story, ticket)


def test_a_restricted_case_for_which_nobody_is_cleared_says_so(story: Story) -> None:
    paging(story)
    case = story.open(kind="security", restricted=True, service=None)
    assert "nobody who works here is cleared" not in why(story, case)
    case.clearances.exclude(person=story.requester).delete()
    assert "nobody who works here is cleared" in why(story, case)


def test_a_page_that_went_out_is_named_first(story: Story) -> None:
    paging(story)
    ticket = story.open()
    story.forward(minutes=6)
    first = why_nobody_was_paged(ticket, story.now)[0]
    assert first == "Ann was paged 2026-03-02 09:05:00 UTC by email (queued)."


def test_a_moment_in_the_past_is_told_as_it_was_then(story: Story) -> None:
    paging(story)
    start = story.now
    ticket = story.open()
    story.forward(minutes=6)
    acknowledge(ticket=ticket, actor=story.agent, clock=story.clock)
    told = why(story, ticket, at=start + timedelta(minutes=3))
    assert "Nobody had been paged." in told
    assert "The next step, “Page on call”, waited until 2026-03-02 09:05:00 UTC." in told
    assert "acknowledged" not in told.replace("unacknowledged", "").replace("not acknowledged", "")
    early = why_nobody_was_paged(ticket, story.now, at=start - timedelta(hours=1))
    assert early == ["The ticket was opened 2026-03-02 09:00:00 UTC, after that moment."]


def test_why_it_was_escalated_names_the_rule_the_person_and_the_hand_back(story: Story) -> None:
    story.policy("up", unacknowledged(10, "Move up", move()))
    ticket = story.open()
    assert why_escalated(ticket) == ["It has not been escalated."]
    story.forward(minutes=10)
    hand_back(
        ticket=ticket,
        actor=story.engineer,
        reason_code="solvable",
        reason="Clear the cache",
        clock=story.clock,
    )
    escalate(
        ticket=ticket, actor=story.agent, reason_code="time", reason="No luck", clock=story.clock
    )
    told = why_escalated(ticket)
    assert "from Desk the work went to Apps, by a policy (policy): Up: Move up." in told[0]
    assert any("not acknowledged for 10 min" in line for line in told)
    assert any("handed back, can be solved at your tier: Clear the cache" in x for x in told)
    assert "by Ann (time is running out): No luck." in told[-1]
