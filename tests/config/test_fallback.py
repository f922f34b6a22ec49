"""The timer in each worker: it works without a broker, and only while nobody else does."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from config.fallback import Duty, Hints, PassTimer
from escalation.engine import last_sweep_at
from notifications.delivery import last_delivery_at
from roles.instants import database_now

ROOT = Path(__file__).resolve().parents[2]
HERE = "tests.config.test_fallback"
RECORD: list[datetime] = []


def record_a_pass() -> None:
    RECORD.append(database_now())


def last_record() -> datetime | None:
    return RECORD[-1] if RECORD else None


@pytest.fixture
def timer() -> Iterator[PassTimer]:
    RECORD.clear()
    yield PassTimer(Duty("test", "test", f"{HERE}.record_a_pass", f"{HERE}.last_record"))
    RECORD.clear()


def ago(seconds: float) -> datetime:
    return database_now() - timedelta(seconds=seconds)


@pytest.mark.django_db
def test_the_timer_stands_by_while_somebody_swept_within_three_seconds(timer):
    RECORD.append(ago(2.5))
    assert not timer.must_step_in()


@pytest.mark.django_db
def test_the_timer_steps_in_when_nobody_has_swept_for_three_seconds(timer):
    RECORD.append(ago(3.1))
    assert timer.must_step_in()


@pytest.mark.django_db
def test_the_timer_goes_on_while_the_last_record_is_its_own(timer):
    for _ in range(3):
        assert timer.must_step_in()
        timer.do_pass()


@pytest.mark.django_db
def test_the_timer_stands_back_when_another_records_a_pass(timer):
    assert timer.must_step_in()
    timer.do_pass()
    record_a_pass()
    assert not timer.must_step_in()


def test_a_hint_is_heard_at_once(empty_redis):
    stop = threading.Event()
    hints = Hints("test-queue", stop)
    assert not hints.wait(0.2)
    empty_redis.publish("tierline:wake:test-queue", "1")
    begun = time.monotonic()
    assert hints.wait(5.0) or hints.wait(5.0)
    assert time.monotonic() - begun < 1.0
    hints.close()


def test_a_dead_redis_only_makes_deaf(settings):
    settings.REDIS_URL = "unix:///nowhere/valkey.sock"
    begun = time.monotonic()
    assert not Hints("test-queue", threading.Event()).wait(0.2)
    assert 0.2 <= time.monotonic() - begun < 1.0


@pytest.fixture
def worker_without_broker(live_db, tmp_path) -> Iterator[subprocess.Popen]:
    env = os.environ | {"REDIS_URL": f"unix://{tmp_path}/nobody.sock", "SECRET_KEY": "x" * 50}
    command = [sys.executable, "-m", "celery", "-q", "-A", "config.celery:app", "worker"]
    command += ["-Q", "escalation,messages", "-c", "1", "--without-mingle", "--without-gossip"]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=env, stdout=log, stderr=log, start_new_session=True
        )
        yield process
        process.terminate()
        process.wait(20)


def next_record(last_at, after: datetime | None, patience_s: float) -> datetime:
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        found = last_at()
        if found is not None and found != after:
            return found
        time.sleep(0.05)
    raise AssertionError("no pass was recorded")


def test_a_worker_that_never_had_a_broker_sweeps_and_delivers_every_second(worker_without_broker):
    for last_at in (last_sweep_at, last_delivery_at):
        first = next_record(last_at, None, 20)
        second = next_record(last_at, first, 4)
        third = next_record(last_at, second, 4)
        assert third - first < timedelta(seconds=5)
    assert worker_without_broker.poll() is None
