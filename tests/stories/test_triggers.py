"""What makes a step due beside silence and clocks: each trigger, once, at its moment."""

import pytest

from escalation.handover import escalate, hand_back
from escalation.models import Firing, Run, TicketFact
from escalation.reactions import heal
from tests.story import Story, notify, page, percent, unacknowledged
from tickets.assignment import acknowledge, assign, take, unacknowledge
from tickets.lifecycle import chase, comment, pend, reopen, resolve, resume
from tickets.triage import override_priority

DAY_S = 86_400


def when(trigger: str, name: str, *actions: dict, **about: object) -> dict:
    """A step by trigger; delays in wall time."""
    return {"name": name, "trigger": trigger, "basis": "wall", "actions": list(actions), **about}


def test_a_step_may_go_when_so_much_time_is_left_on_a_clock(story: Story) -> None:
    story.target("resolution", 60)
    step = when("clock_remaining", "Ten left", notify("lead"), clock="resolution", remaining_s=600)
    story.policy("p", step)
    ticket = story.open()
    story.forward(minutes=49)
    assert story.fired(ticket) == []
    story.forward(minutes=1)
    assert story.fired(ticket) == ["Ten left"]


def test_a_percentage_beyond_the_target_tells_how_late_it_is(story: Story) -> None:
    story.target("resolution", 60)
    story.policy("p", percent("resolution", 150, "Half as long again", notify("manager")))
    ticket = story.open()
    story.forward(minutes=90)
    assert story.fired(ticket) == ["Half as long again"]


def ack_timeout(story: Story) -> None:
    story.policy(
        "p",
        unacknowledged(0, "Page", page("on_call")),
        when("silent", "Lapse", {"do": "unacknowledge"}, delay_s=1800),
    )


def test_an_acknowledgement_lapses_when_nothing_follows_and_the_pages_resume(
    story: Story,
) -> None:
    ack_timeout(story)
    ticket = story.open()
    story.forward(minutes=1)
    acknowledge(ticket=ticket, actor=story.agent, clock=story.clock)
    story.phone.new()
    story.forward(minutes=29)
    story.phone.was_silent()
    story.forward(minutes=1)
    assert story.fired(ticket) == ["Page", "Lapse", "Page"]
    story.phone.rang(("ann", "page"))
    assert not story.fresh(ticket).is_acknowledged


def test_whatever_one_of_us_does_breaks_the_silence_and_the_requester_does_not(
    story: Story,
) -> None:
    ack_timeout(story)
    ticket = story.open()
    take(ticket=ticket, actor=story.agent, clock=story.clock)
    story.forward(minutes=20)
    comment(ticket=ticket, actor=story.agent, text="Looking", public=False, clock=story.clock)
    story.forward(minutes=20)
    comment(ticket=ticket, actor=story.requester, text="And?", public=True, clock=story.clock)
    assert story.fired(ticket) == []
    story.forward(minutes=10)
    assert story.fired(ticket)[0] == "Lapse"


def test_each_new_silence_is_told_of_anew(story: Story) -> None:
    story.policy("p", when("silent", "Ask", notify("assignee"), delay_s=1800))
    ticket = story.open()
    take(ticket=ticket, actor=story.agent, clock=story.clock)
    story.forward(hours=3)
    assert story.fired(ticket) == ["Ask"]
    comment(ticket=ticket, actor=story.agent, text="Still on it", public=False, clock=story.clock)
    story.forward(minutes=30)
    assert story.fired(ticket) == ["Ask", "Ask"]


def test_waiting_for_the_requester_is_no_silence_of_ours(story: Story) -> None:
    story.policy("p", when("silent", "Ask", notify("assignee"), delay_s=1800))
    ticket = story.open()
    take(ticket=ticket, actor=story.agent, clock=story.clock)
    story.forward(minutes=10)
    pend(
        ticket=ticket,
        actor=story.agent,
        status="pending_requester",
        reason="Which?",
        clock=story.clock,
    )
    story.forward(hours=5)
    assert story.fired(ticket) == []


def test_time_since_the_start_runs_on_whatever_the_status(story: Story) -> None:
    story.policy("p", when("since_start", "Two hours in", notify("manager"), delay_s=7200))
    ticket = story.open()
    take(ticket=ticket, actor=story.agent, clock=story.clock)
    pend(
        ticket=ticket,
        actor=story.agent,
        status="pending_requester",
        reason="Which?",
        clock=story.clock,
    )
    story.forward(minutes=119)
    assert story.fired(ticket) == []
    story.forward(minutes=1)
    assert story.fired(ticket) == ["Two hours in"]


def test_a_ticket_reopened_twice_is_told_of_in_the_climb_that_begins_then(story: Story) -> None:
    story.policy("p", when("reopened", "Again", notify("manager"), count=2))
    ticket = story.open()
    for _ in range(2):
        assert story.fired(ticket) == []
        take(ticket=ticket, actor=story.agent, clock=story.clock)
        resolve(ticket=ticket, actor=story.agent, code="fixed", text="Done", clock=story.clock)
        reopen(ticket=ticket, actor=story.requester, reason="No", clock=story.clock)
        story.forward(minutes=1)
    assert story.fired(ticket) == ["Again"]


def test_the_third_chase_is_told_of_once(story: Story) -> None:
    story.policy("p", when("chased", "Impatient", notify("lead"), count=3))
    ticket = story.open()
    for number in range(1, 6):
        story.forward(hours=1)
        chase(ticket=ticket, actor=story.requester, text="And?", clock=story.clock)
        story.forward(seconds=1)
        assert story.fired(ticket) == (["Impatient"] if number >= 3 else [])
    firing = Firing.objects.get()
    assert firing.explain["seen"] == 3
    assert firing.due_at <= firing.fired_at


def to_apps_and_back(story: Story, ticket: object) -> None:
    escalate(
        ticket=ticket, actor=story.agent, reason_code="skill", reason="Stuck", clock=story.clock
    )
    story.forward(minutes=5)
    hand_back(
        ticket=ticket,
        actor=story.engineer,
        reason_code="solvable",
        reason="Cache",
        clock=story.clock,
    )
    story.forward(seconds=1)


def test_a_ticket_that_comes_back_calls_the_incident_manager_and_stops_nobody(
    story: Story,
) -> None:
    story.policy(
        "p",
        when("ping_pong", "Name an owner", page("duty:incident-manager"), count=1),
        unacknowledged(30, "Page", page("on_call")),
    )
    ticket = story.open()
    to_apps_and_back(story, ticket)
    assert story.fired(ticket) == ["Name an owner"]
    story.forward(minutes=30)
    assert story.fired(ticket) == ["Name an owner", "Page"]


def test_so_many_hand_overs_are_told_of(story: Story) -> None:
    story.policy("p", when("handed_over", "Wanders", notify("lead"), count=2))
    ticket = story.open()
    to_apps_and_back(story, ticket)
    assert story.fired(ticket) == ["Wanders"]


@pytest.mark.parametrize("same", ["requester", "service", "asset"])
def test_the_third_ticket_of_one_origin_within_a_week_tells_of_the_repeat(
    story: Story, same: str
) -> None:
    step = when("repeated", "Again", notify("manager"), count=3, window_s=7 * DAY_S, same=same)
    story.policy("p", step)
    other = story.person("olga")
    aside = {"requester": other, "actor": other, "service": None, "asset": "other"}
    tickets = []
    for _ in range(3):
        tickets.append(story.open(asset="printer-7"))
        story.open(**aside)
        story.forward(days=2)
    assert [story.fired(ticket) for ticket in tickets] == [[], [], ["Again"]]
    story.forward(days=8)
    late = story.open(asset="printer-7")
    story.forward(minutes=1)
    assert story.fired(late) == []


def test_what_came_in_before_the_others_is_no_repeat_of_them_however_late_one_looks(
    story: Story,
) -> None:
    step = when("repeated", "Again", notify("lead"), count=3, window_s=7 * DAY_S, same="requester")
    story.policy("p", step)
    tickets = [story.open() for _ in range(4)]
    story.forward(minutes=1)
    for ticket in tickets:
        comment(ticket=ticket, actor=story.agent, text="Look", public=False, clock=story.clock)
    story.forward(days=6)
    escalate(
        ticket=tickets[0], actor=story.agent, reason_code="skill", reason="?", clock=story.clock
    )
    story.forward(minutes=1)
    assert [story.fired(ticket) for ticket in tickets] == [[], [], ["Again"], ["Again"]]


def test_restricted_tickets_do_not_count_as_repeats_of_open_ones(story: Story) -> None:
    step = when("repeated", "Again", notify("manager"), count=2, window_s=DAY_S, same="requester")
    story.policy("p", step)
    story.open(kind="security", restricted=True)
    ticket = story.open()
    story.forward(minutes=1)
    assert story.fired(ticket) == []


def test_an_estimated_risk_goes_off_each_time_that_it_comes_to_be_high(story: Story) -> None:
    story.policy("p", when("risk", "Likely late", notify("lead"), percent=80))
    ticket = story.open()

    def estimate(risk: int) -> None:
        TicketFact.objects.update_or_create(ticket=ticket, defaults={"risk": risk, "at": story.now})
        heal([ticket.pk], clock=story.clock)
        story.forward(minutes=5)

    for risk in (40, 85, 95, 30):
        estimate(risk)
    assert story.fired(ticket) == ["Likely late"]
    estimate(90)
    assert story.fired(ticket) == ["Likely late", "Likely late"]
    assert [firing.entry for firing in Firing.objects.order_by("pk")] == [1, 2]


def test_a_step_whose_condition_does_not_hold_at_its_moment_says_which(story: Story) -> None:
    step = unacknowledged(
        5, "Page", page("on_call"), conditions=[{"fact": "priority", "is": [1, 2]}]
    )
    story.policy("p", step, unacknowledged(10, "Tell", notify("lead")))
    ticket = story.open()
    story.phone.ignore("received")
    story.forward(minutes=10)
    assert story.fired(ticket) == ["Page (skipped)", "Tell"]
    told = Firing.objects.first().explain  # type: ignore[union-attr]
    skipped = Firing.objects.get(outcome="skipped").explain
    assert "priority is 1 or 2 does not hold" in skipped["reason"]
    assert skipped["facts"]["priority"] == 5
    assert told["facts"]["team"] == "desk"


@pytest.mark.parametrize("word", ["acknowledged", "taken", "first_response", "moved"])
def test_a_policy_may_end_for_good_and_is_not_begun_anew_by_the_same_ticket(
    story: Story, word: str
) -> None:
    story.target("resolution", 600)
    story.policy("p", percent("resolution", 50, "Half", notify("lead")), stop_on=[word])
    ticket = story.open()
    story.forward(minutes=10)
    if word == "moved":
        escalate(
            ticket=ticket, actor=story.agent, reason_code="skill", reason="Stuck", clock=story.clock
        )
    else:
        take(ticket=ticket, actor=story.agent, clock=story.clock)
        comment(ticket=ticket, actor=story.agent, text="Hello", public=True, clock=story.clock)
    story.forward(hours=6)
    assert story.fired(ticket) == []
    run = Run.objects.get(ticket=ticket)
    assert (run.state, run.stop_reason != "") == ("done", True)
    if word != "moved":
        resolve(ticket=ticket, actor=story.agent, code="fixed", text="Done", clock=story.clock)
        reopen(ticket=ticket, actor=story.requester, reason="No", clock=story.clock)
        assert list(Run.objects.order_by("pk").values_list("state", flat=True)) == [
            "stopped",
            "active",
        ]


def test_the_wait_before_a_new_round_stands_still_while_pending(story: Story) -> None:
    story.policy(
        "p", unacknowledged(5, "Page", page("on_call")), repeat_limit=2, repeat_after_s=1200
    )
    ticket = story.open()
    assign(ticket=ticket, actor=story.lead, assignee=story.agent, clock=story.clock)
    story.forward(minutes=10)
    pend(
        ticket=ticket,
        actor=story.agent,
        status="pending_requester",
        reason="Which?",
        clock=story.clock,
    )
    story.forward(hours=3)
    assert story.fired(ticket) == ["Page"]
    resume(ticket=ticket, actor=story.agent, clock=story.clock)
    story.forward(minutes=14)
    assert story.fired(ticket) == ["Page"]
    story.forward(minutes=1)
    assert story.fired(ticket) == ["Page", "Page"]


def test_the_wait_before_a_new_round_counts_by_the_basis_of_the_step(story: Story) -> None:
    story.desk.calendar = story.office
    story.desk.save()
    step = unacknowledged(5, "Page", page("on_call"), basis="team")
    story.policy("p", step, repeat_limit=1, repeat_after_s=3600)
    story.forward(hours=6, minutes=30)  # 16:30 in Berlin
    ticket = story.open()
    story.forward(hours=12)
    assert story.fired(ticket) == ["Page"]
    story.forward(hours=5)  # 09:30 in Berlin
    assert story.fired(ticket) == ["Page"]
    story.forward(minutes=10)
    assert story.fired(ticket) == ["Page", "Page"]


def test_lapsed_acknowledgements_use_up_no_round_of_the_ladder(story: Story) -> None:
    story.policy(
        "p",
        unacknowledged(5, "Page", page("on_call")),
        unacknowledged(15, "Tell the lead", notify("lead")),
        repeat_limit=1,
        repeat_after_s=600,
    )
    ticket = story.open()
    story.forward(minutes=6)
    for _ in range(3):
        acknowledge(ticket=ticket, actor=story.agent, clock=story.clock)
        unacknowledge(ticket=ticket, actor=story.agent, clock=story.clock)
        story.forward(minutes=1)
    story.forward(hours=2)
    assert story.fired(ticket).count("Tell the lead") == 2
    assert story.fired(ticket)[-1] == "Tell the lead"


def solved_and_back(story: Story, ticket: object, person: object) -> None:
    take(ticket=ticket, actor=person, clock=story.clock)
    resolve(ticket=ticket, actor=person, code="fixed", text="Done", clock=story.clock)
    reopen(ticket=ticket, actor=story.requester, reason="No", clock=story.clock)
    story.forward(seconds=1)


def test_what_was_counted_before_a_reopening_is_not_told_of_again(story: Story) -> None:
    story.policy(
        "p",
        when("chased", "Impatient", notify("lead"), count=2),
        when("handed_over", "Wandering", notify("lead"), count=2),
        when("ping_pong", "Ping-pong", notify("lead"), count=1),
    )
    ticket = story.open()
    to_apps_and_back(story, ticket)
    for _ in range(2):
        story.forward(hours=1)
        chase(ticket=ticket, actor=story.requester, text="And?", clock=story.clock)
    story.forward(seconds=1)
    told = story.fired(ticket)
    assert sorted(told) == ["Impatient", "Ping-pong", "Wandering"]
    solved_and_back(story, ticket, story.agent)
    story.forward(hours=1)
    chase(ticket=ticket, actor=story.requester, text="And?", clock=story.clock)
    story.forward(minutes=1)
    assert story.fired(ticket) == told
    story.forward(hours=1)
    chase(ticket=ticket, actor=story.requester, text="And??", clock=story.clock)
    story.forward(seconds=1)
    assert story.fired(ticket) == [*told, "Impatient"]
    to_apps_and_back(story, ticket)
    story.forward(seconds=1)
    assert sorted(story.fired(ticket)[4:]) == ["Ping-pong", "Wandering"]


def test_a_climb_that_takes_over_from_another_goes_on_with_its_counts(story: Story) -> None:
    chased = when("chased", "Impatient", notify("lead"), count=2)
    story.policy("p1", chased, conditions=[{"fact": "priority", "is": 1}], position=1)
    story.policy("rest", unacknowledged(600, "Later", notify("lead")))
    ticket = story.open()
    for _ in range(2):
        story.forward(hours=1)
        chase(ticket=ticket, actor=story.requester, text="And?", clock=story.clock)
    story.forward(minutes=1)
    assert story.fired(ticket) == []
    override_priority(ticket=ticket, actor=None, priority=1, reason="Urgent now", clock=story.clock)
    story.forward(seconds=1)
    assert story.fired(ticket) == ["Impatient"]
