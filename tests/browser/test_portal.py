"""Somebody who needs help walks through the portal."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Album, aside, sign_in
from tests.web.stage import Stage
from tickets.articles import draft_article, publish_article
from tickets.assignment import take
from tickets.lifecycle import comment, resolve
from tickets.models import Deflection, Feedback, Ticket


def write(stage: Stage, title: str, body: str, **more: object) -> None:
    made = draft_article(actor=stage.ines, title=title, body=body, audience="public", **more)
    publish_article(article=made, actor=None)


def solve(stage: Stage) -> None:
    ticket = Ticket.objects.get(subject="My phone cannot print")
    take(ticket=ticket, actor=stage.ines)
    comment(ticket=ticket, actor=stage.ines, text="Try the new app, please.", public=True)
    comment(ticket=ticket, actor=stage.ines, text="zebrafish", public=False)
    resolve(ticket=ticket, actor=stage.ines, code="fixed", text="The app was too old.")


def test_somebody_needs_help(page: Page, site: str, stage: Stage, album: Album):
    aside(lambda: write(stage, "VPN drops at home", "Choose **Frankfurt** and try again."))
    aside(lambda: write(stage, "Printing from your phone", "Scan the code.\n\n- One\n- Two"))
    sign_in(page, site, "ada")
    album.look("portal-home")
    page.get_by_label("Say in one sentence").fill("The VPN is gone again")
    page.get_by_role("button", name="Get help").click()
    expect(page.get_by_text("This may help at once")).to_be_visible()
    album.look("portal-ask")
    page.get_by_role("button", name="This solved it, I need no request").click()
    expect(page.get_by_text("No request was opened.")).to_be_visible()
    assert aside(Deflection.objects.count) == 1

    page.get_by_role("link", name="My requests").first.click()
    album.look("portal-requests")
    page.get_by_role("link", name="Ask for help").click()
    question = page.get_by_label("What do you need help with?")
    question.press_sequentially("My phone cannot print", delay=15)
    expect(page.get_by_role("link", name=re.compile("Printing from your phone"))).to_be_visible()
    expect(question).to_be_focused()
    page.get_by_label("Tell us more").fill("Since **noon**.")
    page.get_by_label("Something does not work").check()
    page.get_by_role("button", name="Send my request").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("My phone cannot print")
    album.look("portal-request")
    page.get_by_label("Write to us").fill("It is a Pixel.")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("It is a Pixel.")).to_be_visible()
    page.get_by_text("Ask for escalation").first.click()
    page.get_by_label("Why is it pressing?").fill("A wedding")
    page.locator("form").get_by_role("button", name="Ask for escalation").click()
    expect(page.get_by_text("You have asked within the last hour")).to_be_visible()

    page.get_by_text("Add somebody").click()
    page.get_by_label("E-mail address, or the name").fill("Nobody at all")
    page.get_by_role("button", name="Add", exact=True).click()
    told = page.get_by_role("alert")
    expect(told).to_contain_text("We know nobody by this name or address.")
    expect(page.get_by_label("E-mail address, or the name")).to_have_value("Nobody at all")
    assert page.locator(".standing").bounding_box()["y"] - told.bounding_box()["y"] < 120
    album.look("portal-refused")
    page.goto(page.url.removesuffix("/invite"))

    aside(lambda: solve(stage))
    page.reload()
    expect(page.get_by_text("We think it is solved.")).to_be_visible()
    expect(page.get_by_text("zebrafish")).to_have_count(0)
    album.look("portal-solved")
    page.get_by_role("button", name="Very good").click()
    expect(page.get_by_text("Thank you. The team reads it.")).to_be_visible()
    album.look("portal-rated")
    page.get_by_role("button", name="Yes, it is solved").click()
    expect(page.get_by_text("This is solved and closed.")).to_be_visible()
    assert aside(lambda: Feedback.objects.get().score) == 5
    page.get_by_role("link", name="Knowledge").first.click()
    album.look("knowledge")
    page.get_by_role("link", name="Printing from your phone").click()
    album.look("article")
