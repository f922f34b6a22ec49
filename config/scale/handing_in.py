"""Takes rows in by COPY, with triggers off: into tables in use, or into fresh ones begun anew."""

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

from django.db import connection

from config.scale.stamps import TABLES

HandIn = Callable[[Mapping[str, bytes]], None]
"""Takes what COPY shall read, by table; children after parents."""
READ_AT_ONCE: Final = 1 << 20


@contextmanager
def desk(*, is_fresh: bool) -> Iterator[HandIn]:
    """Where rows are handed in. The owner's rights are needed: foreign keys are not looked at.

    In a database in use, what is handed in at once is committed at once. In a fresh one all of it
    is one transaction, which begins the tables anew.
    """
    with connection.cursor() as cursor:
        if not is_fresh:
            yield lambda texts: _at_once(cursor, texts)
            return
        cursor.execute("BEGIN; SET LOCAL session_replication_role = replica")
        try:
            begin_anew(cursor)
            yield lambda texts: _copy(cursor, texts, "(FREEZE)")
            cursor.execute("COMMIT")
        except BaseException:
            connection.close()
            raise


def begin_anew(cursor: Any) -> None:
    """Empty the tables of tickets within the transaction and put their rows back, frozen.

    What is copied into a table that the same transaction has emptied can be written frozen: no
    later reader has to write the pages again to note that all may see them, nor VACUUM. Tables
    that refer to these have to be emptied along with them, and are put back as well.
    """
    cursor.execute(
        """
        WITH RECURSIVE emptied(oid) AS (
            SELECT unnest(%s::regclass[])::oid
            UNION
            SELECT conrelid FROM pg_constraint JOIN emptied ON confrelid = emptied.oid
            WHERE contype = 'f'
        )
        SELECT relname FROM emptied JOIN pg_class USING (oid)
        """,
        [[table.name for table in TABLES]],
    )
    names = [name for (name,) in cursor.fetchall()]
    kept = {}
    for name in names:
        rows = io.BytesIO()
        cursor.copy_expert(f'COPY "{name}" ({_columns(name)}) TO STDOUT', rows)
        kept[name] = rows.getvalue()
    listed = ", ".join(f'"{name}"' for name in names)
    cursor.execute(f"TRUNCATE {listed}")
    _copy(cursor, kept, "(FREEZE)")


def _at_once(cursor: Any, texts: Mapping[str, bytes]) -> None:
    cursor.execute("BEGIN; SET LOCAL session_replication_role = replica")
    cursor.execute("SET LOCAL synchronous_commit = off")
    _copy(cursor, texts, "")
    cursor.execute("COMMIT")


def _copy(cursor: Any, texts: Mapping[str, bytes], options: str) -> None:
    for table, text in texts.items():
        if text:
            cursor.copy_expert(
                f'COPY "{table}" ({_columns(table)}) FROM STDIN {options}',
                io.BytesIO(text),
                size=READ_AT_ONCE,
            )


@cache
def column_names(table: str) -> list[str]:
    """The columns of a table that are stored, in order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
            " AND NOT attisdropped AND attgenerated = '' ORDER BY attnum",
            [f'"{table}"'],
        )
        return [name for (name,) in cursor.fetchall()]


def _columns(table: str) -> str:
    return ", ".join(f'"{name}"' for name in column_names(table))
