"""What a dashboard says for a period and a reader: its figures, and their splits, as plain data."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from insights.figures import boards
from insights.figures.boards import Board, Panel
from insights.figures.figure import Figure
from insights.figures.naming import NONE, SORTS, Named, Names
from insights.figures.registry import BY_SLUG
from insights.figures.sums import Amount, Question, Sight, amounts, sight_of
from roles.models import Person

EVER: Final = (date(1970, 1, 1), date(2999, 1, 1))
NAMELESS: Final = gettext_lazy("none")
Heap = dict[tuple[str, str], Amount]
"""Amounts by measure and sort: what a figure is made of."""
Drill = Mapping[str, str]
"""What an address says of what is behind a number, besides period and filters."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure for the whole period, and what it was in the period before.

    `before` is None where nothing was counted then: no site is worse for having come into use.
    """

    figure: Figure
    value: float | None
    working: float | None
    before: float | None
    weight: int


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a split: the figure's value there, the other figure's, and how many facts."""

    label: str
    value: float | None
    second: float | None
    weight: int
    drill: Drill
    ends: tuple[str, str] = ("", "")
    """For an edge: the tiers at its two ends."""
    week: date | None = None
    """For a week: its Monday, which may lie before the period."""


@dataclass(frozen=True, slots=True)
class Split:
    """One panel's figure split into lines."""

    panel: Panel
    figure: Figure
    second: Figure | None
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Told:
    """A dashboard, answered."""

    board: Board
    question: Question
    tiles: Sequence[Tile]
    splits: Sequence[Split]


@dataclass(slots=True)
class _Heaps:
    """The amounts of one question, each table of them read once."""

    question: Question
    figures: Sequence[Figure]
    sight: Sight
    names: Names
    now: datetime
    _read: dict[tuple[str, ...], dict[tuple[Any, ...], Amount]] = field(default_factory=dict)

    def by(self, *parts: str) -> dict[tuple[Any, ...], Amount]:
        """Amounts by measure, those parts in order; of now for figures that tell of now."""
        if parts not in self._read:
            usual = {name for each in self.figures if not each.is_present for name in each.measures}
            present = {name for each in self.figures if each.is_present for name in each.measures}
            found = amounts(self.question, sorted(usual), parts, self.sight) if usual else {}
            if present and "week" not in parts:
                ever = replace(self.question, since=EVER[0], until=EVER[1])
                found |= amounts(ever, sorted(present), parts, self.sight)
            self._read[parts] = found
        return self._read[parts]

    def total(self) -> Heap:
        """Everything, by measure and sort."""
        found: Heap = {}
        for (measure, _team, _other, tag), amount in self.by("team", "other", "tag").items():
            _put(found, measure, tag, amount)
        return found


def _put(heap: Heap, measure: str, tag: str, amount: Amount) -> None:
    heap[measure, tag] = heap.get((measure, tag), Amount()) + amount


def tell_board(board: Board, question: Question, reader: Person | None, *, now: datetime) -> Told:
    """The dashboard's figures for that period as this reader may know them.

    About ten statements, whatever it counts.
    """
    sight = sight_of(reader)
    heaps = _Heaps(question, board.figures, sight, Names(), now)
    present, before = heaps.total(), _before(question, board.figures, sight)
    tiles = [
        Tile(
            figure=figure,
            value=figure.of(present, now),
            working=figure.working(present),
            before=figure.of(before) if before and not figure.is_present else None,
            weight=figure.weight(present),
        )
        for figure in (BY_SLUG[slug] for slug in board.tiles)
    ]
    return Told(board, question, tiles, [_split(heaps, panel) for panel in board.panels])


def _before(question: Question, figures: Sequence[Figure], sight: Sight) -> Heap:
    """The same of the period before, of the same length."""
    earlier = replace(question, since=question.since - span(question), until=question.since)
    measures = {name for figure in figures if not figure.is_present for name in figure.measures}
    found = amounts(earlier, sorted(measures), ("tag",), sight)
    return {(measure, tag): amount for (measure, tag), amount in found.items()}


def span(question: Question) -> timedelta:
    """How long the period is."""
    return question.until - question.since


# ---- Splits --------------------------------------------------------------------------------------


def _split(heaps: _Heaps, panel: Panel) -> Split:
    figure = BY_SLUG[panel.figure]
    second = BY_SLUG.get(panel.with_figure)
    found: dict[Any, Heap] = {}
    measures = figure.measures | (second.measures if second else frozenset())
    for key, measure, tag, amount in _KEYED[panel.by](heaps, figure):
        if measure in measures:
            _put(found.setdefault(key, {}), measure, tag, amount)
    if panel.by == boards.WEEK:
        return Split(panel, figure, second, _week_rows(heaps, figure, second, found))
    rows = []
    for key, heap in found.items():
        value = figure.of(heap, heaps.now)
        other = second.of(heap, heaps.now) if second else None
        label, drill, ends = _LABELLED[panel.by](heaps.names, key)
        rows.append(Row(label, value, other, figure.weight(heap), drill, ends))
    if panel.by == boards.PRIORITY:
        order: Callable[[Row], Any] = lambda row: row.label  # noqa: E731
    else:
        order = lambda row: (-row.weight, row.label)  # noqa: E731
    # Where only the other figure has something to say, as on an edge on which all come back, it is
    # said all the same.
    shown = [row for row in rows if row.weight or row.value or row.second]
    return Split(panel, figure, second, sorted(shown, key=order))


def _week_rows(
    heaps: _Heaps, figure: Figure, second: Figure | None, found: Mapping[date, Heap]
) -> list[Row]:
    """Every week from the first with a fact on, those without one too: a trend has no holes.

    The ways behind keep within the period, in which the first and last week may be cut short.
    """
    if not found:
        return []
    first, last = heaps.question.since, heaps.question.until - timedelta(days=1)
    rows, week = [], min(found)
    while week <= min(last, max(heaps.now.date(), *found)):
        heap = found.get(week, {})
        since, until = max(week, first), min(week + timedelta(days=6), last)
        rows.append(
            Row(
                label=date_format(week, _("j M")),
                value=figure.of(heap, heaps.now),
                second=second.of(heap, heaps.now) if second else None,
                weight=figure.weight(heap),
                drill={"since": since.isoformat(), "until": until.isoformat()},
                week=week,
            )
        )
        week += timedelta(days=7)
    return rows


Keyed = Iterable[tuple[Any, str, str, Amount]]


def _whom(heaps: _Heaps) -> dict[tuple[Any, ...], Amount]:
    return heaps.by("team", "other", "tag")


def _by_team(heaps: _Heaps, figure: Figure) -> Keyed:
    for (measure, team, _other, tag), amount in _whom(heaps).items():
        yield team, measure, tag, amount


def _by_tier(heaps: _Heaps, figure: Figure) -> Keyed:
    for (measure, team, other, tag), amount in _whom(heaps).items():
        tier = heaps.names.tiers.get(team) or (_("Vendor") if other else "")
        yield tier, measure, tag, amount


def _by_edge(heaps: _Heaps, figure: Figure) -> Keyed:
    for (measure, team, other, tag), amount in _whom(heaps).items():
        if other:
            yield (team, other), measure, tag, amount


def _by_vendor(heaps: _Heaps, figure: Figure) -> Keyed:
    for (measure, _team, other, tag), amount in _whom(heaps).items():
        if other:
            yield other, measure, tag, amount


def _by_policy(heaps: _Heaps, figure: Figure) -> Keyed:
    for (measure, _team, other, tag), amount in _whom(heaps).items():
        yield other, measure, tag, amount


def _by_sort(heaps: _Heaps, figure: Figure) -> Keyed:
    for (measure, _team, _other, tag), amount in _whom(heaps).items():
        yield tag, measure, tag, amount


def _by_week(heaps: _Heaps, figure: Figure) -> Keyed:
    for (measure, week, tag), amount in heaps.by("week", "tag").items():
        yield week, measure, tag, amount


def _by_what(place: int) -> Callable[[_Heaps, Figure], Keyed]:
    def keyed(heaps: _Heaps, figure: Figure) -> Keyed:
        for (measure, *what), amount in heaps.by("service", "category", "priority").items():
            yield what[place], measure, "", amount

    return keyed


_KEYED: Final[Mapping[str, Callable[[_Heaps, Figure], Keyed]]] = {
    boards.TEAM: _by_team,
    boards.TIER: _by_tier,
    boards.EDGE: _by_edge,
    boards.VENDOR: _by_vendor,
    boards.POLICY: _by_policy,
    boards.SORT: _by_sort,
    boards.WEEK: _by_week,
    boards.SERVICE: _by_what(0),
    boards.CATEGORY: _by_what(1),
    boards.PRIORITY: _by_what(2),
}
Labelled = tuple[str, Drill, tuple[str, str]]
ENDLESS: Final = ("", "")


def _named(rows: Mapping[int, Named], key: int, word: str) -> Labelled:
    found = rows.get(key)
    return (
        (found.name, {word: found.slug}, ENDLESS)
        if found
        else (str(NAMELESS), {word: NONE}, ENDLESS)
    )


def _edge(names: Names, key: tuple[int, int]) -> Labelled:
    sender, receiver = (names.teams.get(pk) for pk in key)
    ends = (names.tiers.get(key[0], ""), names.tiers.get(key[1], ""))
    if sender is None or receiver is None:
        return str(NAMELESS), {}, ends
    drill = {"team": sender.slug, "to": receiver.slug}
    return f"{sender.name} → {receiver.name}", drill, ends


def _sort(names: Names, key: str) -> Labelled:
    return str(SORTS.get(key, key or NAMELESS)), {"sort": key or NONE}, ENDLESS


def _tier(names: Names, key: str) -> Labelled:
    if key == _("Vendor"):
        return key, {"sort": "vendor"}, ENDLESS
    return key or str(NAMELESS), {"tier": key or NONE}, ENDLESS


_LABELLED: Final[Mapping[str, Callable[[Names, Any], Labelled]]] = {
    boards.TEAM: lambda names, key: _named(names.teams, key, "team"),
    boards.TIER: _tier,
    boards.EDGE: _edge,
    boards.VENDOR: lambda names, key: _named(names.vendors, key, "vendor"),
    boards.POLICY: lambda names, key: _named(names.policies, key, "policy"),
    boards.SORT: _sort,
    boards.SERVICE: lambda names, key: _named(names.services, key, "service"),
    boards.CATEGORY: lambda names, key: _named(names.categories, key, "category"),
    boards.PRIORITY: lambda names, key: (f"P{key}", {"priority": str(key)}, ENDLESS),
}
