"""A shift at the desk by keyboard alone, rows that change under the pointer, and without script."""

import re

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Album, aside, sign_in
from tests.web.stage import Stage
from tickets.assignment import take
from tickets.lifecycle import comment

NOTE = {"text": "Asked again.", "public": False}


def key_of(stage: Stage, name: str) -> str:
    return stage.tickets[name].key


def test_a_shift_by_keyboard_alone(page: Page, site: str, stage: Stage, album: Album):
    sign_in(page, site, "ines")
    press = page.keyboard.press
    page.goto(f"{site}/?view=team")
    album.look("desk-queue")
    press("?")
    expect(page.get_by_role("dialog").get_by_text("next or previous row")).to_be_visible()
    album.look("desk-keys", whole=False)
    press("Escape")
    for key in ("j", "x", "j", "Shift+X"):
        press(key)
    expect(page.get_by_label("Acts on the chosen tickets")).to_contain_text("2 chosen")
    album.look("desk-chosen", whole=False)
    press("Escape")
    expect(page.locator(".bulk")).to_be_hidden()
    choose_and_take(page)
    album.look("desk-done")
    press("z")
    expect(page.get_by_text("2 tickets are as before")).to_be_visible()
    press("/")
    page.keyboard.type("payroll team:mine")
    press("Enter")
    expect(page.locator("tr.row")).to_have_count(1)
    assert "q=payroll" in page.url
    press("Escape")
    press("j")
    press("Enter")
    expect(page).to_have_url(re.compile(key_of(stage, "payroll")))
    page.wait_for_load_state()  # the keys are heard once the page's script has run
    press("t")
    expect(page.get_by_text("It is yours.")).to_be_visible()
    press("g")
    press("q")
    expect(page).to_have_url(re.compile(r"/$"))
    palette(page, album, key_of(stage, "vpn"))


def choose_and_take(page: Page) -> None:
    for key in ("k", "k", "x", "j", "x"):
        page.keyboard.press(key)
    acts = page.get_by_label("Acts on the chosen tickets")
    acts.get_by_role("button", name="Take").press("Enter")
    expect(page.get_by_text("2 tickets done")).to_be_visible()


def palette(page: Page, looks: Album, key: str) -> None:
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name="Find tickets")).to_be_focused()
    page.keyboard.type("vpn drops")
    expect(page.get_by_role("option", name=re.compile(key))).to_have_attribute(
        "aria-selected", "true"
    )
    looks.look("desk-palette", whole=False)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(key))


def test_a_row_that_leaves_the_view_stays_under_the_pointer(page: Page, site: str, stage: Stage):
    sign_in(page, site, "ines")
    page.goto(f"{site}/?view=team")
    choose_a_range_with_the_mouse(page)
    mail, chair = page.locator(f"#row-{key_of(stage, 'mail')}"), key_of(stage, "chair")
    page.get_by_label(f"Select {chair}").check()
    mail.hover()
    before = mail.bounding_box()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    aside(lambda: comment(ticket=stage.tickets["vpn"], actor=stage.ines, **NOTE))
    aside(lambda: take(ticket=stage.tickets["mail"], actor=stage.people["omar"]))
    expect(mail).to_have_class(re.compile("is-gone"))
    assert not asked, "an open page is told what differs and asks for nothing"
    assert mail.bounding_box() == before
    expect(page.get_by_label(f"Select {chair}")).to_be_checked()
    page.mouse.move(5, 5)
    expect(mail).to_have_count(0)
    expect(page.get_by_label(f"Select {chair}")).to_be_checked()


def choose_a_range_with_the_mouse(page: Page) -> None:
    """A click on one box and a click with shift on another choose all between them."""
    boxes = page.locator('.rows input[name="key"]')
    boxes.nth(0).click()
    boxes.nth(2).click(modifiers=["Shift"])
    acts = page.get_by_label("Acts on the chosen tickets")
    expect(acts).to_contain_text("3 chosen")
    acts.get_by_role("button", name="Assign…").click()
    expect(page.get_by_role("dialog")).to_contain_text("Assign 3 tickets")
    page.keyboard.press("Escape")
    for place in range(3):
        expect(boxes.nth(place)).to_be_checked()
    boxes.nth(0).click(modifiers=["Shift"])  # back over them takes all three out again
    expect(page.locator(".bulk")).to_be_hidden()


def test_many_at_once_and_views_without_script(browser: Browser, site: str, stage: Stage):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, site, "ines")
    page.goto(f"{site}/?view=team&sort=priority")
    for name in ("mail", "chair"):
        page.get_by_label(f"Select {key_of(stage, name)}").check()
    page.get_by_role("button", name="Assign…").click()
    page.get_by_label("To").select_option(label="Omar Haddad · Service Desk")
    page.get_by_role("button", name="Assign", exact=True).click()
    expect(page.get_by_text("2 tickets done")).to_be_visible()
    assert "sort=priority" in page.url
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("2 tickets are as before")).to_be_visible()
    page.get_by_label("Search by key, words or operators").fill("is:vip")
    page.get_by_role("button", name="Filter").click()
    page.locator(".view-menu > summary").click()
    page.get_by_label("Keep these filters as").fill("Important people")
    page.get_by_role("button", name="Save view").click()
    expect(page.locator(".tab-own")).to_contain_text("Important people")
    context.close()
