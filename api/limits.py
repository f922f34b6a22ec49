"""How many requests a minute each token or person may make, and the headers that say so."""

import logging
import threading
import time
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from roles.models import ApiToken

log = logging.getLogger(__name__)

WINDOW_S: Final = 60
CACHE_REST_S: Final = 5.0
LOCAL_MAX: Final = 10_000
PREFIX: Final = "tierline:rate:"
PATIENCE_S: Final = 1.0


class LocalCounts:
    """Counts of the present window in this process, for when the cache is away."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._window = 0
        self._counts: dict[str, int] = {}

    def add(self, name: str, window: int) -> int:
        """How many there have been in this window, this one included."""
        with self._lock:
            if window != self._window or len(self._counts) > LOCAL_MAX:
                self._window, self._counts = window, {}
            count = self._counts[name] = self._counts.get(name, 0) + 1
            return count


@dataclass
class Counter:
    """Counts in the cache, so that all processes count together; alone while it is away."""

    local: LocalCounts
    away_until: float = 0.0
    ending: LocalCounts = field(default_factory=LocalCounts)
    """Which counts of the present window this process has given an end."""

    def add(self, name: str, window: int) -> int:
        """How many requests of that name this window has seen, this one included."""
        if time.monotonic() >= self.away_until:
            try:
                return self._shared(name, window)
            except (redis.RedisError, OSError):
                # An outage must neither stop requests nor slow each of them, nor end all limits.
                self.away_until = time.monotonic() + CACHE_REST_S
                log.warning("the cache is away: each process counts requests on its own")
        return self.local.add(name, window)

    def _shared(self, name: str, window: int) -> int:
        """Count it, and let the count go when it is of no more use: one round trip."""
        key = f"{PREFIX}{name}:{window}"
        client = _client(settings.REDIS_URL)
        if self.ending.add(name, window) > 1:
            return int(client.incr(key))
        with client.pipeline(transaction=False) as pipe:
            pipe.incr(key)
            pipe.expire(key, 2 * WINDOW_S, nx=True)
            return int(pipe.execute()[0])


@cache
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_timeout=PATIENCE_S,
        socket_connect_timeout=PATIENCE_S,
        retry=Retry(NoBackoff(), 0),
    )


counter = Counter(LocalCounts())


class CallerThrottle(BaseThrottle):
    """So many requests a minute for each token, or each person without one."""

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count it, leave the figures on the request for the headers, and say whether to go on."""
        caller = request.auth
        name = f"t{caller.pk}" if isinstance(caller, ApiToken) else f"p{request.user.pk}"
        now = time.time()
        window, limit = int(now // WINDOW_S), int(settings.API_REQUESTS_PER_MINUTE)
        self.reset_s = max(1, int((window + 1) * WINDOW_S - now + 0.999))
        used = counter.add(name, window)
        # Carried to the middleware that writes the headers; Django's request has no such field.
        request._request.rate = {  # type: ignore[attr-defined]
            "RateLimit-Limit": str(limit),
            "RateLimit-Remaining": str(max(0, limit - used)),
            "RateLimit-Reset": str(self.reset_s),
        }
        return used <= limit

    def wait(self) -> float:
        """Seconds until the next window."""
        return float(self.reset_s)
