"""What administrators see: whether all runs, the admin's pages, and policy as code on a phone."""

import os
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from roles.models import Person
from tests.browser.conftest import Album, sign_in
from tests.web.stage import Stage

pytestmark = pytest.mark.browser

FILE = """\
version: 1
tiers:
  makers:
    name: Makers of a tier with a name that is long enough to need two lines on a phone
    kind: lane
"""
OVERHANG = "document.documentElement.scrollWidth > innerWidth"


@pytest.fixture
def stage(stage: Stage) -> Stage:
    """The filled stage, on which Nora administers everything."""
    Person.objects.filter(username="nora").update(is_staff=True, is_superuser=True)
    return stage


def upload(page: Page, text: str) -> None:
    page.get_by_label("YAML file").set_input_files(
        {"name": "site.yaml", "mimeType": "text/yaml", "buffer": text.encode()}
    )
    page.get_by_role("button", name="Show the plan").click()


def look(page: Page, name: str, folder: Path) -> None:
    page.screenshot(path=folder / f"{name}.png", full_page=True)
    assert not page.evaluate(OVERHANG), f"{name} scrolls sideways"


def test_a_file_is_planned_and_applied_on_a_phone(stage, page: Page, site: str, tmp_path: Path):
    folder = Path(os.environ.get("SCREENSHOT_DIR", tmp_path))
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in(page, site, "nora")
    page.goto(f"{site}/admin/escalation/policy/")
    page.get_by_role("link", name="Configuration as a file").click()
    look(page, "configuration", folder)
    upload(page, FILE.replace("kind: lane", "kynd: lane"))
    expect(page.get_by_text("Did you mean")).to_be_visible()
    look(page, "configuration-mistakes", folder)
    upload(page, FILE)
    expect(page.get_by_text("+ tiers.makers")).to_be_visible()
    look(page, "configuration-plan", folder)
    page.get_by_label("Reason").fill("A lane for makers")
    page.get_by_role("button", name="Apply exactly this").click()
    expect(page.get_by_text("Applied: 1 new.")).to_be_visible()
    look(page, "configuration-applied", folder)


def test_whether_all_runs_is_read_at_a_glance_and_the_admin_looks_like_the_product(
    stage, page: Page, site: str, album: Album
):
    sign_in(page, site, "nora")
    page.goto(f"{site}/operations")
    expect(page.locator(".verdict-word")).to_contain_text("need somebody now")
    album.look("operations")
    page.goto(f"{site}/admin/")
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("body.theme-dark")).to_be_visible()
    page.get_by_role("button", name="System").click()
    album.look("admin")
    page.get_by_role("link", name="People", exact=True).click()
    album.look("admin-list")
    page.get_by_role("link", name="mara", exact=True).click()
    expect(page.locator("thead th.original span").first).to_be_attached()
    # Axe reads imported style sheets by writing them into the page, which the CSP refuses.
    found = Axe().run(page, options={"preload": False})
    assert not found.response["violations"], found.generate_report()
    page.set_viewport_size({"width": 390, "height": 844})
    look(page, "admin-form", album.folder)


FORMS = (
    *("roles/person", "roles/apitoken", "roles/team", "roles/calendar", "roles/schedule"),
    *("escalation/policy", "escalation/target", "escalation/vendor", "tickets/service"),
    *("tickets/alertsource", "tickets/mailsource", "tickets/change"),
    *("notifications/contactmethod", "notifications/hook", "notifications/messagetext"),
)
COLOURS = ["color-contrast", "link-in-text-block"]


def test_the_forms_of_the_admin_can_be_read_by_everybody_in_both_themes(
    stage, page: Page, site: str
):
    sign_in(page, site, "nora")
    faults = []
    for form in FORMS:
        page.emulate_media(color_scheme="light", reduced_motion="reduce")
        page.goto(f"{site}/admin/{form}/add/")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        found = [Axe().run(page, options={"preload": False})]
        page.emulate_media(color_scheme="dark")
        found.append(Axe().run(page, options={"preload": False, "runOnly": COLOURS}))
        faults += [f"{form}: {one.generate_report()}" for one in found if one.violations_count]
        page.set_viewport_size({"width": 390, "height": 844})
        if page.evaluate(OVERHANG):
            faults.append(f"{form} scrolls sideways")
        page.set_viewport_size({"width": 1440, "height": 900})
    assert not faults, "\n".join(faults)
