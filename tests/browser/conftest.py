"""A real browser on a real server: the web process of the product, on a database of its own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import connections
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from roles.models import Person
from tests.web.stage import PASSWORD, Stage, fill_stage, set_stage

ROOT = Path(__file__).resolve().parents[2]
APPLICATION = "config.asgi:application"
SECRET = "k" * 50
"""What the web process signs with."""
READY_S = 40
PATIENCE_S = 15
"""How long a page may take to show what is expected: small machines do several things at once."""
NO_STYLE = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
"""The hash of nothing, which Chromium names where an empty style is set."""
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
WIDTHS = {"desk": (1440, 900), "phone": (390, 844)}
README_PICTURE = ROOT / "docs" / "screenshot.png"
THEMES = ("light", "dark")
UNSTYLE = (
    """document.querySelectorAll('[style=""]').forEach((each) => each.removeAttribute("style"))"""
)

Answer = TypeVar("Answer")

expect.set_options(timeout=1000 * PATIENCE_S)


@pytest.fixture(scope="session")
def static_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All static files, collected and named as in production."""
    folder = tmp_path_factory.mktemp("static")
    command = [sys.executable, "manage.py", "collectstatic", "--noinput", "-v", "0"]
    subprocess.run(command, cwd=ROOT, env=_environment(folder), check=True)
    return folder


def _environment(static_root: Path) -> dict[str, str]:
    given = dict(os.environ)
    given.update(STATIC_ROOT=str(static_root), SECRET_KEY=SECRET, TIERLINE_HOME=str(static_root))
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
    context.set_default_timeout(1000 * PATIENCE_S)
    opened = context.new_page()
    complaints: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        # A refused form answers 4xx on purpose, and Chromium logs that as an error of its own.
        expected = "Failed to load resource" in message.text and " 4" in message.text
        # Axe leaves empty styles on what it has measured, and a live page sets them again.
        expected = expected or (NO_STYLE in message.text and "inline style" in message.text)
        # A window that leaves no trace gets no subscription, and Chromium logs why.
        expected = expected or "Push API in incognito mode" in message.text
        if message.type in ("error", "warning") and not expected:
            complaints.append(f"{message.type}: {message.text} ({message.location})")

    opened.on("console", hear)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    context.close()
    assert not complaints, "\n".join(complaints)


class Album:
    """Screenshots of each page, and what axe thinks of it."""

    def __init__(self, page: Page, folder: Path) -> None:
        self.page = page
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.faults: list[str] = []

    def look(self, name: str, *, whole: bool = True, is_alike: bool = False) -> None:
        """Photograph the page in every width and theme; what is wrong is kept for the end.

        One that is made of the parts of another is looked at in each width and each theme once.
        """
        for size, (width, height) in WIDTHS.items():
            self.page.set_viewport_size({"width": width, "height": height})
            for theme in THEMES:
                if is_alike and (size, theme) in (("desk", "light"), ("phone", "dark")):
                    continue
                self.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
                path = self.folder / f"{name}-{size}-{theme}.png"
                self.page.screenshot(path=path, full_page=whole)
                if (size, theme) == ("phone", "dark"):
                    continue  # its colours are the desk's, its layout the light phone's
                found = Axe().run(self.page)
                if found.response["violations"]:
                    self.faults.append(f"{path.stem}: {found.generate_report()}")
                # Axe leaves empty styles behind, and htmx would set them again, against the CSP.
                self.page.evaluate(UNSTYLE)
            if size == "phone":
                overhang = "document.documentElement.scrollWidth > innerWidth"
                if self.page.evaluate(overhang):
                    self.faults.append(f"{name} scrolls sideways on a phone")
        self.page.set_viewport_size({"width": 1440, "height": 900})
        self.page.emulate_media(color_scheme="light")
        self.page.evaluate(UNSTYLE)

    def for_readme(self) -> None:
        """Make the README's picture from what stands on the screen."""
        self.page.screenshot(path=README_PICTURE)
        assert README_PICTURE.stat().st_size <= 300_000


@pytest.fixture
def album(page: Page, tmp_path: Path) -> Iterator[Album]:
    """Pictures of this test's page; what axe finds fails the test at its end."""
    kept = Album(page, Path(os.environ.get("SCREENSHOT_DIR", tmp_path)))
    yield kept
    assert not kept.faults, "\n".join(kept.faults)


def sign_in(page: Page, site: str, name: str) -> None:
    """Sign in by the form, as a person of the stage, and wait for the first page."""
    page.goto(f"{site}/sign-in")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def sign_out(page: Page) -> None:
    """Sign out by the menu in the bar."""
    page.locator(".bar-person > summary").click()
    page.get_by_role("button", name="Sign out").click()


def aside(act: Callable[[], Answer]) -> Answer:
    """What the act returns; beside Playwright's loop only another thread may ask the database."""

    def run() -> Answer:
        try:
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result()
