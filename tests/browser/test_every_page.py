"""Axe reads each page of the address map that no other walk looks at, in both themes."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import Browser, Page

from escalation.models import Vendor
from notifications.links import make_token
from notifications.models import Message
from notifications.outbox import Letter, enqueue
from notifications.welcome import invite_person
from roles.models import Person
from tests.browser.conftest import SECRET, aside, sign_in
from tests.web.stage import Stage
from tests.web.test_rooms import give_duty, of_kind
from tickets.articles import draft_article, publish_article
from tickets.contactlists import keep_list
from tickets.incidents import declare_major
from tickets.models import (
    Clearance,
    EventKind,
    MailSource,
    ReceivedMail,
    Ticket,
    TimelineEvent,
)
from web.acts import Act
from web.bulk import KINDS
from web.dossier import dossier
from web.register import ACTS
from web.urls import urlpatterns

pytestmark = pytest.mark.browser
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}
COLOURS = {"runOnly": ["color-contrast"], "resultTypes": ["violations"]}

LOOKED_AT = """
act-escalate act-hand-back act-propose-major act-resolve article ask board cases changes
delivered figure figures guide guide-team guide-tier knowledge major majors new on-call
on-call-mine on-call-team operations own-load policies policy policy-edit policy-history
policy-publish policy-simulate portal problems queue request requests review reviews risk sample
setup setup-first setup-step sign-in simulation stand-in status ticket ticket-print told
training vendors
"""
"""What other walks have under their eyes."""
NO_PAGE = """
answer-mattermost answer-push answer-slack answer-sms answer-voice article-publish
article-retire article-vote attachment board-file board-mail board-mail-end bulk-take bulk-undo
bulk-watch calendar-mine calendar-team canned command-mattermost command-slack command-teams
comment contact-add contact-list-end contact-remove delivered-again draft drop-upload
figure-file own-pages-file handover-word here look names on-call-link on-call-link-end
operations-release operations-resend operations-verify palette policy-move preview push-worker
request-chase request-confirm request-invite request-rate request-reopen request-reply
request-uninvite request-withdraw review-act review-done review-markdown review-pdf review-sign
setup-link sign-out similar simulation-stop stand-in-end status-hear suggestions swap-answer
team-rules-set ticket-knowledge ticket-tick ticket-use token-end told-add told-away told-back
told-method told-prove told-quiet told-rules told-test-mail unpaged upload
view-change view-delete view-keep
"""
"""What takes something in, or gives a part of a page or a file."""
ACTS_IN_FULL = {"act-pend", "act-priority"}
"""Of the sixty pages that ask before an act, all by one template, those whose colours are read."""


def furnish(stage: Stage) -> dict[str, str]:
    """The address of each page that is left, by its name, once there is something on it."""
    mara = stage.mara
    Person.objects.filter(pk=mara.pk).update(is_superuser=True, is_staff=True)
    for slug in ("change-manager", "qa-reviewer", "ciso"):
        give_duty(mara, slug)
    boss = Person.objects.get(pk=mara.pk)
    tickets = stage.tickets
    problem, change = (of_kind(stage, kind, f"One {kind}") for kind in ("problem", "change"))
    Vendor.objects.create(slug="oracle", name="Database vendor")
    declare_major(ticket=tickets["payroll"], actor=boss, reason="Pay day.", severity=2)
    Clearance.objects.create(ticket=tickets["case"], person=boss)
    made = draft_article(actor=boss, title="How", body="Do **it**.", audience="public")
    publish_article(article=made, actor=boss)
    listed = keep_list(actor=boss, name="Board", scenario="outage", advice="Call first.")
    _newcomer, welcome = invite_person(actor=boss, name="Eve New", email="eve@example.com")
    mail = letter_of(tickets["slow"], stage.ada)
    keys = {name: ticket.key for name, ticket in tickets.items()}
    pages = {
        "you": "you",
        "tokens": "you/tokens",
        "password": "you/password",
        "password-forgotten": "sign-in/forgotten",
        "contacts": "contacts",
        "contact-list-new": "contacts/new",
        "contact-list": f"contacts/{listed.pk}",
        "team-rules": "contacts/rules/support",
        "break-glass": "cases/emergency",
        "case": f"cases/{keys['case']}",
        "vendor": "vendors/oracle",
        "problem": f"problems/{problem.key}",
        "change": f"changes/{change.key}",
        "swap": "on-call/team/support/swap",
        "guide-duty": "guide/duty/incident-manager",
        "policy-new": "policies/new",
        "article-new": "knowledge/new",
        "article-edit": f"knowledge/{made.pk}/edit",
        "article-history": f"knowledge/{made.pk}/history",
        "ticket-mail": f"tickets/{keys['slow']}/mail/{mail.pk}",
        "review-edit": f"tickets/{keys['badge']}/review/edit",
        "own-pages": "figures/mine/pages",
        "welcome-link": welcome.partition("/m/")[2].join(("m/", "")),
        **links(stage),
    }
    asking = (kind for kind in KINDS if kind.asks)
    pages |= {f"bulk-{each.slug}": f"queue/{each.slug}?key={keys['mail']}" for each in asking}
    return pages | acts(boss, [*tickets.values(), problem, change])


def links(stage: Stage) -> dict[str, str]:
    """What the buttons of mails lead to."""
    slow = stage.tickets["slow"]
    Ticket.objects.filter(pk=slow.pk).update(service=stage.service)
    moved = TimelineEvent.objects.get(ticket=slow, kind=EventKind.ESCALATED)
    received = told(slow, stage.nora, cause=f"event:{moved.pk}")
    news = told(slow, stage.omar, cause="event:1")
    page = told(slow, stage.teo)
    forgot = told(slow, stage.teo, cause="reset:1")
    solved = told(stage.tickets["badge"], stage.tickets["badge"].requester)
    return {
        "acknowledge-link": f"m/{make_token(page)}/",
        "password-link": f"m/{make_token(forgot, 'reset')}/reset",
        "take-link": f"m/{make_token(page)}/take",
        "leave-link": f"m/{make_token(page, 'leave')}/leave",
        "handover-link": f"m/{make_token(received, 'handover')}/handover",
        "unsubscribe-link": f"m/{make_token(news, 'unsubscribe')}/unsubscribe",
        "rate-link": f"m/{make_token(solved, 'rate')}/rate",
    }


def told(ticket: Ticket, person: Person, cause: str = "firing:1") -> Message:
    letter = Letter(
        topic=ticket.topic,
        cause=cause,
        recipient_id=person.pk,
        kind="page",
        subject="You are paged",
        body="Please look.",
    )
    with transaction.atomic():
        return enqueue([letter], now=timezone.now())[0]


def letter_of(ticket: Ticket, person: Person) -> ReceivedMail:
    source = MailSource.objects.create(slug="support", name="Support", address="s@example.com")
    return ReceivedMail.objects.create(
        source=source,
        identity="<1@example.com>",
        subject="Slow",
        raw=b"From: ada@example.com\r\n\r\nIt is slow.",
        size=30,
        text="It is slow.",
        received_at=timezone.now(),
        settled_at=timezone.now(),
        outcome=ReceivedMail.Outcome.COMMENTED,
        person=person,
        ticket=ticket,
    )


def acts(person: Person, tickets: list[Ticket]) -> dict[str, str]:
    """The page that asks before each act, on a ticket where it is offered, if there is one."""
    places = [dossier(person, each.key).at for each in tickets]

    def where(act: Act) -> str:
        return next((at for at in places if act.is_offered(at)), places[0]).ticket.key

    return {f"act-{act.slug}": f"tickets/{where(act)}/{act.slug}" for act in ACTS}


def faults_of(page: Page, name: str, address: str) -> Iterator[str]:
    """What is wrong with a page by axe in the light, by its colours in the dark, or on a phone."""
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.goto(address)
    assert page.locator("main#main").count(), f"{name} is no page"
    found = Axe().run(page)
    if found.response["violations"]:
        yield f"{name}, light: {found.generate_report()}"
    if name.startswith("act-") and name not in ACTS_IN_FULL:
        return
    page.emulate_media(color_scheme="dark")
    found = Axe().run(page, options=COLOURS)
    if found.response["violations"]:
        yield f"{name}, dark: {found.generate_report()}"
    page.set_viewport_size(PHONE)
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        yield f"{name} scrolls sideways on a phone"
    page.set_viewport_size(DESK)


def test_every_page_is_open_to_all(browser: Browser, site: str, stage: Stage, settings):
    settings.PUBLIC_URL, settings.SECRET_KEY = site, SECRET
    pages = aside(lambda: furnish(stage))
    left = {pattern.name for pattern in urlpatterns} - {*LOOKED_AT.split(), *NO_PAGE.split()}
    assert left <= set(pages), f"Nobody looks at {sorted(left - set(pages))}"
    context = browser.new_context(viewport=DESK)
    page = context.new_page()
    sign_in(page, site, "mara")
    faults = [
        fault for name in sorted(left) for fault in faults_of(page, name, f"{site}/{pages[name]}")
    ]
    faults += faults_of(page, "method", f"{site}/sign-out")
    context.close()
    assert not faults, "\n".join(faults)
