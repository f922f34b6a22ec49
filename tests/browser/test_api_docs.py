"""The interface's own page: read and tried in a real browser, under the strict policy."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.web.stage import PASSWORD


def test_the_docs_are_shown_and_tried_under_the_strict_policy(
    page: Page, site: str, tmp_path: Path
):
    foreign: list[str] = []
    page.on(
        "request",
        lambda request: (
            None if request.url.startswith((site, "data:")) else foreign.append(request.url)
        ),
    )
    page.goto(f"{site}/sign-in")
    page.fill("input[name=username]", "mara")
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.goto(f"{site}/api/v1/docs/")
    page.locator("#operations-tag-tickets").click()
    expect(page.get_by_text("/api/v1/tickets/", exact=True).first).to_be_visible()
    page.screenshot(path=tmp_path / "docs.png")
    # With many operations unfolded only those in view are drawn.
    page.locator("#operations-tag-tickets").click()
    page.locator("#operations-tag-me").click()
    page.locator("#operations-me-me_retrieve button.opblock-summary-control").click()
    page.locator("#operations-me-me_retrieve .try-out__btn").click()
    page.locator("#operations-me-me_retrieve .execute").click()
    answer = page.locator("#operations-me-me_retrieve .live-responses-table")
    expect(answer).to_contain_text('"username": "mara"')
    page.screenshot(path=tmp_path / "tried.png")
    assert not foreign
