"""A simulation's report as a page shows it: worlds side by side, and pages by hour as levels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _

from escalation.explain import duration
from insights.simulation.figures import ROWS, at_tier_words, by_name, warned_words

DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
LEVELS: Final = 5


@dataclass(frozen=True, slots=True)
class Cell:
    """One hour of the week: how many pages, and how dark that is, from 0 to 5."""

    count: int
    level: int


@dataclass(frozen=True, slots=True)
class Week:
    """Pages by day and hour in one world."""

    name: str
    rows: Sequence[tuple[str, Sequence[Cell]]]


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that a page shows of a report.

    `rows` has every figure, worlds side by side; `totals` the plain numbers among them, of which
    `breaches` and `tiers` have the others, one world a row.
    """

    label: str
    worlds: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Any]]]
    totals: Sequence[tuple[str, Sequence[int]]]
    breaches: Sequence[tuple[str, str, int, int, str]]
    tiers: Sequence[tuple[str, str, Mapping[str, int]]]
    weeks: Sequence[Week]
    people: Sequence[tuple[str, Sequence[Mapping[str, Any]]]]
    steps: Sequence[tuple[str, Sequence[Mapping[str, Any]]]]
    notes: Sequence[str]
    hours: Sequence[int] = tuple(range(24))


def page_of(
    report: Mapping[str, Any], people: int = 10, names: Mapping[str, str] | None = None
) -> Page:
    """A finished report as a page, the busiest people only; `names` are what worlds are called."""
    called = names or {}
    worlds = {called.get(name, name): world for name, world in by_name(report).items()}
    totals = [(title, [world[key] for world in worlds.values()]) for title, key in ROWS]
    words = report["label"]
    most = max((max(map(max, world["pages_by_hour"])) for world in worlds.values()), default=0)
    return Page(
        label=_(words),
        worlds=list(worlds),
        rows=[*totals, *_warned(worlds), *_by_tier(worlds)],
        totals=totals,
        breaches=_breaches(worlds),
        tiers=_tiers(worlds),
        weeks=[_week(name, world["pages_by_hour"], most) for name, world in worlds.items()],
        people=[(name, world["people"][:people]) for name, world in worlds.items()],
        steps=[(name, world["steps"]) for name, world in worlds.items()],
        notes=_notes(report),
    )


def _warned(worlds: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    clocks = sorted({clock for world in worlds.values() for clock in world["breaches"]})
    return [
        (
            f"{clock.replace('_', ' ').capitalize()} warned of before it was missed",
            [warned_words(world["breaches"].get(clock)) for world in worlds.values()],
        )
        for clock in clocks
    ]


def _by_tier(worlds: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    tiers = sorted({tier for world in worlds.values() for tier in world["tiers"]})
    return [
        (
            f"{tier or 'No tier'}: firings, pages, warned of / missed",
            [at_tier_words(world["tiers"].get(tier)) for world in worlds.values()],
        )
        for tier in tiers
    ]


def _breaches(worlds: Mapping[str, Any]) -> list[tuple[str, str, int, int, str]]:
    """Clock, world, missed, warned of before, and how long before in the median."""
    clocks = sorted({clock for world in worlds.values() for clock in world["breaches"]})
    return [
        (
            clock.replace("_", " ").capitalize(),
            name,
            found["missed"],
            found["warned_before"],
            "" if found["median_lead_s"] is None else duration(found["median_lead_s"]),
        )
        for clock in clocks
        for name, world in worlds.items()
        if (found := world["breaches"].get(clock))
    ]


def _tiers(worlds: Mapping[str, Any]) -> list[tuple[str, str, Mapping[str, int]]]:
    tiers = sorted({tier for world in worlds.values() for tier in world["tiers"]})
    return [
        (tier.upper() if tier else "No tier", name, world["tiers"][tier])
        for tier in tiers
        for name, world in worlds.items()
        if tier in world["tiers"]
    ]


def _week(name: str, hours: Sequence[Sequence[int]], most: int) -> Week:
    rows = [
        (day, [Cell(count, level(count, most)) for count in row])
        for day, row in zip(DAYS, hours, strict=True)
    ]
    return Week(name, rows)


def level(count: int, most: int) -> int:
    """How dark a count is beside the highest one: 0 for none, else 1 to 5."""
    return -(-count * LEVELS // most) if count else 0


def _notes(report: Mapping[str, Any]) -> list[str]:
    notes = [
        _("Not simulated, because no timeline keeps what it goes by: %(step)s.") % {"step": step}
        for world in report["worlds"]
        for step in world["not_simulated"]
    ]
    if report["stand_ins"]:
        words = _("Without an on-call schedule, so a stand-in was counted: %(teams)s.")
        notes.append(words % {"teams": _few(report)})
    return list(dict.fromkeys(notes))


def _few(report: Mapping[str, Any], most: int = 8) -> str:
    """The teams that stand-ins were counted for; of many, the first and how many more."""
    teams: list[str] = report["stand_ins"]
    rest = len(teams) - most
    told = {"teams": ", ".join(teams[:most]), "count": rest}
    return ", ".join(teams) if rest <= 1 else _("%(teams)s and %(count)s more teams") % told
