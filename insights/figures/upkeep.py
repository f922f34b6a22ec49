"""Rebuilds all facts and sums from the timelines, and checks that they are what those say."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from django.db import connection, transaction
from django.db.models import Max

from insights.figures.fact import days_in
from insights.figures.folding import (
    BATCH,
    folded,
    points_of,
    stored_points,
    take_turn,
    write_folded,
    write_points,
    zone_of_days,
)
from insights.figures.models import DayTotal, Folded, FoldMark, Point
from insights.figures.reading import read_stories
from insights.figures.sums import PARTS, VALUES, insertion
from roles.instants import TimeSource, database_now
from roles.refusals import Conflict
from tickets.checking import Checked
from tickets.models import Ticket, TimelineEvent

COLUMNS: Final = ", ".join((*PARTS, *VALUES))


def rebuild(
    *,
    zone: str = "",
    clock: TimeSource = database_now,
    told: Callable[[int], None] = lambda count: None,
) -> int:
    """Throw all facts and sums away and count every ticket anew; how many there are.

    One transaction: until it ends, readers see what was there before. `told` hears of progress.
    With a `zone`, days are those of that zone from then on. Raises Conflict while somebody else
    counts.
    """
    with transaction.atomic():
        if not take_turn():
            raise Conflict("counting", "Somebody else is counting just now. Try again in a minute.")
        now = clock()
        newest = TimelineEvent.objects.aggregate(last=Max("pk"))["last"] or 0
        for model in (Point, DayTotal, Folded):
            model._default_manager.all().delete()
        count = 0
        named = zone or zone_of_days()
        for ids in batches():
            with days_in(named):
                _count(ids)
            count += len(ids)
            told(len(ids))
        add_up()
        marked = {"settled": newest, "newest": newest, "noted_at": now, "swept_at": None}
        FoldMark.objects.update_or_create(pk=1, defaults={**marked, "zone": named})
        return count


def _count(ticket_ids: Sequence[int]) -> None:
    stories, heads = read_stories(ticket_ids)
    write_points((story.about.ticket_id, points_of(story)) for story in stories)
    write_folded([folded(story, heads[story.about.ticket_id]) for story in stories])


def add_up() -> None:
    """Make all sums from the stored facts."""
    with connection.cursor() as cursor:
        for grain in DayTotal.Grain.values:
            cursor.execute(f"INSERT INTO insights_daytotal ({COLUMNS}) {insertion(grain)}")


def batches() -> Iterator[list[int]]:
    """The ids of all tickets that have a timeline, in order, some hundred at a time."""
    after = 0
    rows = Ticket.objects.filter(last_seq__gt=0).order_by("pk")
    while ids := list(rows.filter(pk__gt=after).values_list("pk", flat=True)[:BATCH]):
        after = ids[-1]
        yield ids


def check_all() -> Iterator[Checked]:
    """Compare every ticket's facts with its timeline, and the sums with the facts.

    Tickets with events that are not counted yet are left out: their turn comes by itself.
    """
    zone = zone_of_days()
    for ids in batches():
        with days_in(zone):
            checked = _check(ids)
        yield checked
    yield Checked(tickets=0, rows=0, findings=list(_wrong_sums()))


def _check(ids: Sequence[int]) -> Checked:
    stories, heads = read_stories(ids)
    known = dict(Folded.objects.filter(pk__in=ids).values_list("pk", "seq"))
    stored = stored_points(ids)
    findings = []
    for story in stories:
        ticket_id = story.about.ticket_id
        if known.get(ticket_id) != heads[ticket_id]:
            continue
        if sorted(stored.get(ticket_id, ())) != sorted(points_of(story)):
            findings.append(f"ticket {ticket_id}: its facts are not what its timeline says")
    return Checked(tickets=len(ids), rows=sum(map(len, stored.values())), findings=findings)


def _wrong_sums() -> Iterator[str]:
    for grain in DayTotal.Grain.values:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT measure, day, count(*) FROM ((({_stored(grain)}) EXCEPT ALL"  # noqa: S608
                f" ({insertion(grain)})) UNION ALL (({insertion(grain)}) EXCEPT ALL"
                f" ({_stored(grain)}))) AS differing GROUP BY 1, 2 ORDER BY 1, 2"
            )
            for measure, day, count in cursor.fetchall():
                yield f"sums by {grain} of {measure} on {day}: {count} are not what the facts say"


def _stored(grain: str) -> str:
    values = ", ".join(f"{name}::numeric" for name in VALUES)
    return f"SELECT {', '.join(PARTS)}, {values} FROM insights_daytotal WHERE grain = '{grain}'"  # noqa: S608
