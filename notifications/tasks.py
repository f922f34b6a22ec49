"""The sender's doorway: one bounded round of delivery for each wake-up."""

from celery import shared_task

from notifications.delivery import run_delivery

# A round stops claiming after 20 s and its last sends end within 12 s more; past that something
# hangs, and the leases give its messages to the next round.
_SOFT_LIMIT_S = 45
_HARD_LIMIT_S = 60


@shared_task(
    name="notifications.tasks.deliver",
    ignore_result=True,
    soft_time_limit=_SOFT_LIMIT_S,
    time_limit=_HARD_LIMIT_S,
)
def deliver() -> None:
    """Send what is due; any number may run at once."""
    run_delivery()
