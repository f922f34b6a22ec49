"""The doorways for reckoning: one wake-up, and whatever waits is run."""

from celery import shared_task

from insights.figures.folding import fold_all
from insights.figures.mailing import send_due
from insights.operations.checks import run_waiting as verify_waiting
from insights.operations.queues import note_pulse
from insights.reviews.reminding import remind as remind_of_reviews
from insights.reviews.sampling import choose_samples
from insights.risk.estimating import estimate_waiting
from insights.risk.training import train_nightly
from insights.simulation.asking import run_waiting

_SOFT_LIMIT_S = 3600
_HARD_LIMIT_S = 3660
_BATCHES = 2
"""Of figures at a time: a second or two, and then others have their turn."""


@shared_task(
    name="insights.tasks.simulate",
    ignore_result=True,
    soft_time_limit=_SOFT_LIMIT_S,
    time_limit=_HARD_LIMIT_S,
)
def simulate() -> int:
    """Run the simulations that wait; any number of these may run at once."""
    return run_waiting()


@shared_task(name="insights.tasks.count", ignore_result=True)
def count() -> int:
    """Count what has happened since into the figures; any number may run at once, one works."""
    return fold_all(most=_BATCHES)


@shared_task(name="insights.tasks.mail_boards", ignore_result=True)
def mail_boards() -> int:
    """Send the dashboards that are due by mail; any number of these may run at once."""
    return send_due()


@shared_task(
    name="insights.tasks.train_risk",
    ignore_result=True,
    soft_time_limit=_SOFT_LIMIT_S,
    time_limit=_HARD_LIMIT_S,
)
def train_risk() -> bool:
    """Learn anew how likely tickets end badly, once a night; whether it was time."""
    return train_nightly() is not None


@shared_task(name="insights.tasks.estimate", ignore_result=True)
def estimate() -> int:
    """Estimate the open tickets of which something new is known; doubled, it says the same."""
    return estimate_waiting()


@shared_task(name="insights.tasks.remind", ignore_result=True)
def remind() -> int:
    """Remind of reviews and their actions, and choose what quality looks at; again, nothing."""
    return remind_of_reviews() + choose_samples()


@shared_task(name="insights.tasks.pulse", ignore_result=True)
def pulse(queue: str) -> None:
    """Note that a tick has come through this queue to a worker; doubled, it says the same."""
    note_pulse(queue)


@shared_task(
    name="insights.tasks.verify",
    ignore_result=True,
    soft_time_limit=_SOFT_LIMIT_S,
    time_limit=_HARD_LIMIT_S,
)
def verify() -> int:
    """Walk through the past where that was asked for, and once a day; any number may run."""
    return verify_waiting()
