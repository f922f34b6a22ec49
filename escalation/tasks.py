"""Doorways for Celery: a tick now and then, and nothing that may not be lost or doubled."""

from celery import shared_task

from escalation.engine import run_sweep
from escalation.oversight import run_oversight
from escalation.silence import run_watch


@shared_task(name="escalation.tasks.sweep", ignore_result=True)
def sweep() -> int:
    """Carry out whatever is due; any number of these may run at once."""
    return run_sweep()


@shared_task(name="escalation.tasks.watch", ignore_result=True)
def watch() -> int:
    """See to it that no urgent ticket falls silent; any number of these may run at once."""
    return run_watch()


@shared_task(name="escalation.tasks.oversee", ignore_result=True)
def oversee() -> int:
    """Alarm when the engine stands still; run by a process that is not the engine's."""
    return run_oversight()
