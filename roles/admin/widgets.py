"""Widgets of the administrators' forms: what is known is chosen, and each box has a name."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.admin.widgets import AdminSplitDateTime
from django.db import models
from django.utils.text import capfirst

from roles.zones import named_zones, validate_zone


class KnownSelect(forms.Select):
    """A choice of known values that keeps whatever other value stands in the row already."""

    def optgroups(self, name: str, value: list[str], attrs: Any = None) -> Any:
        known = {each for each, _ in self.choices}
        odd = [(each, each) for each in value if each and each not in known]
        self.choices = [*odd, *self.choices]
        return super().optgroups(name, value, attrs)


def zone_select(none: str = "Choose …") -> KnownSelect:
    """A choice of time zones; `none` says what no choice means."""
    return KnownSelect(choices=[("", none), *named_zones()])


def known_select(field: "models.Field[Any, Any]") -> KnownSelect | None:
    """The choice for a column that holds a time zone or a language; None for any other."""
    if validate_zone in field.validators:
        return zone_select()
    if field.name == "language":
        return KnownSelect(choices=settings.LANGUAGES)
    return None


def name_parts(field: forms.Field) -> None:
    """Name the two boxes of a date with a time by the field that they are of."""
    widget = field.widget
    if isinstance(widget, AdminSplitDateTime):
        for box, what in zip(widget.widgets, ("date", "time"), strict=True):
            box.attrs["aria-label"] = f"{capfirst(field.label or '')}: {what}"


class NamedCells(forms.BaseFormSet):
    """Rows of a table, whose boxes are named by their column: nothing else in a cell does so."""

    def add_fields(self, form: forms.Form, index: int | None) -> None:
        super().add_fields(form, index)
        for name, field in form.fields.items():
            field.widget.attrs.setdefault("aria-label", str(field.label or name.replace("_", " ")))


def named(made: type[forms.BaseFormSet]) -> type[forms.BaseFormSet]:
    """The formset with names for the boxes of its cells."""
    return type(made.__name__, (NamedCells, made), {})
