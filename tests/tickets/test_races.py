"""What two people do at the same instant to changes, problems and the tickets around them."""

import threading
from collections.abc import Callable

from django.db import connection

from roles.models import Duty, DutyAssignment
from tests.story import Story
from tickets.assignment import take
from tickets.changes import approve_change, end_change, plan_change, submit_change
from tickets.lifecycle import pend
from tickets.models import Ticket, TicketLink
from tickets.repeats import open_or_join_problem


def at_once(*deeds: Callable[[], object]) -> list[BaseException]:
    """Do all of it in threads of their own, from one start; what they raised."""
    gate = threading.Barrier(len(deeds))
    raised: list[BaseException] = []

    def run(deed: Callable[[], object]) -> None:
        try:
            gate.wait()
            deed()
        except BaseException as problem:
            raised.append(problem)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(deed,)) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return raised


def test_repeats_that_come_at_once_open_one_problem(live_db) -> None:
    story = Story()
    tickets = [story.open() for _ in range(6)]
    raised = at_once(
        *(
            lambda ticket=ticket: open_or_join_problem(ticket=ticket, clock=story.clock)
            for ticket in tickets
        )
    )
    assert raised == []
    assert Ticket.objects.filter(kind="problem").count() == 1
    assert TicketLink.objects.count() == 6


def test_who_begins_to_wait_while_a_change_ends_waits_for_nothing(live_db) -> None:
    story = Story()
    rosa = story.person("rosa")
    duty = Duty.objects.create(slug="change-manager", name="Change manager")
    DutyAssignment.objects.create(duty=duty, person=rosa)
    early = [story.open() for _ in range(3)]
    change = story.open(kind="change", actor=story.agent)
    late = [story.open() for _ in range(3)]
    for ticket in (*early, *late):
        take(ticket=ticket, actor=story.agent, clock=story.clock)
    plan_change(
        ticket=change, actor=story.agent, plan="a", test="b", back_out="c", clock=story.clock
    )
    submit_change(ticket=change, actor=story.agent, clock=story.clock)
    approve_change(ticket=change, actor=rosa, clock=story.clock)

    def wait(ticket: Ticket) -> None:
        pend(
            ticket=ticket, actor=story.agent, status="pending_change", reason="x", change=change,
            clock=story.clock,
        )  # fmt: skip

    def end() -> None:
        end_change(
            ticket=change, actor=story.agent, how="implemented", result="Done", clock=story.clock
        )

    raised = at_once(*(lambda t=t: wait(t) for t in (*early, *late)), end)
    assert {type(problem).__name__ for problem in raised} <= {"Invalid"}
    assert not Ticket.objects.filter(status="pending_change").exists()
