"""Walks through the dashboards: each looked at, one narrowed, followed to a ticket, taken away."""

import csv
import re
from io import StringIO
from pathlib import Path

from playwright.sync_api import Page, expect

from insights.figures.boards import BOARDS
from insights.figures.folding import fold_all
from tests.browser.conftest import Album, aside, sign_in
from tests.web.stage import Stage


def test_an_incident_manager_reads_the_figures(page: Page, site: str, stage: Stage, album: Album):
    aside(fold_all)
    sign_in(page, site, "mara")
    page.keyboard.press("g")
    page.keyboard.press("f")
    expect(page.get_by_role("heading", name="Now", exact=True)).to_be_visible()
    album.look("figures-now")
    tabs = page.get_by_role("navigation", name="Dashboards")
    for board in BOARDS:
        tabs.get_by_role("link", name=str(board.name)).click()
        expect(page.get_by_role("heading", name=str(board.name), exact=True)).to_be_visible()
        album.look(f"figures-{board.slug}")

    tabs.get_by_role("link", name="Escalations").click()
    meaning = page.get_by_text("the share that was escalated to another team at least once")
    expect(meaning).to_be_hidden()
    page.get_by_text("Escalation rate", exact=True).first.focus()
    expect(meaning).to_be_visible()
    page.get_by_text("Period and filters").click()
    page.locator("select[name=team]").select_option("desk")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile("team=desk"))
    with page.expect_download() as taken:
        page.get_by_role("link", name="CSV").click()
    lines = list(csv.reader(StringIO(Path(taken.value.path()).read_text("utf-8-sig"))))
    page.locator(".tile-value a").first.click()
    album.look("figures-behind")
    shown = page.locator("tbody tr").count()
    share = next(float(row[2]) for row in lines if row[1] == "Escalation rate")
    whole = next(int(row[5]) for row in lines if row[1] == "Escalation rate")
    assert shown == round(share * whole)
    page.locator("tbody a").first.click()
    expect(page.get_by_text("Checkout is slow").first).to_be_visible()

    page.goto(f"{site}/figures/mine")
    album.look("figures-mine")
