"""Whatever a template says by itself is marked, so that it can be said in German."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.template.base import Lexer, Token, TokenType

FOLDERS = ("web/templates", "notifications/templates")
TEMPLATES = sorted(
    str(path.relative_to(settings.BASE_DIR))
    for folder in FOLDERS
    for path in (settings.BASE_DIR / folder).rglob("*.html")
    if "admin" not in path.parts
)
"""Those that a site's people read; its administrators' own pages are in English throughout."""
SPOKEN = ("alt", "aria-label", "aria-description", "placeholder", "title")
"""Attributes that people read or hear."""
NAMES = {
    *("Tierline", "VIP", "SHA-256", "UTC", "YAML", "iCal", "Markdown", "PDF"),
    *("Ctrl", "Enter", "Esc", "Shift"),
    # What a program sends, and what is typed as a command, is the same in every language.
    *("Authorization", "Bearer", "tl_", "tl__", "manage", "py", "connect"),
}
"""Proper names, and words that stand on keys; they are the same in every language."""
SILENT = ("script", "style", "kbd")
BLOCKS = {"blocktranslate": "endblocktranslate", "comment": "endcomment"}
UNREAD = "block body_class"
WORD = re.compile(r"[^\W\d_][\w-]+")
SAID_BY_TAG = re.compile(r"default(?:_if_none)?:\"([^\"]*)\"|\byesno:\"([^\"]*)\"")


class Said(HTMLParser):
    """What of a page people read."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._within: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._within.append(tag)
        self.words += [value for name, value in attrs if name in SPOKEN and value]

    def handle_endtag(self, tag: str) -> None:
        while self._within and self._within.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not set(SILENT) & set(self._within):
            self.words.append(data)


def _bare(tokens: list[Token]) -> tuple[str, list[str]]:
    """The template's own text without what is marked, and the words in its variables."""
    text, spoken, until = "", [], ""
    for token in tokens:
        name = token.contents.split(maxsplit=1)[0] if token.contents.strip() else ""
        if not until and token.contents == UNREAD:
            until = "endblock"
        elif token.token_type == TokenType.BLOCK and (until or name in BLOCKS):
            until = "" if name == until else until or BLOCKS[name]
        elif until:
            continue
        elif token.token_type == TokenType.TEXT:
            text += token.contents
        elif token.token_type == TokenType.VAR:
            found = SAID_BY_TAG.findall(token.contents)
            spoken += ["".join(pair) for pair in found]
    return text, spoken


def unmarked(source: str) -> list[str]:
    """The words of a template that nobody could translate."""
    text, spoken = _bare(Lexer(source).tokenize())
    reader = Said()
    reader.feed(text)
    reader.close()
    words = (word for said in [*reader.words, *spoken] for word in WORD.findall(said))
    return [word for word in words if word not in NAMES]


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_word_of_a_template_is_marked_for_translation(template: str):
    assert unmarked((Path(settings.BASE_DIR) / template).read_text()) == []


def test_an_unmarked_word_is_found():
    assert unmarked('<p title="Heads up">{% translate "Yes" %} <b>no</b></p>') == [
        "Heads",
        "up",
        "no",
    ]
    assert unmarked(
        '{{ name|default:"nobody" }}{% blocktranslate %}All well{% endblocktranslate %}'
    ) == ["nobody"]
