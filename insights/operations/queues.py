"""Readings of what carries hints: the broker, its queues, the beat, and the processes that listen.

None of it decides whether escalations go out; it decides how soon. Each queue's pulse is a task of
the beat that was carried out by a worker of that queue, so its row proves the whole way.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

import redis
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from redis.backoff import NoBackoff
from redis.retry import Retry

from escalation.explain import duration
from escalation.glance import beat
from escalation.models import Heartbeat
from insights.models import Simulation
from insights.operations.reading import Part, Reading, State, judged
from roles.instants import TimeSource, database_now

QUEUES: Final[Mapping[str, str]] = {
    "escalation": "worker",
    "celery": "worker",
    "messages": "sender",
    "long": "thinker",
}
"""Each queue, and the process that serves it."""
LISTENED: Final = ("escalation", "messages")
"""Queues whose processes listen for hints, so that the broker can count them."""
PULSE: Final = "queue:"
LATE_PULSE: Final = timedelta(seconds=60)
BUSY_FOR: Final = timedelta(seconds=120)
LONG_QUEUE: Final = 100
PATIENCE_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Broker:
    """What the broker says of itself; `trouble` when it does not answer."""

    version: str = ""
    waiting: Mapping[str, int] = field(default_factory=dict)
    listening: Mapping[str, int] = field(default_factory=dict)
    trouble: str = ""


def note_pulse(queue: str, *, clock: TimeSource = database_now) -> None:
    """Note that a tick for this queue has come all the way to a worker of it."""
    if queue in QUEUES:
        beat(f"{PULSE}{queue}", at=clock())


def ask_broker() -> Broker:
    """One question to the broker, which answers within a second or counts as gone."""
    try:
        return _ask(_client(settings.REDIS_URL))
    except (redis.RedisError, OSError) as problem:
        return Broker(trouble=type(problem).__name__)


def _ask(client: redis.Redis) -> Broker:
    with client.pipeline(transaction=False) as pipe:
        pipe.info("server")
        pipe.pubsub_numsub(*(f"tierline:wake:{queue}" for queue in LISTENED))
        for queue in QUEUES:
            pipe.llen(queue)
        about, heard, *lengths = pipe.execute()
    listening = {_text(name).rpartition(":")[2]: int(count) for name, count in heard}
    version = about.get("valkey_version") or about.get("redis_version", "")
    return Broker(str(version), dict(zip(QUEUES, lengths, strict=True)), listening)


def _text(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)


@cache
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_timeout=PATIENCE_S,
        socket_connect_timeout=PATIENCE_S,
        retry=Retry(NoBackoff(), 0),
    )


def queues_part(broker: Broker, now: datetime) -> Part:
    """The broker, the beat, and each queue with how long its last tick took to be seen."""
    rows = Heartbeat.objects.filter(name__startswith=PULSE)
    pulses = {name.removeprefix(PULSE): at for name, at in rows.values_list("name", "at")}
    readings = [_broker(broker), _beat(pulses, now)]
    readings += [_queue(queue, pulses.get(queue), broker, now) for queue in QUEUES]
    readings += [_processes(queue, broker) for queue in LISTENED if not broker.trouble]
    return Part("queues", _("Queues"), readings)


def _broker(broker: Broker) -> Reading:
    label = _("Broker")
    if not broker.trouble:
        return Reading("broker_up", label, _("answers"), State.GOOD, 1)
    remedy = _(
        "Start Valkey again. Meanwhile each worker sweeps by its own timer; live pages are slower"
        " and dashboards stand still."
    )
    words = _("does not answer (%s)") % broker.trouble
    return Reading("broker_up", label, words, State.BAD, 0, remedy)


def _beat(pulses: Mapping[str, datetime], now: datetime) -> Reading:
    """The newest pulse of all queues: the beat is well as long as any of them comes."""
    label = _("Last tick of the beat")
    remedy = _(
        "Look at the process “beat” and start it again. Meanwhile workers sweep and send by their"
        " own timers; figures, mails to fetch and reminders wait."
    )
    if not pulses:
        return Reading("beat_s", label, _("not seen yet"), State.WATCH, None, fresh())
    age = now - max(pulses.values())
    state = judged(age <= LATE_PULSE)
    words = _("%s ago") % duration(max(0.0, age.total_seconds()))
    return Reading(
        "beat_s", label, words, state, age.total_seconds(), remedy if state is State.BAD else ""
    )


def _queue(queue: str, at: datetime | None, broker: Broker, now: datetime) -> Reading:
    """How many ticks wait in a queue, and since when none of them was carried out."""
    length = broker.waiting.get(queue)
    age = now - at if at else None
    is_served = age is not None and age <= LATE_PULSE
    state, remedy = _served(queue, is_served, now) if at else (State.WATCH, fresh())
    if is_served and (length or 0) > LONG_QUEUE:
        state, remedy = State.WATCH, _("More comes than is carried out: start another worker.")
    waiting = _("%s waiting") % length if length is not None else _("length not known")
    seen = (
        _("served %s ago") % duration(age.total_seconds()) if age is not None else _("never served")
    )
    label = _("Queue “%(queue)s” of the %(process)s") % {"queue": queue, "process": QUEUES[queue]}
    return Reading(f"queue_{queue}_waiting", label, f"{waiting}, {seen}", state, length, remedy)


def fresh() -> str:
    """What to do about a queue that was never served."""
    return _("After the first start this takes half a minute; else look at all processes.")


def _served(queue: str, is_served: bool, now: datetime) -> tuple[State, str]:
    if is_served:
        return State.GOOD, ""
    if queue == "long" and _is_thinking(now):
        return State.WATCH, _("A simulation is under way; what else is long waits for its end.")
    remedy = _("Look at the process “%s” and its log, and start it again.") % QUEUES[queue]
    return State.BAD, remedy


def _is_thinking(now: datetime) -> bool:
    running = Simulation.objects.filter(state=Simulation.State.RUNNING)
    return running.filter(heard_at__gt=now - BUSY_FOR).exists()


def _processes(queue: str, broker: Broker) -> Reading:
    count, process = broker.listening.get(queue, 0), QUEUES[queue]
    label = _("Processes of the %s") % process
    remedy = _("Start the process “%s”; any number of them may run.") % process
    words = ngettext("%s listens", "%s listen", count) % count if count else _("none listens")
    return Reading(
        f"processes_{queue}_count", label, words, judged(count > 0), count, "" if count else remedy
    )
