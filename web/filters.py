"""What the address of the queue asks for: view, filters, search, order, page."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from tickets import states
from tickets.models import SavedView, TicketQuerySet
from tickets.savedviews import KEPT, kept_in
from web.searching import Search, parse

LONGEST = 200
STATUS_ORDER = (
    states.NEW,
    states.WAITING,
    states.IN_PROGRESS,
    states.PENDING_REQUESTER,
    states.PENDING_VENDOR,
    states.PENDING_CHANGE,
    states.RESOLVED,
    states.CLOSED,
    states.CANCELLED,
)


@dataclass(frozen=True)
class Filters:
    """What the URL asks for; empty means no wish. `saved` names a view of somebody's own."""

    view: str = ""
    team: str = ""
    tier: str = ""
    priority: str = ""
    status: str = ""
    q: str = ""
    sort: str = ""
    saved: str = ""
    after: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "Filters":
        """The filters in a query string; over-long and NUL-bearing values count as empty."""
        given = {name: query.get(name, "").strip() for name in cls.__dataclass_fields__}
        return cls(**{k: v for k, v in given.items() if len(v) <= LONGEST and "\x00" not in v})

    @property
    def narrowed(self) -> bool:
        """Whether anything beyond the view is asked for."""
        return any((self.team, self.tier, self.priority, self.status, self.q))

    @property
    def search(self) -> Search:
        return parse(self.q)

    def address(self, **changes: str) -> str:
        """The query string of these filters with some changed, without those that are empty."""
        held = replace(self, **changes)
        named = {name: getattr(held, name) for name in self.__dataclass_fields__}
        return urlencode({name: value for name, value in named.items() if value})

    @property
    def lasting(self) -> dict[str, str]:
        """What a saved view keeps: everything but the page and its own number."""
        return {name: value for name in KEPT if (value := getattr(self, name))}

    @property
    def next_less(self) -> str:
        """The same from its first page."""
        return self.address(after="")


def filters_of(view: SavedView) -> Filters:
    """The filters that a view keeps, with its own number."""
    return Filters.read({**kept_in(view), "saved": str(view.pk)})


def narrow(tickets: TicketQuerySet, filters: Filters) -> TicketQuerySet:
    """Those of the tickets that the pickers leave; the search is another matter."""
    if filters.team:
        tickets = tickets.filter(team__slug=filters.team)
    if filters.tier:
        tickets = tickets.filter(team__tier__slug=filters.tier)
    if filters.priority in {"1", "2", "3", "4", "5"}:
        tickets = tickets.filter(priority=int(filters.priority))
    if filters.status in states.ALL:
        tickets = tickets.filter(status=filters.status)
    return tickets
