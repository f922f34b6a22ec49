"""Queries made once: to put them into SQL takes Django longer than the database to answer them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final, Generic, TypeVar

from django.contrib.postgres.fields import ArrayField
from django.db import connection
from django.db.models import (
    BigIntegerField,
    BooleanField,
    CharField,
    Expression,
    F,
    Func,
    QuerySet,
    Value,
)
from django.db.models.query import ModelIterable, ValuesIterable, get_related_populators

from roles.instances import Reading, read_plainly
from roles.plans import Hole, Plan

Found = TypeVar("Found")
Kinds = Mapping[str, Any]
"""Of which kind each value is, by its name: one of those that there are samples of."""

SAMPLES: Final[Mapping[Any, Callable[[int], Any]]] = {
    int: lambda number: -1_000_000_007 - number,
    str: lambda number: f"~~sample {number}~~",
    datetime: lambda number: datetime(1999, 1, 1, 0, 0, 0, number + 1, tzinfo=UTC),
    list[int]: lambda number: [-1_000_000_007 - number],
    list[str]: lambda number: [f"~~sample {number}~~"],
}
"""What stands in a query for a value until it is asked; none is met anywhere else."""


def samples_of(kinds: Kinds) -> dict[str, Any]:
    """A sample for each value, by its name, none like another."""
    return {name: SAMPLES[kind](number) for number, (name, kind) in enumerate(kinds.items())}


def with_holes(params: Iterable[Any], samples: Mapping[str, Any]) -> list[Any]:
    """The parameters of a query that was made from samples, a hole in the place of each.

    Raises ValueError for a sample that is not among them.
    """
    places = [
        next((Hole(name) for name, sample in samples.items() if sample == param), param)
        for param in params
    ]
    if missing := set(samples) - {each.name for each in places if isinstance(each, Hole)}:
        raise ValueError(f"The query does not pass on {', '.join(sorted(missing))}.")
    return places


def any_of(column: str, values: Sequence[str] | Sequence[int]) -> Expression:
    """That a column holds one of some texts or ids: one value in the SQL, however many there are.

    With none of them nothing is found.
    """
    is_text = bool(values) and isinstance(values[0], str)
    each = CharField() if is_text else BigIntegerField()
    return Func(
        F(column),
        Value(values, output_field=ArrayField(each)),
        template="%(expressions)s)",
        arg_joiner=" = ANY(",
        output_field=BooleanField(),
    )


class Written(Generic[Found]):
    """A query that is asked over and over with other values.

    `make` builds it from values by keyword, of the `kinds` that are named; each of them must reach
    the database as it is. Its shape must not follow from them, nor from anything else.
    """

    def __init__(self, make: Callable[..., QuerySet[Any, Found]], **kinds: Any) -> None:
        self._make, self._kinds = make, kinds
        self._written: _Sql | None = None

    def all(self, **values: Any) -> list[Found]:
        """What iterating the query with these values would give."""
        found: list[Found] = self._sql().ask(values)
        return found

    def rows(self, **values: Any) -> list[Found]:
        """The same of a plain query, made without what building each row by itself costs.

        Plain is a query for rows, with one level of `select_related` and without annotations.
        """
        found: list[Found] = self._sql().ask_plainly(values)
        return found

    def first(self, **values: Any) -> Found | None:
        """The first of them, or None."""
        return next(iter(self.all(**values)), None)

    def _sql(self) -> "_Sql":
        if self._written is None:
            samples = samples_of(self._kinds)
            self._written = _Sql(self._make(**samples), samples)
        return self._written


class _Sql:
    """A compiled query: its text, where its values go, and what becomes of the columns."""

    def __init__(self, rows: "QuerySet[Any, Any]", samples: Mapping[str, Any]) -> None:
        compiler: Any = rows.query.get_compiler(connection=connection)
        text, params = compiler.as_sql()
        places = with_holes(params, samples)
        self.plan = Plan(text, places)
        columns = [each[0] for each in compiler.select[: compiler.col_count]]
        self.compiler, self.converters = compiler, compiler.get_converters(columns)
        self.shape = self._shape_of(rows)

    def ask(self, values: Mapping[str, Any]) -> list[Any]:
        found: Any = self._fetch(values)
        if self.converters:
            found = self.compiler.apply_converters(found, self.converters)
        return [self.shape(row) for row in found]

    def ask_plainly(self, values: Mapping[str, Any]) -> list[Any]:
        return self.reading.rows(self._fetch(values))

    @cached_property
    def reading(self) -> Reading:
        return Reading(self.compiler)

    def _fetch(self, values: Mapping[str, Any]) -> list[Any]:
        with connection.cursor() as cursor:
            read_plainly(cursor)
            self.plan.execute(cursor, values)
            found: list[Any] = cursor.fetchall()
        return found

    def _shape_of(self, rows: "QuerySet[Any, Any]") -> Callable[[Sequence[Any]], Any]:
        kind: Any = rows._iterable_class
        query: Any = rows.query
        if issubclass(kind, ModelIterable):
            return self._model_shape()
        if issubclass(kind, ValuesIterable):
            names = list(query.selected or (*query.values_select, *query.annotation_select))
            return lambda row: dict(zip(names, row, strict=True))
        return tuple

    def _model_shape(self) -> Callable[[Sequence[Any]], Any]:
        """What Django's own ModelIterable makes of a row."""
        info, select = self.compiler.klass_info, self.compiler.select
        # The stubs describe a later Django, which wants one argument more.
        populators: Any = get_related_populators
        near = populators(info, select, connection.alias)
        places = info["select_fields"]
        first, last = places[0], places[-1] + 1
        names = [each[0].target.attname for each in select[first:last]]
        more = self.compiler.annotation_col_map

        def instance(row: Sequence[Any]) -> Any:
            made = info["model"].from_db(connection.alias, names, row[first:last])
            for each in near:
                each.populate(row, made)
            for name, place in more.items():
                setattr(made, name, row[place])
            return made

        return instance
