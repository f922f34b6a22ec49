"""Queries that are the same for everybody but for a few values: made once, asked again and again.

Django makes the text of a query anew each time; for the one that reads a whole ticket that takes
longer than everything the database does. The text is kept, with places for the values, and so is
the plan that the database makes of it.
"""

from collections.abc import Callable, Mapping
from copy import copy
from typing import Any, Final, Generic, TypeVar

from django.db import connection
from django.db.models import Model, QuerySet
from django.db.models.query import get_related_populators

from roles.plans import Hole, Plan

Row = TypeVar("Row", bound=Model)
Markers = Mapping[str, int | str]

FAR: Final = -7_000_000_000
"""No id of anything: what stands for one until the query is asked."""


def marker_of(place: int, kind: type[int] | type[str]) -> int | str:
    """A value that stands in no query by itself."""
    return FAR - place if kind is int else f"\x01marker {place}\x01"


class Prepared(Generic[Row]):
    """A query of whole rows with `select_related` and annotations, its text made already.

    `build` gives the query for values by name; it must ask no database, and its text must not
    depend on the values. `kinds` says of each value whether it is a number or a text.
    """

    def __init__(
        self, build: Callable[..., QuerySet[Row]], kinds: Mapping[str, type[int] | type[str]]
    ) -> None:
        markers = {name: marker_of(at, kind) for at, (name, kind) in enumerate(kinds.items())}
        holes = {marker: Hole(name) for name, marker in markers.items()}
        self._compiler: Any = build(**markers).query.get_compiler(connection=connection)
        sql, params = self._compiler.as_sql()
        places = [holes.get(each, each) if isinstance(each, int | str) else each for each in params]
        self._plan = Plan(sql, places)
        info = self._compiler.klass_info
        self._model = info["model"]
        self._first = info["select_fields"][0]
        self._last = info["select_fields"][-1] + 1
        columns = self._compiler.select[self._first : self._last]
        self._names = [column[0].target.attname for column in columns]
        # The stubs are those of a later Django, which asks for more.
        self._near = get_related_populators(  # type: ignore[call-arg]
            info, self._compiler.select, connection.alias
        )
        self._more = dict(self._compiler.annotation_col_map or {})

    def rows(self, **values: int | str) -> list[Row]:
        """What the query finds for these values."""
        with connection.cursor() as cursor:
            self._plan.execute(cursor, values)
            found = cursor.fetchall()
        compiler = copy(self._compiler)
        compiler.connection = connection  # the one of this thread
        return [self._row(values) for values in compiler.results_iter([found])]

    def _row(self, values: Any) -> Row:
        row: Row = self._model.from_db(
            connection.alias, self._names, values[self._first : self._last]
        )
        for near in self._near:
            near.populate(values, row)
        for name, place in self._more.items():
            setattr(row, name, values[place])
        return row
