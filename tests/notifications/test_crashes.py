"""A sender killed at each dangerous moment: nothing is lost, and one key is kept throughout."""

import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.conf import settings as site

from notifications.delivery import deliver_batch
from roles.instants import database_now, fixed
from tests.notifications.conftest import letter, person, post, tries

SEND = "import django; django.setup(); from notifications.delivery import {0}; {0}()"


def run_sender(how: str, crash_at: str, port: int) -> int:
    """Let a process of its own send, dying at the point named; returns its exit code."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "EMAIL_URL": f"smtp://127.0.0.1:{port}",
        "PUBLIC_URL": "https://desk.example",
        "TIERLINE_CRASH_AT": crash_at,
    }
    command = [sys.executable, "-c", SEND.format(how)]
    sender = subprocess.run(command, env=environment, cwd=site.BASE_DIR, timeout=30, check=False)
    return sender.returncode


@pytest.mark.parametrize("how", ["deliver_batch", "run_delivery"])
@pytest.mark.parametrize(
    ("crash_at", "physical_sends"),
    [("after_claim", 1), ("before_send", 1), ("after_send_before_mark", 2)],
)
def test_a_sender_killed_loses_nothing_and_keeps_the_key(
    live_db, mailbox, settings, how, crash_at, physical_sends
):
    [message] = post(letter(person("ann")))
    assert run_sender(how, crash_at, settings.EMAIL_PORT) == 137
    message.refresh_from_db()
    assert (message.state, message.attempts, message.lease_epoch) == ("queued", 1, 1)
    assert tries(message) == ["started"]

    assert deliver_batch() == 0, "another sender must not take what is leased"
    assert deliver_batch(clock=fixed(database_now() + timedelta(seconds=61))) == 1
    message.refresh_from_db()
    assert (message.state, tries(message)) == ("sent", ["interrupted", "sent"])
    assert [mail["X-Tierline-Key"] for mail in mailbox.mails] == [message.key] * physical_sends


def test_without_the_variable_no_crash_point_does_anything(live_db, mailbox, settings):
    [message] = post(letter(person("ann")))
    assert run_sender("run_delivery", "", settings.EMAIL_PORT) == 0
    message.refresh_from_db()
    assert message.state == "sent"
