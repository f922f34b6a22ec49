"""A walk through the agent's day in a real browser, looked at in both themes and two widths."""

import os
import re

from playwright.sync_api import Browser, Page, expect

from notifications.channels import push
from notifications.sending import outgoing
from roles.instants import database_now
from tests.browser.conftest import SECRET, Album, aside, sign_in, sign_out
from tests.web.stage import Stage
from tests.web.test_answers import paged


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
    ask_and_wait(page)
    sign_out(page)
    answer(page, site, stage.tickets["slow"].key)

    sign_in(page, site, "nora")
    page.goto(address)
    expect(page.locator(".facts")).to_contain_text("In progress")
    resolve(page, album)
    sign_out(page)
    rate(page, site, stage.tickets["slow"].key)


def test_a_ticket_climbs_is_handed_back_and_climbs_higher(page: Page, site: str, stage: Stage):
    address = f"{site}/tickets/{stage.tickets['report'].key}"
    for name, act, where in (
        ("ines", ask_for_more, "Application Support"),
        ("nora", hand_back, "Service Desk"),
        ("ines", ask_for_more, "Application Support"),
        ("nora", ask_for_more, "Platform Engineering"),
    ):
        sign_in(page, site, name)
        page.goto(address)
        act(page)
        expect(page.locator(".facts > .fact").first).to_contain_text(where)
        sign_out(page)
    sign_in(page, site, "petra")
    page.goto(address)
    page.get_by_role("button", name="Accept escalation").click()
    expect(page.get_by_text("Escalation accepted.")).to_be_visible()


def ask_for_more(page: Page) -> None:
    page.get_by_role("link", name="Escalate").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Why").select_option("skill")
    dialog.get_by_label("What do you need from them?").fill("The cause of the old figures.")
    dialog.get_by_role("button", name="Escalate").click()
    expect(page.get_by_text("Escalated.")).to_be_visible()


def ask_and_wait(page: Page) -> None:
    """A question to the requester, and the ticket waits for the answer."""
    page.locator(".mode-reply").click()
    page.get_by_label("Note or reply", exact=True).fill("Is it fast again, Ada?")
    page.get_by_label("Afterwards").select_option("pend")
    page.get_by_label("What for?").fill("Is it fast again?")
    page.get_by_role("button", name="Send reply and put on hold").click()
    expect(page.get_by_text("Reply sent; the ticket waits.")).to_be_visible()
    expect(page.locator(".facts")).to_contain_text("Waiting for requester")


def answer(page: Page, site: str, key: str) -> None:
    sign_in(page, site, "ada")
    page.goto(f"{site}/requests/{key}")
    page.get_by_label("Your answer").fill("Yes, since noon.")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("Yes, since noon.")).to_be_visible()
    sign_out(page)


def rate(page: Page, site: str, key: str) -> None:
    """The one who asked says how it was."""
    sign_in(page, site, "ada")
    page.goto(f"{site}/requests/{key}")
    page.get_by_role("button", name="Very good").click()
    expect(page.get_by_text("Thank you. The team reads it.")).to_be_visible()


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


def shown(stage: Stage) -> str:
    """The words of a page as the channel encrypts them for the browser."""
    [message, *_] = paged(stage, ("push",))
    return push.plain(outgoing(message, database_now()), 600).decode()


PRESS = """async (act) => {
  const all = () => self.registration.getNotifications();
  const later = () => new Promise((go) => setTimeout(go, 50));
  for (let tries = 0; tries < 100 && !(await all()).length; tries++) await later();
  const [page] = await all();
  const press = new NotificationEvent("notificationclick", { notification: page, action: act });
  let done;
  press.waitUntil = (doing) => { done = doing; };  // only the browser's own events may wait
  self.dispatchEvent(press);
  await done;
  return [page.title, page.actions.map((each) => each.title), (await all())[0].title];
}"""
"""Run in the worker: what it shows, and what it shows once its button has been pressed."""


def test_a_page_comes_as_a_notification_and_its_button_acknowledges(
    page: Page, site: str, stage: Stage, settings, album: Album
):
    settings.PUBLIC_URL, settings.SECRET_KEY = site, SECRET
    page.context.grant_permissions(["notifications"], origin=site)
    sign_in(page, site, "teo")
    page.goto(f"{site}/you/told")
    album.look("told")
    line = page.context.new_cdp_session(page)
    found: list[dict[str, str]] = []
    line.on(
        "ServiceWorker.workerRegistrationUpdated", lambda told: found.extend(told["registrations"])
    )
    line.send("ServiceWorker.enable")
    page.get_by_role("button", name="Let this browser ring").click()
    expect(page.get_by_text("This browser does not allow it")).to_be_visible()  # no push service
    [worker] = page.context.service_workers
    said = aside(lambda: shown(stage))
    given = {"origin": site, "registrationId": found[0]["registrationId"], "data": said}
    line.send("ServiceWorker.deliverPushMessage", given)
    key = stage.tickets["slow"].key
    title, buttons, after = worker.evaluate(PRESS, "acknowledge")
    assert (title, buttons) == ("You are paged", ["Acknowledge", "Open"])
    assert after == f"Acknowledged: {key}. Paging has stopped."
    page.goto(f"{site}/tickets/{key}/told")
    expect(page.get_by_text("acknowledged").first).to_be_visible()
    album.look("delivered")
