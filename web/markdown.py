"""Turns what people write into safe HTML: Markdown without raw HTML, cleaned once more after."""

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any, Final

import nh3
from django.utils.html import escape, urlize
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

TAGS: Final = {
    *("p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a"),
    *("h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
}
LONGEST: Final = 20_000
"""More than this of one text is shown as it was typed: parsing must stay cheap."""


@lru_cache(maxsize=1024)
def html_of(text: str) -> SafeString:
    """The text as HTML of a few harmless tags; links lead outside without telling from where.

    Kept for the next time that it is shown: a page is drawn again at every live update.
    """
    drawn = _parser().render(text) if len(text) <= LONGEST else f"<pre>{escape(text)}</pre>"
    cleaned = nh3.clean(
        drawn,
        tags=TAGS,
        attributes={"a": {"href"}, "ol": {"start"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow noopener noreferrer",
    )
    return mark_safe(cleaned)  # noqa: S308 (cleaned one line above)


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": 20})
    parser.enable(["table", "strikethrough"]).disable(["image", "html_block", "html_inline"])
    parser.add_render_rule("text", _text)
    parser.add_render_rule("heading_open", _heading)
    parser.add_render_rule("heading_close", _heading)
    return parser


def _text(_: Any, tokens: Sequence[Token], index: int, *__: Any) -> str:
    """Words, in which bare addresses become links unless they stand in one."""
    inside = index > 0 and tokens[index - 1].type == "link_open"
    content = tokens[index].content
    return escape(content) if inside else urlize(content, autoescape=True)


def _heading(_: Any, tokens: Sequence[Token], index: int, *__: Any) -> str:
    """Headings below those of the page, so that nobody's text outranks them."""
    level = min(6, int(tokens[index].tag[1]) + 2)
    return f"<{'/' if tokens[index].nesting < 0 else ''}h{level}>"
