"""Doorways for Celery: alerts and heartbeats are looked after, and new events lined up and told."""

from celery import shared_task

from roles.retention import let_go_nightly
from tickets.alertcare import look_after
from tickets.feed import forget_old, relay_all

_SOFT_LIMIT_S = 3600
_HARD_LIMIT_S = 3660


@shared_task(name="tickets.tasks.look_after_alerts", ignore_result=True)
def look_after_alerts() -> int:
    """Do what the calendar says of alerts; any number of these may run at once."""
    return look_after()


@shared_task(name="tickets.tasks.relay", ignore_result=True)
def relay() -> int:
    """Line up new events in the feed; any number of these may run at once, one works."""
    return relay_all()


@shared_task(name="tickets.tasks.forget", ignore_result=True)
def forget() -> int:
    """Let go of the feed's places of a week ago."""
    return forget_old()


@shared_task(
    name="tickets.tasks.let_go",
    ignore_result=True,
    soft_time_limit=_SOFT_LIMIT_S,
    time_limit=_HARD_LIMIT_S,
)
def let_go() -> int:
    """Let go of what an administrator's periods end, once a night; doubled, it finds nothing."""
    return let_go_nightly()
