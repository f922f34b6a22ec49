"""Processes that the supervisor started: keep one alive, recognise and end what a crash left."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from config.servers import die_with_parent

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
STEADY_S = 60.0  # whoever ran that long starts again with the first pause

Spawn = Callable[[], subprocess.Popen[bytes]]


def spawn_program(command: list[str], env: dict[str, str], folder: Path) -> Spawn:
    """A way of starting `command` in a process group of its own, its output in a pipe.

    The child gets SIGTERM when the thread that starts it ends.
    """

    def spawn() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            env=env,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509  (one system call)
        )

    return spawn


class Child:
    """One process that is to run for as long as the supervisor does."""

    def __init__(
        self, name: str, spawn: Spawn, *, stop_signal: signal.Signals = signal.SIGTERM
    ) -> None:
        self.name = name
        self.process: subprocess.Popen[bytes] | None = None
        self._spawn = spawn
        self._stop_signal = stop_signal
        self._started_at = 0.0
        self._failures = 0
        self._start_at = 0.0

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def output(self) -> IO[bytes] | None:
        return self.process.stdout if self.process else None

    def start(self) -> None:
        self.process = self._spawn()
        self._started_at = time.monotonic()

    def adopt(self, process: subprocess.Popen[bytes]) -> None:
        """Watch a process that was already started."""
        self.process = process
        self._started_at = time.monotonic()

    def note_end(self) -> str | None:
        """Once after an unexpected end: a sentence on it and on the next try; else None."""
        if self.process is None or self.process.poll() is None:
            return None
        if time.monotonic() - self._started_at > STEADY_S:
            self._failures = 0
        pause_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**self._failures)
        self._failures += 1
        self._start_at = time.monotonic() + pause_s
        how = describe_exit(self.process.returncode)
        self.process = None
        return f"{self.name} {how}; starting it again in {pause_s:g} s (failure {self._failures})"

    def start_when_due(self) -> bool:
        """Start again when the pause is over; say whether that happened."""
        if self.process is not None or time.monotonic() < self._start_at:
            return False
        self.start()
        return True

    def ask_to_stop(self) -> None:
        if self.process is not None and self.is_running:
            self.process.send_signal(self._stop_signal)

    def end_by_force(self) -> None:
        """End the whole process group, whatever is left of it."""
        if self.process is not None:
            end_group(self.process.pid, signal.SIGKILL)
            self.process.wait()


def describe_exit(code: int) -> str:
    """How a process ended, in words."""
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with code {code}"


def end_group(leader: int, signum: signal.Signals) -> bool:
    """Signal a process group; says whether there was one."""
    try:
        os.killpg(leader, signum)
    except ProcessLookupError:
        return False
    return True


# ---- What an earlier run has left ----------------------------------------------------------------


@dataclass(frozen=True)
class Sighting:
    """A process as /proc shows it; `session` is the process id of its session's leader."""

    pid: int
    session: int
    start_ticks: int
    state: str
    threads: int

    @property
    def has_ended(self) -> bool:
        """Whether nothing of it runs: while one thread does, it keeps its files and its port."""
        return self.state == "Z" and self.threads <= 1


def _look(pid: int) -> Sighting | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # a program's name may hold anything
    return Sighting(pid, int(fields[3]), int(fields[19]), fields[0], int(fields[17]))


def _sightings() -> Iterator[Sighting]:
    for path in Path("/proc").glob("[0-9]*"):
        if (seen := _look(int(path.name))) and not seen.has_ended:
            yield seen


def _boot_mark() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


class Register:
    """A file of the processes that run now, so that the next start can end what a crash left."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, children: list[Child]) -> None:
        """Note all running children."""
        rows = {}
        for child in children:
            if child.process is not None and (seen := _look(child.process.pid)):
                rows[child.name] = {"pid": seen.pid, "start_ticks": seen.start_ticks}
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps({"boot": _boot_mark(), "children": rows}))
        fresh.rename(self._path)

    def leftovers(self) -> dict[str, list[int]]:
        """Living processes of an earlier run, by child.

        A process number is used again only when no process and no session bears it. So members of
        a noted session are ours if its leader is gone or is still the one that was noted.
        """
        try:
            noted = json.loads(self._path.read_text())
        except (OSError, ValueError):
            return {}
        if noted.get("boot") != _boot_mark():
            return {}
        found: dict[str, list[int]] = {}
        living = list(_sightings())
        for name, row in noted.get("children", {}).items():
            leader = next((seen for seen in living if seen.pid == row["pid"]), None)
            if leader is not None and leader.start_ticks != row["start_ticks"]:
                continue
            pids = [seen.pid for seen in living if seen.session == row["pid"]]
            if pids:
                found[name] = pids
        return found

    def end_leftovers(self, patience_s: float = 5.0) -> list[str]:
        """End what an earlier run left, gently and then by force; the names of the children."""
        names = sorted(self.leftovers())
        self._signal_all(signal.SIGTERM, spare={"postgres"})
        self._signal_all(signal.SIGINT, only={"postgres"})
        deadline = time.monotonic() + patience_s
        while self.leftovers() and time.monotonic() < deadline:
            time.sleep(0.05)
        self._signal_all(signal.SIGKILL)
        while self.leftovers() and time.monotonic() < deadline + 2:
            time.sleep(0.05)
        self._path.unlink(missing_ok=True)
        return names

    def _signal_all(
        self, signum: signal.Signals, *, spare: set[str] | None = None, only: set[str] | None = None
    ) -> None:
        for name, pids in self.leftovers().items():
            if name in (spare or ()) or (only is not None and name not in only):
                continue
            for pid in pids:
                try:
                    os.kill(pid, signum)
                except ProcessLookupError:
                    continue
