"""A real browser on a real server: the web process of the product, on a database of its own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from django.contrib.auth.hashers import Argon2PasswordHasher
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from roles.models import Person
from tests.web.stage import PASSWORD, Stage, fill_stage, set_stage

ROOT = Path(__file__).resolve().parents[2]
APPLICATION = "config.asgi:application"
READY_S = 40
NO_STYLE = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
"""The hash of nothing, which Chromium names where an empty style is set."""
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


@pytest.fixture(scope="session")
def static_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All static files, collected and named as in production."""
    folder = tmp_path_factory.mktemp("static")
    command = [sys.executable, "manage.py", "collectstatic", "--noinput", "-v", "0"]
    subprocess.run(command, cwd=ROOT, env=_environment(folder), check=True)
    return folder


def _environment(static_root: Path) -> dict[str, str]:
    given = dict(os.environ)
    given.update(STATIC_ROOT=str(static_root), SECRET_KEY="k" * 50, TIERLINE_HOME=str(static_root))
    return given


@pytest.fixture
def stage(live_db) -> Stage:
    """The filled stage, committed, with passwords that the server's own hasher knows."""
    stage = fill_stage(set_stage())
    hasher = Argon2PasswordHasher()
    Person.objects.update(password=hasher.encode(PASSWORD, hasher.salt()))
    return stage


@pytest.fixture
def site(stage: Stage, static_root: Path) -> Iterator[str]:
    """The address of a running web process that sees the stage."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = _environment(static_root)
    environment.update(PORT=str(port), PUBLIC_URL=f"http://127.0.0.1:{port}")
    command = [sys.executable, "-m", "uvicorn", APPLICATION, "--port", str(port)]
    command += ["--log-level", "warning", "--timeout-graceful-shutdown", "1"]
    server = subprocess.Popen(command, cwd=ROOT, env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address, server)
        yield address
    finally:
        server.terminate()
        server.wait(10)


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + READY_S
    while time.monotonic() < ends and server.poll() is None:
        try:
            if requests.get(f"{address}/sign-in", timeout=2).ok:
                return
        except requests.RequestException:
            time.sleep(0.1)
    pytest.fail("the web process did not answer")


@pytest.fixture
def browser(chromium: str, site: str) -> Iterator[Browser]:
    """Chromium, started after the site: beside Playwright's loop Django asks no database."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page at 1440 px that fails the test when the browser complains of anything."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(10_000)
    opened = context.new_page()
    complaints: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        # A refused form answers 4xx on purpose, and Chromium logs that as an error of its own.
        expected = "Failed to load resource" in message.text and " 4" in message.text
        # Axe leaves empty styles on what it has measured, and a live page sets them again.
        expected = expected or (NO_STYLE in message.text and "inline style" in message.text)
        if message.type in ("error", "warning") and not expected:
            complaints.append(f"{message.type}: {message.text} ({message.location})")

    opened.on("console", hear)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    context.close()
    assert not complaints, "\n".join(complaints)
