"""The ticket page in a real browser: written on, looked at by two, changed while it is open."""

import re
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Browser, Page, expect

from escalation.engine import tick
from escalation.models import Run
from roles.instants import database_now, fixed
from tests.browser.conftest import Album, aside, sign_in
from tests.web.stage import Stage
from tickets.lifecycle import comment
from tickets.models import CannedText, Ticket

BRING = """([way, name]) => {
  const held = new DataTransfer(), told = { bubbles: true, cancelable: true };
  held.items.add(new File(["502"], name, { type: "text/plain" }));
  const event = way === "drop" ? new DragEvent("drop", { ...told, dataTransfer: held })
                               : new ClipboardEvent("paste", { ...told, clipboardData: held });
  document.getElementById("composer-text").dispatchEvent(event);
}"""
"""A file let go over the composer, or pasted into it, as the browser tells of it."""


def ready_text() -> None:
    CannedText.objects.create(name="First words", text="Dear {requester}, we look into {key}.")


def let_the_next_step_fire(ticket_id: int) -> None:
    due = Run.objects.filter(ticket=ticket_id, state="active").latest("next_at").next_at
    assert due is not None
    tick(clock=fixed(max(due, database_now()) + timedelta(seconds=1)))


def answer_as(stage: Stage, text: str) -> None:
    ticket = Ticket.objects.get(pk=stage.tickets["slow"].pk)
    comment(ticket=ticket, actor=stage.teo, text=text, public=True)


def test_a_ticket_is_written_on_while_others_look_and_the_policy_goes_on(
    page: Page,
    browser: Browser,
    site: str,
    stage: Stage,
    album: Album,
):
    aside(ready_text)
    address = f"{site}/tickets/{stage.tickets['slow'].key}"
    sign_in(page, site, "nora")
    page.goto(address)
    page.keyboard.press("t")
    expect(page.get_by_text("It is yours.")).to_be_visible()
    page.wait_for_load_state()  # "::" is heard once the page's script has run
    _write_with_help(page, album)
    _see_each_other(page, browser, site, address)
    _be_held_back_then_ask(page, stage, album)
    page.goto(address)
    page.keyboard.press("u")
    expect(page.get_by_text("Work goes on.")).to_be_visible()
    _keep_reading_while_the_policy_fires(page, stage)


def _write_with_help(page: Page, album: Album) -> None:
    """A ready text by "::", files chosen, dropped and pasted, a draft that outlives a reload."""
    text = page.get_by_label("Note or reply", exact=True)
    text.click()
    page.keyboard.type("::first")
    page.get_by_role("option", name=re.compile("First words")).click()
    expect(text).to_have_value(re.compile(r"^Dear Ada Park, we look into INC-\d+\.$"))
    page.set_input_files("#composer-file", [{"name": "log.txt", "mimeType": "", "buffer": b"502"}])
    expect(page.locator(".files-unsent")).to_contain_text("log.txt")
    for way, name in (("drop", "dropped.txt"), ("paste", "pasted.txt")):
        page.evaluate(BRING, [way, name])
        expect(page.locator(".files-unsent")).to_contain_text(name)
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#composer-preview")).to_contain_text("Dear Ada Park")
    expect(page.get_by_text("Draft kept")).to_be_visible()
    album.look("composer-helped", whole=False)
    page.reload()
    expect(text).to_have_value(re.compile("^Dear Ada Park"))
    expect(page.locator(".files-unsent")).to_contain_text("log.txt")
    page.get_by_role("button", name="Add internal note").click()
    for name in ("log.txt", "dropped.txt", "pasted.txt"):
        expect(page.locator(".item-note").first).to_contain_text(name)


def test_somebody_is_called_by_a_few_letters_of_the_name(
    page: Page, site: str, stage: Stage, album: Album
):
    sign_in(page, site, "nora")
    page.goto(f"{site}/tickets/{stage.tickets['slow'].key}")
    page.wait_for_load_state()
    text = page.get_by_label("Note or reply", exact=True)
    text.press_sequentially("Mail me@o.example, @om")
    offer = page.get_by_role("option", name=re.compile("@omar"))
    expect(offer).to_be_visible()
    album.look("composer-names", whole=False)
    text.press("ArrowDown")
    expect(offer).to_be_focused()
    page.keyboard.press("Enter")
    expect(text).to_have_value("Mail me@o.example, @omar ")
    expect(text).to_be_focused()
    expect(page.locator("#composer-canned")).to_be_hidden()
    text.press_sequentially("look")
    page.get_by_role("button", name="Add internal note").click()
    expect(page.locator(".item-note").first).to_contain_text("@omar look")
    watchers = stage.tickets["slow"].watchers
    assert aside(lambda: watchers.filter(person__username="omar").exists())


BURIED = """() => {
  const [bar, acts] = [".bar", ".acts"].map((one) => document.querySelector(one));
  const at = document.activeElement;
  if (at === document.body || at.closest(".acts, .bar, .skip")) return null;
  const { top, bottom } = at.getBoundingClientRect();
  const [above, below] = [bar, acts].map((one) => one.getBoundingClientRect());
  const isSeen = bottom > above.bottom && top < below.top;
  return isSeen ? null : at.outerHTML.slice(0, 120);
}"""
"""What has the focus, if the bar above or the acts below hide all of it (WCAG 2.4.11)."""


def test_on_a_phone_nothing_that_has_the_focus_is_hidden(page: Page, site: str, stage: Stage):
    page.set_viewport_size({"width": 390, "height": 700})
    sign_in(page, site, "nora")
    page.goto(f"{site}/tickets/{stage.tickets['slow'].key}")
    page.wait_for_load_state()
    hidden = set()
    for key in ["Tab"] * 70 + ["Shift+Tab"] * 70:
        page.keyboard.press(key)
        hidden.add(page.evaluate(BURIED))
    assert hidden == {None}


def _see_each_other(page: Page, browser: Browser, site: str, address: str) -> None:
    context = browser.new_context()
    other = context.new_page()
    sign_in(other, site, "teo")
    other.goto(address)
    expect(other.locator("#present")).to_contain_text("Nora Weiss is here")
    expect(page.locator("#present")).to_contain_text("Teo Marin is here")
    other.get_by_label("Note or reply", exact=True).press_sequentially("I th")
    expect(page.locator("#present")).to_contain_text("Teo Marin is writing")
    context.close()


def _keep_reading_while_the_policy_fires(page: Page, stage: Stage) -> None:
    """A "why?" that one reads stays open, and the keyboard where it was, at a live update."""
    deliveries = page.locator(".item-more summary").first
    deliveries.click()
    opened = page.locator("details.item-more[open]")
    expect(opened).to_have_count(1)
    name = opened.get_attribute("id")
    aside(lambda: let_the_next_step_fire(stage.tickets["slow"].pk))
    expect(page.locator(".story")).to_contain_text("Pass to the next tier")
    expect(page.locator(f"details#{name}")).to_have_attribute("open", "")
    expect(page.locator(f"details#{name} > summary")).to_be_focused()


def _be_held_back_then_ask(page: Page, stage: Stage, album: Album) -> None:
    page.reload()
    aside(lambda: answer_as(stage, "I have told Ada already."))
    page.locator(".mode-reply").click()
    text = page.get_by_label("Note or reply", exact=True)
    text.fill("Which browser do you use, Ada?")
    page.get_by_label("Afterwards").select_option("pend")
    page.get_by_label("What for?").fill("Which browser?")
    wake_at = datetime.now(UTC) + timedelta(days=200)
    page.get_by_label("Look at it again").fill(f"{wake_at:%Y-%m-%d}T09:00")
    page.get_by_role("button", name="Send reply and put on hold").click()
    expect(page.get_by_text("Nothing has been sent.")).to_be_visible()
    expect(page.locator(".meanwhile")).to_contain_text("I have told Ada already.")
    expect(text).to_have_value("Which browser do you use, Ada?")
    album.look("held-back")
    page.get_by_role("button", name="Send anyway").click()
    expect(page.get_by_text("Reply sent; the ticket waits.")).to_be_visible()
    expect(page.locator(".facts")).to_contain_text("Waiting for requester")
    words = f"look again .*{wake_at.day} {wake_at:%b}.*, 09:00"
    expect(page.get_by_text(re.compile(words))).to_be_visible()
    page.goto(f"{page.url.split('?')[0]}/print")
    album.look("print")
