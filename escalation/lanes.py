"""Carries out a backlog on two cores: the same work here and in a process of its own, at once.

Two threads would take turns, because all that is decided is decided in Python. A process that
has threads already, and so must not be forked, does with a thread.
"""

import logging
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NoReturn

from django.db import connection

log = logging.getLogger(__name__)

Work = Callable[[], int]

LANES: Final = 2

_left_alone: list[Any] = []
"""The connection of the process that this one was forked from: never to be used or closed here."""


def in_two_lanes(work: Work, *, is_forked: bool | None = None) -> int:
    """What the work comes to when it is done twice at once, each on a connection of its own.

    `is_forked` says whether the second is a process or a thread; None lets this decide. Must not
    run within a transaction. A lane that ends by a fault leaves its work to the next pass.
    """
    if is_forked is None:
        is_forked = hasattr(os, "fork") and threading.active_count() == 1
    return _with_a_process(work) if is_forked else _with_a_thread(work)


def _with_a_thread(work: Work) -> int:
    def beside() -> int:
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1, thread_name_prefix="lane") as pool:
        other = pool.submit(beside)
        return work() + other.result()


def _with_a_process(work: Work) -> int:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _live_and_end(work, writing)
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


def _live_and_end(work: Work, writing: int) -> NoReturn:
    """Do the work in the new process, say what it came to, and end without cleaning up."""
    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        _left_alone.append(connection.connection)
        connection.connection = None
        done = work()
        connection.close()
        os.write(writing, str(done).encode())
        os._exit(0)
    except BaseException:
        log.exception("The lane beside failed.")
    finally:
        os._exit(1)
