"""Draws the rows of the queue, each from its cells alone: what shows the same is drawn once.

A page of fifty rows is drawn again at every view and every hint; most of its rows are as before, or
stand on other people's pages too. Whatever a row shows is in its cells, and nothing else reaches
its template: two rows with the same cells look the same.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import lru_cache
from typing import Final

from django.template.loader import get_template
from django.utils import timezone, translation
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from roles.models import Person, Tier
from web.countdowns import Countdown, coming_text
from web.rows import Row

KEPT: Final = 5000
"""So many rows are remembered, two thousand characters each."""


LEFT: Final = "\x02"
COMING: Final = "\x03"
"""Stand in a row as it is kept for what changes by itself: how long is left, and until when."""


@dataclass(frozen=True, slots=True)
class Named:
    """A person as a list shows one."""

    name: str
    is_vip: bool

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Rung:
    """A tier or lane as a chip shows it."""

    name: str
    rank: int | None


@dataclass(frozen=True, slots=True)
class Step:
    """What happens next by itself; `coming` is where it is said how far ahead that is."""

    name: str
    at: datetime
    coming: str
    to_whom: str


@dataclass(frozen=True, slots=True)
class Audience:
    """To whom rows are shown: with the service's own columns, with boxes, in which words."""

    for_agent: bool
    may_choose: bool
    language: str
    zone: str


@dataclass(frozen=True, slots=True)
class Cells:
    """All that one row shows, and to whom."""

    key: str
    subject: str
    is_major: bool
    is_restricted: bool
    is_open: bool
    left: Countdown
    clock: str
    priority: int
    status: str
    requester: Named | None
    assignee: Named | None
    owner: str
    team: str
    rung: Rung | None
    step: Step | None
    audience: Audience


@dataclass(frozen=True, slots=True)
class Line:
    """One row as HTML, and what tells it from others; how long is left the page counts itself."""

    key: str
    mark: str
    html: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """Rows as they stand on a page."""

    lines: tuple[Line, ...]

    @property
    def html(self) -> SafeString:
        """All of them, one after the other."""
        return mark_safe("".join(line.html for line in self.lines))  # noqa: S308 (from templates)

    @property
    def mark(self) -> str:
        """What tells these rows from others."""
        return _digest("".join(line.mark for line in self.lines))


def drawn(rows: Sequence[Row], now: datetime, *, for_agent: bool, may_choose: bool) -> Drawn:
    """The rows, one after the other."""
    language, zone = translation.get_language() or "", timezone.get_current_timezone_name()
    audience = Audience(for_agent, may_choose, language, zone)
    return Drawn(tuple(_line(row, now, audience) for row in rows))


def _line(row: Row, now: datetime, audience: Audience) -> Line:
    cells = _cells(row, audience)
    html = _drawn(cells).replace(LEFT, escape(row.left.text))
    if row.next_step is not None:
        html = html.replace(COMING, escape(coming_text(row.next_step.at, now)))
    return Line(cells.key, _digest(repr((cells.audience, _timeless(cells)))), html)


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def _timeless(cells: Cells) -> list[object]:
    """The cells without what changes by itself while nothing happens."""
    left, step = cells.left, cells.step
    told = [getattr(cells, name) for name in STEADY]
    told += [left.due_at, left.soon_at, "" if left.due_at else left.tone]
    return [*told, step.name, step.at, step.to_whom] if step else told


STEADY: Final = tuple(
    each.name for each in fields(Cells) if each.name not in ("left", "step", "audience")
)


def _cells(row: Row, audience: Audience) -> Cells:
    ticket, team = row.ticket, row.ticket.team
    return Cells(
        key=ticket.key,
        subject=ticket.subject,
        is_major=ticket.is_major,
        is_restricted=ticket.restricted,
        is_open=ticket.is_open,
        left=replace(row.left, text=LEFT) if row.left.due_at else row.left,
        clock=row.clock,
        priority=ticket.priority,
        status=ticket.status,
        requester=_named(ticket.requester),
        assignee=_named(ticket.assignee),
        owner=str(ticket.owner or ticket.owner_team or ""),
        team=team.name if team else "",
        rung=_rung(team.tier) if team else None,
        step=_step(row),
        audience=audience,
    )


def _named(person: Person | None) -> Named | None:
    return Named(str(person), person.is_vip) if person is not None else None


def _rung(tier: Tier | None) -> Rung | None:
    return Rung(tier.name, tier.rank) if tier is not None else None


def _step(row: Row) -> Step | None:
    found = row.next_step
    return Step(found.step.name, found.at, COMING, row.to_whom) if found else None


@lru_cache(maxsize=KEPT)
def _drawn(cells: Cells) -> str:
    return get_template("web/queue/_row.html").render({"row": cells})
