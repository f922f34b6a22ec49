"""The dashboards: which figures stand on each, in which order, and by what each is split."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext_lazy as _

from insights.figures.figure import Figure, Words
from insights.figures.registry import BY_SLUG

TEAM: Final = "team"
TIER: Final = "tier"
EDGE: Final = "edge"
SORT: Final = "sort"
SERVICE: Final = "service"
CATEGORY: Final = "category"
PRIORITY: Final = "priority"
VENDOR: Final = "vendor"
POLICY: Final = "policy"
WEEK: Final = "week"
SPLITS: Final = {
    TEAM: _("Team"),
    TIER: _("Tier"),
    EDGE: _("From → to"),
    SORT: _("Sort"),
    SERVICE: _("Service"),
    CATEGORY: _("Category"),
    PRIORITY: _("Priority"),
    VENDOR: _("Vendor"),
    POLICY: _("Policy"),
    WEEK: _("Week from"),
}
BY: Final = {
    TEAM: _("team"),
    TIER: _("tier"),
    EDGE: _("edge"),
    SORT: _("sort"),
    SERVICE: _("service"),
    CATEGORY: _("category"),
    PRIORITY: _("priority"),
    VENDOR: _("vendor"),
    POLICY: _("policy"),
    WEEK: _("week"),
}
"""The same within a title: "Escalation rate by team"."""

SORTS_OF: Final = {
    "sla": (_("Promise"), _("promise")),
    "late": (_("Place"), _("place")),
    "reasons": (_("Reason"), _("reason")),
    "hand-back-reasons": (_("Reason"), _("reason")),
    "complaints": (_("Way"), _("way")),
    "missing": (_("Field"), _("field")),
}
"""What the sorts of a figure are, at the head of a table and within a title."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One figure, split: a chart with its table."""

    figure: str
    by: str
    chart: str = "rows"
    with_figure: str = ""
    """Another figure in the same table."""

    @property
    def words(self) -> tuple[Words, Words]:
        """What it is split by: at the head of a table, and within a title."""
        if self.by == SORT and self.figure in SORTS_OF:
            return SORTS_OF[self.figure]
        return SPLITS[self.by], BY[self.by]


@dataclass(frozen=True, slots=True)
class Board:
    """One dashboard."""

    slug: str
    name: Words
    about: Words
    tiles: Sequence[str]
    panels: Sequence[Panel]

    @property
    def figures(self) -> list[Figure]:
        """Every figure on it, once."""
        named = [*self.tiles, *(panel.figure for panel in self.panels)]
        named += [panel.with_figure for panel in self.panels if panel.with_figure]
        return [BY_SLUG[slug] for slug in dict.fromkeys(named)]


BOARDS: Final = (
    Board(
        "service-levels",
        _("Service levels"),
        _("What was promised, and how much of it was kept."),
        ("sla", "ola", "vendors", "missed", "late"),
        (
            Panel("sla", WEEK, "columns", "missed"),
            Panel("sla", SORT, with_figure="missed"),
            Panel("sla", PRIORITY, with_figure="missed"),
            Panel("sla", SERVICE, with_figure="missed"),
            Panel("late", TIER),
            Panel("late", SORT),
            Panel("ola", TEAM),
            Panel("vendors", VENDOR),
        ),
    ),
    Board(
        "escalations",
        _("Escalations"),
        _("How tickets go between teams, and what comes back."),
        (
            *("escalation-rate", "handed-over", "ping-pong", "hand-backs"),
            *("detours", "acceptance"),
        ),
        (
            Panel("flow", EDGE, "sankey"),
            Panel("escalation-rate", CATEGORY),
            Panel("escalation-rate", SERVICE),
            Panel("escalation-rate", TEAM),
            Panel("hand-backs", EDGE, with_figure="returns"),
            Panel("reasons", SORT),
            Panel("hand-back-reasons", SORT),
            Panel("acceptance", TEAM),
            Panel("policy-steps", POLICY),
            Panel("policy-steps", WEEK, "columns"),
        ),
    ),
    Board(
        "incidents",
        _("Incidents"),
        _("How fast incidents are found, answered and solved, and how well."),
        (
            *("mttd", "mtta", "mttr", "majors", "solved", "resolution-rate"),
            *("reopened", "first-contact", "proactive"),
        ),
        (
            Panel("mttr", WEEK, "columns", "mtta"),
            Panel("mttr", PRIORITY, with_figure="mtta"),
            Panel("mttr", SERVICE, with_figure="mttd"),
            Panel("policy-mttr", POLICY, with_figure="policy-mtta"),
            Panel("first-contact", TEAM, with_figure="reopened"),
            Panel("proactive", SERVICE),
        ),
    ),
    Board(
        "load",
        _("People's load"),
        _("What the work costs those who do it, by team; nobody is shown alone."),
        ("pages", "night-pages", "nights", "backlog", "age"),
        (
            Panel("pages", WEEK, "columns", "nights"),
            Panel("pages", TEAM, with_figure="nights"),
            Panel("backlog", TEAM, with_figure="age"),
            Panel("backlog", PRIORITY, with_figure="age"),
        ),
    ),
    Board(
        "voice",
        _("Voice"),
        _("What those say who asked, and those who passed work on or received it."),
        ("csat", "mark", "answers", "receivers", "senders", "complaints"),
        (
            Panel("csat", WEEK, "columns", "mark"),
            Panel("csat", TEAM, with_figure="mark"),
            Panel("csat", SERVICE, with_figure="mark"),
            Panel("receivers", EDGE, with_figure="senders"),
            Panel("complaints", SORT),
            Panel("complaints", TEAM),
        ),
    ),
    Board(
        "documentation",
        _("Documentation quality"),
        _("How much of what should be written down is."),
        ("documentation", "contracts", "articles"),
        (
            Panel("documentation", WEEK, "columns"),
            Panel("documentation", TEAM, with_figure="articles"),
            Panel("missing", SORT),
            Panel("contracts", EDGE),
        ),
    ),
)
BOARD_BY_SLUG: Final = {board.slug: board for board in BOARDS}
