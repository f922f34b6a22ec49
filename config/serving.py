"""Serves the site: one port, and behind it as many processes as the machine has cores.

Python runs one thread at a time, so one process uses one core. The parent loads everything once,
binds the port and forks; whichever process is free takes the next connection. Each listens for
hints of its own, so live pages and streams work in any of them.
"""

import gc
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Final

import uvicorn
from django.conf import settings
from django.db import connections

from config.asgi import application
from config.processes import FIRST_PAUSE_S, LONGEST_PAUSE_S, STEADY_S, describe_exit
from config.servers import die_with_parent
from config.supervisor import write_line

BACKLOG: Final = 2048
FAREWELL_S: Final = 3
PORT_PATIENCE_S: Final = 10.0
"""So long processes that an ended parent has left may take to let go of the port."""
STOPS: Final = (signal.SIGTERM, signal.SIGINT)


def open_door(host: str, port: int) -> socket.socket:
    """The listening socket. Raises OSError when somebody else keeps the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    ends = time.monotonic() + PORT_PATIENCE_S
    while True:
        try:
            return socket.create_server((host, port), family=family, backlog=BACKLOG)
        except OSError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.1)


def settle() -> None:
    """Leave all that has been loaded out of every later search for garbage.

    A search that walks through it stops a page for a tenth of a second, and copies what forked
    processes share.
    """
    gc.collect()
    gc.freeze()


def serve(door: socket.socket) -> None:
    """Answer at this door until a signal to stop."""
    config = uvicorn.Config(
        application,
        access_log=False,
        backlog=BACKLOG,
        log_level="warning",
        timeout_graceful_shutdown=FAREWELL_S,
    )
    uvicorn.Server(config).run(sockets=[door])


class Prefork:
    """Processes that do the same work: whichever ends unasked is replaced at once."""

    def __init__(self, work: Callable[[], None], count: int) -> None:
        self._work = work
        self._count = count
        self._began_at: dict[int, float] = {}
        self._failures = 0
        self._is_stopping = False

    def run(self) -> None:
        """Keep so many processes working; back after a signal to stop, when all have ended."""
        for signum in STOPS:
            signal.signal(signum, self._stop)
        for _ in range(self._count):
            self._begin()
        while self._began_at:
            pid, status = os.wait()
            began_at = self._began_at.pop(pid, None)
            if began_at is not None and not self._is_stopping:
                self._replace(pid, os.waitstatus_to_exitcode(status), time.monotonic() - began_at)

    def _stop(self, _signum: int, _frame: FrameType | None) -> None:
        self._is_stopping = True
        for pid in list(self._began_at):
            os.kill(pid, signal.SIGTERM)

    def _begin(self) -> None:
        # A signal between the fork and the note of it would leave the new process behind.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
        try:
            if self._is_stopping:
                return
            parent = os.getpid()
            pid = os.fork()
            if pid == 0:
                self._be_child(parent)
            self._began_at[pid] = time.monotonic()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)

    def _be_child(self, parent: int) -> None:
        """Work until asked to stop; never returns into the parent's loop."""
        code = 1
        try:
            die_with_parent(signal.SIGTERM)()
            for signum in STOPS:
                signal.signal(signum, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
            if os.getppid() == parent:
                self._work()
            code = 0
        except KeyboardInterrupt:
            code = 0
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _replace(self, pid: int, code: int, lasted_s: float) -> None:
        """Another process in the place of one that ended: at once, unless they end one by one."""
        pause_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**self._failures) if self._failures else 0
        self._failures = 0 if lasted_s > STEADY_S else self._failures + 1
        write_line(f"process {pid} {describe_exit(code)}; another takes its place")
        ends = time.monotonic() + pause_s
        while time.monotonic() < ends and not self._is_stopping:
            time.sleep(0.1)
        self._begin()


def main() -> None:
    """Serve at BIND and PORT until a signal to stop."""
    door = open_door(settings.BIND, settings.PORT)
    connections.close_all()
    settle()
    if settings.WEB_PROCESSES <= 1:
        serve(door)
        return
    Prefork(lambda: serve(door), settings.WEB_PROCESSES).run()


if __name__ == "__main__":
    main()
