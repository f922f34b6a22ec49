"""The doorway of what the machines' door does by itself: fetching mail, forgetting answers."""

from celery import shared_task

from api.idempotency import forget_old
from api.mail.polling import poll_all


@shared_task(name="api.tasks.fetch_mail", ignore_result=True, soft_time_limit=100, time_limit=120)
def fetch_mail() -> None:
    """Fetch what has come into all mailboxes; any number may run at once."""
    poll_all()


@shared_task(name="api.tasks.forget", ignore_result=True)
def forget() -> int:
    """Let go of answers to requests that may not be sent again any more."""
    return forget_old()
