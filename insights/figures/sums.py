"""The sums of facts by day: what is added to them, and what they say for a period."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.db import connection
from django.db.models import Count, Q, QuerySet, Sum, TextField, Value
from django.db.models.functions import Cast, Concat, TruncWeek

from insights.figures.models import DayTotal, Folded, FoldMark, Point
from roles.models import Person
from tickets.models import Clearance, EventKind, Ticket, TimelineEvent

WHO: Final = DayTotal.Grain.WHO
WHAT: Final = DayTotal.Grain.WHAT
CUBE: Final = DayTotal.Grain.CUBE
OF_WHOM: Final = ("team", "other", "tag")
OF_WHAT: Final = ("kind", "priority", "service", "category")
PARTS: Final = ("grain", "measure", "day", *OF_WHOM, *OF_WHAT)
VALUES: Final = ("n", "total", "work")
Said = tuple[Any, ...]
"""What one stored fact says: measure, day, team, other, sort, and its three values."""
Key = tuple[Any, ...]
"""A row of the sums, and which of its three values."""
NOTHING: Final = {"team": 0, "other": 0, "tag": "", "kind": "", "priority": 0} | {
    "service": 0,
    "category": 0,
}

NIGHTS: Final = "nights"
"""Asked for like a measure, but made of the pages at night: a night counts once for a person."""
POINT_NAMES: Final = {name: f"ticket__folded__{name}" for name in OF_WHAT}

UPSERT: Final = f"""
INSERT INTO insights_daytotal ({", ".join((*PARTS, *VALUES))}) VALUES %s
ON CONFLICT ({", ".join(PARTS)}) DO UPDATE SET
n = insights_daytotal.n + excluded.n,
total = insights_daytotal.total + excluded.total,
work = insights_daytotal.work + excluded.work
"""  # noqa: S608  (names of our own columns)


@dataclass(frozen=True, slots=True)
class Amount:
    """What facts add up to: how many, and the two things that are measured of them."""

    n: int = 0
    total: int = 0
    work: int = 0

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.n + other.n, self.total + other.total, self.work + other.work)

    def __neg__(self) -> "Amount":
        return Amount(-self.n, -self.total, -self.work)


@dataclass(frozen=True, slots=True)
class Question:
    """A period in days, the end not included, and what it is narrowed to."""

    since: date
    until: date
    team: int | None = None
    service: int | None = None
    category: int | None = None
    priority: int | None = None
    kind: str = ""

    @property
    def about_what(self) -> dict[str, Any]:
        """What the tickets are narrowed to."""
        asked = {name: getattr(self, name) for name in OF_WHAT}
        return {name: value for name, value in asked.items() if value not in (None, "")}

    @property
    def about_whom(self) -> dict[str, Any]:
        """What the facts themselves are narrowed to."""
        return {} if self.team is None else {"team": self.team}


# ---- Adding up -----------------------------------------------------------------------------------


def add(delta: Counter[Key], row: Folded, points: Iterable[Said], sign: int) -> None:
    """Add the facts of one ticket to changes of the sums; nothing of a restricted one."""
    if row.restricted:
        return
    what = (row.kind, row.priority, row.service, row.category)
    for measure, day, team, other, tag, *values in points:
        whom = (team, other, tag)
        for grain, key in (
            (WHO, (*whom, "", 0, 0, 0)),
            (WHAT, (0, 0, "", *what)),
            (CUBE, (*whom, *what)),
        ):
            for name, value in zip(VALUES, values, strict=True):
                delta[(str(grain), measure, day, *key, name)] += sign * value


def write(delta: Counter[Key]) -> None:
    """Change the sums; those that come to nothing are taken away."""
    rows: dict[Key, dict[str, int]] = {}
    for (*place, name), value in delta.items():
        if value:
            rows.setdefault(tuple(place), dict.fromkeys(VALUES, 0))[name] = value
    ordered = [(*place, *values.values()) for place, values in sorted(rows.items())]
    with connection.cursor() as cursor:
        for at in range(0, len(ordered), 1000):
            part = ordered[at : at + 1000]
            one = f"({', '.join(['%s'] * len(part[0]))})"
            listed = ", ".join([one] * len(part))
            cursor.execute(UPSERT.replace("%s", listed), [cell for row in part for cell in row])
    if ordered:
        days = {row[2] for row in ordered}
        DayTotal.objects.filter(day__in=days, n=0, total=0, work=0).delete()


def insertion(grain: str) -> str:
    """The statement that adds up all facts of tickets that are not restricted, in one grain."""
    filled = {WHO: OF_WHOM, WHAT: OF_WHAT, CUBE: (*OF_WHOM, *OF_WHAT)}[DayTotal.Grain(grain)]
    columns = [_column(name, name in filled) for name in (*OF_WHOM, *OF_WHAT)]
    grouped = ["point.measure", "point.day", *(_source(name) for name in filled)]
    return (
        f"SELECT '{grain}' AS grain, point.measure, point.day, {', '.join(columns)},"  # noqa: S608
        " sum(point.n)::numeric AS n, sum(point.total)::numeric AS total,"
        " sum(point.work)::numeric AS work"
        " FROM insights_point point JOIN insights_folded folded USING (ticket_id)"
        f" WHERE NOT folded.restricted GROUP BY {', '.join(grouped)}"
    )


def _column(name: str, is_filled: bool) -> str:
    if is_filled:
        return f"{_source(name)} AS {name}"
    return f"{NOTHING[name] if NOTHING[name] != '' else chr(39) * 2} AS {name}"


def _source(name: str) -> str:
    return f"point.{name}" if name in OF_WHOM else f"folded.{name}"


# ---- Asking --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sight:
    """What one reader may know beside the sums: cases for which that reader is cleared.

    `fresh` have been restricted a moment ago: they must not be told by what they were counted as.
    """

    cleared: Sequence[int] = ()
    fresh: Sequence[int] = ()

    def corrections(self) -> list[tuple[int, QuerySet[Point]]]:
        """The facts to leave out before their tickets are counted anew, and those to add."""
        found: list[tuple[int, QuerySet[Point]]] = []
        if self.fresh:
            still = Point.objects.filter(ticket__in=self.fresh, ticket__folded__restricted=False)
            found.append((-1, still.filter(ticket__restricted=True)))
        if self.cleared:
            mine = Point.objects.filter(ticket__in=self.cleared, ticket__restricted=True)
            found.append((1, mine))
        return found


def sight_of(reader: Person | None) -> Sight:
    """What this reader may know; None is cleared for nothing. Two or three statements."""
    cleared: list[int] = []
    if reader is not None:
        cases = Clearance.objects.filter(person=reader.pk, ticket__restricted=True)
        cleared = list(cases.values_list("ticket", flat=True))
    return Sight(cleared, just_restricted())


def amounts(
    question: Question, measures: Sequence[str], by: Sequence[str], sight: Sight
) -> dict[tuple[Any, ...], Amount]:
    """What the facts of a period add up to, by measure and the parts named in `by`.

    `by` may name parts of the key, `day` and `week`. What was counted of tickets that have been
    restricted since is left out; for a reader who is cleared, restricted ones are added.
    """
    rows = _narrowed(_grain_rows(question, by), question, measures)
    found = _counted(rows.filter(**question.about_what), by, measures)
    for sign, points in sight.corrections():
        narrowed = _narrowed(points, question, measures)
        what = {f"ticket__folded__{name}": value for name, value in question.about_what.items()}
        for key, amount in _counted(narrowed.filter(**what), by, measures, POINT_NAMES).items():
            changed = amount if sign > 0 else -amount
            found[key] = found.get(key, Amount()) + changed
    return {key: amount for key, amount in found.items() if amount != Amount()}


def _counted(
    rows: Any, by: Sequence[str], measures: Sequence[str], names: Mapping[str, str] | None = None
) -> dict[tuple[Any, ...], Amount]:
    found = _grouped(rows, by, names)
    return found | _nights(rows, by, names) if NIGHTS in measures else found


def _nights(
    rows: Any, by: Sequence[str], names: Mapping[str, str] | None
) -> dict[tuple[Any, ...], Amount]:
    """Nights of one person each, however many pages there were in one; of nobody by name."""
    if "week" in by:
        rows = rows.annotate(week=TruncWeek("day"))
    kept = [name for name in by if name not in ("other", "tag")]
    parts_of_night = (Cast("other", TextField()), Value(" "), Cast("day", TextField()))
    night = Concat(*parts_of_night, output_field=TextField())
    called = [(names or {}).get(name, name) for name in kept]
    asked = rows.filter(measure="page", tag="night").order_by().annotate(always=Value(1))
    counted = asked.values_list("always", *called).annotate(nights=Count(night, distinct=True))
    blank = {"other": 0, "tag": ""}
    found = {}
    for _always, *key, count in counted:
        parts = dict(zip(kept, key, strict=True)) | blank
        found[(NIGHTS, *(parts[name] for name in by))] = Amount(n=count)
    return found


def _grain_rows(question: Question, by: Sequence[str]) -> QuerySet[DayTotal]:
    asked = {*by, *question.about_what, *question.about_whom}
    of_whom, of_what = asked & set(OF_WHOM), asked & set(OF_WHAT)
    grain = CUBE if of_whom and of_what else WHAT if of_what else WHO
    return DayTotal.objects.filter(grain=grain)


def _narrowed(rows: Any, question: Question, measures: Sequence[str]) -> Any:
    return rows.filter(
        measure__in=[*measures, *(["page"] if NIGHTS in measures else [])],
        day__gte=question.since,
        day__lt=question.until,
        **question.about_whom,
    )


def _grouped(
    rows: Any, by: Sequence[str], names: Mapping[str, str] | None = None
) -> dict[tuple[Any, ...], Amount]:
    if "week" in by:
        rows = rows.annotate(week=TruncWeek("day"))
    columns = ["measure", *((names or {}).get(name, name) for name in by)]
    counted = rows.order_by().values_list(*columns).annotate(Sum("n"), Sum("total"), Sum("work"))
    return {tuple(row[:-3]): Amount(*map(int, row[-3:])) for row in counted}


def just_restricted() -> list[int]:
    """Tickets that were restricted since the mark was set, counted anew already or not."""
    settled = FoldMark.objects.values_list("settled", flat=True).first()
    if settled is None:
        return []
    events = TimelineEvent.objects.filter(pk__gt=settled, kind=EventKind.RESTRICTED)
    return list(events.values_list("ticket", flat=True).distinct())


def points_for(reader: Person) -> Q:
    """Which facts this reader may count, as a condition on Point.

    By the few restricted tickets that are hidden rather than by every ticket that is not: the
    facts of a period are then read in the order of their index.
    """
    cleared = Clearance.objects.filter(person=reader.pk).values("ticket")
    hidden = Ticket.objects.filter(restricted=True).exclude(pk__in=cleared)
    return ~Q(ticket__in=hidden.values("pk"))
