"""Keeps facts and daily sums true: what happened since is counted anew, ticket by ticket.

Nothing of it stands in the way of whoever writes a ticket. A task asks now and then which tickets
have events that are not counted yet; counting one again changes the sums by the difference only.
"""

import io
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Max

from insights.figures import sums
from insights.figures.fact import UTC, days_in
from insights.figures.measures import facts_of
from insights.figures.models import Folded, FoldMark, Point
from insights.figures.reading import read_stories
from insights.figures.story import Story
from insights.figures.sums import Key, Said
from roles.instants import TimeSource, database_now
from roles.models import Team
from tickets.models import TimelineEvent

LOCK: Final = 0x666F_6C64
BATCH: Final = 500
SETTLED_AFTER: Final = timedelta(seconds=120)
"""Longer than any transaction that writes live events may take."""
SWEPT_EVERY: Final = timedelta(hours=1)
"""How often all tickets are compared with what is counted, whatever the mark says."""

COLUMNS: Final = ("measure", "day", "team", "other", "tag", "n", "total", "work")

RECENT: Final = """
SELECT DISTINCT event.ticket_id
FROM tickets_timelineevent event
JOIN tickets_ticket ticket ON ticket.id = event.ticket_id
LEFT JOIN insights_folded folded ON folded.ticket_id = event.ticket_id
WHERE event.id > %s AND folded.seq IS DISTINCT FROM ticket.last_seq
LIMIT %s
"""
ALL: Final = """
SELECT ticket.id FROM tickets_ticket ticket
LEFT JOIN insights_folded folded ON folded.ticket_id = ticket.id
WHERE ticket.last_seq > 0 AND folded.seq IS DISTINCT FROM ticket.last_seq
LIMIT %s
"""


def fold(*, clock: TimeSource = database_now, limit: int = BATCH) -> int:
    """Count a batch of the tickets whose events are not counted yet; how many they were.

    Only one process counts at a time; another one finds nothing to do.
    """
    with transaction.atomic():
        if not take_turn():
            return 0
        now = clock()
        mark = _mark(now)
        sweeps = mark.swept_at is None or mark.swept_at < now - SWEPT_EVERY
        ids = _ask(ALL, [limit]) if sweeps else _ask(RECENT, [mark.settled, limit])
        with days_in(mark.zone):
            count_anew(ids)
        if len(ids) < limit:
            _settle(mark, now, swept=sweeps)
        return len(ids)


def fold_all(*, clock: TimeSource = database_now, most: int = 0) -> int:
    """Count until nothing is left, or `most` batches; how many tickets were counted."""
    total = batches = 0
    while count := fold(clock=clock):
        total, batches = total + count, batches + 1
        if count < BATCH or batches == most:
            break
    return total


def take_turn() -> bool:
    """Whether nobody else counts; held until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        return bool(cursor.fetchone()[0])


def count_anew(ticket_ids: Sequence[int]) -> None:
    """Make facts and sums of these tickets what their timelines say now."""
    if not ticket_ids:
        return
    stories, heads = read_stories(ticket_ids)
    known = Folded.objects.in_bulk(list(ticket_ids))
    before = stored_points(ticket_ids)
    delta: Counter[Key] = Counter()
    stale: list[int] = []
    fresh: list[tuple[int, list[Said]]] = []
    for story in stories:
        ticket_id = story.about.ticket_id
        points = points_of(story)
        was, now = known.get(ticket_id), folded(story, heads[ticket_id])
        old = before.get(ticket_id, [])
        is_same = sorted(old) == sorted(points)
        if not is_same:
            stale.append(ticket_id)
            fresh.append((ticket_id, points))
        if not is_same or was is None or _key_of(was) != _key_of(now):
            if was is not None:
                sums.add(delta, was, old, -1)
            sums.add(delta, now, points, 1)
    Point.objects.filter(ticket__in=stale).delete()
    write_points(fresh)
    write_folded([folded(story, heads[story.about.ticket_id]) for story in stories])
    sums.write(delta)


def points_of(story: Story) -> list[Said]:
    """The facts of one ticket as they are stored."""
    return [
        (name, fact.day, fact.team, fact.other, fact.tag, fact.n, fact.total, fact.work)
        for name, fact in facts_of(story)
    ]


def folded(story: Story, seq: int) -> Folded:
    """Under which key the facts of a ticket are added up, unsaved."""
    about = story.about
    return Folded(
        ticket_id=about.ticket_id,
        seq=seq,
        restricted=about.restricted,
        kind=about.kind,
        priority=about.priority,
        service=about.service,
        category=about.category,
    )


def _key_of(row: Folded) -> tuple[Any, ...]:
    return (row.restricted, row.kind, row.priority, row.service, row.category)


def stored_points(ticket_ids: Sequence[int]) -> dict[int, list[Said]]:
    """The stored facts of these tickets, by ticket."""
    found: dict[int, list[Said]] = {}
    rows = Point.objects.filter(ticket__in=ticket_ids).values_list("ticket_id", *COLUMNS)
    for ticket_id, *said in rows:
        found.setdefault(ticket_id, []).append(tuple(said))
    return found


def write_points(points: Iterable[tuple[int, Sequence[Said]]]) -> None:
    """Store new facts of tickets: by COPY, for a site has millions of them."""
    lines = [
        "\t".join(map(str, (ticket_id, *said))) for ticket_id, every in points for said in every
    ]
    if lines:
        listed = ", ".join(("ticket_id", *COLUMNS))
        with connection.cursor() as cursor:
            cursor.copy_expert(
                f"COPY insights_point ({listed}) FROM STDIN", io.StringIO("\n".join(lines) + "\n")
            )


def write_folded(rows: Iterable[Folded]) -> None:
    """Note up to which event tickets are counted."""
    parts = ["seq", "restricted", "kind", "priority", "service", "category"]
    Folded.objects.bulk_create(
        list(rows), update_conflicts=True, unique_fields=["ticket"], update_fields=parts
    )


def _ask(sql: str, params: Sequence[Any]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return sorted(row[0] for row in cursor.fetchall())


def _mark(now: datetime) -> FoldMark:
    newest = _newest()
    known = {"settled": newest, "newest": newest, "noted_at": now}
    held = FoldMark.objects.filter(pk=1).first()
    return held or FoldMark.objects.create(pk=1, zone=_own_zone(), **known)


def zone_of_days() -> str:
    """The zone whose days are counted: that of the service desk's calendar, unless one was chosen.

    It stays as it was when the counting began; counting all anew in another one changes it.
    """
    found = FoldMark.objects.filter(pk=1).values_list("zone", flat=True).first()
    return found or _own_zone()


def _own_zone() -> str:
    desks = Team.objects.filter(is_service_desk=True)
    zone = desks.values_list("calendar__current__zone", flat=True).first()
    return zone or UTC


def _newest() -> int:
    return TimelineEvent.objects.aggregate(last=Max("pk"))["last"] or 0


def _settle(mark: FoldMark, now: datetime, *, swept: bool) -> None:
    """Move the mark on once no transaction can be left that began before it was noted."""
    if swept:
        mark.swept_at = now
    if mark.noted_at <= now - SETTLED_AFTER:
        mark.settled, mark.newest, mark.noted_at = mark.newest, _newest(), now
    mark.save(update_fields=["settled", "newest", "noted_at", "swept_at"])
