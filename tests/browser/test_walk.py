"""A walk through the agent's day in a real browser, looked at in both themes and two widths."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.web.stage import PASSWORD, Stage

WIDTHS = {"desk": (1440, 900), "phone": (390, 844)}
README_PICTURE = Path(__file__).resolve().parents[2] / "docs" / "screenshot.png"
THEMES = ("light", "dark")
UNSTYLE = (
    """document.querySelectorAll('[style=""]').forEach((each) => each.removeAttribute("style"))"""
)


class Album:
    """Screenshots of each page, and what axe thinks of it."""

    def __init__(self, page: Page, folder: Path) -> None:
        self.page = page
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.faults: list[str] = []

    def look(self, name: str, *, whole: bool = True) -> None:
        """Photograph the page in every width and theme; what is wrong is kept for the end."""
        for size, (width, height) in WIDTHS.items():
            self.page.set_viewport_size({"width": width, "height": height})
            for theme in THEMES:
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
    kept = Album(page, Path(os.environ.get("SCREENSHOT_DIR", tmp_path)))
    yield kept
    assert not kept.faults, "\n".join(kept.faults)


def sign_in(page: Page, site: str, name: str) -> None:
    page.goto(f"{site}/sign-in")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def sign_out(page: Page) -> None:
    page.locator(".bar-person > summary").click()
    page.get_by_role("button", name="Sign out").click()


def test_an_agent_works_through_a_day(page: Page, site: str, stage: Stage, album: Album):
    address = f"{site}/tickets/{stage.tickets['slow'].key}"
    page.goto(site)
    album.look("sign-in")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Enter your user name.")).to_be_visible()
    sign_in(page, site, "nora")
    page.get_by_role("link", name=re.compile("^All open")).click()
    expect(page.get_by_role("link", name="Checkout is slow")).to_be_visible()
    album.look("queue")
    page.get_by_role("link", name="Checkout is slow").click()
    expect(page.get_by_text("Why was this escalated?")).to_be_visible()
    album.look("ticket")
    if "SCREENSHOT_DIR" in os.environ:
        album.for_readme()
    take_and_write(page, album)
    escalate(page, album)
    sign_out(page)

    sign_in(page, site, "petra")
    page.goto(address)
    hand_back(page)
    sign_out(page)

    sign_in(page, site, "nora")
    page.goto(address)
    resolve(page, album)


def take_and_write(page: Page, album: Album) -> None:
    page.get_by_role("button", name="Accept escalation").click()
    expect(page.get_by_text("Escalation accepted.")).to_be_visible()
    page.get_by_role("button", name="Take").click()
    expect(page.get_by_text("It is yours.")).to_be_visible()
    text = page.get_by_label("Note or reply", exact=True)
    text.fill("The plan scans the whole table since 09:38.")
    expect(page.get_by_role("button", name="Send reply")).to_be_hidden()
    album.look("composer-note", whole=False)
    page.get_by_role("button", name="Add internal note").click()
    expect(page.locator(".item-note").first).to_contain_text("scans the whole table")
    page.get_by_text("Reply to Ada Park").click()
    text.fill("We have found the cause, Ada, and are repairing it.")
    expect(page.get_by_role("button", name="Add internal note")).to_be_hidden()
    album.look("composer-reply", whole=False)
    page.get_by_role("button", name="Send reply").click()
    expect(page.get_by_text("Reply sent.")).to_be_visible()


def escalate(page: Page, album: Album) -> None:
    need = "Rebuild the index on orders-db-2."
    page.get_by_role("link", name="Escalate").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Platform Engineering").first).to_be_visible()
    dialog.get_by_label("What do you need from them?").fill(need)
    dialog.get_by_role("button", name="Escalate").click()
    expect(dialog.get_by_text("Choose why.")).to_be_visible()
    expect(dialog.get_by_label("What do you need from them?")).to_have_value(need)
    album.look("escalate", whole=False)
    dialog.get_by_label("Why").select_option("skill")
    dialog.get_by_role("button", name="Escalate").click()
    expect(page.get_by_text("Escalated.")).to_be_visible()
    expect(page.locator(".facts")).to_contain_text("Platform Engineering")


def hand_back(page: Page) -> None:
    page.get_by_role("link", name="Hand back").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Why").select_option("solvable")
    dialog.get_by_label("What should they know?").fill("ANALYZE on the table is enough.")
    dialog.get_by_role("button", name="Hand back").click()
    expect(page.get_by_text("Handed back.")).to_be_visible()


def resolve(page: Page, album: Album) -> None:
    page.get_by_role("link", name="Resolve").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Outcome").select_option("fixed")
    dialog.get_by_label("What solved it?").fill("Statistics were stale; orders go through again.")
    album.look("resolve", whole=False)
    dialog.get_by_role("button", name="Resolve").click()
    expect(page.get_by_text("Resolved. The requester has been told.")).to_be_visible()
    expect(page.locator(".facts")).to_contain_text("Resolved")
    album.look("resolved")


def test_the_other_pages_look_right(page: Page, site: str, stage: Stage, album: Album):
    sign_in(page, site, "ines")
    for name in ("on-call", "guide", "new"):
        page.goto(f"{site}/{name}")
        album.look(name)
    page.goto(f"{site}/?view=all&priority=5&q=nothing")
    album.look("queue-empty")
    page.goto(f"{site}/no-such-page")
    album.look("not-found")
    page.goto(f"{site}/?view=all")
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keys")).to_be_visible()
    album.look("keys", whole=False)
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/tickets/"))


def test_a_requester_sees_answers_and_never_notes(
    page: Page, site: str, stage: Stage, album: Album
):
    sign_in(page, site, "ada")
    album.look("requests")
    page.get_by_role("link", name="Checkout is slow").click()
    expect(page.get_by_text("I see the delay too")).to_be_visible()
    expect(page.get_by_text("after the index rebuild")).to_have_count(0)
    album.look("request")


def test_the_day_goes_on_without_script(browser: Browser, site: str, stage: Stage):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, site, "nora")
    page.goto(f"{site}/?view=all")
    page.get_by_label("Search by key, words or operators").fill("checkout")
    page.get_by_role("button", name="Filter").click()
    page.get_by_role("link", name="Checkout is slow").click()
    page.get_by_role("link", name="Escalate").click()
    page.get_by_label("Why").select_option("skill")
    page.get_by_label("What do you need from them?").fill("Rebuild the index.")
    page.get_by_role("button", name="Escalate").click()
    expect(page.get_by_text("Escalated.")).to_be_visible()
    context.close()
