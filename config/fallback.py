"""Passes without a broker: a timer in each worker process that steps in when nobody sweeps.

Celery's ticks and the hints after a commit travel through Redis. When none arrives, be it that the
broker, the beat or the consumer is dead, the timer sees it in PostgreSQL and does the work itself.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import redis
import structlog
from celery import bootsteps
from celery.worker import WorkController
from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection
from django.utils.module_loading import import_string

from config.checks import refuse_default_secret_key
from roles.instants import database_now

log = structlog.get_logger(__name__)

PATIENCE = timedelta(seconds=3)
LOOK_EVERY_S = 1.0
GATHER_S = 0.05  # hints come in bursts, and one pass answers them all
WAKE_CHANNEL = "tierline:wake:"


@dataclass(frozen=True)
class Duty:
    """A pass that has to happen all the time, and the question when it last did.

    Names instead of functions, as in the beat table, because Celery's application is made before
    Django's models are there.
    """

    name: str
    queue: str
    run: str
    last_at: str
    patience: timedelta = PATIENCE
    heeds_hints: bool = True


DUTIES = (
    Duty(
        name="sweep",
        queue="escalation",
        run="escalation.engine.run_sweep",
        last_at="escalation.engine.last_sweep_at",
    ),
    Duty(
        name="watch",
        queue="escalation",
        run="escalation.silence.run_watch",
        last_at="escalation.silence.last_watch_at",
        patience=timedelta(seconds=90),
        heeds_hints=False,
    ),
    Duty(
        name="delivery",
        queue="messages",
        run="notifications.delivery.run_delivery",
        last_at="notifications.delivery.last_delivery_at",
    ),
    # Not with the engine: whoever watches over it must not be dead with it.
    Duty(
        name="oversight",
        queue="messages",
        run="escalation.oversight.run_oversight",
        last_at="escalation.oversight.last_oversight_at",
        patience=timedelta(seconds=40),
        heeds_hints=False,
    ),
)


class Hints:
    """Listens for wake-up hints of one queue; a dead Redis only makes it deaf."""

    def __init__(self, queue: str, stop: threading.Event) -> None:
        self._channel = WAKE_CHANNEL + queue
        self._stop = stop
        self._pubsub: redis.client.PubSub | None = None

    def wait(self, timeout_s: float) -> bool:
        """Whether a hint came within `timeout_s`; never raises for Redis."""
        try:
            pubsub = self._pubsub or self._connect()
            if not self._is_hint(pubsub.get_message(timeout=timeout_s)):
                return False
            self._stop.wait(GATHER_S)
            while pubsub.get_message(timeout=0) is not None:
                continue
        except (redis.RedisError, OSError):
            self.close()
            self._stop.wait(timeout_s)
            return False
        return True

    def close(self) -> None:
        if self._pubsub is not None:
            self._pubsub.close()
        self._pubsub = None

    def _connect(self) -> redis.client.PubSub:
        client = redis.Redis.from_url(
            settings.REDIS_URL,
            socket_connect_timeout=0.5,
            socket_timeout=5,
            health_check_interval=15,
        )
        # redis-py leaves pubsub() untyped.
        self._pubsub = client.pubsub()  # type: ignore[no-untyped-call]
        self._pubsub.subscribe(self._channel)
        return self._pubsub

    @staticmethod
    def _is_hint(message: dict[str, Any] | None) -> bool:
        return message is not None and message["type"] == "message"


class PassTimer(threading.Thread):
    """Runs one duty at every hint, and every second while nobody else is seen doing it."""

    def __init__(self, duty: Duty) -> None:
        super().__init__(name=f"{duty.name}-timer", daemon=True)
        self._duty = duty
        self._run_pass: Callable[[], object] = import_string(duty.run)
        self._last_at: Callable[[], datetime | None] = import_string(duty.last_at)
        self._stopping = threading.Event()
        self._hints = Hints(duty.queue, self._stopping)
        self._own_beat: datetime | None = None
        self._said_after = time.monotonic() + duty.patience.total_seconds()

    def stop(self, patience_s: float = 5.0) -> None:
        self._stopping.set()
        self.join(patience_s)

    def run(self) -> None:
        while not self._stopping.is_set():
            hinted = self._hints.wait(LOOK_EVERY_S) and self._duty.heeds_hints
            try:
                close_old_connections()
                if not self._stopping.is_set() and (self.must_step_in() or hinted):
                    self.do_pass()
            except DatabaseError as problem:
                log.warning("timer: no database", duty=self._duty.name, problem=str(problem))
                connection.close()
            except Exception:
                log.exception("timer: the pass failed", duty=self._duty.name)
        self._hints.close()
        connection.close()

    def do_pass(self) -> None:
        self._run_pass()
        if self._own_beat is not None:
            self._own_beat = self._last_at()

    def must_step_in(self) -> bool:
        """Whether no other process has recorded a pass lately.

        While this timer does the work, only a record that is not its own ends that.
        """
        last = self._last_at()
        patience = self._duty.patience
        if last is not None and last != self._own_beat and database_now() - last < patience:
            if self._own_beat is not None:
                log.info("timer: others do it again", duty=self._duty.name)
                self._own_beat = None
            return False
        if self._own_beat is None:
            if time.monotonic() > self._said_after:  # right after a start it is no news
                log.warning("timer: nobody has done it, stepping in", duty=self._duty.name)
            self._own_beat = last or datetime.min.replace(tzinfo=UTC)
        return True


# Celery ships no types.
class PassTimers(bootsteps.StartStopStep):  # type: ignore[misc]
    """Starts the timers of a worker's queues: after its pool has forked, before it needs a broker.

    Thus they run while the consumer still waits for its first connection.
    """

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: WorkController, **options: Any) -> None:
        super().__init__(worker, **options)
        self._timers: list[PassTimer] = []

    def start(self, worker: WorkController) -> None:
        refuse_default_secret_key()
        queues = worker.app.amqp.queues.consume_from
        self._timers = [PassTimer(duty) for duty in DUTIES if duty.queue in queues]
        for timer in self._timers:
            timer.start()

    def stop(self, worker: WorkController) -> None:
        for timer in self._timers:
            timer.stop()

    terminate = stop
