"""Writes rows by few statements; while a ledger is open, all of a transaction's rows by one.

Whoever writes need not know whether a ledger is open. Nobody reads past it either: a statement on
a table that has rows waiting makes the ledger write them down first.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, Final

from django.db import connection
from django.db.models import AutoField, Model

from roles.documents import (
    KEY,
    Document,
    all_fields,
    columns_of,
    common,
    document_of,
    fields_of,
    given_as,
    key_of,
    places_of,
    update_statement,
)
from roles.plans import Hole, Plan, text_behind

BATCH: Final = 5000
PLANS: Final = 128
"""So many statements of ledgers are kept in mind; there are a few dozen."""
FEW_CHARS: Final = 20_000
"""Documents of more are those of a batch."""


class Stale(Exception):
    """What was to be written had been changed by somebody else, who must not be overwritten."""


class Ledger:
    """The rows that a transaction is to write, kept together until they are written at once."""

    def __init__(self) -> None:
        self._fresh: dict[type[Model], list[Model]] = {}
        self._changed: dict[type[Model], dict[Any, Document]] = {}
        self._ids: dict[type[Model], list[int]] = {}
        self._nameless: frozenset[type[Model]] = frozenset()
        self._lenient: set[type[Model]] = set()
        self._fences: dict[type[Model], tuple[str, Mapping[Any, int]]] = {}
        self._more: list[tuple[type[Model], str, str]] = []
        self._is_writing = False
        self._has_written = False
        self.overlooked: frozenset[type[Model]] = frozenset()

    # ---- What is to be written ----

    def expect(
        self, counts: Mapping[type[Model], int], nameless: Sequence[type[Model]] = ()
    ) -> None:
        """Fetch the ids for so many new rows at once; rows of `nameless` get theirs unseen."""
        self._nameless |= frozenset(nameless)
        self._fetch({model: count for model, count in counts.items() if count})

    def fence(self, model: type[Model], column: str, values: Mapping[Any, int]) -> None:
        """Write these rows, by key, only if the column still holds what was read of it."""
        self._fences[model] = (column, values)

    def insert(self, model: type[Model], rows: Sequence[Model], *, lenient: bool) -> None:
        """Keep new rows; they have their ids at once. `lenient`: one that is there may stay."""
        if model in self._changed:
            self.write()  # A unique key may only be free once the changed rows are written.
        if lenient:
            self._lenient.add(model)
        if isinstance(model._meta.pk, AutoField) and model not in self._nameless:
            self._number(model, [row for row in rows if row.pk is None])
        self._fresh.setdefault(model, []).extend(rows)

    def update(
        self, model: type[Model], rows: Sequence[Model], names: Sequence[str], stepwise: str
    ) -> None:
        """Keep the present values of the named fields; `stepwise` one must pass every value."""
        places = places_of(fields_of(model, tuple(names)))
        # A new row is written as it is when all is written: the same statement could not find it.
        fresh = {id(row) for row in self._fresh.get(model, ())}
        rows = [row for row in rows if id(row) not in fresh]
        if not rows:
            return
        waiting = self._changed.setdefault(model, {})
        for row in rows:
            key, document = row.pk, document_of(row, places)
            known = waiting.get(key)
            if known is None:
                waiting[key] = document
                continue
            if stepwise in known and known[stepwise] != document.get(stepwise, known[stepwise]):
                self.write()
                waiting = self._changed.setdefault(model, {})
                waiting[key] = document
            else:
                known.update(document)

    def add(self, model: type[Model], part: str, document: str) -> None:
        """Keep a change that SQL says itself, of rows that are not kept otherwise.

        It takes the document as its only parameter and returns one row for each that it changes.
        """
        self._more.append((model, part, document))

    def _number(self, model: type[Model], rows: Sequence[Model]) -> None:
        missing = len(rows) - len(self._ids.get(model, ()))
        if missing > 0:
            self._fetch({model: missing})
        for row in rows:
            row.pk = self._ids[model].pop()

    def _fetch(self, counts: Mapping[type[Model], int]) -> None:
        parts = [
            "(SELECT array_agg(nextval(own.sequence)) FROM (SELECT pg_get_serial_sequence("
            f"'{model._meta.db_table}', '{key_of(model)}')::regclass AS sequence) AS own,"
            f" generate_series(1, {count:d}))"
            for model, count in counts.items()
        ]
        found = self._ask("SELECT " + ", ".join(parts))
        for model, ids in zip(counts, found, strict=True):
            # Taken from the end: the smallest first.
            self._ids[model] = sorted([*self._ids.get(model, ()), *ids], reverse=True)

    @property
    def has_written(self) -> bool:
        """Whether anything has been written down already, so that it has to be read again."""
        return self._has_written

    def waiting(self, model: type[Any]) -> list[Any]:
        """The new rows of a table that have not been written down yet."""
        return list(self._fresh.get(model, ()))

    # ---- Writing ----

    def watch(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        """Write first what another statement could miss; see django's execute_wrapper()."""
        if not self._is_writing and (self._fresh or self._changed or self._more):
            touched = {*self._fresh, *self._changed, *(model for model, _, _ in self._more)}
            touched -= self.overlooked
            if sql.startswith("ROLLBACK TO"):
                self._fresh, self._changed, self._more = {}, {}, []
            elif sql.startswith("SAVEPOINT") or any(
                model._meta.db_table in text_behind(sql) for model in touched
            ):
                self.write()
        return execute(sql, params, many, context)

    def write(self) -> None:
        """Write all that is waiting with one statement.

        Raises Stale when a row is not what it was when it was read; the transaction must not be
        committed then.
        """
        parts: list[str] = []
        params: list[str] = []
        wanted: list[int | None] = []
        for model, rows in self._fresh.items():
            parts.append(self._insertion(model, rows, params))
            wanted.append(None if model in self._lenient else len(rows))
        for model, documents in self._changed.items():
            for alike in _alike(documents):
                parts.append(self._change(model, alike, params))
                wanted.append(len(alike))
        for _, part, document in self._more:
            parts.append(part)
            params.append(document)
            wanted.append(None)
        for model in self._changed:
            self._fences.pop(model, None)  # From now on the rows are ours.
        self._fresh, self._changed, self._more = {}, {}, []
        if parts:
            self._has_written = True
            self._execute(parts, params, wanted)

    def _execute(
        self, parts: Sequence[str], params: Sequence[str], wanted: Sequence[int | None]
    ) -> None:
        named = ", ".join(f"w{number} AS ({part})" for number, part in enumerate(parts))
        counts = ", ".join(f"(SELECT count(*) FROM w{number})" for number in range(len(parts)))
        found = self._ask(f"WITH {named} SELECT {counts}", params)
        for part, count, expected in zip(parts, found, wanted, strict=True):
            if expected is not None and count != expected:
                what = " ".join(part.split()[:3])
                raise Stale(f"{what}: {expected} rows were to be written, {count} could be.")

    def _ask(self, statement: str, params: Sequence[str] = ()) -> tuple[Any, ...]:
        """The one row that a statement of the ledger's own comes to.

        A single act is mostly written in the same words, and only the documents differ. What a
        batch writes depends on what its rows have in common; to plan it is little beside them.
        """
        self._is_writing = True
        try:
            with connection.cursor() as cursor:
                if sum(map(len, params)) > FEW_CHARS:
                    cursor.execute(statement, params)
                else:
                    documents = {str(number): text for number, text in enumerate(params)}
                    _plan(statement, len(params)).execute(cursor, documents)
                found: tuple[Any, ...] = cursor.fetchone()
                return found
        finally:
            self._is_writing = False

    def _insertion(self, model: type[Model], rows: Sequence[Model], params: list[str]) -> str:
        fields = tuple(item for item in all_fields(model) if not item.generated)
        if rows[0].pk is None:
            fields = tuple(item for item in fields if not item.primary_key)
        # What is null need not be said: it costs both sides.
        places = places_of(fields)
        held = [row.__dict__ for row in rows]
        same = common(held, [at for _, at in places])
        own = [(name, at) for name, at in places if at not in same]
        documents = [
            {name: value for name, at in own if (value := row[at]) is not None} for row in held
        ]
        shared = {name: same[at] for name, at in places if at in same}
        columns = ", ".join(f'"{item.column}"' for item in fields)
        lenient = " ON CONFLICT DO NOTHING" if model in self._lenient else ""
        return (
            f'INSERT INTO "{model._meta.db_table}" ({columns}) SELECT {columns}'
            f" FROM {given_as(fields, documents, shared, params)}{lenient} RETURNING 1"
        )

    def _change(
        self, model: type[Model], documents: Mapping[Any, Document], params: list[str]
    ) -> str:
        names = list(next(iter(documents.values())))
        column, values = self._fences.get(model, ("", {}))
        shared = common(list(documents.values()), names)
        own = [name for name in names if name not in shared]
        rows = [
            {"_key": key, "_was": values.get(key), **{name: document[name] for name in own}}
            for key, document in documents.items()
        ]
        more = KEY + (', "_was" bigint' if column else "")
        given = given_as(columns_of(model, names), rows, shared, params, more=more)
        statement = update_statement(model, names, given, shared)
        if column:
            statement += f' AND (new."_was" IS NULL OR old."{column}" = new."_was")'
        return statement + " RETURNING 1"


@lru_cache(maxsize=PLANS)
def _plan(statement: str, count: int) -> Plan:
    return Plan(statement, [Hole(str(number)) for number in range(count)])


def _alike(documents: Mapping[Any, Document]) -> list[dict[Any, Document]]:
    """The documents by the columns that they set."""
    groups: dict[frozenset[str], dict[Any, Document]] = {}
    for key, document in documents.items():
        groups.setdefault(frozenset(document), {})[key] = document
    return list(groups.values())


_open: ContextVar[Ledger | None] = ContextVar("ledger", default=None)


@contextmanager
def keeping() -> Iterator[Ledger]:
    """Keep together what is written meanwhile, and write it at the end; of several, at the last.

    Must stand inside the transaction. Raises Stale like `Ledger.write`.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("A ledger belongs into a transaction.")
    outer = _open.get()
    if outer is not None:
        yield outer
        return
    ledger = Ledger()
    token = _open.set(ledger)
    try:
        with connection.execute_wrapper(ledger.watch):
            yield ledger
            ledger.write()
    finally:
        _open.reset(token)


@contextmanager
def reading_past(*models: type[Model]) -> Iterator[None]:
    """Meanwhile statements on these tables see only what is written down.

    For a caller who knows that what an open ledger has waiting there does not concern them.
    """
    ledger = _open.get()
    if ledger is None:
        yield
        return
    before = ledger.overlooked
    ledger.overlooked = before | frozenset(models)
    try:
        yield
    finally:
        ledger.overlooked = before


def waiting_rows(model: type[Any]) -> list[Any]:
    """The new rows of a table that an open ledger has not written down yet."""
    ledger = _open.get()
    return ledger.waiting(model) if ledger is not None else []


def insert_rows(model: type[Any], rows: Sequence[Any], *, lenient: bool = False) -> None:
    """Write new rows of one table; with `lenient`, those that are not there yet.

    The rows know their ids afterwards, unless an open ledger was told that nobody asks for them.
    """
    ledger = _open.get()
    if not rows:
        return
    if ledger is not None:
        ledger.insert(model, rows, lenient=lenient)
        return
    model._default_manager.bulk_create(rows, batch_size=BATCH, ignore_conflicts=lenient)


def update_rows(
    model: type[Model], rows: Sequence[Model], names: Sequence[str], *, stepwise: str = ""
) -> int:
    """Write the named fields of many rows of one table with a single statement.

    Returns how many rows were written. Unlike bulk_update its text does not grow with the rows,
    so that a sweep of a thousand tickets costs what the rows cost and no parsing. A trigger that
    judges each step from one value of a field to the next makes that field `stepwise`.
    """
    if not rows or not names:
        return 0
    ledger = _open.get()
    if ledger is not None:
        ledger.update(model, rows, names, stepwise)
        return len(rows)
    fields = fields_of(model, tuple(names))
    places = places_of(fields)
    documents = [{"_key": row.pk, **document_of(row, places)} for row in rows]
    params: list[str] = []
    given = given_as(fields, documents, {}, params, more=KEY)
    statement = update_statement(model, [item.column for item in fields], given)
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return int(cursor.rowcount)
