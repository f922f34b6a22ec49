"""An administrator before an empty site: from the printed link to the first page, in minutes."""

import re
import time

import pytest
from playwright.sync_api import Page, expect

from escalation.engine import tick
from notifications.delivery import deliver_batch
from tests.browser.conftest import Album, aside
from web.firstlink import LINK_PATH, first_link

FIVE_MINUTES_S = 300
SECRET = "three quiet green owls"


@pytest.fixture
def stage(live_db) -> None:
    """Nothing at all: nobody has an account here yet."""


def go_on(page: Page, heading: str, button: str = "Set up and go on") -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    page.get_by_role("button", name=button).click()


def test_from_an_empty_site_to_the_first_page(page: Page, site: str, album: Album):
    page.goto(f"{site}/")
    expect(page.get_by_text("Nobody has an account here yet")).to_be_visible()
    token = first_link(secret_key="k" * 50).partition(LINK_PATH)[2]
    page.goto(f"{site}{LINK_PATH}{token}")
    album.look("setup-first")
    began = time.monotonic()
    page.get_by_label("Your name").fill("Ada Root")
    page.get_by_label("Your e-mail address").fill("ada@example.org")
    page.get_by_label("Password").fill(SECRET)
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Tiers")
    album.look("setup-ladder")
    go_on(page, "Tiers")
    go_on(page, "Hours")
    expect(page.get_by_role("heading", level=1)).to_have_text("Teams")
    album.look("setup-teams")
    go_on(page, "Teams")
    expect(page.get_by_label("Name")).to_have_value("Ada Root")
    go_on(page, "People", "Add")
    page.get_by_label("Name").fill("Ben Fuchs")
    page.get_by_label("E-mail address").fill("ben@example.org")
    page.get_by_role("button", name="Add").click()
    link = page.get_by_text(re.compile("shown this once"))
    expect(link).to_contain_text("/welcome")
    album.look("setup-people")
    page.get_by_role("link", name="Go on").click()
    go_on(page, "On call")
    expect(page.get_by_role("heading", level=1)).to_have_text("Policy")
    album.look("setup-policy")
    go_on(page, "Policy")
    go_on(page, "First ticket", "Open the first ticket")
    aside(tick)
    aside(deliver_batch)
    expect(page.get_by_text("Ada Root was paged by e-mail")).to_be_visible()
    assert time.monotonic() - began < FIVE_MINUTES_S
    album.look("setup-arrived")
    page.get_by_role("link", name="To the queue").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Queue")
