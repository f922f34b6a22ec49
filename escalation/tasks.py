"""Doorways for Celery: a tick now and then, and nothing that may not be lost or doubled."""

from celery import shared_task

from escalation.engine import run_sweep


@shared_task(name="escalation.tasks.sweep", ignore_result=True)
def sweep() -> int:
    """Carry out whatever is due; any number of these may run at once."""
    return run_sweep()
