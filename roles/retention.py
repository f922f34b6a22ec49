"""How long what is stored may be kept: periods by kind, what is over now, and letting go of it.

Each floor registers the kinds of things that it holds. A period is set by an administrator, in
days; a kind without one is kept for good, and so is everything on a new site. The nightly pass
works in batches, each a transaction of its own, so that it delays nobody and can be broken off.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from roles import audit
from roles.instants import TimeSource, database_now
from roles.models import Person, Retention
from roles.people import require
from roles.refusals import Invalid

BATCH: Final = 500
MOST: Final = 50_000
"""So many rows of each kind a night; the rest the next one."""
EVERY: Final = timedelta(hours=20)
COUNTED: Final = 100_000
LONGEST_DAYS: Final = 36_500

Count = Callable[[datetime, int], int]
Erase = Callable[..., int]


@dataclass(frozen=True)
class Kind:
    """One kind of thing that may be let go of.

    `count(before, most)` says how many are over, up to so many; `erase(before=…, limit=…, now=…)`
    lets go of that many at most, in the transaction around it, and returns how many it was.
    """

    slug: str
    label: str
    what: str
    least_days: int
    count: Count
    erase: Erase


@dataclass(frozen=True)
class Over:
    """What of one kind is over now under its period, or would be under another one."""

    kind: Kind
    days: int | None
    count: int


KINDS: Final[dict[str, Kind]] = {}


def register_kind(kind: Kind) -> None:
    """Have a kind of thing offered to administrators, and let go of once its period is over."""
    KINDS[kind.slug] = kind


def row_of(slug: str) -> Retention:
    """The stored period of a kind; a fresh one without days where none was ever set."""
    return Retention.objects.get_or_create(kind=slug)[0]


def count_over(kind: Kind, days: int | None, now: datetime) -> Over:
    """How many of a kind a period would let go of at this moment, counted up to 100,000."""
    if days is None:
        return Over(kind, None, 0)
    return Over(kind, days, kind.count(now - timedelta(days=days), COUNTED))


@transaction.atomic
def set_period(
    *, slug: str, days: int | None, actor: Person | None, clock: TimeSource = database_now
) -> Retention:
    """Set how many days a kind is kept; None keeps it for good.

    Raises Forbidden; Invalid for an unknown kind and for fewer days than the kind needs.
    """
    require(actor, "admin")
    kind = KINDS.get(slug)
    if kind is None:
        raise Invalid("unknown_kind", "Nothing of this kind is kept here.")
    if days is not None and not kind.least_days <= days <= LONGEST_DAYS:
        words = f"{kind.least_days} days at least, {LONGEST_DAYS:,} at most; or empty."
        raise Invalid("period", "This period cannot be kept.", {"days": words})
    row_of(slug)
    row = Retention.objects.select_for_update().get(kind=slug)
    if row.days != days:
        changes = {"days": [row.days, days]}
        row.days, row.changed_at = days, clock()
        row.save(update_fields=["days", "changed_at"])
        audit.record(actor=actor, action="retention.set", subject=row, changes=changes, clock=clock)
    return row


def let_go_nightly(*, clock: TimeSource = database_now) -> int:
    """Let go of what is over, once in a night for each kind; how many things that were."""
    return sum(_let_go(kind, row, clock) for kind, row in _due(clock()))


def _due(now: datetime) -> Iterator[tuple[Kind, Retention]]:
    for row in Retention.objects.filter(days__isnull=False):
        kind = KINDS.get(row.kind)
        if kind is not None and (row.erased_at is None or now - row.erased_at >= EVERY):
            yield kind, row


def _let_go(kind: Kind, row: Retention, clock: TimeSource) -> int:
    """One kind's turn: batches until nothing is over, or enough was done for one night."""
    total = 0
    mine = Retention.objects.filter(pk=row.pk)
    mine.update(pass_began_at=clock(), erased_count=0)
    while total < MOST:
        with transaction.atomic():
            held = Retention.objects.select_for_update(skip_locked=True).filter(pk=row.pk).first()
            if held is None or held.days is None:
                mine.filter(days=None).update(pass_began_at=None)
                return total
            now = clock()
            before = now - timedelta(days=held.days)
            count = kind.erase(before=before, limit=BATCH, now=now)
            total += count
            mine.update(erased_count=total)
        if count < BATCH:
            break
    mine.update(erased_at=clock(), erased_count=total, pass_began_at=None)
    if total:
        audit.record(
            actor=None, action="retention.kept", subject=row, changes={"erased": total}, clock=clock
        )
    return total
