"""Hints over Redis: heard when it lives, and never waited for when it does not."""

import asyncio
import json
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from django.db import transaction

from config.servers import Server, valkey_server
from notifications import live
from tests.notifications.mailbox import free_port


@pytest.fixture(autouse=True)
def closed_breaker():
    live.breaker.reset()
    yield
    live.breaker.reset()


@pytest.fixture
def ears(empty_redis, settings):
    """A plain subscriber to everything, ready to hear."""
    pubsub = empty_redis.pubsub()
    pubsub.psubscribe("tierline:*")
    assert pubsub.get_message(timeout=2)["type"] == "psubscribe"
    yield pubsub
    pubsub.close()


def heard(pubsub: redis.client.PubSub, timeout: float = 0.3) -> list[tuple[str, object]]:
    found = []
    while message := pubsub.get_message(timeout=timeout):
        found.append((message["channel"].decode(), json.loads(message["data"])))
    return found


def test_topics_are_published_after_the_commit_and_not_before(live_db, ears):
    with transaction.atomic():
        live.publish(["ticket:2", "ticket:1", "ticket:1"])
        assert heard(ears) == []
    assert heard(ears) == [("tierline:live", ["ticket:1", "ticket:2"])]


def test_what_is_rolled_back_is_not_published(live_db, ears):
    with transaction.atomic():
        live.publish(["ticket:1"])
        live.wake("messages")
        transaction.set_rollback(True)
    assert heard(ears) == []


def test_what_one_transaction_says_is_said_once_and_without_what_was_taken_back(live_db, ears):
    with transaction.atomic():
        with transaction.atomic():
            live.publish(["ticket:1"])
        live.publish(["team:2"])
        with transaction.atomic():
            live.publish(["ticket:9"])
            transaction.set_rollback(True)
        live.wake("messages")
        live.wake("messages")
    assert heard(ears) == [
        ("tierline:live", ["team:2", "ticket:1"]),
        ("tierline:wake:messages", 1),
    ]


def test_a_wake_up_names_its_queue(live_db, ears):
    live.wake("messages")
    assert heard(ears) == [("tierline:wake:messages", 1)]


def test_publishing_nothing_says_nothing(live_db, ears):
    live.publish([])
    assert heard(ears) == []


def duration_s(act) -> float:
    begun = time.monotonic()
    act()
    return time.monotonic() - begun


def test_a_dead_redis_holds_nobody_up(live_db, settings):
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
    assert duration_s(lambda: live.publish(["ticket:1"])) < 0.3
    assert live.breaker.is_open()


def test_a_redis_that_takes_calls_and_never_answers_holds_nobody_up(live_db, settings):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        settings.REDIS_URL = f"redis://127.0.0.1:{mute.getsockname()[1]}/0"
        assert duration_s(lambda: live.publish(["ticket:1"])) < 0.3
        assert duration_s(lambda: [live.publish(["ticket:1"]) for _ in range(100)]) < 0.1


def test_what_was_not_said_while_nobody_answered_is_made_good(live_db, own_valkey):
    """One slow answer silences nobody for long: soon after, open pages are told to look at all."""
    with redis.Redis.from_url(own_valkey.url).pubsub() as ears:
        ears.subscribe(live.CHANNEL)
        assert ears.get_message(timeout=2)["type"] == "subscribe"
        own_valkey.process.send_signal(signal.SIGSTOP)
        live.publish(["ticket:1"])
        live.publish(["ticket:2"])
        own_valkey.process.send_signal(signal.SIGCONT)
        while [live.EVERYTHING] not in (said := [each for _, each in heard(ears, timeout=3)]):
            assert said, "nothing was made good"
        live.publish(["ticket:3"])
        assert heard(ears)[-1] == (live.CHANNEL, ["ticket:3"])


@pytest.fixture
def own_valkey(settings) -> Iterator[Server]:
    """A Valkey of this test's own, to be stopped and killed; the settings lead to it."""
    home = Path(tempfile.mkdtemp(prefix="tierline-live-"))
    home.chmod(0o711)
    server = valkey_server(home, durable=False)
    server.start(home / "log")
    settings.REDIS_URL = server.url
    yield server
    server.process.send_signal(signal.SIGCONT)
    server.stop()
    shutil.rmtree(home, ignore_errors=True)


def test_a_paused_redis_holds_nobody_up(live_db, own_valkey):
    live.publish(["ticket:1"])
    own_valkey.process.send_signal(signal.SIGSTOP)
    assert duration_s(lambda: live.publish(["ticket:1"])) < 0.3
    assert live.breaker.is_open()


def test_a_subscriber_hears_topics_and_of_every_gap(own_valkey, tmp_path):
    """At first anything may have changed, and so again after each loss."""

    async def listen() -> list[frozenset[str]]:
        words = live.subscribe()
        speaker = redis.Redis.from_url(own_valkey.url)
        found = [await asyncio.wait_for(anext(words), 3)]
        for said in ('["ticket:1", "team:2"]', "no json", '{"no": "list"}'):
            speaker.publish(live.CHANNEL, said)
            found.append(await asyncio.wait_for(anext(words), 3))
        own_valkey.process.kill()
        own_valkey.process.wait()
        own_valkey.start(tmp_path / "log")
        found.append(await asyncio.wait_for(anext(words), 10))
        speaker.publish(live.CHANNEL, '["ticket:3"]')
        found.append(await asyncio.wait_for(anext(words), 3))
        await words.aclose()
        return found

    everything, topics = frozenset({live.EVERYTHING}), frozenset({"ticket:1", "team:2"})
    found = asyncio.run(listen())
    assert found == [
        everything,
        topics,
        everything,
        everything,
        everything,
        frozenset({"ticket:3"}),
    ]


def test_a_redis_that_falls_silent_is_noticed_and_found_again(own_valkey):
    async def listen() -> list[frozenset[str]]:
        words = live.subscribe(quiet_s=0.3)
        found = [await asyncio.wait_for(anext(words), 3)]
        own_valkey.process.send_signal(signal.SIGSTOP)
        waiting = asyncio.ensure_future(anext(words))
        await asyncio.sleep(1.5)
        own_valkey.process.send_signal(signal.SIGCONT)
        found.append(await asyncio.wait_for(waiting, 5))
        await words.aclose()
        return found

    assert asyncio.run(listen()) == [frozenset({live.EVERYTHING})] * 2


def test_a_quiet_but_living_redis_is_not_taken_for_lost(own_valkey):
    async def listen() -> frozenset[str]:
        words = live.subscribe(quiet_s=0.2)
        await asyncio.wait_for(anext(words), 3)
        waiting = asyncio.ensure_future(anext(words))
        await asyncio.sleep(1.5)
        redis.Redis.from_url(own_valkey.url).publish(live.CHANNEL, '["ticket:1"]')
        found = await asyncio.wait_for(waiting, 3)
        await words.aclose()
        return found

    assert asyncio.run(listen()) == frozenset({"ticket:1"})
