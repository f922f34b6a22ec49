"""Several web processes behind one port: whichever dies is replaced, and all end together."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOWHERE = "/api/v1/nowhere/"
"""An address that is answered without a database."""


def answers(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}{NOWHERE}", timeout=10)
    except urllib.error.HTTPError as refusal:
        return refusal.code == 404
    except OSError:
        return False
    return False


def children_of(pid: int) -> set[int]:
    noted = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return {int(child) for child in noted}


def wait_until(question, patience_s: float = 40.0) -> None:
    deadline = time.monotonic() + patience_s
    while not question():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def server(port: int) -> Iterator[subprocess.Popen[bytes]]:
    env = os.environ | {"PORT": str(port), "WEB_PROCESSES": "2", "SECRET_KEY": "of this test"}
    running = subprocess.Popen([sys.executable, "-m", "config.serving"], cwd=ROOT, env=env)
    yield running
    running.kill()
    running.wait()


def test_a_process_that_dies_is_replaced_while_the_others_answer(server, port):
    wait_until(lambda: answers(port))
    first = children_of(server.pid)
    assert len(first) == 2
    os.kill(min(first), signal.SIGKILL)
    assert all(answers(port) for _ in range(20))
    wait_until(lambda: len(children_of(server.pid) - first) == 1)
    assert all(answers(port) for _ in range(20))
    server.terminate()
    assert server.wait(20) == 0
    assert not answers(port)
