"""Flows between tiers as ribbons: senders at the left, receivers at the right; drawn by ourselves.

No chart library of ours draws ribbons. Every colour is a class of `figures.css`; whatever goes down
the ladder again is hatched as well, and each ribbon says itself in words when one points at it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

WIDTH: Final = 760
MARGIN: Final = 176
BAR: Final = 12
GAP: Final = 18
HEIGHT: Final = 260
LEAST: Final = 2.0


@dataclass(slots=True)
class _Node:
    name: str
    top: float
    height: float
    used: float = 0.0

    def take(self, height: float) -> float:
        """The next free place at this node."""
        place = self.top + self.used
        self.used += height
        return place


def sankey(flows: Mapping[tuple[str, str], float], order: Sequence[str], name: str) -> SafeString:
    """The picture of these flows, by (from, to); `order` lists the tiers from the lowest up."""
    places = {tier: place for place, tier in enumerate(order)}
    ordered = sorted(flows.items(), key=lambda item: [places.get(end, 99) for end in item[0]])
    unit = _unit(flows)
    left = _nodes([(sender, value) for (sender, _), value in ordered], unit)
    right = _nodes(
        sorted(
            ((receiver, value) for (_, receiver), value in ordered),
            key=lambda item: places.get(item[0], 99),
        ),
        unit,
    )
    height = max((node.top + node.height for node in (*left.values(), *right.values())), default=40)
    ribbons = format_html_join(
        "",
        '<path class="ribbon {}" d="{}"><title>{}</title></path>',
        (
            _ribbon(left[sender], right[receiver], value, unit, places)
            for (sender, receiver), value in ordered
        ),
    )
    return format_html(
        '<svg xmlns="http://www.w3.org/2000/svg" class="chart-picture sankey" role="img"'
        ' aria-label="{}" viewBox="0 0 {} {}">{}{}{}</svg>',
        name,
        WIDTH,
        round(height + 8),
        ribbons,
        _bars(left, MARGIN, is_left=True),
        _bars(right, WIDTH - MARGIN - BAR, is_left=False),
    )


def _unit(flows: Mapping[tuple[str, str], float]) -> float:
    return HEIGHT / (sum(flows.values()) or 1)


def _nodes(parts: Sequence[tuple[str, float]], unit: float) -> dict[str, _Node]:
    sums: dict[str, float] = {}
    for name, value in parts:
        sums[name] = sums.get(name, 0) + max(value * unit, LEAST)
    found, top = {}, 4.0
    for name, height in sums.items():
        found[name] = _Node(name, top, height)
        top += height + GAP
    return found


def _ribbon(
    sender: _Node, receiver: _Node, value: float, unit: float, places: Mapping[str, int]
) -> tuple[str, str, str]:
    height = max(value * unit, LEAST)
    start, end = sender.take(height), receiver.take(height)
    near, far = MARGIN + BAR, WIDTH - MARGIN - BAR
    middle = (near + far) / 2
    path = (
        f"M{near} {start:.1f}C{middle} {start:.1f} {middle} {end:.1f} {far} {end:.1f}"
        f"V{end + height:.1f}C{middle} {end + height:.1f} {middle} {start + height:.1f}"
        f" {near} {start + height:.1f}Z"
    )
    step = places.get(receiver.name, 0) - places.get(sender.name, 0)
    sort = "ribbon-up" if step > 0 else "ribbon-down" if step < 0 else "ribbon-even"
    words = _("%(sender)s → %(receiver)s: %(count)s") % {
        "sender": sender.name,
        "receiver": receiver.name,
        "count": round(value),
    }
    return sort, path, words


def _bars(nodes: Mapping[str, _Node], x: float, *, is_left: bool) -> SafeString:
    place, anchor = (x - 8, "end") if is_left else (x + BAR + 8, "start")
    return format_html_join(
        "",
        '<rect class="node" x="{}" y="{}" width="{}" height="{}"></rect>'
        '<text x="{}" y="{}" text-anchor="{}" dominant-baseline="middle">{}</text>',
        (
            (
                *(x, f"{node.top:.1f}", BAR, f"{node.height:.1f}"),
                *(place, f"{node.top + node.height / 2:.1f}", anchor, _short(node.name)),
            )
            for node in nodes.values()
        ),
    )


def _short(name: str) -> str:
    return name if len(name) <= 22 else f"{name[:21]}…"
