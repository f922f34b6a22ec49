"""A stop and a sweep at the same instant: whoever has the ticket's lock goes first, wholly."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from escalation.engine import climb, run_sweep
from escalation.models import Firing
from notifications.models import Message
from tests.escalation.test_moving_races import wait_for_somebody_waiting
from tests.story import Story, page, unacknowledged
from tickets.assignment import acknowledge
from tickets.lifecycle import resolve
from tickets.models import Ticket


def overdue(story: Story) -> Ticket:
    """A ticket whose only page has been due for long."""
    story.policy("p", unacknowledged(5, "Page", page("on_call")))
    return story.open()


def stops(story: Story, ticket: Ticket) -> dict[str, Callable[[], object]]:
    """What takes away the reason to page, each in the database's own time."""
    by = {"ticket": ticket, "actor": story.agent}
    return {
        "acknowledge": lambda: acknowledge(**by),
        "resolve": lambda: resolve(**by, code="fixed", text="Done"),
    }


def in_a_thread(deed: Callable[[], object]) -> tuple[threading.Thread, list[BaseException]]:
    raised: list[BaseException] = []

    def run() -> None:
        try:
            deed()
        except BaseException as problem:
            raised.append(problem)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread, raised


@pytest.mark.parametrize("stop", ["acknowledge", "resolve"])
def test_what_has_begun_to_stop_a_climb_is_not_overtaken_by_a_sweep(live_db, stop: str) -> None:
    story = Story(start=datetime.now(UTC) - timedelta(hours=1))
    ticket = overdue(story)
    with transaction.atomic():
        stops(story, ticket)[stop]()  # done, and not committed yet
        sweeper, raised = in_a_thread(run_sweep)
        sweeper.join(30)
        assert (sweeper.is_alive(), raised) == (False, []), "a sweep waits for nobody"
        assert not Firing.objects.exists()
    run_sweep()
    assert not Firing.objects.exists()


@pytest.mark.parametrize("stop", ["acknowledge", "resolve"])
def test_a_stop_that_comes_while_a_step_is_carried_out_waits_and_takes_its_page_back(
    live_db, stop: str
) -> None:
    story = Story(start=datetime.now(UTC) - timedelta(hours=1))
    ticket = overdue(story)
    looks: list[datetime] = []
    begun: list[tuple[threading.Thread, list[BaseException]]] = []

    def stopped_after_the_claim() -> datetime:
        looks.append(datetime.now(UTC))
        if len(looks) == 2:  # the time that is read after the locks
            begun.append(in_a_thread(stops(story, ticket)[stop]))
            wait_for_somebody_waiting()
        return looks[-1]

    assert len(climb(clock=stopped_after_the_claim)) == 1
    ((stopper, raised),) = begun
    stopper.join(30)
    assert (stopper.is_alive(), raised) == (False, [])
    (firing,) = Firing.objects.all()
    event = ticket.events.get(kind="acknowledged" if stop == "acknowledge" else "resolved")
    assert event.seq > ticket.events.get(kind="fired").seq
    assert Message.objects.get(cause=firing.cause).state == "withdrawn"
    run_sweep()
    assert Firing.objects.count() == 1
