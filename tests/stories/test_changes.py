"""Facts change in mid-climb: priority, policy, targets; nothing is skipped silently or repeated."""

from escalation.models import Clock, Policy, Run, Target
from escalation.promises import publish_target
from tests.story import Story, notify, page, percent, unacknowledged
from tickets.assignment import acknowledge, assign, take
from tickets.lifecycle import comment, pend, reopen, resolve
from tickets.models import EventKind
from tickets.triage import set_urgency_impact


def raised(story: Story, ticket):  # type: ignore[no-untyped-def]
    set_urgency_impact(
        ticket=ticket,
        actor=story.agent,
        impact=1,
        urgency=1,
        reason="Everybody is affected",
        clock=story.clock,
    )


def test_raising_the_priority_keeps_pending_time_and_may_breach_at_once(story: Story) -> None:
    story.target("resolution", 30, priority=1)
    story.target("resolution", 600)
    ticket = story.open()
    take(ticket=ticket, actor=story.agent, clock=story.clock)
    story.forward(minutes=20)
    pend(
        ticket=ticket,
        actor=story.agent,
        status="pending_requester",
        reason="Which?",
        clock=story.clock,
    )
    story.forward(hours=2)
    raised(story, ticket)
    clock = Clock.objects.get(kind="resolution")
    assert (clock.target_s, clock.elapsed_s, clock.state) == (1800, 1200, "paused")
    comment(
        ticket=ticket, actor=story.requester, text="All of them", public=True, clock=story.clock
    )
    story.forward(minutes=9)
    assert Clock.objects.get(kind="resolution").breached_at is None
    story.forward(minutes=1)
    assert Clock.objects.get(kind="resolution").breached_at == story.now


def test_another_priority_may_bring_another_policy_and_says_so(story: Story) -> None:
    story.policy(
        "outage",
        unacknowledged(2, "Page at once", page("on_call")),
        conditions=[{"fact": "priority", "is": [1, 2]}],
        position=1,
    )
    story.policy("standard", unacknowledged(60, "Page", page("on_call")), position=2)
    ticket = story.open()
    story.phone.ignore("received")
    story.forward(minutes=10)
    raised(story, ticket)
    story.forward(seconds=1)
    assert story.fired(ticket) == ["Page at once"]
    old, new = Run.objects.order_by("pk")
    assert (old.state, new.policy.slug) == ("superseded", "outage")
    kinds = list(ticket.events.values_list("kind", flat=True))
    assert kinds.count(EventKind.RUN_STOPPED) == 1


def test_publishing_a_new_revision_leaves_running_climbs_on_theirs(story: Story) -> None:
    story.policy("standard", unacknowledged(30, "Old page", page("on_call")))
    before = story.open()
    story.policy("standard", unacknowledged(5, "New page", page("on_call")))
    after = story.open()
    story.phone.ignore("received")
    story.forward(minutes=30)
    assert (story.fired(before), story.fired(after)) == (["Old page"], ["New page"])


def test_an_edited_target_touches_no_running_clock(story: Story) -> None:
    story.target("resolution", 60)
    ticket = story.open()
    target = Target.objects.get()
    publish_target(
        target=target,
        clock_kind="resolution",
        seconds=60,
        calendar=story.always,
        clock=story.clock,
    )
    comment(ticket=ticket, actor=story.agent, text="Looking", public=False, clock=story.clock)
    assert Clock.objects.get(ticket=ticket).target_s == 3600
    assert Clock.objects.get(ticket=story.open()).target_s == 60


def test_reopening_starts_a_new_climb_under_the_policy_then_current(story: Story) -> None:
    story.policy("standard", unacknowledged(30, "Page", page("on_call")))
    ticket = story.open()
    take(ticket=ticket, actor=story.agent, clock=story.clock)
    resolve(ticket=ticket, actor=story.agent, code="fixed", text="Done", clock=story.clock)
    story.policy("standard", unacknowledged(5, "Sooner", page("on_call")))
    story.forward(hours=1)
    reopen(ticket=ticket, actor=story.requester, reason="Still broken", clock=story.clock)
    story.phone.new()
    story.forward(minutes=5)
    story.phone.rang(("ann", "page"))
    assert story.fired(ticket) == ["Sooner"]
    assert Run.objects.filter(ticket=ticket).count() == 2


def test_the_same_facts_never_start_a_second_run(story: Story) -> None:
    story.policy("standard", unacknowledged(30, "Page", page("on_call")))
    ticket = story.open()
    Policy.objects.update(position=99)
    story.policy("other", unacknowledged(1, "Other", page("on_call")), position=1)
    assign(ticket=ticket, actor=story.lead, assignee=story.agent, clock=story.clock)
    assert Run.objects.get(ticket=ticket).policy.slug == "standard"


def test_office_hours_keep_a_low_priority_step_for_the_morning(story: Story) -> None:
    story.desk.calendar = story.office
    story.desk.save()
    story.policy("day", unacknowledged(60, "Page", page("on_call"), basis="auto"))
    story.forward(hours=6, minutes=30)  # 15:30 UTC is 16:30 in Berlin
    ticket = story.open()
    story.phone.new()
    story.forward(hours=16, minutes=59)  # until 08:29 UTC, 09:29 in Berlin
    assert story.fired(ticket) == []
    story.forward(minutes=1)
    assert story.fired(ticket) == ["Page"]


def test_a_warning_never_follows_the_breach_when_the_target_shrinks(story: Story) -> None:
    story.target("resolution", 30, priority=1)
    story.target("resolution", 600)
    story.policy(
        "clocks",
        percent("resolution", 75, "Warn", notify("lead")),
        percent("resolution", 100, "Missed", notify("manager")),
    )
    ticket = story.open()
    acknowledge(ticket=ticket, actor=story.agent, clock=story.clock)
    story.forward(minutes=40)
    raised(story, ticket)
    story.forward(seconds=1)
    assert story.fired(ticket) == ["Warn (skipped)", "Missed"]
