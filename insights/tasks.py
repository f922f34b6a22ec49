"""The doorway for long reckoning: one wake-up, and whatever waits is run."""

from celery import shared_task

from insights.simulation.asking import run_waiting

_SOFT_LIMIT_S = 3600
_HARD_LIMIT_S = 3660


@shared_task(
    name="insights.tasks.simulate",
    ignore_result=True,
    soft_time_limit=_SOFT_LIMIT_S,
    time_limit=_HARD_LIMIT_S,
)
def simulate() -> int:
    """Run the simulations that wait; any number of these may run at once."""
    return run_waiting()
