"""What happens at the same instant as a move of climbs to another revision."""

import threading
import time

from django.db import connection, transaction

from escalation.models import Run
from escalation.moving import move_runs
from tests.story import Story, notify, unacknowledged
from tickets import timeline


def wait_for_somebody_waiting() -> None:
    for _ in range(100):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.1)
    raise AssertionError("Nobody waits.")


def test_a_climb_that_begins_does_not_wait_for_a_move_of_others(live_db) -> None:
    story = Story()
    story.policy("p", unacknowledged(50, "Lead", notify("lead")))
    ticket = story.open()
    policy = story.policy("p", unacknowledged(60, "Lead", notify("lead")))
    raised: list[BaseException] = []

    def move() -> None:
        try:
            move_runs(policy=policy, actor=None, reason="Better", clock=story.clock)
        except BaseException as problem:
            raised.append(problem)
        finally:
            connection.close()

    with transaction.atomic():
        timeline.lock(ticket.pk)
        mover = threading.Thread(target=move)
        mover.start()
        wait_for_somebody_waiting()
        other = story.open()  # While this ticket's lock is held, as the engine does in a batch.
    mover.join(30)
    assert raised == []
    assert Run.objects.get(ticket=other).revision_id == policy.current_id
    assert Run.objects.get(ticket=ticket, state="active").revision_id == policy.current_id
