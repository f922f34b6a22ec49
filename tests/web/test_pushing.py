"""Open pages of the queue that are told what differs: each what it would fetch, nobody more."""

import asyncio
import json
import re
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.test import Client

from roles.instants import database_now, fixed
from roles.models import Duty, DutyAssignment, Person
from roles.people import forget_roles
from tests.web.stage import Stage, fill_stage, set_stage
from tests.web.test_events import Listener, cookie_of
from tickets.assignment import take
from tickets.clearance import clear, unclear
from tickets.lifecycle import comment
from tickets.models import Clearance, Ticket
from tickets.opening import open_ticket
from web import pushing
from web.differing import Shown, difference
from web.filters import Filters
from web.queue import Live, live_page, queue_page
from web.readers import know
from web.shelf import shelf


@pytest.fixture
def stage(live_db) -> Stage:
    return fill_stage(set_stage())


def fetched(person: Person, query: str) -> str:
    """The mark of the page as this person would fetch it now."""
    client = Client()
    client.force_login(person)
    found = re.search(r'data-shown="(\w+)"', client.get(f"/{query}").content.decode())
    return found[1] if found else "nothing"


class OpenQueue(Listener):
    """An open page of the queue, as live.js keeps it."""

    def __init__(self, person: Person, query: str) -> None:
        self.person, self.query = person, query
        self.shown = fetched(person, query)
        super().__init__(f"queue&page={quote(query)}&shown={self.shown}", cookie_of(person))
        self.heard: list[tuple[str, str]] = []

    async def send(self, message: dict) -> None:
        await super().send(message)
        text = message.get("body", b"").decode()
        for word, data in re.findall(r"event: (\w+)\ndata: (.*)\n", text):
            if word == "rows" and (news := json.loads(data))["from"] == self.shown:
                self.shown = news["to"]
            elif word != "same":
                self.shown = await asyncio.to_thread(fetched, self.person, self.query)
            self.heard.append((word, data))

    async def hears(self) -> None:
        """Wait for the next word."""
        for _ in range(1000):
            if self.heard:
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"{self.person} at {self.query} has heard nothing")

    async def settles(self) -> None:
        """Wait until it shows what it would fetch: one act may be told in several hints."""
        for _ in range(100):
            if self.shown == await asyncio.to_thread(fetched, self.person, self.query):
                return
            await asyncio.sleep(0.1)


def open_pages(pages: list[OpenQueue], act, *, deaf: list[OpenQueue] | None = None) -> None:
    """Open these pages, let the act happen, wait until all but the deaf ones hear, close them."""
    open_through(pages, [(act, [page for page in pages if page not in (deaf or [])])])


def open_through(pages: list[OpenQueue], acts: list) -> list[list[OpenQueue]]:
    """Open these pages and let each act happen, of which its own pages hear; who heard of each."""
    heard = []

    async def go() -> None:
        tasks = [asyncio.create_task(page.listen()) for page in pages]
        await asyncio.gather(*(page.hears() for page in pages))
        await asyncio.sleep(0.5)  # the first hint of the subscription, "everything", has passed
        for act, concerned in acts:
            for page in pages:
                page.heard.clear()
            await asyncio.to_thread(act)
            await asyncio.gather(*(page.hears() for page in concerned))
            await asyncio.sleep(0.3)
            heard.append([page for page in pages if page.heard])
        for page in pages:
            await page.settles()
            page.gone.set()
        await asyncio.gather(*tasks)

    asyncio.run(go())
    return heard


def test_each_open_page_is_told_what_it_would_have_fetched(stage):
    people = [stage.people[name] for name in ("ines", "omar", "sam")]
    queries = ("?view=all", "?view=team", "?view=mine", "?view=all&priority=3", "")
    pages = [OpenQueue(person, query) for person in people for query in queries]
    mail = stage.tickets["mail"]
    open_pages(pages, lambda: take(ticket=mail, actor=stage.people["omar"]))
    for page in pages:
        words = {word for word, _ in page.heard}
        assert words <= {"rows", "same"}, (page.person, page.query, words)
        assert page.shown == fetched(page.person, page.query), (page.person, page.query)
    news = [json.loads(data) for word, data in pages[0].heard if word == "rows"]
    assert list(news[0]["rows"]) == [mail.key], "only the row that differs is sent"
    assert "Omar Haddad" in news[0]["rows"][mail.key]
    assert len(news[0]["order"]) == 6


def test_a_restricted_case_says_nothing_to_the_open_pages_of_the_uncleared(stage):
    case, sam = stage.tickets["case"], stage.people["sam"]
    near, far = OpenQueue(sam, "?view=all"), OpenQueue(stage.ines, "?view=all")
    omar, other = stage.people["omar"], stage.tickets["mail"]
    Clearance.objects.create(ticket=other, person=omar, since=other.opened_at)
    elsewhere = OpenQueue(omar, "?view=all")
    note = {"text": "Seen again.", "public": False}
    pages = [near, far, elsewhere]
    open_pages(pages, lambda: comment(ticket=case, actor=sam, **note), deaf=pages[1:])
    assert near.heard
    for page in pages[1:]:
        assert page.heard == [], "not even that nothing has changed"
        assert case.key not in page.text


def test_a_case_opened_or_shut_while_a_page_is_open_reaches_whom_it_concerns_at_once(stage):
    sam, ines = stage.sam, stage.ines
    made: dict[str, Ticket] = {}

    def born() -> None:
        # Opened now, it would come into "about to breach" while its pages are being compared.
        began = fixed(database_now() - timedelta(minutes=5))
        made["case"] = open_ticket(
            actor=sam,
            requester=sam,
            subject="Badge copied",
            kind="security",
            restricted=True,
            clock=began,
        )

    def cleared() -> None:
        clear(ticket=made["case"], actor=None, person=ines, reason="Knows the door.")

    def removed() -> None:
        unclear(ticket=made["case"], actor=None, person=ines, reason="Done.")

    near, far = OpenQueue(sam, "?view=all"), OpenQueue(ines, "?view=team")
    other = OpenQueue(ines, "?view=all")
    acts = [(born, [near]), (cleared, [near, far, other]), (removed, [near, far, other])]
    heard = open_through([near, far, other], acts)
    assert heard == [[near], [near, far, other], [near, far, other]]
    for page in (near, far, other):
        assert page.shown == fetched(page.person, page.query), (page.person, page.query)
    assert made["case"].key in near.text


def test_a_page_whose_session_has_ended_is_told_to_ask_and_nothing_more(stage, monkeypatch):
    monkeypatch.setattr(pushing, "HELD_S", 0.0)
    page = OpenQueue(stage.ines, "?view=all")

    def leave() -> None:
        Person.objects.filter(pk=stage.ines.pk).update(is_active=False)
        take(ticket=stage.tickets["mail"], actor=stage.people["omar"])

    open_pages([page], leave)
    assert {word for word, _ in page.heard} == {"change"}


# ---- Without streams -----------------------------------------------------------------------------


@pytest.fixture
def sharing():
    shelf.note_hearing(True)
    shelf.note_hint()
    yield
    shelf.note_hearing(False)


def test_a_clearance_given_since_the_reader_was_read_reaches_nobody_else(stage, sharing):
    ines, omar = stage.ines, stage.people["omar"]
    known = {person.pk: know(person) for person in (ines, omar)}
    case, since = stage.tickets["case"], known[ines.pk].read_at
    Clearance.objects.create(ticket=case, person=ines, since=since)
    for person in (ines, omar):
        page = queue_page(person, Filters(view="all"), live=Live(known[person.pk]))
        assert case.key not in {row.ticket.key for row in page.rows}
        assert dict(page.views) == dict(queue_page(omar, Filters(view="all")).views)


def test_a_duty_that_lets_nobody_see_tickets_shares_no_rows(stage, sharing):
    duty = Duty.objects.create(slug="fire-warden", name="Fire warden")
    DutyAssignment.objects.create(duty=duty, person=stage.stranger)
    forget_roles(stage.stranger)
    assert live_page(stage.ines, Filters(view="all")).rows
    assert not live_page(stage.stranger, Filters(view="all")).rows


def test_what_cannot_be_told_row_by_row_is_fetched_as_a_whole(stage):
    def shown(query: str) -> Shown:
        return Shown.of(queue_page(stage.ines, Filters.read({"view": "all", "q": query})))

    assert difference(shown(""), shown("zzznothing")) is None
    assert difference(shown("zzznothing"), shown("")) is None
    assert difference(shown("payroll"), shown("payroll color:blue")) is None
    told = json.loads(difference(shown("payroll"), shown("")))
    assert stage.tickets["payroll"].key not in told["rows"]
    assert len(told["order"]) == 6
