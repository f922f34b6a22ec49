"""A major incident from its proposal to the last word, in a real browser."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import Album, sign_in, sign_out
from tests.web.stage import Stage

PLAN = "https://plans.example.org/" + "step-" * 60
"""An address without a place to break it, as people paste them."""


def test_a_major_incident_is_led_in_its_room(
    page: Page,
    site: str,
    stage: Stage,
    album: Album,
):
    key = stage.tickets["slow"].key
    sign_in(page, site, "nora")
    page.goto(f"{site}/tickets/{key}")
    page.locator(".acts-more > summary").click()
    page.get_by_role("link", name="Propose a major incident…").click()
    page.get_by_label("Why is it one?").fill("Half of the shops cannot sell.")
    page.get_by_role("button", name="Propose a major incident").click()
    expect(page.get_by_text("The incident manager on call has been told.")).to_be_visible()
    sign_out(page)

    sign_in(page, site, "mara")
    page.goto(f"{site}/majors")
    expect(page.get_by_text("Half of the shops cannot sell.")).to_be_visible()
    album.look("majors")
    page.get_by_role("link", name=stage.tickets["slow"].subject).click()
    page.get_by_role("link", name="Accept as major incident").click()
    page.get_by_label("Severity").select_option("1")
    page.get_by_role("button", name="Accept as major incident").click()
    page.get_by_label("How does it go?").fill(f"A bad index; it is being rebuilt. {PLAN}")
    page.get_by_label("Next update in (minutes)").fill("20")
    page.get_by_role("button", name="Send update").click()
    expect(page.locator(".room-story").get_by_text("A bad index; it is being")).to_be_visible()
    expect(page.locator("#room-head")).to_contain_text("19 min")
    page.get_by_role("link", name="Attach a ticket").click()
    page.get_by_label("Key of the ticket").fill(stage.tickets["mail"].key)
    page.get_by_role("button", name="Attach a ticket").click()
    expect(page.get_by_role("link", name=stage.tickets["mail"].key)).to_be_visible()
    album.look("major")
    sign_out(page)

    sign_in(page, site, "bo")
    page.goto(f"{site}/status")
    expect(page.get_by_text("A bad index; it is being rebuilt.")).to_be_visible()
    album.look("status")
    sign_out(page)

    sign_in(page, site, "mara")
    for name in ("problems", "changes", "vendors", "cases"):
        page.goto(f"{site}/{name}")
        album.look(name)
