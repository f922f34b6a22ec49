"""Makes instances of tables by the hundred, without what building each by itself costs.

They are ordinary instances in every way; but no signal tells of them, and no field's descriptor is
asked: the values are the columns' own.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, timedelta, tzinfo
from functools import cache
from typing import Any, Final, TypeVar

import orjson
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models import JSONField, Model, QuerySet
from django.db.models.base import ModelState
from psycopg2.extensions import UNICODE, new_type, register_type

Row = TypeVar("Row", bound=Model)

_IN_UTC: Final[Callable[[timedelta], tzinfo]] = {timedelta(): UTC}.__getitem__
_AS_TEXT: Final = new_type((114, 3802), "JSON", UNICODE)


def new_row(model: type[Row], **columns: Any) -> Row:
    """An unsaved instance with these columns, by attribute (`team_id`), the others by default."""
    constants, makers = _blank(model)
    row = model.__new__(model)
    held = row.__dict__
    held["_state"] = ModelState()
    held.update(constants)
    for name, make in makers:
        if name not in columns:
            held[name] = make()
    held.update(columns)
    return row


def read_plainly(cursor: CursorWrapper) -> None:
    """Have the driver itself make instants, and texts of documents, of what this cursor fetches.

    Django has it ask a function of Python for each of them. The database speaks UTC to us.
    """
    cursor.cursor.tzinfo_factory = _IN_UTC
    register_type(_AS_TEXT, cursor.cursor)


def read_rows(rows: "QuerySet[Row]") -> list[Row]:
    """What iterating a plain query would give: rows, with one level of `select_related`."""
    compiler = rows.query.get_compiler(connection=connection)
    try:
        sql, params = compiler.as_sql()
    except EmptyResultSet:
        return []
    with connection.cursor() as cursor:
        read_plainly(cursor)
        cursor.execute(sql, params)
        found = cursor.fetchall()
    return Reading(compiler).rows(found)


class Reading:
    """What becomes of the columns of a plain query, once its compiler has put it into SQL."""

    def __init__(self, compiler: Any) -> None:
        targets = [expression.target for expression, _, _ in compiler.select]
        model, info = compiler.query.model, compiler.klass_info
        self._own = _Shape(model, targets, info["select_fields"])
        self._near = [
            (item["field"].name, _Shape(item["model"], targets, item["select_fields"]))
            for item in info.get("related_klass_infos", ())
        ]

    def rows(self, found: Sequence[Sequence[Any]]) -> list[Any]:
        """The instances that these columns make, each with those near it."""
        listed: list[Any] = []
        for values in found:
            row = self._own.instance(values)
            for name, shape in self._near:
                row._state.fields_cache[name] = shape.instance_or_none(values)
            listed.append(row)
        return listed


def relate(row: Model, name: str, near: Model | None) -> None:
    """Let a row know the one that its foreign key `name` leads to; the key itself says so already.

    Assigning it would ask routers and mirrors for nothing.
    """
    row._state.fields_cache[name] = near


class _Shape:
    """Where in a result row the columns of one table stand, and how they are read."""

    def __init__(self, model: type[Any], targets: Sequence[Any], places: Sequence[int]) -> None:
        self.model = model
        self.alias = connection.alias
        self.first, self.last = places[0], places[-1] + 1
        fields = [targets[place] for place in places]
        self.names = [field.attname for field in fields]
        self.documents = [field.attname for field in fields if isinstance(field, JSONField)]
        self.key = self.first + self.names.index(model._meta.pk.attname)

    def instance_or_none(self, values: Sequence[Any]) -> Any:
        """The row that a foreign key leads to; None where it leads nowhere."""
        return self.instance(values) if values[self.key] is not None else None

    def instance(self, values: Sequence[Any]) -> Any:
        row: Any = object.__new__(self.model)
        held = row.__dict__
        held["_state"] = state = ModelState()
        state.adding, state.db = False, self.alias
        held.update(zip(self.names, values[self.first : self.last], strict=True))
        for name in self.documents:
            if held[name] is not None:
                held[name] = orjson.loads(held[name])
        return row


@cache
def _blank(model: type[Model]) -> tuple[dict[str, Any], list[tuple[str, Callable[[], Any]]]]:
    """The default of every column, and those that are made anew for each row."""
    constants: dict[str, Any] = {}
    makers: list[tuple[str, Callable[[], Any]]] = []
    for field in model._meta.concrete_fields:
        if field.generated:
            continue
        if field.has_default() and callable(field.default):
            makers.append((field.attname, field.get_default))
        else:
            constants[field.attname] = field.get_default()
    return constants, makers
