"""What an audit entry says of a change, in the words of the pages: field, before, after."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Field, ForeignKey, Model
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from roles.models import AuditEntry

SHOWN: Final = 3
SHORT: Final = 60
DASH: Final = "\u2013"


@dataclass(frozen=True, slots=True)
class Line:
    """One field of a change; `before` is None where the entry says only what it became."""

    label: str
    before: str | None
    after: str

    def __str__(self) -> str:
        if self.before is None:
            return f"{self.label}: {short(self.after)}"
        return f"{self.label}: {short(self.before)} \u2192 {short(self.after)}"


def lines_of(entries: Sequence[AuditEntry]) -> dict[int, list[Line]]:
    """By entry, its changes; ids of other rows become their names, one query for each table."""
    names = _names(entries)
    return {
        entry.pk: [_line(_model(entry), name, told, names) for name, told in entry.changes.items()]
        for entry in entries
    }


def in_short(lines: Sequence[Line]) -> str:
    """The first changes of an entry as one line."""
    shown = "; ".join(map(str, lines[:SHOWN]))
    return f"{shown}; …" if len(lines) > SHOWN else shown


def as_table(lines: Sequence[Line]) -> SafeString:
    """The changes of an entry as a table."""
    if not lines:
        return format_html("{}", _("Nothing more is kept of it."))
    rows = format_html_join("", "<tr><th scope='row'>{}</th><td>{}</td><td>{}</td></tr>", (
        (line.label, _deleted(line.before), format_html("<ins>{}</ins>", line.after))
        for line in lines
    ))  # fmt: skip
    heads = (_("Field"), _("Before"), _("After"))
    head = format_html_join("", "<th scope='col'>{}</th>", ((each,) for each in heads))
    return format_html(
        "<table class='changes'><thead><tr>{}</tr></thead><tbody>{}</tbody></table>", head, rows
    )


def short(text: str) -> str:
    """A text that fits into a list."""
    return text if len(text) <= SHORT else f"{text[:SHORT].rstrip()}…"


def _deleted(before: str | None) -> SafeString | str:
    return "" if before is None else format_html("<del>{}</del>", before)


def _model(entry: AuditEntry) -> type[Model] | None:
    try:
        return apps.get_model(entry.subject_type)
    except (LookupError, ValueError):
        return None


def _field(model: type[Model] | None, name: str) -> "Field[Any, Any] | None":
    """The column that a change names; None for words of a domain function's own."""
    try:
        found = model._meta.get_field(name) if model else None
    except FieldDoesNotExist:
        return None
    return found if isinstance(found, Field) else None


def _parts(told: Any) -> list[Any]:
    """What stands in a change: one value, or the two of [before, after]."""
    return told if _is_pair(told) else [told]


def _is_pair(told: Any) -> bool:
    return isinstance(told, list) and len(told) == 2


def _names(entries: Iterable[AuditEntry]) -> Mapping[tuple[type[Model], Any], str]:
    wanted: dict[type[Model], set[Any]] = defaultdict(set)
    for entry in entries:
        for name, told in entry.changes.items():
            field = _field(_model(entry), name)
            if isinstance(field, ForeignKey):
                # Domain functions name rows by words, which stand for themselves.
                ids = (part for part in _parts(told) if type(part) is int)
                wanted[field.related_model].update(ids)  # type: ignore[index]
    return {
        (model, row.pk): str(row)
        for model, ids in wanted.items()
        for row in model._default_manager.filter(pk__in=ids)
    }


def _line(
    model: type[Model] | None,
    name: str,
    told: Any,
    names: Mapping[tuple[type[Model], Any], str],
) -> Line:
    field = _field(model, name)
    label = str(field.verbose_name) if field else name.replace("_", " ")
    label = label[:1].upper() + label[1:]
    words = [_words(field, part, names) for part in _parts(told)]
    return Line(label, words[0], words[1]) if _is_pair(told) else Line(label, None, words[0])


def _words(
    field: "Field[Any, Any] | None", value: Any, names: Mapping[tuple[type[Model], Any], str]
) -> str:
    if value in (None, "", [], {}):
        return DASH
    if isinstance(field, ForeignKey) and type(value) is int:
        named = names.get((field.related_model, value))  # type: ignore[arg-type]
        return named or _("number %s, which is gone") % value
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if field is not None and field.choices:
        return str(dict(field.flatchoices).get(value, value))
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)
