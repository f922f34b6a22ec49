"""The queue: which view, its rows and its next page, and live counts for every tab."""

import hashlib
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property, partial
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone, translation

from roles.instances import relate
from roles.models import Person, Team
from tickets import states
from tickets.models import SavedView, Ticket, TicketQuerySet
from web import counting
from web.bulk import kinds_for
from web.drawing import Drawn, drawn
from web.filters import Filters, filters_of, narrow
from web.finding import Finder
from web.readers import Known, know
from web.rows import Row, Stock, rows_of, stock_of
from web.searching import Search
from web.shelf import shelf
from web.sorting import SORTS, UPDATED, Sort, cut, page_of, sort_of
from web.standingviews import first_rows, is_usual, scope_of, with_around
from web.tabs import OF_TEAMS, Reader, View, by_team, is_known, tickets_in, views_for

AGENTS = "agents"
OWN = "own"
ALONE = frozenset({"mine", "watched", OWN})
Take = Callable[[Hashable, Callable[[], Any]], Any]


@dataclass(frozen=True)
class Tab:
    """One view as the page shows it; `saved` is set for somebody's own."""

    view: View
    count: str
    address: str
    is_here: bool
    saved: SavedView | None = None

    @property
    def name(self) -> str:
        """What the tab is called on the page, and nothing else there."""
        return f"tab-saved-{self.saved.pk}" if self.saved else f"tab-{self.view.slug}"


@dataclass(eq=False)
class Table:
    """The rows of a view as they stand on one page or on many; `html` once it has been made."""

    rows: list[Row]
    after: str
    sentences: list[str]
    drawn: Drawn
    html: str = ""

    @cached_property
    def ticket_ids(self) -> frozenset[int]:
        return frozenset(row.ticket.pk for row in self.rows)


NOTHING = Table([], "", [], Drawn(()))


@dataclass(frozen=True)
class Live:
    """What is known already when a live page is made again: its reader, and some of what it shows.

    `counts` are those of views that have been counted, `table` is given when it is as it was.
    """

    known: Known
    counts: Mapping[str, str] = field(default_factory=dict)
    table: Table | None = None
    take: Take = shelf.take
    """Where others may have put what they share with this page."""


@dataclass
class Page:
    """Everything that the queue shows."""

    view: View
    tabs: list[Tab]
    filters: Filters
    sort: Sort
    now: datetime
    teams: Sequence[Team] = ()
    is_agent: bool = True
    may_choose: bool = False
    """Whether there is anything to be done with chosen rows: an auditor only reads."""
    saved: SavedView | None = None
    sorts: Sequence[Sort] = SORTS
    table: Table = NOTHING

    @property
    def rows(self) -> list[Row]:
        return self.table.rows

    @property
    def after(self) -> str:
        """The cursor of the page that follows; "" for none."""
        return self.table.after

    @property
    def sentences(self) -> list[str]:
        """What could not be searched for."""
        return self.table.sentences

    @property
    def views(self) -> list[tuple[View, str]]:
        """The standing views with their counts."""
        return [(tab.view, tab.count) for tab in self.tabs if tab.saved is None]

    @property
    def is_search(self) -> bool:
        return bool(self.filters.q)

    @property
    def drawn(self) -> Drawn:
        """The rows of the table as HTML."""
        return self.table.drawn

    @property
    def shown(self) -> str:
        """What tells this page's live part from what it was before, or will be."""
        counts = [(tab.address, str(tab.view.label), tab.count, tab.is_here) for tab in self.tabs]
        around = (self.drawn.mark, self.filters, self.after, self.sentences)
        return hashlib.blake2b(repr((around, counts)).encode(), digest_size=12).hexdigest()

    @property
    def lasting(self) -> str:
        """What a view of one's own would keep of this page."""
        return self.filters.address(view=self.view.slug, saved="", after="")

    @property
    def next_address(self) -> str:
        """The query string of the next page."""
        return self.filters.address(after=self.after)

    @property
    def wider_address(self) -> str:
        """The query string of the same search in what is over too; "" when that is in it."""
        if self.filters.search.names_status:
            return ""
        return self.filters.address(view="all", saved="", after="", q=f"{self.filters.q} is:any")


def queue_page(person: Person, filters: Filters, *, live: "Live | None" = None) -> Page:
    """The page of the queue that the filters ask for, with live counts for every view.

    The moment that it shows is the database's. With `live` it is for a page that shows itself
    again because something has changed: that may share what another one was given since.
    """
    known = live.known if live else know(person)
    reader = known.reader(person, is_live=live is not None)
    world = world_of(reader, known)
    desk = _Desk(reader, filters, world if live else "", live, but_cases=world == AGENTS)
    views = views_for(reader)
    tabs = desk.tabs(views, known.saved)
    here = next(tab for tab in tabs if tab.is_here)
    page = Page(
        view=here.view,
        tabs=tabs,
        filters=filters,
        sort=sort_of(filters.sort),
        now=reader.now,
        teams=reader.teams,
        is_agent=reader.is_agent,
        may_choose=desk.may_choose,
        saved=here.saved,
    )
    desk.fill(page)
    return page


def live_page(person: Person, filters: Filters) -> Page:
    """The same for one live page that asks again; what it knows of teams may be HELD_S old."""
    known = shelf.keep(("reader", person.pk), lambda: know(person))
    return queue_page(person, filters, live=Live(known))


@dataclass
class _Desk:
    """One reading of the queue; `world` names who sees the same tickets, "" to share nothing."""

    reader: Reader
    filters: Filters
    world: str
    live: "Live | None" = None
    but_cases: bool = False
    """Whether the reader is cleared for no case: then none needs to be asked for its clearances."""

    @cached_property
    def scope(self) -> TicketQuerySet:
        """The tickets that may be shown."""
        return scope_of(self.reader, but_cases=self.but_cases)

    def _take(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What others may have made for this page already; made now for one that is not live."""
        return self.live.take(key, make) if self.live else make()

    @property
    def may_choose(self) -> bool:
        return self.reader.is_agent and bool(kinds_for(self.reader.person))

    def tabs(self, views: Sequence[View], saved: Sequence[SavedView]) -> list[Tab]:
        kept = [(view, filters_of(view)) for view in saved]
        counts = self._standing([view.slug for view in views])
        counts += self._own([self._found(*_base(each, views)) for _, each in kept])
        own = next((view for view, _ in kept if str(view.pk) == self.filters.saved), None)
        here = None if own else self._chosen(views, counts)
        found = [
            Tab(view, count, f"view={view.slug}", view is here)
            for view, count in zip(views, counts, strict=False)
        ]
        for (view, each), count in zip(kept, counts[len(views) :], strict=True):
            shown = View(_base(each, views)[1], view.name, "")
            found.append(Tab(shown, count, each.address(), view is own, view))
        return found

    def _chosen(self, views: Sequence[View], counts: Sequence[str]) -> View:
        """The view asked for; without a wish, the first in which there is something to do."""
        for view in views:
            if view.slug == self.filters.view:
                return view
        if self.filters.narrowed:
            return views[-1] if self.reader.is_agent else views[0]
        filled = (view for view, count in zip(views, counts, strict=False) if count != "0")
        return next(filled, views[0])

    def fill(self, page: Page) -> None:
        """The page's rows, the cursor of the next page, and what could not be searched for."""
        if self.live and self.live.table is not None:
            page.table = self.live.table
        elif self.world:
            # "me" may stand in a search.
            sharing = self._sharing(OWN if self.filters.q else page.view.slug)
            key = (*sharing, *_tongue(), page.view.slug, page.may_choose, self.filters)
            page.table = self._take(key, lambda: self._read(page))
        else:
            page.table = self._read(page)

    def _sharing(self, slug: str) -> tuple[Hashable, ...]:
        """Who has the same tickets in a view: everybody, the same teams, or one person alone."""
        alone = slug in ALONE or not self.reader.is_agent
        teams = self._team_ids if slug in OF_TEAMS else ()
        return (self.world, self.reader.person.pk if alone else 0, teams)

    @cached_property
    def _team_ids(self) -> tuple[int, ...]:
        return tuple(self.reader.team_ids)

    def _read(self, page: Page) -> Table:
        """The view's rows in the reader's words; what they are made of is the same in all words."""
        slug, now = page.view.slug, self.reader.now
        if self.world and not self.filters.q:  # what could not be searched for is said in words
            key = (*self._sharing(slug), "stock", slug, self.filters)
            stock, after, sentences = self._take(key, partial(self._stock, page))
        else:
            stock, after, sentences = self._stock(page)
        rows = rows_of(stock, now)
        lines = drawn(rows, now, for_agent=page.is_agent, may_choose=page.may_choose)
        return Table(rows, after, sentences, lines)

    def _stock(self, page: Page) -> tuple[Stock, str, list[str]]:
        """What the rows are made of, the cursor of the next page, what was not searched for."""
        reader = self.reader
        sentences: list[str] = []
        if self._is_plain(page):
            found = first_rows(page.view.slug, page.sort, reader, but_cases=self.but_cases)
            tickets, after = cut(found, page.sort)
        else:
            parts, sentences = self._wanted(page)
            tickets, after = page_of(parts, page.sort, self.filters.after, shown=with_around)
        _attach(tickets, reader.teams)
        return stock_of(tickets, for_agent=reader.is_agent, teams=reader.teams), after, sentences

    def _is_plain(self, page: Page) -> bool:
        """Whether it is the first page of a standing view as nearly all agents see it."""
        asked = self.filters.narrowed or self.filters.after or page.sort is UPDATED
        return not (asked or page.saved) and is_usual(self.reader)

    def _wanted(self, page: Page) -> tuple[list[TicketQuerySet], list[str]]:
        """What the page is about, team by team in a view of teams, and what was not searched for.

        What is searched for is asked once for all teams, and so is what has changed of late.
        """
        filters, slug = self.filters, page.view.slug
        if slug not in OF_TEAMS or filters.search or page.sort is UPDATED:
            found, sentences = self._search(filters, slug)
            return [found], sentences
        asked = [each for each in by_team(slug, self.reader) if _is_asked_for(each, filters)]
        rest = replace(filters, team="", tier="")
        return [narrow(tickets_in(self.scope, slug, each), rest) for each in asked], []

    def _found(self, filters: Filters, slug: str) -> TicketQuerySet:
        return self._search(filters, slug)[0]

    def _search(self, filters: Filters, slug: str) -> tuple[TicketQuerySet, list[str]]:
        search = filters.search
        tickets = narrow(self._start(filters, slug, search), filters)
        if not search:
            return tickets, []
        reader = self.reader
        finder = Finder(reader.person, reader.now, reader.teams, reader.is_agent)
        return finder.find(tickets, search), finder.sentences

    def _start(self, filters: Filters, slug: str, search: Search) -> TicketQuerySet:
        """A wish for a status widens "all open" to what is over; other views stay as they are."""
        widest = slug in ("all", "done") or (slug == "mine" and not self.reader.is_agent)
        names_status = filters.status in states.ALL or search.names_status
        if widest and names_status:
            return self.scope
        return tickets_in(self.scope, slug, self.reader)

    def _standing(self, slugs: Sequence[str]) -> list[str]:
        """How many tickets stand in each of these views, none counted beyond the cap.

        One statement; a live page asks one for those that it shares with nobody.
        """
        if not self.world:
            return counting.count_standing(slugs, self.reader, but_cases=self.but_cases)
        found = dict(self.live.counts) if self.live else {}
        groups: dict[tuple[Hashable, ...], list[str]] = {}
        for slug in slugs:
            if slug not in found:
                groups.setdefault(self._sharing(slug), []).append(slug)
        for sharing, names in groups.items():
            make = partial(counting.count_standing, names, self.reader, but_cases=self.but_cases)
            taken = self._take((sharing, "counts", tuple(names)), make)
            found |= zip(names, taken, strict=True)
        return [found[slug] for slug in slugs]

    def _own(self, views: Sequence[QuerySet[Ticket]]) -> list[str]:
        """The same of somebody's own views."""
        if not views:
            return []
        make = partial(counting.count, views)
        found: list[str] = self._take((self._sharing(OWN), "own", len(views)), make)
        return found


def _base(filters: Filters, views: Sequence[View]) -> tuple[Filters, str]:
    """The filters of somebody's own view, and the standing view that it narrows."""
    return filters, filters.view if is_known(filters.view, views) else views[-1].slug


def _is_asked_for(reader: Reader, filters: Filters) -> bool:
    """Whether the pickers leave any of the reader's teams."""
    return any(
        filters.team in ("", team.slug) and filters.tier in ("", team.tier.slug)
        for team in reader.teams
    )


def _attach(tickets: Sequence[Ticket], teams: Sequence[Team]) -> None:
    """Give the tickets the teams that have, own and support them, as far as they are active."""
    by_id = {team.pk: team for team in teams}
    for ticket in tickets:
        if ticket.team_id in by_id:
            relate(ticket, "team", by_id[ticket.team_id])
        if ticket.owner_team_id in by_id:
            relate(ticket, "owner_team", by_id[ticket.owner_team_id])


def world_of(reader: Reader, known: Known) -> str:
    """The name of those who may see the same tickets.

    All who may see every ticket but cases share; whoever is cleared for one sees alone, and so does
    whoever has a duty that by itself lets nobody see tickets.
    """
    shares = is_usual(reader) and not known.has_cases
    return AGENTS if shares else f"person {reader.person.pk}"


def _tongue() -> tuple[str, str]:
    return translation.get_language() or "", timezone.get_current_timezone_name()
