"""Cuts pages of HTML that hold each other too deep; pure."""

import re
from collections import Counter
from typing import Final

DEPTH_MAX: Final = 1000
TAG: Final = re.compile(r"<(/?)([a-z][a-z0-9:-]*)", re.IGNORECASE)
UNNESTED: Final = frozenset(
    {
        *("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param"),
        *("source", "track", "wbr", "p", "li", "dd", "dt", "td", "th", "tr", "tbody", "thead"),
        *("tfoot", "colgroup", "option", "optgroup", "html", "head", "body"),
    }
)
"""What stands empty, or is ended by the next of its kind."""


def shallow(page: str) -> str:
    """The page up to where more than DEPTH_MAX elements are open.

    Whatever follows browsers' rules takes the square of that depth to read a page: a few hundred
    kilobytes of "<div>" take minutes. No mail program nests so deep.
    """
    open_now: Counter[str] = Counter()
    depth = 0
    for tag in TAG.finditer(page):
        name = tag[2].lower()
        if name in UNNESTED:
            continue
        if not tag[1]:
            open_now[name] += 1
            depth += 1
        elif open_now[name]:  # an end without a beginning ends nothing
            open_now[name] -= 1
            depth -= 1
        if depth > DEPTH_MAX:
            return page[: tag.start()]
    return page
