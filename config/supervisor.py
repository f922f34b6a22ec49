"""Runs the whole service on one machine: starts it in order, keeps it running, ends it cleanly."""

import fcntl
import os
import secrets
import selectors
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import IO

from config.processes import Child, Register, spawn_program
from config.servers import Server, ServerTrouble

LOOK_EVERY_S = 0.1
STOP_PATIENCE_S = 12.0
READY_PATIENCE_S = 60.0


class Supervisor:
    """Children by name in the order of their start, their output, and the signals to stop.

    Everything happens in one thread: children get a death signal when the thread that started
    them ends, and forking with other threads about is unsafe.
    """

    def __init__(self, home: Path, write: Callable[[str], object]) -> None:
        self.home = home
        self._write = write
        self._children: list[Child] = []
        self._servers: list[Child] = []
        self._selector = selectors.DefaultSelector()
        self._rests: dict[str, bytes] = {}
        self._stops_asked = 0
        self._lock: IO[str] | None = None
        self._register = Register(home / "run" / "children.json")

    # ---- Before anything runs ----

    def take_home(self) -> None:
        """Make the home folder ours alone and end what a crash left in it.

        Raises ServerTrouble when another supervisor runs there.
        """
        (self.home / "run").mkdir(parents=True, exist_ok=True)
        (self.home / "log").mkdir(exist_ok=True)
        self._lock = (self.home / "run" / "up.lock").open("a+")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            self._lock.seek(0)
            raise ServerTrouble(
                f"Tierline already runs from {self.home} (process {self._lock.read().strip()})."
            ) from problem
        self._lock.truncate(0)
        self._lock.write(str(os.getpid()))
        self._lock.flush()
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, self._ask_to_stop)
        if names := self._register.end_leftovers():
            self.say(f"Ended what an earlier run had left: {', '.join(names)}.")

    def _ask_to_stop(self, _signum: int, _frame: FrameType | None) -> None:
        self._stops_asked += 1

    @property
    def is_stopping(self) -> bool:
        return self._stops_asked > 0

    def say(self, text: str) -> None:
        self._write(f"tierline | {text}")

    # ---- Starting ----

    def run_server(self, server: Server) -> None:
        """Start a database or broker, wait until it answers, and watch it from now on.

        Raises ServerTrouble when it does not come up.
        """
        log = self.home / "log" / f"{server.name}.log"

        def spawn_again() -> subprocess.Popen[bytes]:
            with log.open("ab") as output:
                return server.spawn(output)

        child = Child(server.name, spawn_again, stop_signal=server.stop_signal)
        self._servers.append(child)
        try:
            server.start(log)
        finally:
            if server.process is not None:
                child.adopt(server.process)
                self._note()

    def run_child(self, name: str, command: list[str], env: dict[str, str], folder: Path) -> None:
        """Start a process and keep it running from now on."""
        child = Child(name, spawn_program(command, env, folder))
        child.start()
        self._children.append(child)
        self._listen(child)
        self._note()

    def wait_for_page(self, address: str) -> bool:
        """Whether `address` answered 200 before patience or the will to go on ended."""
        deadline = time.monotonic() + READY_PATIENCE_S
        while time.monotonic() < deadline and not self.is_stopping:
            self._turn()
            try:
                with urllib.request.urlopen(address, timeout=2) as answer:  # noqa: S310
                    if answer.status == 200:
                        return True
            except (urllib.error.URLError, OSError):
                continue
        return False

    def _note(self) -> None:
        self._register.write([*self._servers, *self._children])

    # ---- Keeping it running ----

    def watch(self) -> None:
        """Keep everything running until somebody asks to stop."""
        while not self.is_stopping:
            self._turn()

    def _turn(self) -> None:
        self._relay_output(LOOK_EVERY_S)
        for child in [*self._servers, *self._children]:
            self._mind(child)

    def _mind(self, child: Child) -> None:
        if sentence := child.note_end():
            self.say(sentence)
        if child.start_when_due():
            self.say(f"{child.name} is started again (process {child.process.pid})")  # type: ignore[union-attr]
            self._listen(child)
            self._note()

    def _listen(self, child: Child) -> None:
        if child.output is not None:
            os.set_blocking(child.output.fileno(), False)
            self._selector.register(child.output, selectors.EVENT_READ, child.name)

    def _relay_output(self, timeout_s: float) -> None:
        ready = self._selector.select(timeout_s)
        if not ready and not self._selector.get_map():
            time.sleep(timeout_s)
        for key, _events in ready:
            stream: IO[bytes] = key.fileobj  # type: ignore[assignment]
            piece = os.read(stream.fileno(), 65536)
            if not piece:
                self._selector.unregister(stream)
                stream.close()
            *lines, rest = (self._rests.pop(key.data, b"") + piece).split(b"\n")
            if piece:
                self._rests[key.data] = rest
            elif rest:
                lines.append(rest)
            for line in lines:
                self._write(f"{key.data:8} | {line.decode(errors='replace')}")

    # ---- Stopping ----

    def stop(self) -> None:
        """End the children, then the servers; asked for once more, at once and by force."""
        self._end_all(self._children)
        self._end_all(list(reversed(self._servers)))
        self._note()
        if self._lock is not None:
            self._lock.close()

    def _end_all(self, children: list[Child]) -> None:
        asked_before = self._stops_asked
        for child in children:
            child.ask_to_stop()
        deadline = time.monotonic() + STOP_PATIENCE_S
        while any(child.is_running for child in children):
            self._relay_output(LOOK_EVERY_S)
            if time.monotonic() > deadline or self._stops_asked > max(asked_before, 1):
                break
        for child in children:
            if child.is_running:
                self.say(f"{child.name} does not stop; ending it by force")
            child.end_by_force()
        self._relay_output(0)


def keep_secret_key(home: Path) -> str:
    """The secret key of this home, made at the first start and readable by its owner only."""
    path = home / "secret-key"
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as output:
            output.write(secrets.token_urlsafe(50))
    return path.read_text().strip()


def is_free(port: int) -> bool:
    """Whether somebody could listen on this port of the loopback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port(wanted: int) -> int:
    """`wanted` when it is free, else any free port of the loopback."""
    if is_free(wanted):
        return wanted
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def write_line(text: str) -> None:
    """Print a line at once; a reader that has gone away must not stop the service."""
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except OSError:
        return
