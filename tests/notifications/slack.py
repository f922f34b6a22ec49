"""Slack as far as rooms need it: a receiver that makes every channel and takes everybody in."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import pytest

from notifications.channels import slackrooms
from tests.notifications.receiver import Receiver, receiving

WELL = {"ok": True, "channel": {"id": "C0ROOM001"}, "ts": "1.2"}


@contextmanager
def slack_rooms(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """Slack while the block runs, with an app of this site in it."""
    with receiving() as found:
        settings.WEBHOOK_HOSTS = [found.host]
        settings.SLACK_URL = f"http://{found.host}"
        settings.SLACK_BOT_TOKEN = "xoxb-1"
        monkeypatch.setattr(slackrooms, "_caller", slackrooms.Caller(per_second=500.0))
        found.says("200 OK", body=orjson.dumps(WELL))
        yield found
