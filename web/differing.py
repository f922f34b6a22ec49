"""What differs between a page of the queue as it stands open somewhere and as it would be now."""

import json
from dataclasses import dataclass
from functools import lru_cache

from web.drawing import Drawn
from web.queue import Page, Table

KEPT = 200


@dataclass(frozen=True)
class Shown:
    """What an open page shows: which tabs with which counts, which rows, and the next page."""

    mark: str
    slug: str
    tabs: tuple[tuple[str, str, bool], ...]
    counts: tuple[str, ...]
    table: Table
    next_address: str

    @classmethod
    def of(cls, page: Page) -> "Shown":
        """What a page made now shows."""
        return cls(
            mark=page.shown,
            slug=page.view.slug,
            tabs=tuple((tab.name, str(tab.view.label), tab.is_here) for tab in page.tabs),
            counts=tuple(tab.count for tab in page.tabs),
            table=page.table,
            next_address=page.next_address if page.after else "",
        )

    def count_of(self, slug: str) -> str:
        """The count in the tab of a standing view; "" when there is none."""
        found = (
            n for (name, *_), n in zip(self.tabs, self.counts, strict=True) if name == f"tab-{slug}"
        )
        return next(found, "")


def difference(before: Shown, now: Shown) -> str | None:
    """What to change on the page, as JSON; None when it had better be fetched as a whole.

    Rows that are as they were are only named; an update of fifty rows says one of them anew.
    """
    if before.tabs != now.tabs or before.table.sentences != now.table.sentences:
        return None
    if bool(before.table.rows) != bool(now.table.rows):
        return None  # something else is said instead of rows
    if bool(before.next_address) != bool(now.next_address):
        return None
    pairs = zip(now.tabs, before.counts, now.counts, strict=True)
    counts = {tab[0]: count for tab, was, count in pairs if was != count}
    around = {"from": before.mark, "to": now.mark, "counts": counts, "next": now.next_address}
    rows = _rows(before.table.drawn, now.table.drawn)
    return f"{json.dumps(around)[:-1]}, {rows[1:]}"


@lru_cache(maxsize=KEPT)
def _rows(before: Drawn, now: Drawn) -> str:
    """The order of the rows and those that are new or other, for all pages that show them."""
    was = {line.key: line.mark for line in before.lines}
    return json.dumps(
        {
            "order": [line.key for line in now.lines],
            "rows": {line.key: line.html for line in now.lines if was.get(line.key) != line.mark},
        }
    )
