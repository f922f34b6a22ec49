"""Who else has a ticket's page open, and who types: keys in Valkey that expire by themselves.

Every open page counts by itself, so that one that is closed, or whose last word arrives after the
first of the page that took its place, takes nobody else away. Nothing depends on it: without Valkey
nobody is shown, and nothing else changes.
"""

import logging
import time
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from notifications import live
from roles.models import Person
from tickets.models import Ticket

LOOKS_FOR_S: Final = 45
TYPES_FOR_S: Final = 12
MOST: Final = 12

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Present:
    """Somebody else at the same ticket."""

    name: str
    types: bool


def note_presence(ticket: Ticket, person: Person, *, types: bool, page: str = "") -> None:
    """Keep that the person looks at the ticket now, and whether they type; `page` is which of
    theirs says so.

    Open pages are hinted at it when that is news.
    """
    now, name, member = time.time(), _name(ticket), _member(person, page)
    answers = _ask(
        ("ZSCORE", name, member),
        ("ZSCORE", f"{name}:types", member),
        ("ZREMRANGEBYSCORE", name, "-inf", now),
        ("ZADD", name, now + LOOKS_FOR_S, member),
        ("EXPIRE", name, 2 * LOOKS_FOR_S),
        ("ZADD", f"{name}:types", now + TYPES_FOR_S, member)
        if types
        else ("ZREM", f"{name}:types", member),
        ("EXPIRE", f"{name}:types", 2 * TYPES_FOR_S),
    )
    if answers is None:
        return
    looked, typed = (float(score or 0) > now for score in answers[:2])
    if not looked or typed != types:
        live.publish([here(ticket)])


def leave(ticket: Ticket, person: Person, *, page: str = "") -> None:
    """Forget at once a page of the person that has been closed."""
    name, member = _name(ticket), _member(person, page)
    if _ask(("ZREM", name, member), ("ZREM", f"{name}:types", member)) is not None:
        live.publish([here(ticket)])


def others(ticket: Ticket, person: Person) -> list[Present]:
    """Who else is at the ticket now, those who type first; [] where Valkey does not answer."""
    now, name = time.time(), _name(ticket)
    answers = _ask(
        ("ZRANGEBYSCORE", name, now, "+inf"), ("ZRANGEBYSCORE", f"{name}:types", now, "+inf")
    )
    if answers is None:
        return []
    looking, typing = ({int(each.partition(":")[0]) for each in found} for found in answers)
    ids = sorted((looking | typing) - {person.pk})[:MOST]
    if not ids:
        return []
    people = Person.objects.filter(pk__in=ids, is_active=True)
    found = [Present(str(each), each.pk in typing) for each in people]
    return sorted(found, key=lambda each: (not each.types, each.name))


def _member(person: Person, page: str) -> str:
    return f"{person.pk}:{page}"


def here(ticket: Ticket) -> str:
    """The topic under which open pages hear of who comes and goes."""
    return f"here:{ticket.pk}"


def _name(ticket: Ticket) -> str:
    return f"tierline:here:{ticket.pk}"


def _ask(*commands: tuple[object, ...]) -> list[Any] | None:
    """The answers to some commands, sent at once; None when Valkey is away."""
    if live.breaker.is_open():
        return None
    try:
        pipe = _client(settings.REDIS_URL).pipeline(transaction=False)
        for command in commands:
            pipe.execute_command(*command)
        return list(pipe.execute())
    except (redis.RedisError, OSError) as problem:
        live.breaker.trip()
        log.warning("presence: Valkey does not answer (%s)", type(problem).__name__)
        return None


@cache
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_timeout=0.1,
        socket_connect_timeout=0.1,
        decode_responses=True,
        retry=Retry(NoBackoff(), 0),
    )
