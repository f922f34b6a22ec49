"""Charts as pictures that the server draws: no script, no style of their own, colours from tokens.

pygal draws an SVG; what it brings along (style sheet, script, comments, style attributes) is taken
off, so that the strict content security policy holds and `charts.css` alone says how it looks: in
both themes, and on paper. A chart never stands alone: the page has the same figures as a table.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final
from xml.etree import ElementTree

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

SVG: Final = "http://www.w3.org/2000/svg"
WIDTH: Final = 960
PHONE: Final = 400
"""Drawn for so narrow a place: in a wide picture made small nobody reads the labels."""
FONT: Final = 13
UNWANTED: Final = ("style", "script", "defs", "title", ElementTree.Comment)
KEPT: Final = 1024
"""So many pictures are remembered, some kilobytes each: a board is mostly as it was."""
FEW: Final = 6
"""Up to so many, an axis names each whole number and nothing between."""
ROW: Final = 34
"""Height of one row of a chart that lies on its side, in the units of the picture."""
PHONE_ROW: Final = 28
LONGEST: Final = {WIDTH: 48, PHONE: 18}
"""Letters of a label, by the width of the picture; the table beside it has them all."""

LABEL: Final = 58
"""Room for one label below upright bars: of many only every so many is named."""

Series = Mapping[str, Sequence[float | None]]
"""By title, a value for each label; None where there is none to draw."""


def columns(
    series: Series, labels: Sequence[str], *, name: str, height: int = 260, width: int = WIDTH
) -> SafeString:
    """Upright bars side by side, one of each series to a label; `name` is what a reader hears."""
    return _drawn("Bar", series, labels, name=name, size=(width, height))


def rows(series: Series, labels: Sequence[str], *, name: str, width: int = WIDTH) -> SafeString:
    """Bars that lie on their side, for labels of several words."""
    height = 40 + (ROW if width == WIDTH else PHONE_ROW) * max(1, len(labels))
    # pygal builds such a chart from below; people read from above.
    turned = {title: list(values)[::-1] for title, values in series.items()}
    return _drawn("HorizontalBar", turned, list(labels)[::-1], name=name, size=(width, height))


def both_widths(draw: Callable[[int], SafeString]) -> SafeString:
    """The picture for a wide screen and the one for a phone; `charts.css` shows the fitting one."""
    wide, narrow = (draw(width) for width in (WIDTH, PHONE))
    return format_html(
        '<div class="chart-wide">{}</div><div class="chart-narrow">{}</div>', wide, narrow
    )


def _drawn(
    kind: str, series: Series, labels: Sequence[str], *, name: str, size: tuple[int, int]
) -> SafeString:
    values = tuple((title, tuple(found)) for title, found in series.items())
    return _picture(kind, values, tuple(labels), name, size)


@lru_cache(maxsize=KEPT)
def _picture(
    kind: str,
    series: tuple[tuple[str, tuple[float | None, ...]], ...],
    labels: tuple[str, ...],
    name: str,
    size: tuple[int, int],
) -> SafeString:
    """The picture of these values: the same ones look the same, whoever asks."""
    # A third of a second that only the first chart of a process should wait for.
    import pygal  # noqa: PLC0415

    width, height = size
    style = pygal.style.Style(label_font_size=FONT, major_label_font_size=FONT)
    chart = getattr(pygal, kind)(
        style=style,
        css=(),
        js=(),
        width=width,
        height=height,
        explicit_size=False,
        show_legend=False,
        margin=8,
        spacing=12,
        truncate_label=LONGEST[width],
        min_scale=2,
        max_scale=6 if width == WIDTH else 4,
        x_labels=list(labels),
        x_labels_major_every=max(1, -(-len(labels) * LABEL // width)),
        show_minor_x_labels=kind != "Bar",
    )
    every = [value for _title, values in series for value in values if value is not None]
    if every and max(every) <= FEW and all(value == int(value) for value in every):
        axis = [*range(int(max(every)) + 1)]
        chart.y_labels = axis
    for title, values in series:
        chart.add(title, list(values))
    drawn = chart.render_tree()
    _strip(drawn, [title for title, _values in series])
    about = {"viewBox": drawn.get("viewBox"), "class": "chart-picture", "role": "img"}
    root = ElementTree.Element("svg", {"xmlns": SVG, **about, "aria-label": name})
    root.extend(list(drawn))
    return mark_safe(ElementTree.tostring(root, encoding="unicode"))  # noqa: S308 (as above)


def _strip(root: Any, titles: Sequence[str]) -> None:
    """Take off what the policy forbids and what only pygal's script would use."""
    for parent in list(root.iter()):
        for child in list(parent):
            words = set((child.get("class") or "").split())
            if child.tag in UNWANTED or words & {"tooltip", "tooltip-overlay"}:
                parent.remove(child)
    for each in root.iter():
        for unwanted in ("style", "id", "onload"):
            each.attrib.pop(unwanted, None)
    for place, title in enumerate(titles):
        for group in root.iter("g"):
            if f"serie-{place}" in (group.get("class") or "").split():
                _tell(group, title)


def _tell(group: Any, title: str) -> None:
    """What a bar says when one points at it."""
    for bar in group.iter("g"):
        found = {each.get("class"): each.text for each in bar.findall("desc")}
        if "value" not in found:
            continue
        for each in bar.findall("desc"):
            bar.remove(each)
        words = ElementTree.Element("title")
        label = found.get("x_label") or ""
        words.text = ", ".join(filter(None, (label, f"{title}: {found['value']}")))
        bar.insert(0, words)


def legend(titles: Sequence[str]) -> SafeString:
    """What the marks of each series are called, in words beside its mark."""
    parts = "".join(
        f'<li><span class="chart-mark chart-mark-{place}" aria-hidden="true"></span>{escape(title)}'
        "</li>"
        for place, title in enumerate(titles)
    )
    return mark_safe(f'<ul class="chart-legend">{parts}</ul>')  # noqa: S308 (escaped)
