"""Keeps the catalogues of translations: gathers the marked words, and compiles what Django reads.

The compiled files are made where the product starts and are never kept in the tree.
"""

import io
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "lazy": None,  # gettext_lazy beside a gettext that is _
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
MARKED = ("roles", "notifications", "tickets", "escalation", "insights", "web", "api", "config")


def compile_catalogues() -> list[Path]:
    """Compile every catalogue that is newer than its compiled file; the files that were written.

    A folder that cannot be written keeps what it has: an image compiles when it is built.
    """
    written = []
    for source in _sources():
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns > source.stat().st_mtime_ns:
            continue
        if not os.access(source.parent, os.W_OK):
            continue
        with source.open("rb") as text:
            catalogue = read_po(text)
        fresh = target.with_suffix(f".{os.getpid()}.new")
        with fresh.open("wb") as compiled:
            write_mo(compiled, catalogue)
        fresh.replace(target)  # whoever starts beside us reads the old file or the new one
        written.append(target)
    return written


def refresh_catalogues(unmarked: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Bring every catalogue up to date with the marks in code and templates.

    `unmarked` are words that the floors below the pages keep without a mark, each with the context
    by which the catalogues know it. Returns how many words each language still lacks. What is not
    marked any more is dropped.
    """
    template = Catalog(project="Tierline")
    for path, message, context in marks():
        template.add(message, locations=[(path, 0)], context=context)
    for said, context in unmarked:
        template.add(said, context=context)
    lacking = {}
    for source in _sources():
        with source.open("rb") as text:
            catalogue = read_po(text, locale=source.parts[-3])
        catalogue.update(template, no_fuzzy_matching=True, update_creation_date=False)
        catalogue.obsolete.clear()
        catalogue.msgid_bugs_address = ""
        catalogue.last_translator = catalogue.language_team = ""
        with source.open("wb") as text:
            write_po(
                text,
                catalogue,
                width=100,
                sort_output=True,
                omit_header=False,
                include_lineno=False,
            )
        lacking[source.parts[-3]] = sum(1 for each in catalogue if each.id and not _is_said(each))
    return lacking


def _is_said(message: Message) -> bool:
    said = message.string
    return all(said) if isinstance(said, tuple | list) else bool(said)


def _sources() -> Iterator[Path]:
    for folder in settings.LOCALE_PATHS:
        yield from sorted(Path(folder).glob("*/LC_MESSAGES/*.po"))


def marks() -> Iterator[tuple[str, str | tuple[str, ...], str | None]]:
    """Every marked word with the file in which it stands and its context."""
    for app in MARKED:
        for path in sorted((settings.BASE_DIR / app).rglob("*")):
            if path.suffix not in (".py", ".html", ".txt") or "migrations" in path.parts:
                continue
            place = str(path.relative_to(settings.BASE_DIR))
            for _line, message, _comments, context in extract("python", _python(path), KEYWORDS):
                yield place, message, context


def _python(path: Path) -> io.BytesIO:
    """A file as Python: templates are made into calls, without the indents that mean nothing."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        calls = templatize(text, origin=str(path))
        text = "\n".join(line.strip() for line in calls.splitlines())
    return io.BytesIO(text.encode())
