"""Hints to browsers and workers over Redis: losing one costs a moment, never an outcome."""

import asyncio
import json
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from functools import cache

import redis
import redis.asyncio
from django.conf import settings
from django.db import transaction
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

log = logging.getLogger(__name__)

CHANNEL = "tierline:live"
WAKE_PREFIX = "tierline:wake:"
EVERYTHING = "*"

# Connecting and answering may each take this long, so that a request waits 200 ms at the most.
_SOCKET_TIMEOUT_S = 0.1
# One slow answer costs a moment of silence; only when nothing answers again does it grow.
_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 5.0
_MAX_BACKOFF_S = 5.0


class Breaker:
    """Remembers, for the whole process, that Redis has just failed and is not worth a wait.

    Each failure in a row doubles the pause. After it, by itself, `again` is asked to make good what
    was not said meanwhile; until that succeeds it is asked after each further pause.
    """

    def __init__(self, again: Callable[[str], bool]) -> None:
        self._again = again
        self._open_until = 0.0
        self._pause_s = _FIRST_PAUSE_S
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def is_open(self) -> bool:
        return time.monotonic() < self._open_until

    def trip(self) -> None:
        """Pause, and see to what goes unsaid meanwhile at the address that does not answer."""
        with self._lock:
            self._open_until = time.monotonic() + self._pause_s
            if self._timer is None:
                self._wait(settings.REDIS_URL)
            self._pause_s = min(_LONGEST_PAUSE_S, 2 * self._pause_s)

    def reset(self) -> None:
        """Forget the failures and what went unsaid."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            self._timer, self._open_until, self._pause_s = None, 0.0, _FIRST_PAUSE_S

    def _wait(self, url: str) -> None:
        self._timer = threading.Timer(self._pause_s, self._make_good, [url])
        self._timer.daemon = True
        self._timer.start()

    def _make_good(self, url: str) -> None:
        if self._again(url):
            self.reset()
            return
        with self._lock:
            self._pause_s = min(_LONGEST_PAUSE_S, 2 * self._pause_s)
            if self._timer is not None:  # else somebody has reset it meanwhile
                self._wait(url)


def _say_everything(url: str) -> bool:
    """Tell open pages that anything may have changed; whether that could be said."""
    try:
        _client(url).publish(CHANNEL, json.dumps([EVERYTHING]))
    except (redis.RedisError, OSError):
        return False
    return True


breaker = Breaker(_say_everything)


class Word:
    """What one transaction has to say once it has committed: all of it in one breath."""

    def __init__(self) -> None:
        self.topics: set[str] = set()
        self.queues: set[str] = set()

    def __call__(self) -> None:
        said = [(WAKE_PREFIX + queue, "1") for queue in sorted(self.queues)]
        if self.topics:
            said.insert(0, (CHANNEL, json.dumps(sorted(self.topics))))
        _send(said)


def publish(topics: Iterable[str]) -> None:
    """Tell open browsers, once the transaction has committed, that these topics have changed."""
    names = set(topics)
    if names:
        _say(names, set())


def wake(queue: str) -> None:
    """Hint, once the transaction has committed, that a queue has work; sweeps find it anyway."""
    _say(set(), {queue})


def _say(topics: set[str], queues: set[str]) -> None:
    """Say it with what the transaction has to say already, if the two stand or fall together."""
    link = transaction.get_connection()
    if link.in_atomic_block:
        inside = {name for name in link.savepoint_ids if name}
        for savepoints, hook, _ in reversed(link.run_on_commit):
            if isinstance(hook, Word) and inside <= savepoints:
                hook.topics |= topics
                hook.queues |= queues
                return
    word = Word()
    word.topics, word.queues = topics, queues
    transaction.on_commit(word, robust=True)


async def subscribe(*, quiet_s: float = 10.0) -> AsyncIterator[frozenset[str]]:
    """Yield, for ever, the sets of topics that have changed; the first word is {EVERYTHING}.

    Never raises on a lost Redis: it connects again with backoff and yields {EVERYTHING} once more,
    because changes may have passed unheard. After `quiet_s` seconds of silence Redis is asked
    whether it is there, and after as many again it is taken for lost.
    """
    failures = 0
    while True:
        try:
            async with _async_client(quiet_s) as client, client.pubsub() as pubsub:
                await pubsub.subscribe(CHANNEL)
                yield frozenset({EVERYTHING})
                failures = 0
                async for topics in _listen(pubsub, quiet_s):
                    yield topics
        except (redis.RedisError, OSError) as problem:
            log.warning("live: Redis lost (%s), connecting again", type(problem).__name__)
        await asyncio.sleep(min(_MAX_BACKOFF_S, 0.25 * 2**failures))
        failures = min(failures + 1, 10)


async def _listen(
    pubsub: redis.asyncio.client.PubSub, quiet_s: float
) -> AsyncIterator[frozenset[str]]:
    """Yield topic sets until the connection ends or leaves a ping without an answer."""
    pinged = False
    while True:
        message = await pubsub.get_message(timeout=quiet_s)
        if message is None and pinged:
            raise redis.ConnectionError("no answer to a ping")  # half-open: TCP alone never tells
        pinged = message is None
        if message is None:
            await pubsub.ping()
        elif message["type"] == "message":
            yield _topics(message["data"])


def _topics(data: bytes) -> frozenset[str]:
    try:
        names = json.loads(data)
    except ValueError:
        return frozenset({EVERYTHING})
    if not isinstance(names, list):
        return frozenset({EVERYTHING})
    return frozenset(str(name) for name in names)


def _send(said: Sequence[tuple[str, str]]) -> None:
    """Say each on its channel, in one round trip."""
    if breaker.is_open():
        return
    try:
        client = _client(settings.REDIS_URL)
        if len(said) == 1:
            client.publish(*said[0])
            return
        with client.pipeline(transaction=False) as pipe:
            for channel, payload in said:
                pipe.publish(channel, payload)
            pipe.execute()
    except (redis.RedisError, OSError) as problem:
        breaker.trip()
        log.warning("live: Redis does not answer (%s), hints pause", type(problem).__name__)


@cache
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_timeout=_SOCKET_TIMEOUT_S,
        socket_connect_timeout=_SOCKET_TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),  # said aloud: the library's defaults differ by constructor
    )


def _async_client(quiet_s: float) -> redis.asyncio.Redis:
    return redis.asyncio.Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=2.0,
        socket_timeout=2 * quiet_s,
        retry=AsyncRetry(NoBackoff(), 0),
    )
