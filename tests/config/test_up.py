"""`manage.py up` for real: it gets ready, mends itself, survives a massacre and ends cleanly."""

import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg2
import pytest

from config.addresses import postgres_url

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.xdist_group("up")


class Run:
    """One run of the supervisor, with its output as it comes."""

    def __init__(self, home: Path, port: int) -> None:
        env = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "REDIS_URL"}}
        env |= {"TIERLINE_HOME": str(home), "PORT": str(port)}
        self.home = home
        self.port = port
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--empty"],
            cwd=ROOT,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.append(line.rstrip())

    def wait_for(self, pattern: str, patience_s: float = 120.0) -> str:
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            for line in list(self.lines):
                if re.search(pattern, line):
                    return line
            time.sleep(0.05)
        raise AssertionError(f"no line like {pattern!r} in:\n" + "\n".join(self.lines))

    def pid_of(self, marker: str) -> int:
        found = [pid for pid in living(self.home) if marker in command_of(pid)]
        assert found, marker
        return min(found)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(30)


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def environment_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


def is_alive(pid: int) -> bool:
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def living(home: Path) -> list[int]:
    """Processes that belong to `home`, other than this one."""
    mark = str(home)
    own = []
    for path in Path("/proc").glob("[0-9]*"):
        pid = int(path.name)
        if pid != os.getpid() and is_alive(pid):
            named = f"TIERLINE_HOME={mark}".encode() in environment_of(pid)
            if named or mark in command_of(pid):
                own.append(pid)
    return sorted(own)


def answers(port: int) -> bool:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
        return answer.status == 200


def note_a_word(home: Path) -> list[str]:
    link = psycopg2.connect(postgres_url(home))
    try:
        with link, link.cursor() as cursor:
            cursor.execute("CREATE TABLE IF NOT EXISTS kept (word text)")
            cursor.execute("INSERT INTO kept VALUES ('word') RETURNING word")
            cursor.execute("SELECT word FROM kept")
            return [row[0] for row in cursor.fetchall()]
    finally:
        link.close()


@pytest.fixture
def port() -> int:
    """A free port that no connection of another test is given in the meantime."""
    for number in random.sample(range(20_000, 30_000), 50):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", number))
            return number
    raise AssertionError("no free port")


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """One home for all tests here: making its tables takes most of the time."""
    folder = Path(os.environ["TIERLINE_HOME"]) / f"up-{os.getpid()}"
    yield folder
    for pid in living(folder):
        os.kill(pid, signal.SIGKILL)


def test_everything_starts_mends_itself_survives_a_massacre_and_ends(home: Path, port: int):
    first = Run(home, port)
    ready = first.wait_for(r"Ready in")
    assert answers(port)
    note_a_word(home)

    for marker, name in (("config.serving", "web"), ("worker@", "worker")):
        os.kill(first.pid_of(marker), signal.SIGKILL)
        first.wait_for(rf"tierline \| {name} was ended by SIGKILL; starting it again in 0\.5 s")
        first.wait_for(rf"tierline \| {name} is started again")
    postmaster = first.pid_of("unix_socket_directories")
    os.kill(postmaster, signal.SIGKILL)
    first.wait_for(r"tierline \| postgres was ended by SIGKILL")
    wait_until(lambda: first.process.poll() is None and answers_calmly(port))

    os.kill(first.process.pid, signal.SIGKILL)
    for pid in living(home):
        os.kill(pid, signal.SIGKILL)

    second = Run(home, port)
    again = second.wait_for(r"Ready in")
    assert answers(port)
    assert note_a_word(home) == ["word", "word"]
    third = Run(home, port)
    assert third.process.wait(20) != 0
    third.wait_for(r"already runs")

    assert second.stop() == 0
    assert living(home) == []
    print(ready, again)


def test_what_a_dead_supervisor_leaves_is_ended_by_the_next_start(home: Path, port: int):
    first = Run(home, port)
    first.wait_for(r"Ready in")
    survivors = [first.pid_of("config.serving"), first.pid_of("messages")]
    for pid in survivors:  # stopped, they cannot follow their parent into death
        os.kill(pid, signal.SIGSTOP)
    os.kill(first.process.pid, signal.SIGKILL)
    first.process.wait()

    second = Run(home, port)
    second.wait_for(r"Ended what an earlier run had left: .*web")
    second.wait_for(r"Ready in")
    assert not any(is_alive(pid) for pid in survivors)
    assert second.stop() == 0
    assert living(home) == []


def wait_until(question, patience_s: float = 20.0) -> None:
    deadline = time.monotonic() + patience_s
    while not question():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def answers_calmly(port: int) -> bool:
    try:
        return answers(port)
    except OSError:
        return False
