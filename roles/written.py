"""Queries made once: to put them into SQL takes Django longer than the database to answer them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Generic, TypeVar

from django.contrib.postgres.fields import ArrayField
from django.db import connection
from django.db.models import BooleanField, CharField, Expression, F, Func, QuerySet, Value
from django.db.models.query import ModelIterable, ValuesIterable, get_related_populators

from roles.plans import Hole, Plan

Found = TypeVar("Found")

SAMPLES: Final[Mapping[type, Callable[[int], Any]]] = {
    int: lambda number: -1_000_000_007 - number,
    str: lambda number: f"~~sample {number}~~",
    datetime: lambda number: datetime(1999, 1, 1, 0, 0, 0, number + 1, tzinfo=UTC),
    list: lambda number: [f"~~sample {number}~~"],
}


def any_of(column: str, texts: Sequence[str]) -> Expression:
    """That a column holds one of some texts: one value in the SQL, however many there are."""
    return Func(
        F(column),
        Value(texts, output_field=ArrayField(CharField())),
        template="%(expressions)s)",
        arg_joiner=" = ANY(",
        output_field=BooleanField(),
    )


class Written(Generic[Found]):
    """A query that is asked over and over with other values.

    `make` builds it from values by keyword, of the `kinds` that are named; each of them must reach
    the database as it is. Its shape must not follow from them, nor from anything else.
    """

    def __init__(self, make: Callable[..., QuerySet[Any, Found]], **kinds: type) -> None:
        self._make, self._kinds = make, kinds
        self._written: _Sql | None = None

    def all(self, **values: Any) -> list[Found]:
        """What iterating the query with these values would give."""
        written = self._written
        if written is None:
            samples = {
                name: SAMPLES[kind](number)
                for number, (name, kind) in enumerate(self._kinds.items())
            }
            written = self._written = _Sql(self._make(**samples), samples)
        found: list[Found] = written.ask(values)
        return found

    def first(self, **values: Any) -> Found | None:
        """The first of them, or None."""
        return next(iter(self.all(**values)), None)


class _Sql:
    """A compiled query: its text, where its values go, and what becomes of the columns."""

    def __init__(self, rows: "QuerySet[Any, Any]", samples: Mapping[str, Any]) -> None:
        compiler: Any = rows.query.get_compiler(connection=connection)
        text, params = compiler.as_sql()
        places = [
            next((Hole(name) for name, sample in samples.items() if sample == param), param)
            for param in params
        ]
        if missing := set(samples) - {each.name for each in places if isinstance(each, Hole)}:
            raise ValueError(f"The query does not pass on {', '.join(sorted(missing))}.")
        self.plan = Plan(text, places)
        columns = [each[0] for each in compiler.select[: compiler.col_count]]
        self.compiler, self.converters = compiler, compiler.get_converters(columns)
        self.shape = self._shape_of(rows)

    def ask(self, values: Mapping[str, Any]) -> list[Any]:
        with connection.cursor() as cursor:
            self.plan.execute(cursor, values)
            found: Any = cursor.fetchall()
        if self.converters:
            found = self.compiler.apply_converters(found, self.converters)
        return [self.shape(row) for row in found]

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
