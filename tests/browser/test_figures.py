"""Walks through the dashboards: each looked at, one narrowed, followed to a ticket, taken away."""

import csv
import re
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

from playwright.sync_api import Page, expect

from insights.figures.answers import tell_board
from insights.figures.boards import BOARDS, Board
from insights.figures.folding import fold_all
from insights.figures.wording import said
from insights.models import Estimate, RiskModel, Sample
from insights.simulation.asking import run_waiting
from roles.instants import database_now
from roles.models import Duty, DutyAssignment, Person
from tests.browser.conftest import Album, aside, sign_in
from tests.web.stage import Stage
from web.figures.asking import asked_of

TILES = """[...document.querySelectorAll(".tiles .tile")].map((tile) =>
    [".defined", ".tile-value"].map((part) => tile.querySelector(part).textContent.trim()))"""
TABLES = """[...document.querySelectorAll(".split table")].map((table) =>
    [...table.tBodies[0].rows].map((row) =>
        [...row.cells].slice(0, 2).map((cell) => cell.textContent.trim())))"""


def test_an_incident_manager_reads_the_figures(page: Page, site: str, stage: Stage, album: Album):
    aside(fold_all)
    sign_in(page, site, "mara")
    page.keyboard.press("g")
    page.keyboard.press("f")
    expect(page.get_by_role("heading", name="Now", exact=True)).to_be_visible()
    album.look("figures-now")
    tabs = page.get_by_role("navigation", name="Dashboards")
    for number, board in enumerate(BOARDS):
        tabs.get_by_role("link", name=str(board.name)).click()
        expect(page.get_by_role("heading", name=str(board.name), exact=True)).to_be_visible()
        _compare_numbers(page, board, stage.mara)
        album.look(f"figures-{board.slug}", is_alike=number > 0)

    page.emulate_media(media="print")
    for hidden, shown in ((".bar", ".chart-picture .bar"), (".asked", ".split table")):
        expect(page.locator(f"header{hidden}, div{hidden}").first).to_be_hidden()
        expect(page.locator(shown).first).to_be_visible()
    page.emulate_media(media="screen")

    tabs.get_by_role("link", name="Escalations").click()
    meaning = page.get_by_text("the share that was escalated to another team at least once").first
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
    album.look("figures-mine", is_alike=True)
    _walk_through_what_is_learned(page, site, stage, album)


def _compare_numbers(page: Page, board: Board, reader: Person) -> None:
    """Each tile and each line of each table says what its function does, at the page's moment."""
    stamp = int(page.locator("body").get_attribute("data-now"))
    now = datetime.fromtimestamp(stamp / 1000, UTC)
    told = aside(lambda: tell_board(board, asked_of({}, now).question, reader, now=now))
    lines = [
        [(row.label, said(split.figure, row.value)) for row in split.rows]
        for split in told.splits
        if split.rows
    ]
    assert page.evaluate(TILES) == [
        [
            str(tile.figure.name),
            "not measured" if tile.value is None else said(tile.figure, tile.value),
        ]
        for tile in told.tiles
    ]
    for shown, meant in zip(page.evaluate(TABLES), lines, strict=True):
        assert sorted(map(tuple, shown)) == sorted(meant)


def _walk_through_what_is_learned(page: Page, site: str, stage: Stage, album: Album) -> None:
    """Risk, lessons, a simulation, and a review from its draft to quality's marks."""
    key = aside(lambda: _learned(stage))
    for name in ("risk", "training", "reviews"):
        page.goto(f"{site}/{name}")
        album.look(name)
    page.goto(f"{site}/tickets/{stage.tickets['badge'].key}/review")
    album.look("review-none", is_alike=True)
    page.get_by_role("button", name="Draft the review").click()
    page.get_by_label("Cause").fill("The badge had expired.")
    page.get_by_role("button", name="Keep the review").click()
    page.get_by_text("Agree on an action").click()
    page.get_by_label("What is to be done?").fill("Warn a week ahead")
    page.get_by_role("button", name="Add the action").click()
    expect(page.get_by_text("Choose a day.")).to_be_visible()
    album.look("review")
    page.goto(f"{site}/reviews/samples/{key}")
    album.look("review-sample", is_alike=True)
    page.goto(f"{site}/policies/standard/simulate")
    album.look("simulate")
    page.get_by_role("button", name="Simulate").click()
    album.look("simulation-waiting", is_alike=True)
    aside(run_waiting)
    page.reload()
    expect(page.get_by_role("heading", name="Pages by hour of the paged person")).to_be_visible()
    album.look("simulation")


def _learned(stage: Stage) -> int:
    """Give estimates, a lesson's article, and a sample for the incident manager to mark."""
    now = database_now()
    duty = Duty.objects.create(slug="qa-reviewer", name="QA reviewer")
    DutyAssignment.objects.create(duty=duty, person=stage.mara)
    version = RiskModel.objects.create(
        trained_at=now,
        cases=900,
        positives=340,
        skill=0.3,
        auroc=0.85,
        recall20=0.45,
        hit_rate20=0.8,
        is_used=True,
        refused={"asset": "alone tells the end of 99% of pairs: nobody can know that beforehand"},
    )
    reason = {"code": "past", "of": "service", "share": 0.61, "count": 83, "hours": 30.0}
    for number, name in enumerate(("slow", "mail")):
        Estimate.objects.create(
            ticket=stage.tickets[name],
            model=version,
            probability=0.9 - 0.5 * number,
            reasons=[reason],
            seq=1,
            at=now,
        )
    return Sample.objects.create(ticket=stage.tickets["badge"], chosen_at=now).pk
