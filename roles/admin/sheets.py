"""Lists of the admin as CSV files: taken out, and brought in through the page's own form.

Each row is written by the same form, domain function and audit as if it had been typed. A preview
is the whole import in a transaction that is then undone, so that it shows what would come of it.
"""

import copy
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django import forms
from django.contrib.admin.utils import construct_change_message
from django.core.exceptions import ObjectDoesNotExist
from django.db import IntegrityError, models, transaction
from django.http import HttpRequest

from roles.admin.audited import AuditedAdmin, field_words
from roles.refusals import Refused
from roles.sheetfiles import Cells, Row, read_sheet

TRUE: Final = ("yes", "true", "1", "on", "ja")
FALSE: Final = ("no", "false", "0", "off", "nein")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of one row: made, changed or left; or why it cannot be written."""

    number: int
    name: str
    is_new: bool = False
    changes: Sequence[tuple[str, str, str]] = ()
    trouble: str = ""

    @property
    def what(self) -> str:
        """In a word what happens."""
        if self.trouble:
            return "cannot be used"
        return "new" if self.is_new else "changed" if self.changes else "as it is"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a file does, row by row; the token names this very outcome."""

    outcomes: Sequence[Outcome] = field(default_factory=list)

    @property
    def wrong(self) -> list[Outcome]:
        """The rows that cannot be used; with one of them nothing is written."""
        return [each for each in self.outcomes if each.trouble]

    @property
    def written(self) -> list[Outcome]:
        """The rows that make or change something."""
        return [
            each for each in self.outcomes if not each.trouble and (each.is_new or each.changes)
        ]

    @property
    def token(self) -> str:
        """A digest of the outcome: an import that would do something else is not what was seen."""
        return hashlib.sha256(repr(self.outcomes).encode()).hexdigest()


class Silent:
    """Stands in for a request's messages: what single rows would say is said by the plan."""

    def add(self, *said: object, **more: object) -> None:
        """Nothing."""


class Undone(Exception):
    """Takes back an import that was only looked at, or that cannot be done whole."""


@dataclass(frozen=True)
class Sheet:
    """Which columns a list has as a file, by which of them a row is known, and how rows are named.

    `named_by` maps a column of another row to the field by which that row is known; other columns
    are fields of the page's form. Those that are `spaced` hold many words, one a line on the page.
    `for_new` is what the page for a new row is sent beside.
    """

    columns: tuple[str, ...]
    key: tuple[str, ...]
    named_by: Mapping[str, str] = field(default_factory=dict)
    spaced: tuple[str, ...] = ()
    for_new: Mapping[str, str] = field(default_factory=dict)

    def rows(self, admin: AuditedAdmin, request: HttpRequest, found: Any) -> Iterator[Cells]:
        """Each row of a query as the cells of its line."""
        related = [name for name in self.named_by if name in self.columns]
        for row in found.select_related(*related):
            yield self.cells(admin, request, row)

    def cells(self, admin: AuditedAdmin, request: HttpRequest, row: models.Model) -> Cells:
        """The line of one row."""
        own = {name for name in self.columns if name not in self.named_by and hasattr(row, name)}
        rest = set(self.columns) - own - set(self.named_by)
        form = _form(admin, request, row) if rest else None
        return {name: self._cell(row, form, name) for name in self.columns}

    def _cell(self, row: models.Model, form: Any, name: str) -> str:
        if name in self.named_by:
            other = getattr(row, name)
            return str(getattr(other, self.named_by[name])) if other is not None else ""
        value = getattr(row, name) if hasattr(row, name) else form[name].value()
        if isinstance(value, bool):
            return TRUE[0] if value else FALSE[0]
        text = "" if value is None else str(value)
        return " ".join(text.split()) if name in self.spaced else text

    def find(self, model: type[models.Model], cells: Cells) -> models.Model | None:
        """The row that a line is about, if it is there."""
        wanted: dict[str, Any] = {}
        for name in self.key:
            cell, by = cells.get(name, ""), self.named_by.get(name)
            if by and not cell:
                wanted[f"{name}__isnull"] = True
            else:
                wanted[f"{name}__{by}" if by else f"{name}__iexact"] = cell
        return model._default_manager.filter(**wanted).first()

    def data(self, form: Any, cells: Cells) -> dict[str, Any]:
        """What the page's form would be sent: what stands there, with the line's cells instead.

        Raises ValidationError with the name of a row that is not there, or a word that is not yes
        or no.
        """
        sent: dict[str, Any] = {}
        for name, bound in form.fields.items():
            value = self._value(bound, name, cells[name]) if name in cells else form[name].value()
            if isinstance(bound, forms.ModelChoiceField) and isinstance(value, models.Model):
                value = value.pk
            if value is True:
                sent[name] = "on"
            elif value not in (None, False):
                sent[name] = value
        return sent

    def _value(self, bound: forms.Field, name: str, cell: str) -> Any:
        if name in self.named_by:
            return _named(bound, self.named_by[name], cell)
        if isinstance(bound, forms.BooleanField):
            return _truth(cell)
        return cell


def _named(bound: Any, by: str, cell: str) -> Any:
    if not cell:
        return None
    try:
        return bound.queryset.get(**{by: cell})
    except ObjectDoesNotExist:
        raise forms.ValidationError(f"There is no “{cell}”.") from None


def _truth(cell: str) -> bool:
    word = cell.lower()
    if word in TRUE:
        return True
    if word in FALSE or not word:
        return False
    raise forms.ValidationError(f"“{cell}” is neither yes nor no.")


def _form(
    admin: AuditedAdmin, request: HttpRequest, row: models.Model | None, data: Any = None
) -> Any:
    """The page's own form for a row, or for a new one."""
    form_class = admin.get_form(request, row, change=row is not None)
    return form_class(data, instance=row) if row is not None else form_class(data)


def plan_sheet(admin: Any, request: HttpRequest, text: str) -> Plan:
    """What a file would do; nothing of it stays. Raises Invalid for a file that is none."""
    return _run(admin, request, text, seen=None)


def apply_sheet(admin: Any, request: HttpRequest, text: str, *, seen: str) -> Plan:
    """Write a file whole, if it does what was seen and every row can be used; else nothing.

    The plan that comes back says which: `seen` is its token when it was written.
    """
    return _run(admin, request, text, seen=seen)


def _run(admin: Any, request: HttpRequest, text: str, *, seen: str | None) -> Plan:
    sheet: Sheet = admin.sheet
    request = copy.copy(request)
    request._messages = Silent()  # type: ignore[attr-defined]
    rows = read_sheet(text, names=sheet.columns, key=sheet.key)
    plan = Plan()
    try:
        with transaction.atomic():
            plan = Plan([_outcome(admin, request, sheet, row) for row in rows])
            if seen is None or plan.wrong or plan.token != seen:
                raise Undone
    except Undone:
        return plan
    return plan


def _outcome(admin: Any, request: HttpRequest, sheet: Sheet, row: Row) -> Outcome:
    name = " / ".join(row.cells[part] or "\u2013" for part in sheet.key)
    try:
        with transaction.atomic():
            return _write(admin, request, sheet, row, name)
    except forms.ValidationError as trouble:
        return Outcome(row.number, name, trouble=" ".join(_sentences(trouble)))
    except Refused as refusal:
        words = f"{refusal.detail} {field_words(refusal)}".strip()
        return Outcome(row.number, name, trouble=words)
    except IntegrityError as trouble:
        words = f"The database refused: {str(trouble).splitlines()[0]}."
        return Outcome(row.number, name, trouble=words)


def _write(admin: Any, request: HttpRequest, sheet: Sheet, row: Row, name: str) -> Outcome:
    found = sheet.find(admin.model, row.cells)
    before = sheet.cells(admin, request, found) if found else {}
    if found and all(before[column] == row.cells[column] for column in row.cells):
        return Outcome(row.number, name)
    written = _save(admin, request, sheet, row.cells, found)
    if found is None and set(row.cells) - set(_form(admin, request, None).fields):
        # The page for a new row asks for less; the rest is changed on the page that follows.
        written = _save(admin, request, sheet, row.cells, _fresh(written))
    after = sheet.cells(admin, request, _fresh(written))
    changes = [
        (column, before.get(column, ""), after[column])
        for column in sheet.columns
        if before.get(column, "") != after[column]
    ]
    return Outcome(row.number, name, found is None, changes)


def _fresh(row: models.Model) -> models.Model:
    return type(row)._default_manager.get(pk=row.pk)


def _save(
    admin: Any, request: HttpRequest, sheet: Sheet, cells: Cells, found: models.Model | None
) -> models.Model:
    """Send the page's form, as a person would, and let the page save and record it."""
    sent = sheet.data(_form(admin, request, found), cells)
    form = _form(admin, request, found, sent if found else {**sent, **sheet.for_new})
    if not form.is_valid():
        raise forms.ValidationError(_troubles(form))
    written = form.save(commit=False)
    admin.save_model(request, written, form, found is not None)
    form.save_m2m()
    told = construct_change_message(form, [], found is None)
    (admin.log_change if found else admin.log_addition)(request, written, told)
    return written


def _troubles(form: Any) -> list[str]:
    return [
        why if name == "__all__" else f"{name}: {why}"
        for name, whys in form.errors.items()
        for why in whys
    ]


def _sentences(trouble: forms.ValidationError) -> list[str]:
    return [str(each) for each in trouble.messages]
