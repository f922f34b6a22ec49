"""The Celery application: its settings, its queues and the whole beat table.

Celery only carries hints. What is due stands in PostgreSQL, so a lost or doubled task costs at
most one second; no task has an ETA, a countdown or a result.
"""

import os
from typing import Any

from celery import Celery
from django.conf import settings

from config.fallback import PassTimers

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# A fault in a page's template must not keep the engine from starting.
os.environ.setdefault("CELERY_SKIP_CHECKS", "true")

PERIOD_S = 1.0
WATCH_PERIOD_S = 30.0
OVERSIGHT_PERIOD_S = 15.0
SIMULATE_PERIOD_S = 3.0
COUNT_PERIOD_S = 10.0
BOARDS_PERIOD_S = 60.0
ESTIMATE_PERIOD_S = 10.0
REMIND_PERIOD_S = 3600.0
TRAIN_PERIOD_S = 1800.0  # whether it is time; it is so once a night
FORGET_PERIOD_S = 3600.0
ALERTS_PERIOD_S = 10.0
MAIL_PERIOD_S = 30.0
PULSE_PERIOD_S = 15.0
VERIFY_PERIOD_S = 5.0
LET_GO_PERIOD_S = 1800.0  # whether it is time; it is so once a night
QUEUES = ("escalation", "celery", "messages", "long")


def _tick(task: str, period_s: float, *given: str, queue: str) -> dict[str, Any]:
    """A task once a period; a tick ends before the next, so that an outage leaves no pile."""
    return {
        "task": task,
        "schedule": period_s,
        "args": given,
        "options": {"queue": queue, "expires": period_s * 0.9},
    }


app = Celery("tierline")
app.conf.update(
    broker_url=settings.BROKER_URL,
    broker_transport_options={
        "visibility_timeout": 300,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "socket_timeout": 15,
        "socket_connect_timeout": 5,
        "health_check_interval": 15,
        "socket_keepalive": True,
    },
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    accept_content=["json"],
    task_serializer="json",
    task_acks_late=True,
    task_reject_on_worker_lost=False,
    task_ignore_result=True,
    task_time_limit=120,
    task_soft_time_limit=90,
    task_create_missing_queues=True,
    task_default_queue="celery",
    task_routes={
        "escalation.tasks.*": {"queue": "escalation"},
        "notifications.tasks.*": {"queue": "messages"},
        "tickets.tasks.*": {"queue": "escalation"},
        "insights.tasks.*": {"queue": "long"},
        "api.tasks.*": {"queue": "long"},
    },
    worker_prefetch_multiplier=1,
    worker_soft_shutdown_timeout=10,
    worker_enable_soft_shutdown_on_idle=True,
    worker_max_tasks_per_child=1000,
    worker_eta_task_limit=10,
    worker_cancel_long_running_tasks_on_connection_loss=True,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    beat_scheduler="celery.beat:Scheduler",
    beat_schedule={
        "sweep": _tick("escalation.tasks.sweep", PERIOD_S, queue="escalation"),
        "watch": _tick("escalation.tasks.watch", WATCH_PERIOD_S, queue="escalation"),
        "alerts": _tick("tickets.tasks.look_after_alerts", ALERTS_PERIOD_S, queue="escalation"),
        # The sender's queue: whoever watches over the engine must not be dead with it.
        "oversee": _tick("escalation.tasks.oversee", OVERSIGHT_PERIOD_S, queue="messages"),
        "deliver": _tick("notifications.tasks.deliver", PERIOD_S, queue="messages"),
        "relay": _tick("tickets.tasks.relay", PERIOD_S, queue="messages"),
        "forget": _tick("tickets.tasks.forget", FORGET_PERIOD_S, queue="messages"),
        "simulate": _tick("insights.tasks.simulate", SIMULATE_PERIOD_S, queue="long"),
        # Short, and not to wait behind a simulation.
        "count": _tick("insights.tasks.count", COUNT_PERIOD_S, queue="celery"),
        "mail-boards": _tick("insights.tasks.mail_boards", BOARDS_PERIOD_S, queue="celery"),
        "estimate": _tick("insights.tasks.estimate", ESTIMATE_PERIOD_S, queue="celery"),
        "remind": _tick("insights.tasks.remind", REMIND_PERIOD_S, queue="celery"),
        "train-risk": _tick("insights.tasks.train_risk", TRAIN_PERIOD_S, queue="long"),
        "forget-answers": _tick("api.tasks.forget", FORGET_PERIOD_S, queue="celery"),
        "fetch-mail": _tick("api.tasks.fetch_mail", MAIL_PERIOD_S, queue="long"),
        "verify": _tick("insights.tasks.verify", VERIFY_PERIOD_S, queue="long"),
        "let-go": _tick("tickets.tasks.let_go", LET_GO_PERIOD_S, queue="long"),
        # Whether a tick gets all the way through each queue is seen by one that does just that.
        **{
            f"pulse-{queue}": _tick("insights.tasks.pulse", PULSE_PERIOD_S, queue, queue=queue)
            for queue in QUEUES
        },
    },
    timezone="UTC",
)
app.steps["worker"].add(PassTimers)
app.autodiscover_tasks()
