"""Turns a page of HTML into the plain text that a reader would see; pure."""

import re
from html.parser import HTMLParser
from typing import Final

import nh3

from tickets.nesting import shallow

LONGEST: Final = 500_000
BREAKS: Final = frozenset(
    {"p", "div", "br", "tr", "li", "h1", "h2", "h3", "h4", "h5", "h6", "table", "blockquote", "hr"}
)
UNSHOWN: Final = frozenset({"script", "style", "head", "title", "template", "svg", "math"})
QUOTE: Final = "blockquote"


class _Reader(HTMLParser):
    """Collects words; what a browser would not show is left out, quotes are marked."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._hidden = 0
        self._quoted = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in UNSHOWN:
            self._hidden += 1
        if tag == QUOTE:
            self._quoted += 1
        if tag in BREAKS:
            self._new_line()

    def handle_endtag(self, tag: str) -> None:
        if tag in UNSHOWN:
            self._hidden = max(0, self._hidden - 1)
        if tag == QUOTE:
            self._quoted = max(0, self._quoted - 1)
        if tag in BREAKS:
            self._new_line()

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(re.sub(r"\s+", " ", data))

    def _new_line(self) -> None:
        self.words.append("\n" + "> " * min(self._quoted, 3))


def text_of_html(html: str) -> str:
    """The words of a page, a line for each block, quotes marked by ">"."""
    reader = _Reader()
    # Python's parser takes minutes for some broken tags; what the rules of browsers have mended, it
    # reads as quickly as it should.
    reader.feed(
        nh3.clean(
            shallow(html[:LONGEST]),
            tags={*BREAKS, QUOTE},
            clean_content_tags=UNSHOWN,
            attributes={},
            link_rel=None,
        )
    )
    reader.close()
    lines = [line.strip() for line in "".join(reader.words).replace("\xa0", " ").split("\n")]
    text = "\n".join("" if line.strip("> ") == "" else line for line in lines)
    return re.sub(r"\n{3,}", "\n\n", text).strip()
