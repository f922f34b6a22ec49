"""What a simulation came to, as its page shows it: each figure as a chart and as a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from escalation.explain import duration
from escalation.models import ClockKind
from insights.simulation.pages import Page, level, page_of
from web.charts import both_widths, legend, rows
from web.wording import worded

STEPS: Final = 24
"""Steps that the chart has room for; the table has all."""
DASH: Final = "\u2013"
MINUS: Final = "\u2212"

DAYS: Final = (
    gettext_lazy("Mon"),
    gettext_lazy("Tue"),
    gettext_lazy("Wed"),
    gettext_lazy("Thu"),
    gettext_lazy("Fri"),
    gettext_lazy("Sat"),
    gettext_lazy("Sun"),
)
TOTALS: Final[Sequence[tuple[str | Promise, Sequence[str]]]] = (
    (gettext_lazy("Tickets played"), ("tickets",)),
    (gettext_lazy("Tickets with a firing"), ("tickets_touched",)),
    (gettext_lazy("Steps carried out"), ("firings", "fired")),
    (gettext_lazy("Steps that reached nobody"), ("firings", "empty")),
    (gettext_lazy("Steps skipped"), ("firings", "skipped")),
    (pgettext_lazy("alarm", "Pages"), ("pages",)),
    (gettext_lazy("Nights disturbed"), ("nights_disturbed",)),
    (gettext_lazy("Notifications"), ("notifications",)),
    (gettext_lazy("Authority called in"), ("authority_called",)),
    (gettext_lazy("Moves asked for"), ("moves",)),
    (gettext_lazy("Priority raises asked for"), ("priority_raises",)),
    (gettext_lazy("Times the fallback was told"), ("fallbacks",)),
)
"""Every plain total of a report, and where in a world of it the number stands."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One of the figures that decide: its value in each world, the last one large."""

    name: str
    about: str
    values: Sequence[tuple[str, str]]
    change: str


@dataclass(frozen=True, slots=True)
class Line:
    """One figure, the worlds side by side, and by how much the second differs from the first."""

    name: str
    cells: Sequence[str]
    change: str


@dataclass(frozen=True, slots=True)
class Heat:
    """Pages by weekday and hour in one world: a table whose cells are the darker, the more."""

    name: str
    days: Sequence[tuple[str, Sequence[tuple[int, int]], int]]
    hours: Sequence[int]
    total: int


@dataclass(frozen=True)
class Shown:
    """A report with its charts, and the figures of each chart in rows for its table."""

    page: Page
    names: Sequence[str]
    tiles: Sequence[Tile]
    totals: Sequence[Line]
    warned: Sequence[tuple[str, int, Sequence[tuple[int, str, str]]]]
    tiers: Sequence[tuple[str, Sequence[tuple[str, int, int, int, int]]]]
    heats: Sequence[Heat]
    most: int
    legend: SafeString
    by_step: SafeString | None
    steps: Sequence[tuple[str, Sequence[int]]]
    people: Sequence[tuple[str, Sequence[Mapping[str, Any]]]]

    @property
    def has_two(self) -> bool:
        """Whether there is anything to compare."""
        return len(self.names) > 1


Worlds = Mapping[str, Mapping[str, Any]]


def shown(report: Mapping[str, Any]) -> Shown:
    """A finished report, ready to be shown."""
    page = page_of(report)
    worlds = {_name(world["name"]): world for world in report["worlds"]}
    most = max((max(map(max, world["pages_by_hour"])) for world in worlds.values()), default=0)
    steps = _steps(worlds)
    by_step = {
        name: [counts[place] for _step, counts in steps[:STEPS]]
        for place, name in enumerate(worlds)
    }
    titles = [step for step, _counts in steps[:STEPS]]

    def draw(width: int) -> SafeString:
        return rows(by_step, titles, name=_("Firings by step"), width=width)

    return Shown(
        page=page,
        names=list(worlds),
        tiles=_tiles(worlds),
        totals=[_line(str(name), path, worlds) for name, path in TOTALS],
        warned=_warned(worlds),
        tiers=_tiers(worlds),
        heats=[_heat(name, world["pages_by_hour"], most) for name, world in worlds.items()],
        most=most,
        legend=legend(list(worlds)),
        by_step=both_widths(draw) if steps else None,
        steps=steps,
        people=[(_name(world), found) for world, found in page.people],
    )


def _name(world: str) -> str:
    return {"current": _("today"), "draft": _("draft")}.get(world, world)


# ---- Figures -------------------------------------------------------------------------------------


def _tiles(worlds: Worlds) -> list[Tile]:
    pages = [world["pages"] for world in worlds.values()]
    nights = [world["nights_disturbed"] for world in worlds.values()]
    missed = [_sum(world, "missed") for world in worlds.values()]
    warned = [_sum(world, "warned_before") for world in worlds.values()]
    shares = [_share(some, whole) for some, whole in zip(warned, missed, strict=True)]
    named = list(worlds)
    return [
        Tile(pgettext("alarm", "Pages"), "", _named(named, map(_number, pages)), _change(pages)),
        Tile(
            _("Nights disturbed"),
            _("from 22 to 7 by their own clocks, each night of a person once"),
            _named(named, map(_number, nights)),
            _change(nights),
        ),
        Tile(
            _("Warned of in time"),
            _("of %(missed)s deadlines that were missed, somebody was told before")
            % {"missed": _number(max(missed, default=0))},
            _named(named, shares),
            _change(warned),
        ),
    ]


def _named(names: Sequence[str], said: Any) -> list[tuple[str, str]]:
    return list(zip(names, said, strict=True))


def _sum(world: Mapping[str, Any], what: str) -> int:
    return sum(found[what] for found in world["breaches"].values())


def _share(some: int, whole: int) -> str:
    return f"{number_format(round(100 * some / whole))} %" if whole else DASH


def _number(value: int) -> str:
    return str(number_format(value, force_grouping=True))


def _change(values: Sequence[int]) -> str:
    """By how much the second differs from the first; "" where there is no second, or no change."""
    if len(values) < 2 or values[0] == values[1]:
        return ""
    more = values[1] - values[0]
    return f"{'+' if more > 0 else MINUS}{_number(abs(more))}"


def _line(name: str, path: Sequence[str], worlds: Worlds) -> Line:
    values = []
    for world in worlds.values():
        found: Any = world
        for part in path:
            found = found[part]
        values.append(int(found))
    return Line(name, [_number(value) for value in values], _change(values))


def _warned(worlds: Worlds) -> list[tuple[str, int, list[tuple[int, str, str]]]]:
    """Each clock: deadlines missed, and in each world warned of, their share, and how far ahead."""
    clocks = sorted({clock for world in worlds.values() for clock in world["breaches"]})
    found = []
    for clock in clocks:
        told = [world["breaches"].get(clock, {}) for world in worlds.values()]
        missed = max(each.get("missed", 0) for each in told)
        cells = [
            (
                each.get("warned_before", 0),
                _share(each.get("warned_before", 0), each.get("missed", 0)),
                DASH if each.get("median_lead_s") is None else duration(each["median_lead_s"]),
            )
            for each in told
        ]
        found.append((_clock(clock), missed, cells))
    return found


def _clock(kind: str) -> str:
    return worded(ClockKind(kind).label) if kind in ClockKind.values else kind


def _tiers(worlds: Worlds) -> list[tuple[str, list[tuple[str, int, int, int, int]]]]:
    """Each tier: in each world firings, pages, deadlines missed, and those warned of."""
    none = {"fired": 0, "pages": 0, "breaches": 0, "warned": 0}
    slugs = sorted({tier for world in worlds.values() for tier in world["tiers"]})
    return [
        (
            slug.upper() if slug else _("no team yet"),
            [
                (name, row["fired"], row["pages"], row["breaches"], row["warned"])
                for name, world in worlds.items()
                for row in [world["tiers"].get(slug, none)]
            ],
        )
        for slug in slugs
    ]


# ---- Charts --------------------------------------------------------------------------------------


def _heat(name: str, week: Sequence[Sequence[int]], most: int) -> Heat:
    days = [
        (str(day), [(count, level(count, most)) for count in counts], sum(counts))
        for day, counts in zip(DAYS, week, strict=True)
    ]
    hours = [sum(counts) for counts in zip(*week, strict=True)]
    return Heat(name, days, hours, sum(hours))


def _steps(worlds: Worlds) -> list[tuple[str, list[int]]]:
    """Firings of each step in each world, the busiest first."""
    found: dict[str, list[int]] = {}
    for place, world in enumerate(worlds.values()):
        for row in world["steps"]:
            title = f"{row['policy']}: {row['step']}"
            found.setdefault(title, [0] * len(worlds))[place] += row["firings"]
    return sorted(found.items(), key=lambda item: (-max(item[1]), item[0]))
