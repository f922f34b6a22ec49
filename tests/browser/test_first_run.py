"""An administrator before an empty site: from the printed link to the first page, in minutes."""

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from escalation.engine import tick
from notifications.delivery import deliver_batch
from tests.browser.test_portal import aside
from tests.browser.test_walk import Album
from web.firstlink import LINK_PATH, first_link

FIVE_MINUTES_S = 300
SECRET = "three quiet green owls"


@pytest.fixture
def stage(live_db) -> None:
    """Nothing at all: nobody has an account here yet."""


@pytest.fixture
def setup_album(page: Page, tmp_path: Path) -> Iterator[Album]:
    kept = Album(page, Path(os.environ.get("SCREENSHOT_DIR", tmp_path)))
    yield kept
    assert not kept.faults, "\n".join(kept.faults)


def go_on(page: Page, heading: str, button: str = "Set up and go on") -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    page.get_by_role("button", name=button).click()


def test_from_an_empty_site_to_the_first_page(page: Page, site: str, setup_album: Album):
    page.goto(f"{site}/")
    expect(page.get_by_text("Nobody has an account here yet")).to_be_visible()
    token = first_link(secret_key="k" * 50).partition(LINK_PATH)[2]
    page.goto(f"{site}{LINK_PATH}{token}")
    setup_album.look("setup-first")
    began = time.monotonic()
    page.get_by_label("Your name").fill("Ada Root")
    page.get_by_label("Your e-mail address").fill("ada@example.org")
    page.get_by_label("Password").fill(SECRET)
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Tiers")
    setup_album.look("setup-ladder")
    go_on(page, "Tiers")
    go_on(page, "Hours")
    expect(page.get_by_role("heading", level=1)).to_have_text("Teams")
    setup_album.look("setup-teams")
    go_on(page, "Teams")
    expect(page.get_by_label("Name")).to_have_value("Ada Root")
    go_on(page, "People", "Add")
    page.get_by_label("Name").fill("Ben Fuchs")
    page.get_by_label("E-mail address").fill("ben@example.org")
    page.get_by_role("button", name="Add").click()
    link = page.get_by_text(re.compile("shown this once"))
    expect(link).to_contain_text("/welcome")
    setup_album.look("setup-people")
    page.get_by_role("link", name="Go on").click()
    go_on(page, "On call")
    expect(page.get_by_role("heading", level=1)).to_have_text("Policy")
    setup_album.look("setup-policy")
    go_on(page, "Policy")
    go_on(page, "First ticket", "Open the first ticket")
    aside(tick)
    aside(deliver_batch)
    expect(page.get_by_text("Ada Root was paged by e-mail")).to_be_visible()
    assert time.monotonic() - began < FIVE_MINUTES_S
    setup_album.look("setup-arrived")
    page.get_by_role("link", name="To the queue").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Queue")
