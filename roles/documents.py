"""Says rows as JSON documents, and in SQL how the database reads columns out of these."""

from collections.abc import Container, Iterable, Sequence
from functools import cache
from typing import Any, Final

import orjson
from django.db import connection
from django.db.models import Model

MANY: Final = 16
"""From so many rows on, what they have in common is said once."""
KEY: Final = '"_key" bigint'
"""The column in which a document tells the row that it is about."""

Document = dict[str, Any]


def columns_of(model: type[Model], names: Iterable[str]) -> list[Any]:
    """The fields of these columns."""
    by_column = {item.column: item for item in all_fields(model)}
    return [by_column[name] for name in names]


def common(held: Sequence[Document], names: Iterable[str]) -> Document:
    """What all of many rows hold alike, by name; there is always something that they do not."""
    if len(held) < MANY:
        return {}
    first = held[0]
    return {name: first[name] for name in names if all(row[name] == first[name] for row in held)}


def given_as(
    fields: Sequence[Any],
    documents: Sequence[Document],
    shared: Document,
    params: list[str],
    *,
    more: str = "",
) -> str:
    """What to write as a statement reads it, each column by its name; adds the parameters.

    `more` are columns beside those of the table: its own key, and what it was.
    """
    own = _types([item for item in fields if item.column not in shared])
    params.append(orjson.dumps(documents).decode())
    given = f"jsonb_to_recordset(%s::jsonb) AS new({', '.join(filter(None, (more, own)))})"
    if not shared:
        return given
    params.append(orjson.dumps(shared).decode())
    alike = _types([item for item in fields if item.column in shared])
    return f"{given}, jsonb_to_record(%s::jsonb) AS alike({alike})"


def update_statement(
    model: type[Model], columns: Sequence[str], given: str, shared: Container[str] = ()
) -> str:
    """Sets these columns of the rows that are given, of which `shared` are told for all of them."""
    key: Any = model._meta.pk
    values = ((name, "alike" if name in shared else "new") for name in columns)
    assignments = ", ".join(f'"{name}" = {source}."{name}"' for name, source in values)
    return (
        f'UPDATE "{model._meta.db_table}" AS old SET {assignments} FROM {given}'
        f' WHERE old."{key.column}" = new."_key"'
    )


@cache
def all_fields(model: type[Model]) -> tuple[Any, ...]:
    """Every field of a table that has a column."""
    return tuple(model._meta.concrete_fields)


@cache
def fields_of(model: type[Model], names: tuple[str, ...]) -> tuple[Any, ...]:
    """The fields of these names."""
    return tuple(model._meta.get_field(name) for name in names)


def _types(fields: Sequence[Any]) -> str:
    return ", ".join(f'"{item.column}" {_sql_type(item)}' for item in fields)


@cache
def _sql_type(item: Any) -> str:
    return str(item.rel_db_type(connection) if item.is_relation else item.db_type(connection))


def key_of(model: type[Model]) -> str:
    """The column of a table's own key."""
    key: Any = model._meta.pk
    return str(key.column)


@cache
def places_of(fields: tuple[Any, ...]) -> tuple[tuple[str, str], ...]:
    """Each column with the attribute that holds it."""
    return tuple((item.column, item.attname) for item in fields)


def document_of(row: Model, places: tuple[tuple[str, str], ...]) -> Document:
    """The row's columns as JSON takes them; orjson writes instants with their zone."""
    held = row.__dict__
    try:
        return {name: held[at] for name, at in places}
    except KeyError:  # A deferred field.
        return {name: getattr(row, at) for name, at in places}
