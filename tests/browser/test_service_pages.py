"""Walks through the pages about the service itself: on call, who does what, policies."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, Route, expect

from insights.simulation.asking import run_waiting
from tests.browser.conftest import Album, aside, sign_in
from tests.web.stage import Stage


def test_a_lead_puts_somebody_in_by_three_clicks(
    page: Page,
    site: str,
    stage: Stage,
    album: Album,
):
    sign_in(page, site, "nora")
    page.goto(f"{site}/on-call")
    album.look("on-call-now")
    page.get_by_role("link", name="Application Support").click()
    expect(page.get_by_role("heading", name="Application Support")).to_be_visible()
    page.get_by_role("link", name="Later").click()

    page.locator("a.shift", has_text="Teo Marin").nth(2).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Told at once: whoever you choose")).to_contain_text("Teo Marin")
    album.look("stand-in", whole=False)
    dialog.get_by_text("Nora Weiss", exact=True).click()
    dialog.get_by_role("link", name="only this day").click()
    expect(dialog.get_by_role("link", name="the whole shift")).to_be_focused()
    expect(dialog.get_by_label("Nora Weiss")).to_be_checked()
    dialog.get_by_role("button", name="Put in").click()

    expect(page.get_by_text("Nora Weiss is on call for these hours.")).to_be_visible()
    page.get_by_role("link", name="Later").click()
    expect(page.locator("a.shift-override")).to_contain_text(["Nora Weiss"])
    album.look("on-call-team")
    page.get_by_role("link", name="Four weeks").click()
    expect(page.locator(".board-day")).to_have_count(28)
    page.goto(f"{site}/on-call/mine")
    album.look("on-call-mine")
    for name, address in (("guide-team", "/guide/team/support"), ("guide-tier", "/guide/tier/l2")):
        page.goto(f"{site}{address}")
        album.look(name)


def test_a_policy_is_edited_simulated_and_published(
    page: Page,
    site: str,
    stage: Stage,
    album: Album,
):
    page.on("dialog", lambda dialog: dialog.accept())
    sign_in(page, site, "mara")
    page.goto(f"{site}/policies")
    album.look("policies")
    page.get_by_role("link", name="Standard").click()
    album.look("policy")
    page.get_by_role("link", name="Edit").click()
    edit(page)
    album.look("policy-draft")
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_text("A draft waits")).to_be_visible()

    page.get_by_role("link", name="Simulate").click()
    page.get_by_role("button", name="Simulate").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    aside(run_waiting)  # what the worker does
    expect(page.get_by_text("People would have acted otherwise")).to_be_visible()
    expect(page.get_by_role("heading", name="Pages by hour")).to_be_visible()
    expect(page.locator(".chart-picture:visible")).to_have_count(1)
    album.look("simulation")

    page.goto(f"{site}/policies/standard")
    page.get_by_role("link", name="Publish…").click()
    expect(page.get_by_text("delay was 15 min, becomes 5 min")).to_be_visible()
    album.look("policy-publish")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Revision 2 is in force.")).to_be_visible()
    page.get_by_label("Why?").fill("Nobody should wait that long.")
    page.get_by_role("button", name=re.compile("^Move")).click()
    expect(page.get_by_text("climbs moved.")).to_be_visible()
    page.get_by_role("link", name="History").click()
    expect(page.get_by_text("What r2 changed from r1")).to_be_visible()
    album.look("policy-history")


# As quick as a machine: the whom of an action is chosen in the moment in which it can be.
CHOOSE_AT_ONCE = """() => new MutationObserver((_, watch) => {
  const whom = document.getElementById("s0-a1-to1");
  if (!whom) return;
  watch.disconnect();
  [...whom.options].find((each) => each.label === "the team's lead").selected = true;
  ["input", "change"].forEach((kind) => whom.dispatchEvent(new Event(kind, { bubbles: true })));
}).observe(document.body, { childList: true, subtree: true })"""


@contextmanager
def held(page: Page, address: str) -> Iterator[None]:
    """Keeps what the page sends to an address on its way until the block is left."""
    waiting: list[Route] = []

    def hold(route: Route) -> None:
        waiting.append(route)

    page.route(address, hold)
    yield
    for route in waiting:
        route.continue_()
    page.unroute(address, hold)


def edit(page: Page) -> None:
    """Mistakes come and go as one types, rows come as they are filled, and the focus stays."""
    delay = page.locator("#s0-delay_s")
    delay.fill("soon")
    expect(page.locator("#e-steps-1-delay_s")).to_have_text(re.compile("A whole number"))
    expect(page.get_by_text("1 mistake to mend")).to_be_visible()
    expect(delay).to_be_focused()
    delay.fill("5")
    expect(page.locator("#e-steps-1-delay_s")).to_be_empty()
    expect(page.locator("#says-1")).to_contain_text("for 5 min")
    page.evaluate(CHOOSE_AT_ONCE)
    with held(page, "**/policies/standard/draft"):
        page.locator("#s0-a1-do").select_option("notify")
        page.locator("#s0-name").fill("Typed meanwhile")
    expect(page.locator("#says-1")).to_contain_text("tell the team's lead")
    expect(page.locator("#s0-name")).to_have_value("Typed meanwhile")
    expect(page.locator("#s0-a1-to2")).to_be_visible()
    page.get_by_role("button", name="Move step 3 up").click()
    expect(page.locator("#s1-name")).to_have_value("Call the incident manager")
