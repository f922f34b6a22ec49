"""Doorways for Celery: alerts and heartbeats are looked after now and then."""

from celery import shared_task

from tickets.alertcare import look_after


@shared_task(name="tickets.tasks.look_after_alerts", ignore_result=True)
def look_after_alerts() -> int:
    """Do what the calendar says of alerts; any number of these may run at once."""
    return look_after()
