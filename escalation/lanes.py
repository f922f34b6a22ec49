"""Carries out a backlog on two cores: the same work here and in a process of its own, at once.

Two threads would take turns, because all that is decided is decided in Python. A process that
has threads already, and so must not be forked, does with a thread. Where two workers have a backlog
at hand, each is a lane: four would only take turns. That is a matter of pace alone, by locks that
end with their connection; who does what is settled by the locks of the tickets.
"""

import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any, Final, NoReturn

from django.conf import settings
from django.db import connection

log = logging.getLogger(__name__)

Work = Callable[[Callable[[], bool]], int]
"""Asks before each batch whether it is to go on; says what it has come to in the end."""

LANES: Final = 2
LOCK: Final = 7_253_106
"""Of the site's lanes, in the database; the second key is the number of the lane."""

ALONE, FIRST, SECOND, NONE = "alone", "first", "second", ""
"""What a worker is on the site; alone is the first one as long as there is no second."""
TAKE: Final = """
SELECT CASE WHEN pg_try_advisory_lock(%(lock)s, 1) THEN
    CASE WHEN pg_try_advisory_lock(%(lock)s, 2) AND pg_advisory_unlock(%(lock)s, 2)
    THEN 'alone' ELSE 'first' END
WHEN pg_try_advisory_lock(%(lock)s, 2) THEN 'second' ELSE '' END
"""

_left_alone: list[Any] = []
"""The connection of the process that this one was forked from: never to be used or closed here."""


def _let_go_of(held: Any) -> None:
    """Leave a connection to the process that this one was forked from.

    The way to the database is open in both, and must end with the other one alone: killed, it would
    hold its lane and its tickets until this one ends too. What stands for it here leads nowhere, so
    that nothing else gets its number.
    """
    _left_alone.append(held)
    if held is not None and not held.closed:
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, held.fileno())
        os.close(nowhere)


def in_lanes(work: Work, *, is_forked: bool | None = None) -> int:
    """What the work comes to when it is done twice at once, each on a connection of its own.

    While another worker is the second lane, or as soon as it is, this one is only one. `is_forked`
    says whether the lane beside is a process or a thread; None lets this decide. Must not run
    within a transaction. A lane that ends by a fault leaves its work to the next pass.
    """
    if is_forked is None:
        is_forked = hasattr(os, "fork") and threading.active_count() == 1
    with _a_lane() as place:
        if place != ALONE:
            return work(_always)
        side_by_side = _with_a_process if is_forked else _with_a_thread
        return side_by_side(partial(work, _always), partial(work, _is_nobody_second))


@contextmanager
def _a_lane() -> Iterator[str]:
    """Be one of the site's lanes meanwhile: which, or none when others are all of them.

    Behind a pooler that shares connections nobody can hold a lane: its lock would stay with whoever
    gets the connection next. Each worker is alone then.
    """
    if not settings.KEEP_PLANS:
        yield ALONE
        return
    with connection.cursor() as cursor:
        cursor.execute(TAKE, {"lock": LOCK})
        (place,) = cursor.fetchone()
    try:
        yield place
    except BaseException:
        connection.close()  # Whatever state it is in, the lock ends with it.
        raise
    if place != NONE:
        with connection.cursor() as cursor:
            number = 2 if place == SECOND else 1
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK, number])


def _always() -> bool:
    return True


def _is_nobody_second() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_lock(%(lock)s, 2) AND pg_advisory_unlock(%(lock)s, 2)",
            {"lock": LOCK},
        )
        (is_nobody,) = cursor.fetchone()
    return bool(is_nobody)


def _with_a_thread(work: Callable[[], int], beside: Callable[[], int]) -> int:
    def live() -> int:
        try:
            return beside()
        finally:
            connection.close()

    with ThreadPoolExecutor(1, thread_name_prefix="lane") as pool:
        other = pool.submit(live)
        return work() + other.result()


def _with_a_process(work: Callable[[], int], beside: Callable[[], int]) -> int:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _live_and_end(beside, writing)
    os.close(writing)
    try:
        done = work()
    finally:
        with os.fdopen(reading, "rb") as pipe:
            told = pipe.read()
        _, status = os.waitpid(child, 0)
        if status:
            log.error("The lane beside ended with status %s; the next pass goes on.", status)
    return done + int(told or 0)


def _live_and_end(work: Callable[[], int], writing: int) -> NoReturn:
    """Do the work in the new process, say what it came to, and end without cleaning up."""
    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        _let_go_of(connection.connection)
        connection.connection = None
        done = work()
        connection.close()
        os.write(writing, str(done).encode())
        os._exit(0)
    except BaseException:
        log.exception("The lane beside failed.")
    finally:
        os._exit(1)
