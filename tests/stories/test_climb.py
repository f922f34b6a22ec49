"""A ticket that nobody takes climbs by itself, and everybody concerned hears of it."""

from escalation.models import Escalation, Firing
from tests.story import Story, involve, move, notify, page, percent, unacknowledged
from tickets.assignment import acknowledge, assign, take, unacknowledge
from tickets.lifecycle import pend, resolve, resume
from tickets.models import EventKind


def climbing(story: Story) -> None:
    story.policy(
        "standard",
        unacknowledged(5, "Page on call", page("on_call")),
        unacknowledged(15, "Move up", move(), page("on_call")),
        unacknowledged(20, "Call the incident manager", page("duty:incident-manager")),
    )


def test_an_unacknowledged_ticket_climbs_from_l1_to_the_incident_manager(story: Story) -> None:
    climbing(story)
    ticket = story.open()
    story.phone.rang(("rita", "received"))
    story.forward(minutes=5)
    story.phone.rang(("ann", "page"))
    story.forward(minutes=10)
    story.phone.rang(("cleo", "page"), ("rita", "escalated"))
    assert story.fresh(ticket).team == story.apps
    story.forward(minutes=15)
    story.phone.rang(("cleo", "page"), ("dora", "page"), ("rita", "escalated"))
    assert story.fresh(ticket).team == story.platform
    story.forward(minutes=15)
    # At the top there is no next tier: the step says so, and the one after it goes at once.
    assert story.fired(ticket)[-2:] == ["Move up (empty)", "Call the incident manager"]
    story.phone.rang(("dora", "page"), ("ivan", "page"))
    assert story.fresh(ticket).team == story.platform


def test_an_acknowledgement_stops_the_climb_and_its_withdrawal_resumes_it(story: Story) -> None:
    climbing(story)
    ticket = story.open()
    story.forward(minutes=6)
    acknowledge(ticket=ticket, actor=story.agent, clock=story.clock)
    story.phone.rang(("rita", "received"), ("ann", "page"))
    story.forward(hours=5)
    story.phone.was_silent()
    unacknowledge(ticket=ticket, actor=story.agent, clock=story.clock)
    story.forward(seconds=1)
    story.phone.rang(("ann", "page"))
    story.forward(minutes=10)
    story.phone.rang(("cleo", "page"), ("rita", "escalated"))


def test_waiting_for_the_requester_freezes_the_climb_and_keeps_its_remainder(story: Story) -> None:
    climbing(story)
    story.phone.ignore("received", "waiting", "assigned")
    ticket = story.open()
    story.forward(minutes=3)
    assign(ticket=ticket, actor=story.lead, assignee=story.agent, clock=story.clock)
    pend(
        ticket=ticket,
        actor=story.agent,
        status="pending_requester",
        reason="Which mailbox?",
        clock=story.clock,
    )
    story.forward(hours=3)
    story.phone.was_silent()
    resume(ticket=ticket, actor=story.agent, clock=story.clock)
    story.forward(minutes=1)
    story.phone.was_silent()
    story.forward(minutes=1)
    story.phone.rang(("ann", "page"))


def test_resolving_ends_the_climb(story: Story) -> None:
    climbing(story)
    ticket = story.open()
    take(ticket=ticket, actor=story.agent, clock=story.clock)
    resolve(ticket=ticket, actor=story.agent, code="fixed", text="Restarted", clock=story.clock)
    story.phone.new()
    story.forward(days=2)
    story.phone.was_silent()
    assert not ticket.runs.filter(state="active").exists()


def test_a_clock_warns_before_it_is_missed_and_the_miss_moves_the_ticket(story: Story) -> None:
    story.target("resolution", 60)
    story.policy(
        "clocks",
        percent("resolution", 75, "Warn the lead", notify("lead", "assignee")),
        percent("resolution", 100, "Missed", move(), involve("manager")),
    )
    ticket = story.open()
    take(ticket=ticket, actor=story.agent, clock=story.clock)
    story.phone.new()
    story.forward(minutes=45)
    story.phone.rang(("lena", "notify"), ("ann", "notify"))
    story.forward(minutes=15)
    story.phone.rang(("mona", "notify"), ("rita", "escalated"))
    now = story.fresh(ticket)
    assert (now.team, now.assignee, now.status) == (story.apps, None, "waiting_for_support")
    kinds = set(ticket.events.values_list("kind", flat=True))
    assert {EventKind.BREACHED, EventKind.FIRED, EventKind.ESCALATED} <= kinds
    functional, hierarchical = Escalation.objects.order_by("type")
    assert functional.to_team == story.apps
    assert list(hierarchical.to_people.all()) == [story.manager]


def test_after_an_outage_only_the_highest_threshold_of_a_clock_fires(story: Story) -> None:
    story.target("resolution", 60)
    story.policy(
        "clocks",
        percent("resolution", 50, "Half", notify("lead")),
        percent("resolution", 75, "Warn", notify("lead")),
        percent("resolution", 100, "Missed", notify("manager")),
    )
    ticket = story.open()
    story.phone.new()
    story.sleep(hours=3)
    story.sweep()
    assert story.fired(ticket) == ["Half (skipped)", "Warn (skipped)", "Missed"]
    story.phone.rang(("mona", "notify"))


def test_a_step_that_reaches_nobody_says_so_tells_the_fallback_and_goes_on(story: Story) -> None:
    story.desk.lead = None
    story.desk.save()
    story.policy(
        "hollow",
        unacknowledged(5, "Tell the lead", notify("lead")),
        unacknowledged(30, "Page on call", page("on_call")),
    )
    ticket = story.open()
    story.phone.ignore("received")
    story.forward(minutes=5)
    assert story.fired(ticket) == ["Tell the lead (empty)", "Page on call"]
    story.phone.rang(("ivan", "page"), ("ann", "page"))
    empty = Firing.objects.get(outcome="empty")
    assert any("nobody" in line for line in empty.explain["text"])


def test_a_ladder_repeats_as_often_as_it_says(story: Story) -> None:
    story.policy(
        "twice",
        unacknowledged(5, "Page on call", page("on_call")),
        repeat_limit=2,
        repeat_after_s=600,
    )
    ticket = story.open()
    story.phone.ignore("received")
    story.forward(hours=4)
    assert story.fired(ticket) == ["Page on call"] * 3
    times = list(Firing.objects.order_by("pk").values_list("fired_at", flat=True))
    assert [(later - times[0]).total_seconds() for later in times] == [0, 600, 1200]


def test_a_withdrawn_acknowledgement_resumes_at_the_rung_that_was_reached(story: Story) -> None:
    story.policy(
        "three",
        unacknowledged(5, "First", page("on_call")),
        unacknowledged(10, "Second", page("lead")),
        unacknowledged(20, "Third", page("manager")),
    )
    ticket = story.open()
    story.forward(minutes=11)
    acknowledge(ticket=ticket, actor=story.agent, clock=story.clock)
    story.forward(hours=1)
    unacknowledge(ticket=ticket, actor=story.agent, clock=story.clock)
    story.forward(minutes=9)
    assert story.fired(ticket) == ["First", "Second", "Second"]
    story.forward(minutes=1)
    assert story.fired(ticket) == ["First", "Second", "Second", "Third"]
