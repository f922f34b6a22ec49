"""What a simulation came to, as its page shows it: each figure as a chart and as a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from insights.simulation.pages import Page, page_of
from web.charts import columns, legend, rows

STEPS: Final = 24
"""Steps that the chart has room for; the table has all."""


@dataclass(frozen=True)
class Shown:
    """A report with its charts, and the figures of each chart in rows for its table."""

    page: Page
    names: Sequence[str]
    legend: SafeString
    by_hour: SafeString
    hours: Sequence[tuple[str, Sequence[int]]]
    by_step: SafeString | None
    steps: Sequence[tuple[str, Sequence[int]]]

    @property
    def people(self) -> list[tuple[str, Sequence[Mapping[str, Any]]]]:
        """Whom each world pages most."""
        return [(_name(world), found) for world, found in self.page.people]


def shown(report: Mapping[str, Any]) -> Shown:
    """A finished report, ready to be shown."""
    page = page_of(report)
    worlds = {_name(world["name"]): world for world in report["worlds"]}
    hours = {name: _hours(world) for name, world in worlds.items()}
    labels = [f"{hour:02d}" for hour in range(24)]
    steps = _steps(worlds)
    by_step = {
        name: [counts[place] for _step, counts in steps[:STEPS]]
        for place, name in enumerate(worlds)
    }
    titles = [step for step, _counts in steps[:STEPS]]
    return Shown(
        page=page,
        names=list(worlds),
        legend=legend(list(worlds)),
        by_hour=columns(hours, labels, name=_("Pages by hour of the paged person's day")),
        hours=[(hour, [found[int(hour)] for found in hours.values()]) for hour in labels],
        by_step=rows(by_step, titles, name=_("Firings by step")) if steps else None,
        steps=steps,
    )


def _name(world: str) -> str:
    return {"current": _("today"), "draft": _("draft")}.get(world, world)


def _hours(world: Mapping[str, Any]) -> list[int]:
    """Pages by hour of the day, all days of the week together."""
    return [sum(day[hour] for day in world["pages_by_hour"]) for hour in range(24)]


def _steps(worlds: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, list[int]]]:
    """Firings of each step in each world, the busiest first."""
    found: dict[str, list[int]] = {}
    for place, world in enumerate(worlds.values()):
        for row in world["steps"]:
            title = f"{row['policy']}: {row['step']}"
            found.setdefault(title, [0] * len(worlds))[place] += row["firings"]
    return sorted(found.items(), key=lambda item: (-max(item[1]), item[0]))
