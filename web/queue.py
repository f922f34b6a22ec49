"""The queue: which view, its rows and its next page, and live counts for every tab."""

import hashlib
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property, partial

from django.db.models import DateTimeField, Exists, F, Func, OuterRef, QuerySet
from django.utils import timezone, translation

from roles.instances import relate
from roles.instants import database_now
from roles.models import Membership, Person, Team
from roles.people import roles_of
from tickets import states
from tickets.models import Clearance, Ticket, TicketQuerySet
from web import counting
from web.bulk import kinds_for
from web.drawing import Drawn, drawn
from web.filters import Filters, narrow
from web.finding import Finder
from web.models import SavedView
from web.rows import Row, rows_of
from web.savedviews import filters_of, seen_by
from web.searching import Search
from web.shelf import shelf
from web.sorting import SORTS, Sort, page_of, sort_of
from web.tabs import Reader, View, is_known, tickets_in, views_for, visible

OWN = "own"
ALONE = frozenset({"mine", "watched", OWN})
OF_TEAMS = frozenset({"team", "escalated"})
JOINED = ("requester", "assignee", "owner", "service")
"""What is read with the tickets; teams are known already, and a dozen joins take long to plan."""


Draw = Callable[["Page"], str]


@dataclass(frozen=True)
class Tab:
    """One view as the page shows it; `saved` is set for somebody's own."""

    view: View
    count: str
    address: str
    is_here: bool
    saved: SavedView | None = None


@dataclass
class Page:
    """Everything that the queue shows."""

    view: View
    tabs: list[Tab]
    rows: list[Row]
    after: str
    filters: Filters
    sort: Sort
    now: datetime
    sentences: list[str] = field(default_factory=list)
    teams: Sequence[Team] = ()
    is_agent: bool = True
    may_choose: bool = False
    """Whether there is anything to be done with chosen rows: an auditor only reads."""
    saved: SavedView | None = None
    sorts: Sequence[Sort] = SORTS
    table: str = ""
    """The rows as HTML, if they were drawn already, for this page or for another."""
    rows_mark: str = ""

    @property
    def views(self) -> list[tuple[View, str]]:
        """The standing views with their counts."""
        return [(tab.view, tab.count) for tab in self.tabs if tab.saved is None]

    @property
    def is_search(self) -> bool:
        return bool(self.filters.q)

    @cached_property
    def drawn(self) -> Drawn:
        """The rows of the table as HTML."""
        return drawn(self.rows, self.now, for_agent=self.is_agent, may_choose=self.may_choose)

    @property
    def shown(self) -> str:
        """What tells this page's live part from what it was before, or will be."""
        counts = [(tab.address, str(tab.view.label), tab.count, tab.is_here) for tab in self.tabs]
        around = (self.rows_mark or self.drawn.mark, self.filters, self.after, self.sentences)
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


def is_agent(person: Person) -> bool:
    """Whether this person reads the whole service's work, not only what they asked for."""
    return bool(roles_of(person) - {"requester", "administrator"})


def queue_page(person: Person, filters: Filters, *, draw: Draw | None = None) -> Page:
    """The page of the queue that the filters ask for, with live counts for every view.

    The moment that it shows is the database's. With `draw`, which makes the rows' HTML, it is for a
    live page, one that asks again because something has changed: that may share what another one
    was given since. What such a page knows of the person's teams and roles may be HELD_S old.
    """
    is_live = draw is not None
    known = shelf.keep(("reader", person.pk), lambda: _know(person)) if is_live else _know(person)
    reader = known.reader(person, is_live=is_live)
    desk = _Desk(reader, filters, visible(person), _world(reader) if is_live else "")
    views = views_for(reader)
    tabs = desk.tabs(views, known.saved)
    here = next(tab for tab in tabs if tab.is_here)
    page = Page(
        view=here.view,
        tabs=tabs,
        rows=[],
        after="",
        filters=filters,
        sort=sort_of(filters.sort),
        now=reader.now,
        teams=reader.teams,
        is_agent=reader.is_agent,
        may_choose=desk.may_choose,
        saved=here.saved,
    )
    desk.fill(page, draw)
    return page


@dataclass(frozen=True)
class _Known:
    """What is known of a person for a while: roles, teams, own views; and when that was read."""

    roles: frozenset[str]
    teams: list[Team]
    saved: list[SavedView]
    read_at: datetime
    ticks: float

    def reader(self, person: Person, *, is_live: bool) -> Reader:
        """The reader at this moment; one who asks live has the moment in common with others."""
        person._roles = self.roles  # type: ignore[attr-defined]
        now = self.read_at + timedelta(seconds=time.monotonic() - self.ticks)
        return Reader(person, self.teams, is_agent(person), _shared_moment(now) if is_live else now)


def _know(person: Person) -> _Known:
    teams = _teams(person)
    now: datetime = teams[0].clock if teams else database_now()  # type: ignore[attr-defined]
    saved = list(seen_by(person)) if is_agent(person) else []
    return _Known(roles_of(person), teams, saved, now, time.monotonic())


@dataclass
class _Desk:
    """One reading of the queue; `world` names who sees the same tickets, "" to share nothing."""

    reader: Reader
    filters: Filters
    scope: TicketQuerySet
    world: str

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

    def fill(self, page: Page, draw: Draw | None) -> None:
        """The page's rows, the cursor of the next page, and what could not be searched for."""
        if draw is None or not self.world:
            self._read(page)
            return
        # "me" may stand in a search.
        sharing = self._sharing(OWN if self.filters.q else page.view.slug)
        key = (*sharing, page.view.slug, page.may_choose, self.filters)
        given = shelf.take(key, lambda: self._draw(page, draw))
        page.rows, page.after, page.sentences, page.table, page.rows_mark = given

    def _draw(self, page: Page, draw: Draw) -> tuple[list[Row], str, list[str], str, str]:
        self._read(page)
        return page.rows, page.after, page.sentences, draw(page), page.drawn.mark

    def _sharing(self, slug: str) -> tuple[Hashable, ...]:
        """Who is given the same rows of a view: everybody, the same teams, or one person alone."""
        reader = self.reader
        alone = slug in ALONE or not reader.is_agent
        teams = tuple(reader.team_ids) if slug in OF_TEAMS else ()
        return (self.world, reader.person.pk if alone else 0, teams, *_tongue())

    def _read(self, page: Page) -> None:
        found, page.sentences = self._search(self.filters, page.view.slug)
        related = found.select_related(*JOINED).defer("description", "resolution")
        tickets, page.after = page_of(related, page.sort, self.filters.after)
        reader = self.reader
        _attach(tickets, reader.teams)
        page.rows = rows_of(tickets, reader.now, for_agent=reader.is_agent, teams=reader.teams)

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
            return counting.count_standing(slugs, self.reader)
        groups: dict[tuple[Hashable, ...], list[str]] = {}
        for slug in slugs:
            groups.setdefault(self._sharing(slug), []).append(slug)
        found: dict[str, str] = {}
        for sharing, names in groups.items():
            make = partial(counting.count_standing, names, self.reader)
            taken = shelf.take((sharing, "counts", tuple(names)), make)
            found |= zip(names, taken, strict=True)
        return [found[slug] for slug in slugs]

    def _own(self, views: Sequence[QuerySet[Ticket]]) -> list[str]:
        """The same of somebody's own views."""
        if not views:
            return []
        make = partial(counting.count, views)
        return shelf.take((self._sharing(OWN), "own", len(views)), make) if self.world else make()


def _base(filters: Filters, views: Sequence[View]) -> tuple[Filters, str]:
    """The filters of somebody's own view, and the standing view that it narrows."""
    return filters, filters.view if is_known(filters.view, views) else views[-1].slug


def _teams(person: Person) -> list[Team]:
    """The active teams with their tiers, in one query.

    Each is marked when the person is in it, and (the same on all) when the person is cleared for
    any restricted ticket, and with the moment.
    """
    clock = Func(function="clock_timestamp", output_field=DateTimeField())
    cases = Clearance.objects.filter(person=person.pk)
    membership = Membership.objects.filter(team=OuterRef("pk"), person=person.pk)
    teams = Team.objects.filter(is_active=True).select_related("tier", "calendar")
    return list(
        teams.annotate(is_mine=Exists(membership), has_cases=Exists(cases), clock=clock).order_by(
            F("tier__rank").asc(nulls_last=True), "name"
        )
    )


def _attach(tickets: Sequence[Ticket], teams: Sequence[Team]) -> None:
    """Give the tickets the teams that have, own and support them, as far as they are active."""
    by_id = {team.pk: team for team in teams}
    for ticket in tickets:
        if ticket.team_id in by_id:
            relate(ticket, "team", by_id[ticket.team_id])
        if ticket.owner_team_id in by_id:
            relate(ticket, "owner_team", by_id[ticket.owner_team_id])


def _world(reader: Reader) -> str:
    """The name of those who may see the same tickets; somebody with a clearance sees alone."""
    alone = not reader.is_agent or any(getattr(team, "has_cases", True) for team in reader.teams)
    return f"person {reader.person.pk}" if alone else "agents"


def _shared_moment(now: datetime) -> datetime:
    """A moment that pages asking within the same two seconds have in common."""
    return now.replace(second=now.second // 2 * 2, microsecond=0)


def _tongue() -> tuple[str, str]:
    return translation.get_language() or "", timezone.get_current_timezone_name()
