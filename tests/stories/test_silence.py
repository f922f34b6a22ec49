"""Never silent: an urgent ticket on which nothing will happen by itself raises an alarm, once."""

from datetime import timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext

from escalation.models import Quarantine, Recount, Run, Silence
from escalation.silence import reasons_of, run_watch, watch
from notifications.models import Attempt, Message
from roles.models import Person
from tests.story import Story, move, notify, page, percent, unacknowledged
from tickets.assignment import acknowledge, assign, take
from tickets.lifecycle import pend, resolve
from tickets.models import Origin, Ticket


def urgent(story: Story, **fields: object) -> Ticket:
    ticket = story.open(impact=1, urgency=1, **fields)
    story.phone.new()
    return ticket


def alarms(story: Story) -> list[tuple[str, str]]:
    watch(clock=story.clock)
    return story.phone.new()


def set_on_call(story: Story, person: Person, is_there: bool) -> None:
    """Let somebody's account be there or not, and so the team's one on call."""
    person.is_active = is_there
    person.save()


IVAN = [("ivan", "alarm")]


def test_an_urgent_ticket_whose_next_step_reaches_somebody_is_not_silent(story: Story) -> None:
    story.policy("p", unacknowledged(5, "Page", page("on_call")))
    urgent(story)
    assert alarms(story) == []


def test_a_missing_policy_raises_one_alarm_and_no_second(story: Story) -> None:
    ticket = urgent(story)
    assert alarms(story) == IVAN
    assert Silence.objects.get(ticket=ticket).reason.startswith("No policy runs")
    story.forward(hours=1)
    assert alarms(story) == []


def test_nobody_on_call_raises_the_alarm_and_somebody_ends_it(story: Story) -> None:
    story.policy("p", unacknowledged(60, "Page", page("on_call")))
    ticket = urgent(story)
    set_on_call(story, story.agent, False)
    assert alarms(story) == IVAN
    assert "on call in Desk: nobody" in Silence.objects.get(ticket=ticket).reason
    set_on_call(story, story.agent, True)
    story.forward(minutes=1)
    assert alarms(story) == []
    silence = Silence.objects.get(ticket=ticket)
    assert silence.ended_at == story.now
    assert Message.objects.get(cause=silence.cause).state == "withdrawn"


def test_a_page_put_off_for_a_far_shift_goes_out_as_soon_as_somebody_is_put_on_call(
    story: Story,
) -> None:
    story.put_on_call(story.desk, [])
    story.put_on_call(story.desk, [story.agent], valid_from=story.now + timedelta(days=7))
    gates = {"hold_for_shift": True}
    story.policy("p", unacknowledged(5, "Page", page("on_call"), gates=gates))
    ticket = urgent(story)
    story.forward(minutes=6)
    assert alarms(story) == IVAN
    assert story.fired(ticket) == []
    story.put_on_call(story.desk, [story.colleague])
    Recount.objects.all().delete()  # As if no roster had changed: here the watch shall do it.
    story.forward(minutes=1)
    assert alarms(story) == []
    story.forward(seconds=1)
    assert story.fired(ticket) == ["Page"]
    story.phone.rang(("bob", "page"))


def test_a_ticket_that_falls_silent_again_raises_a_new_alarm(story: Story) -> None:
    story.policy("p", unacknowledged(60, "Page", page("on_call")))
    urgent(story)
    for _ in range(2):
        set_on_call(story, story.agent, False)
        assert alarms(story) == IVAN
        set_on_call(story, story.agent, True)
        assert alarms(story) == []
    assert Silence.objects.filter(ended_at__isnull=False).count() == 2


def test_a_ladder_that_is_used_up_raises_the_alarm(story: Story) -> None:
    story.policy("p", unacknowledged(5, "Page", page("on_call")))
    ticket = urgent(story)
    story.forward(minutes=6)
    story.phone.rang(("ann", "page"))
    assert alarms(story) == IVAN
    assert Silence.objects.get(ticket=ticket).reason.startswith("No step is left")


def test_a_rung_that_reaches_nobody_is_made_good_by_the_next_one(story: Story) -> None:
    story.policy(
        "p",
        unacknowledged(5, "Up", move(), page("on_call")),
        unacknowledged(10, "Call", page("duty:incident-manager")),
    )
    ticket = urgent(story, team=story.platform)
    assert alarms(story) == [], "at the top the move is empty, and the rung above goes at once"
    story.incident_manager.is_active = False
    story.incident_manager.save()
    assert "there is no next tier" in reasons_of([ticket.pk], story.now)[ticket.pk]


def test_a_move_to_a_team_that_takes_none_or_has_the_ticket_comes_to_nothing(story: Story) -> None:
    story.policy("p", unacknowledged(30, "To apps", move("team:apps")))
    there, elsewhere = urgent(story, team=story.apps), urgent(story)
    reasons = reasons_of([there.pk, elsewhere.pk], story.now)
    assert "Apps has the ticket already" in reasons[there.pk]
    assert reasons[elsewhere.pk] == ""
    story.apps.is_active = False
    story.apps.save()
    assert "Apps takes none" in reasons_of([elsewhere.pk], story.now)[elsewhere.pk]


def test_a_page_behind_a_move_reaches_the_team_that_has_the_ticket(story: Story) -> None:
    story.policy("p", unacknowledged(30, "To apps", move("team:apps"), page("on_call")))
    ticket = urgent(story, team=story.apps)
    assert reasons_of([ticket.pk], story.now)[ticket.pk] == ""


def test_dead_channels_raise_the_alarm(story: Story) -> None:
    story.policy("p", unacknowledged(60, "Page", page("on_call")))
    urgent(story)
    message = Message.objects.first()
    for number in range(1, 4):
        Attempt.objects.create(
            message=message,
            number=number,
            started_at=story.now,
            finished_at=story.now,
            outcome="failed",
        )
    assert alarms(story) == IVAN
    assert "email fails just now" in Silence.objects.get().reason
    Attempt.objects.create(
        message=message, number=4, started_at=story.now, finished_at=story.now, outcome="sent"
    )
    assert alarms(story) == []
    assert Silence.objects.get().ended_at is not None


def test_somebody_without_an_address_is_nobody(story: Story) -> None:
    story.policy("p", unacknowledged(60, "Page", page("on_call")))
    story.agent.email = ""
    story.agent.save()
    urgent(story)
    assert alarms(story) == IVAN
    assert "no address" in Silence.objects.get().reason


def test_a_requester_alone_is_nobody(story: Story) -> None:
    story.policy("p", unacknowledged(60, "Tell", notify("requester")))
    urgent(story)
    assert alarms(story) == IVAN


def test_an_acknowledged_ticket_is_next_at_its_deadline_in_that_persons_hands(
    story: Story,
) -> None:
    story.target("resolution", 60)
    story.policy("p", unacknowledged(5, "Page", page("on_call")))
    ticket = urgent(story)
    acknowledge(ticket=ticket, actor=story.agent, clock=story.clock)
    assert alarms(story) == []
    story.forward(minutes=61)
    assert alarms(story) == IVAN, "the deadline has passed and nothing follows"


def test_a_clock_step_keeps_an_acknowledged_ticket_from_being_silent(story: Story) -> None:
    story.target("resolution", 60)
    story.policy("p", percent("resolution", 200, "Late", page("lead")))
    ticket = urgent(story)
    acknowledge(ticket=ticket, actor=story.agent, clock=story.clock)
    story.forward(minutes=61)
    assert alarms(story) == []


def test_a_pending_ticket_needs_a_date_to_wake_up(story: Story) -> None:
    story.policy("p", unacknowledged(5, "Page", page("on_call")))
    first, second = urgent(story), urgent(story)
    for ticket, wake_at in ((first, None), (second, story.now + timedelta(hours=2))):
        assign(ticket=ticket, actor=story.lead, assignee=story.agent, clock=story.clock)
        pend(
            ticket=ticket,
            actor=story.agent,
            status="pending_vendor",
            reason="RMA",
            wake_at=wake_at,
            clock=story.clock,
        )
    story.phone.new()
    watch(clock=story.clock)
    assert list(Silence.objects.values_list("ticket_id", flat=True)) == [first.pk]


def test_what_is_solved_lowered_imported_or_in_quarantine_is_not_watched(story: Story) -> None:
    solved, lowered, imported, stuck = (urgent(story) for _ in range(4))
    take(ticket=solved, actor=story.agent, clock=story.clock)
    resolve(ticket=solved, actor=story.agent, code="fixed", text="x", clock=story.clock)
    Ticket.objects.filter(pk=lowered.pk).update(priority=3)
    Ticket.objects.filter(pk=imported.pk).update(origin=Origin.IMPORTED)
    Quarantine.objects.create(ticket=stuck, tries=3, last_tried_at=story.now, since=story.now)
    watch(clock=story.clock)
    assert not Silence.objects.exists()


def test_a_restricted_silence_tells_its_fallback_no_fact(story: Story) -> None:
    case = story.open(kind="security", restricted=True, impact=1, urgency=1, service=None)
    story.phone.new()
    watch(clock=story.clock)
    alarm = Message.objects.get(kind="alarm")
    assert alarm.recipient == story.analyst
    assert case.key not in alarm.subject + alarm.body


def test_the_watch_costs_the_same_for_many_tickets(story: Story) -> None:
    story.policy("p", unacknowledged(60, "Page", page("on_call")))

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            watch(clock=story.clock)
        return len(queries)

    urgent(story)
    few = cost()
    for _ in range(15):
        urgent(story)
    assert cost() == few


def test_a_climb_whose_step_is_not_noted_is_noted_first(story: Story) -> None:
    story.policy("p", unacknowledged(60, "Page", page("on_call")))
    urgent(story)
    Run.objects.update(next_step=None)
    assert alarms(story) == []
    assert Run.objects.get().next_step is not None


def test_two_watchers_in_a_row_are_one(story: Story) -> None:
    urgent(story)
    assert run_watch(clock=story.clock) == 1
    urgent(story)
    assert run_watch(clock=story.clock) == 0, "somebody has just looked"
    story.forward(seconds=30)
    assert run_watch(clock=story.clock) == 1
