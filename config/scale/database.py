"""The database around a made-up site: created, migrated, its indexes set aside and made again."""

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from django.core.management import call_command
from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader

from config import example
from config.scale.stamps import TABLES

MAINTENANCE: Final = "postgres"
BUILDERS: Final = 2


@contextmanager
def maintenance() -> Iterator[Any]:
    """A cursor on the server's maintenance database, outside any transaction."""
    given = connections["default"].settings_dict["NAME"]
    lead_to(MAINTENANCE)
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        lead_to(given)


def lead_to(name: str) -> None:
    """Point this process's connection to another database of the same server."""
    connections.close_all()
    connections["default"].settings_dict["NAME"] = name


def exists(name: str) -> bool:
    """Whether the server has a database of this name."""
    with maintenance() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        return cursor.fetchone() is not None


def drop(name: str) -> None:
    """Remove a database, whoever is connected to it."""
    with maintenance() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def create_empty(name: str) -> None:
    """Create a database and lead this process to it, migrated."""
    with maintenance() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}"')
    lead_to(name)
    call_command("migrate", verbosity=0, interactive=False)


def clone(name: str, template: str) -> None:
    """Create a database as a copy of a template to which nobody is connected."""
    with maintenance() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')


def describe(name: str, text: str) -> None:
    """Write on a database what it holds."""
    with maintenance() as cursor:
        cursor.execute(f'COMMENT ON DATABASE "{name}" IS %s', [text])


def description(name: str) -> str | None:
    """What is written on a database; None when there is none of that name, or nothing on it."""
    with maintenance() as cursor:
        cursor.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s",
            [name],
        )
        row = cursor.fetchone()
    return row[0] if row else None


def marks() -> dict[str, str]:
    """Short names for what these sources make: the schema of all migrations, and what fills it.

    A site that was made under other marks is not the one that would be made now.
    """
    folders = [Path(__file__).parent, Path(example.__file__).parent]
    sources = [path for folder in folders for path in sorted(folder.glob("*.py"))]
    return {
        "schema": _short(repr(sorted(MigrationLoader(None).disk_migrations)).encode()),
        "maker": _short(b"\0".join(path.read_bytes() for path in sources)),
    }


def _short(made_of: bytes) -> str:
    return hashlib.sha256(made_of).hexdigest()[:12]


# ---- Indexes -----------------------------------------------------------------------------------


def set_indexes_aside() -> list[tuple[str, str]]:
    """Drop the indexes of the big tables but for their primary keys; (table, statement) to make
    each again, unique ones included."""
    names = [table.name for table in TABLES]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT rel.relname, idx.relname, pg_get_indexdef(idx.oid),
                   con.conname, pg_get_constraintdef(con.oid)
            FROM pg_index
            JOIN pg_class idx ON idx.oid = indexrelid
            JOIN pg_class rel ON rel.oid = indrelid
            LEFT JOIN pg_constraint con ON con.conindid = idx.oid AND con.contype IN ('u', 'x')
            WHERE NOT indisprimary AND rel.oid = ANY(%s::regclass[])
              AND NOT EXISTS (SELECT FROM pg_constraint
                              WHERE contype = 'f' AND conindid = idx.oid)
            ORDER BY rel.relname, idx.relname
            """,
            [names],
        )
        found = cursor.fetchall()
        statements = []
        for table, index, made, constraint, rule in found:
            if constraint:
                cursor.execute(f'ALTER TABLE "{table}" DROP CONSTRAINT "{constraint}"')
                statements.append(
                    (table, f'ALTER TABLE "{table}" ADD CONSTRAINT "{constraint}" {rule}')
                )
            else:
                cursor.execute(f'DROP INDEX "{index}"')
                statements.append((table, made))
    return statements


def make_indexes(statements: Sequence[tuple[str, str]], told: Callable[[int], None]) -> None:
    """Make what was set aside, and gather statistics, several tables at once."""
    by_table: dict[str, list[str]] = {table.name: [] for table in TABLES}
    for table, statement in statements:
        by_table[table].append(statement)
    work = sorted(by_table.items(), key=lambda item: len(item[1]))
    troubles: list[BaseException] = []

    def build() -> None:
        try:
            while work:
                table, mine = work.pop()
                with connection.cursor() as cursor:
                    cursor.execute("SET statement_timeout = 0; SET maintenance_work_mem = '512MB'")
                    for statement in mine:
                        cursor.execute(statement)
                        told(1)
                    cursor.execute(f'VACUUM (ANALYZE) "{table}"')
        except BaseException as trouble:
            troubles.append(trouble)
        finally:
            connection.close()

    builders = [threading.Thread(target=build) for _ in range(BUILDERS)]
    for builder in builders:
        builder.start()
    for builder in builders:
        builder.join()
    if troubles:
        raise troubles[0]
