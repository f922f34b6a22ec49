"""What steps do beside telling, moving and raising, and what is said when they cannot."""

import pytest
from django.db import transaction

from escalation.checking import check_policy
from escalation.models import Engagement, Firing, Run, Vendor
from notifications.models import Message
from notifications.webhooks import create_hook
from roles.models import Duty, DutyAssignment
from roles.refusals import Conflict, Invalid
from tests.story import Story, notify, page, unacknowledged
from tickets import timeline
from tickets.acting import begin, unchanged_if_refused
from tickets.assignment import take
from tickets.lifecycle import pend
from tickets.models import EventKind, Ticket, TicketLink


def kinds_of(ticket) -> list[str]:  # type: ignore[no-untyped-def]
    return list(ticket.events.order_by("seq").values_list("kind", flat=True))


def test_a_step_may_propose_a_major_incident_once(story: Story) -> None:
    step = {"do": "propose_major"}
    story.policy("p", unacknowledged(5, "Propose", step), unacknowledged(10, "Again", step))
    ticket = story.open(impact=1, urgency=1)
    story.phone.ignore("received", "major_proposed")
    story.forward(minutes=10)
    assert kinds_of(ticket).count(EventKind.MAJOR_PROPOSED) == 1
    assert story.fired(ticket) == ["Propose", "Again (empty)"]
    first, second = Firing.objects.order_by("pk")
    assert "Proposed as a major incident." in first.explain["text"]
    assert any("propose major:" in line for line in second.explain["left_out"])
    story.phone.rang(("ivan", "page"))  # The second did nothing: the fallback hears of it.


def test_a_step_may_put_a_ticket_into_the_security_lane(story: Story) -> None:
    story.policy("p", unacknowledged(5, "Lane", {"do": "restrict"}, page("on_call")), position=20)
    story.policy(
        "security",
        unacknowledged(10, "Page", page("on_call")),
        conditions=[{"fact": "restricted", "is": True}],
        position=1,
    )
    ticket = story.open()
    story.phone.ignore("received")
    story.forward(minutes=5)
    moved = story.fresh(ticket)
    assert (moved.restricted, moved.team) == (True, story.soc)
    # The people on call now are those of the lane, who are cleared; the desk hears nothing.
    story.phone.rang(("sasha", "cleared"), ("sasha", "page"))
    assert "Mail does not arrive" not in Message.objects.get(kind="page").subject
    states = Run.objects.order_by("pk").values_list("policy__slug", "state")
    assert list(states) == [("p", "superseded"), ("security", "active")]
    assert EventKind.RESTRICTED in kinds_of(ticket)


def test_a_step_calls_another_system(story: Story) -> None:
    create_hook(slug="chat", url="https://chat.example/in", name="Chat")
    story.policy("p", unacknowledged(5, "Call", {"do": "call_webhook", "to": "chat"}))
    ticket = story.open()
    story.phone.ignore("received")
    story.forward(minutes=5)
    assert story.fired(ticket) == ["Call"]
    story.phone.rang(("hook-chat", "webhook"))


def test_a_hook_that_is_switched_off_makes_an_empty_step(story: Story) -> None:
    hook, _ = create_hook(slug="chat", url="https://chat.example/in", name="Chat")
    story.policy("p", unacknowledged(5, "Call", {"do": "call_webhook", "to": "chat"}))
    type(hook).objects.update(is_active=False)
    ticket = story.open()
    story.phone.ignore("received")
    story.forward(minutes=5)
    assert story.fired(ticket) == ["Call (empty)"]
    story.phone.rang(("ivan", "page"))


def test_names_that_the_site_has_not_are_refused(story: Story) -> None:
    for action in ({"do": "call_webhook", "to": "none"}, notify("team:none"), page("duty:none")):
        with pytest.raises(Invalid):
            story.policy("p", unacknowledged(5, "Call", action))


@pytest.mark.parametrize(
    ("action", "word"),
    [
        ({"do": "propose_major", "to": "x"}, 'takes no "to"'),
        ({"do": "call_webhook"}, 'needs a name in "to"'),
        ({"do": "dance"}, "Choose notify"),
    ],
)
def test_each_mistake_of_an_action_is_said(action: dict, word: str) -> None:
    problems = check_policy([], [unacknowledged(5, "Do", action)])
    assert word in problems["steps.1.actions.1"]


def test_a_duty_reaches_its_holder_who_is_on_call(story: Story) -> None:
    duty = Duty.objects.create(slug="ciso", name="CISO")
    DutyAssignment.objects.create(duty=duty, person=story.analyst)
    DutyAssignment.objects.create(duty=duty, person=story.stranger)
    story.policy("p", unacknowledged(5, "Page", page("duty:ciso")))
    story.open()
    story.phone.ignore("received")
    story.forward(minutes=5)
    story.phone.rang(("sasha", "page"))


def test_a_step_engages_a_vendor_once(story: Story) -> None:
    Vendor.objects.create(slug="carrier", name="Carrier")
    engage = {"do": "engage_vendor", "to": "carrier"}
    story.policy("p", unacknowledged(5, "Engage", engage), unacknowledged(10, "Again", engage))
    ticket = story.open()
    story.forward(minutes=10)
    assert Engagement.objects.get(ticket=ticket).vendor.slug == "carrier"
    assert story.fired(ticket) == ["Engage", "Again (empty)"]
    assert kinds_of(ticket).count(EventKind.VENDOR_ENGAGED) == 1


def test_repeats_are_gathered_under_one_problem(story: Story) -> None:
    step = {
        "name": "Problem",
        "trigger": "repeated",
        "count": 2,
        "window_s": 86_400,
        "same": "requester",
        "actions": [{"do": "open_problem"}],
    }
    story.policy("p", step)
    tickets = []
    for _ in range(3):
        tickets.append(story.open())
        story.forward(minutes=10)
    assert [story.fired(ticket) for ticket in tickets] == [[], ["Problem"], ["Problem"]]
    problems = Ticket.objects.filter(kind="problem")
    assert problems.count() == 1
    links = TicketLink.objects.filter(target=problems.get(), relation="caused_by")
    assert set(links.values_list("source", flat=True)) == {ticket.pk for ticket in tickets}
    assert kinds_of(tickets[0])[-1] == EventKind.LINKED
    said = Firing.objects.order_by("pk").first().explain["done"]  # type: ignore[union-attr]
    assert said == [
        "Put under a new problem, which is linked to it, with 1 that it repeats",
    ]


def test_what_is_refused_half_way_leaves_the_ticket_at_hand_as_it_was(story: Story) -> None:
    ticket = story.open()
    take(ticket=ticket, actor=story.agent, clock=story.clock)
    pend(
        ticket=ticket, actor=story.agent, status="pending_requester", reason="?", clock=story.clock
    )  # fmt: skip
    with transaction.atomic():
        held = timeline.lock(ticket.pk)
        seen = (held.status, held.last_seq, held.last_hash, held.assignee)

        def resume_and_refuse() -> None:
            with unchanged_if_refused(held), transaction.atomic():
                act = begin(held, actor=None, clock=story.clock, announce=False)
                act.resume_first()
                act.ticket.assignee = story.colleague
                assert held.last_seq == seen[1] + 1
                raise Conflict("no", "Not now.")

        with pytest.raises(Conflict):
            resume_and_refuse()
        assert (held.status, held.last_seq, held.last_hash, held.assignee) == seen
        begin(held, actor=None, clock=story.clock).record("commented", body="Next")
    assert [event.seq for event in ticket.events.order_by("seq")][-1] == seen[1] + 1
