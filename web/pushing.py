"""Keeps open pages of the queue true: makes each anew once after a hint, and sends what differs.

A hint concerns hundreds of pages at once. Were each to ask for itself, a process would answer
hundreds of requests that are nearly the same. So they are made in one go, in one thread: who the
readers are is read for all together, so are the counts that are each one's own, what several show
is read and drawn once, and a page hears only what differs from what it shows.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from django.contrib.sessions.models import Session
from django.db import close_old_connections, connections
from django.utils import timezone, translation

from notifications.live import EVERYTHING
from roles.models import Person
from roles.zones import zone_exists
from web import counting
from web.differing import Shown, difference
from web.filters import Filters
from web.queue import AGENTS, ALONE, OF_TEAMS, Live, Page, Table, queue_page, world_of
from web.readers import Known, know_many

log = logging.getLogger(__name__)

GATHER_S: Final = 0.1
"""Hints this close together become one."""
HELD_S: Final = 30.0
"""So old may be what is known of a reader: teams, roles, views, and whether the session stands."""
OWN_VIEWS: Final = ("mine", "watched")


Tell = Callable[["OpenPage", str, str], None]


class Ear(Protocol):
    """The open page at the other end of a stream; called on the event loop."""

    def give(self, word: str, data: str) -> None:
        """Tell the page this word with its data."""


@dataclass(frozen=True)
class Who:
    """Somebody at a screen: the account, the session that let them in, and how they read."""

    person_id: int
    session_key: str
    session_hash: str
    language: str


@dataclass(eq=False)
class OpenPage:
    """One page of the queue that is open somewhere; `shown` is what it was last told to show."""

    who: Who
    filters: Filters
    ear: Ear
    claims: str
    """The mark of what the page says that it shows."""
    topics: frozenset[str] = frozenset()
    """What its reader may hear of."""
    shown: Shown | None = None
    stands: bool = True
    """Whether the session that opened it still lets its reader in."""

    @property
    def own(self) -> str:
        """The topic of what concerns its reader by name: a case that is open to them now, or no
        more."""
        return f"person:{self.who.person_id}"


@dataclass(frozen=True)
class Reading:
    """A person as last read, and what is known of them."""

    person: Person
    known: Known


@dataclass
class Pass:
    """One go through the pages: what has changed, and what is known for all of them already."""

    topics: frozenset[str]
    readings: Mapping[int, Reading]
    counts: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    made: dict[Hashable, Any] = field(default_factory=dict)

    def take(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What several pages share is made once, however long the pass takes."""
        if key not in self.made:
            self.made[key] = make()
        return self.made[key]


class Pusher:
    """The open pages of this process; it works in a thread of its own and talks on the loop."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pages: set[OpenPage] = set()
        self._topics: set[str] = set()
        self._due = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._readings: dict[int, Reading] = {}
        self._read_at = -HELD_S

    def join(self, page: OpenPage) -> None:
        """Keep this page true from now on; the first one starts the work."""
        self._pages.add(page)
        self._due.set()
        if self._task is None:
            self._pool = ThreadPoolExecutor(1, thread_name_prefix="pusher")
            self._loop = asyncio.get_running_loop()
            self._task = asyncio.create_task(self._run(self._loop, self._pool))

    def leave(self, page: OpenPage) -> None:
        """Forget the page; the last one ends the work."""
        self._pages.discard(page)
        if not self._pages and self._task is not None and self._pool is not None:
            self._task.cancel()
            self._pool.submit(connections.close_all)
            self._pool.shutdown(wait=False)
            self._task = self._pool = None
            self._readings = {}

    def hint(self, topics: Iterable[str]) -> None:
        """These have changed: look at the pages again."""
        self._topics |= set(topics)
        self._due.set()

    async def _run(self, loop: asyncio.AbstractEventLoop, pool: ThreadPoolExecutor) -> None:
        while True:
            await self._due.wait()
            await asyncio.sleep(GATHER_S)
            self._due.clear()
            topics, self._topics = frozenset(self._topics), set()
            pages = [page for page in self._pages if page.stands]
            await loop.run_in_executor(pool, self._go, pages, topics)

    # ---- In the thread -------------------------------------------------------------------------

    def _go(self, pages: Sequence[OpenPage], topics: frozenset[str]) -> None:
        """Make all these pages anew; a page that cannot be made is told to ask for itself."""
        close_old_connections()
        try:
            for page in pages:
                if page.own in topics:
                    self._readings.pop(page.who.person_id, None)
            self._keep_readings(pages)
            _serve(pages, Pass(topics, self._readings), self._tell)
        except Exception:  # (whatever it is, no page may stand still for ever)
            log.exception("pushing: pages of the queue could not be made")
            self._read_at = -HELD_S
            for page in pages:
                page.shown = None
                self._tell(page, "change", "")

    def _keep_readings(self, pages: Sequence[OpenPage]) -> None:
        """Know who reads: all of them anew every HELD_S, and whoever has come since."""
        is_old = time.monotonic() - self._read_at > HELD_S
        wanted = pages if is_old else [p for p in pages if p.who.person_id not in self._readings]
        if wanted:
            known = {} if is_old else self._readings
            self._readings = known | _read({page.who.person_id for page in wanted})
            self._read_at = time.monotonic() if is_old else self._read_at
            self._dismiss_gone(wanted)

    def _dismiss_gone(self, pages: Sequence[OpenPage]) -> None:
        """Tell pages whose session has ended to ask, which leads them to the sign-in."""
        keys = {page.who.session_key for page in pages}
        held = Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
        standing = set(held.values_list("session_key", flat=True))
        for page in pages:
            reading = self._readings.get(page.who.person_id)
            same = reading and reading.person.get_session_auth_hash() == page.who.session_hash
            if page.who.session_key not in standing or not same:
                page.stands = False
                self._tell(page, "change", "")

    def _tell(self, page: OpenPage, word: str, data: str) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(page.ear.give, word, data)


def _read(ids: set[int]) -> dict[int, Reading]:
    people = list(Person.objects.filter(pk__in=ids, is_active=True))
    known = know_many(people)
    return {person.pk: Reading(person, known[person.pk]) for person in people}


def _serve(
    pages: Sequence[OpenPage], this: Pass, tell: Callable[[OpenPage, str, str], None]
) -> None:
    """Make each page that the change concerns, those that share what they show first."""
    concerned = [page for page in pages if page.stands and _is_concerned(page, this)]
    this.counts = _counted(
        [
            reading
            for pk in {page.who.person_id for page in concerned}
            if _shares(reading := this.readings[pk])
        ]
    )
    for page in sorted(concerned, key=lambda each: each.filters.view in ALONE):
        now = Shown.of(_made(page, this))
        tell(page, *_news(page, now))
        page.shown = now


def _counted(sharing: Sequence[Reading]) -> dict[int, dict[str, str]]:
    """What stands in the views that are each one's own or their teams', by person."""
    if not sharing:
        return {}
    counts = counting.count_alone(OWN_VIEWS, [reading.person.pk for reading in sharing])
    groups = {reading.person.pk: reading.known.team_ids for reading in sharing}
    of_teams = counting.count_of_teams(
        sorted(OF_TEAMS), {group for group in groups.values() if group}
    )
    for pk, group in groups.items():
        counts[pk] |= of_teams.get(group, {})
    return counts


def _news(page: OpenPage, now: Shown) -> tuple[str, str]:
    """What the page is told: that all is the same, what differs, or to fetch itself anew."""
    before = page.shown
    mark = before.mark if before else page.claims
    if mark == now.mark:
        return "same", ""
    text = difference(before, now) if before else None
    return ("change", "") if text is None else ("rows", text)


def _is_concerned(page: OpenPage, this: Pass) -> bool:
    """Whether its reader may hear of any of this: what says nothing new would say something too."""
    is_new = page.shown is None or EVERYTHING in this.topics
    return is_new or bool(page.topics & this.topics)


def _shares(reading: Reading) -> bool:
    reader = reading.known.reader(reading.person, is_live=True)
    return world_of(reader, reading.known) == AGENTS


def _made(page: OpenPage, this: Pass) -> Page:
    """The page as it would be now, in its reader's words and zone."""
    reading = this.readings[page.who.person_id]
    zone = reading.person.zone
    with ExitStack() as stack:
        stack.enter_context(translation.override(page.who.language))
        if zone_exists(zone):
            stack.enter_context(timezone.override(ZoneInfo(zone)))
        counts = this.counts.get(reading.person.pk, {})
        live = Live(reading.known, counts, _kept_table(page, this, counts), this.take)
        return queue_page(reading.person, page.filters, live=live)


def _kept_table(page: OpenPage, this: Pass, counts: Mapping[str, str]) -> Table | None:
    """The rows that the page shows, if the change cannot have touched any of them."""
    shown, known = page.shown, this.readings[page.who.person_id].known
    if shown is None or {EVERYTHING, page.own} & this.topics:
        return None
    if page.filters.q or known.has_cases:
        return None
    if shown.slug in OF_TEAMS:
        own = {f"team:{team.pk}" for team in known.teams if team.is_mine}  # type: ignore[attr-defined]
        return None if own & this.topics else shown.table
    if shown.slug in OWN_VIEWS and not page.filters.narrowed and not shown.table.after:
        there = {f"ticket:{pk}" for pk in shown.table.ticket_ids}
        is_as_many = shown.count_of(shown.slug) == counts.get(shown.slug)
        return shown.table if is_as_many and not there & this.topics else None
    return None
