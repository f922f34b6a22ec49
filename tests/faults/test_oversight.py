"""With the engine, the beat and the broker dead, the sender alone calls somebody."""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

from django.conf import settings

from escalation.models import Firing
from notifications.models import Message
from tests.story import Story, page, unacknowledged


def test_a_sender_without_engine_beat_and_broker_raises_the_alarm(live_db, tmp_path) -> None:
    story = Story(start=datetime.now(UTC) - timedelta(hours=1))
    story.policy("p", unacknowledged(5, "Page", page("on_call")))
    story.open()
    nobody = f"unix://{tmp_path}/nobody.sock"
    env = os.environ | {"REDIS_URL": nobody, "SECRET_KEY": "x" * 50}
    command = [sys.executable, "-m", "celery", "-q", "-A", "config.celery:app", "worker"]
    command += ["-Q", "messages", "-c", "1", "--without-mingle", "--without-gossip"]
    with (tmp_path / "log").open("w") as log:
        sender = subprocess.Popen(
            command,
            cwd=settings.BASE_DIR,
            env=env,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + 45
        while not Message.objects.filter(kind="alarm").exists():
            assert time.monotonic() < deadline, (tmp_path / "log").read_text()
            time.sleep(0.1)
    finally:
        sender.terminate()
        sender.wait(20)
    assert Message.objects.get(kind="alarm").recipient == story.incident_manager
    assert not Firing.objects.exists()
