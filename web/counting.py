"""Counts what stands in views, none of them beyond a cap, all in one statement."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

from roles.plans import Hole, Plan
from roles.written import samples_of, with_holes
from tickets.models import Ticket, TicketQuerySet
from web.standingviews import is_usual, kinds_of, reader_of, scope_of, values_of
from web.tabs import Reader, by_team, tickets_in

COUNT_CAP: Final = 500
IN_ORDER: Final[Mapping[str, Sequence[str]]] = {
    "mine": ("assignee_id", "next_due_at"),
    "team": ("team_id", "next_due_at"),
    "unassigned": ("assignee_id", "next_due_at"),
}
"""Views that may hold a good part of all tickets, and the order of the index that leads to them.

Asked for them in no order, the database first gathers all of them, to count the first few.
"""
NOBODY: Final = 0
"""No id of anybody."""

Statement = tuple[str, tuple[object, ...]]


def count(querysets: Sequence[QuerySet[Ticket]]) -> list[str]:
    """How many rows each of these has, as pages say it: "12", or "500+"."""
    sql, given = _together([_capped(tickets.order_by()) for tickets in querysets])
    return _asked(Plan(sql, given), {})


def count_standing(slugs: Sequence[str], reader: Reader, *, but_cases: bool = False) -> list[str]:
    """The same of standing views; its text is made once for all who may see all but cases.

    With `but_cases` no restricted ticket is counted, whoever is cleared for it.
    """
    if not is_usual(reader):
        scope = scope_of(reader, but_cases=but_cases)
        return count([tickets_in(scope, slug, reader) for slug in slugs])
    return _asked(_standing(tuple(slugs), len(reader.team_ids), but_cases), values_of(reader))


@lru_cache(maxsize=200)
def _standing(slugs: tuple[str, ...], teams: int, but_cases: bool) -> Plan:
    """The statement that counts these views for somebody of so many teams, with holes."""
    samples = samples_of(kinds_of(slugs, teams))
    reader = reader_of(samples)
    scope = scope_of(reader, but_cases=but_cases)
    sql, params = _together([_capped(*_parts(scope, slug, reader)) for slug in slugs])
    return Plan(sql, with_holes(params, samples))


def count_alone(slugs: Sequence[str], people: Sequence[int]) -> dict[int, dict[str, str]]:
    """What stands in views that are each person's own, for many people by one statement.

    No restricted ticket is counted.
    """
    plan = _standing(tuple(slugs), 0, True)
    found = _for_each(plan, {"person": "a0"}, [(pk,) for pk in people])
    return {pk: dict(zip(slugs, numbers, strict=True)) for (pk,), numbers in found.items()}


def count_of_teams(
    slugs: Sequence[str], groups: Iterable[tuple[int, ...]]
) -> dict[tuple[int, ...], dict[str, str]]:
    """What stands in views of people's teams, for many groups of teams: a statement for each size.

    No restricted ticket is counted.
    """
    by_size: dict[int, list[tuple[int, ...]]] = {}
    for group in groups:
        by_size.setdefault(len(group), []).append(group)
    told: dict[tuple[int, ...], dict[str, str]] = {}
    for size, alike in by_size.items():
        columns = {f"team {number}": f"a{number}" for number in range(size)}
        found = _for_each(_standing(tuple(slugs), size, True), columns, alike)
        told |= {group: dict(zip(slugs, each, strict=True)) for group, each in found.items()}
    return told


def _for_each(
    plan: Plan, columns: Mapping[str, str], rows: Sequence[tuple[int, ...]]
) -> dict[tuple[int, ...], list[str]]:
    """The counts of a statement with each of these rows in its holes, which `columns` name.

    Where it asks for a person and none is given, it is somebody who is cleared for nothing.
    """
    texts = plan.sql.removeprefix("SELECT ").split("%s")
    columns_at = [
        columns.get(each.name) if isinstance(each, Hole) else None for each in plan.places
    ]
    holes = [f"who.{column}" if column else "%s" for column in columns_at]
    counts = "".join(part for pair in zip(texts, [*holes, ""], strict=True) for part in pair)
    values = [
        NOBODY if isinstance(each, Hole) else each
        for each, column in zip(plan.places, columns_at, strict=True)
        if column is None
    ]
    names = list(columns.values())
    keys = ", ".join(f"who.{name}" for name in names)
    arrays = ", ".join("%s::bigint[]" for _ in names)
    asked = f"SELECT {keys}, {counts} FROM unnest({arrays}) AS who({', '.join(names)})"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(asked, [*values, *(list(column) for column in zip(*rows, strict=True))])
        found = cursor.fetchall()
    width = len(names)
    return {tuple(each[:width]): [_said(number) for number in each[width:]] for each in found}


def _parts(scope: TicketQuerySet, slug: str, reader: Reader) -> list[TicketQuerySet]:
    """What stands in a view, as it is best counted; no ticket is in two parts."""
    order = IN_ORDER.get(slug, ())
    return [tickets_in(scope, slug, each).order_by(*order) for each in by_team(slug, reader)]


def _capped(*parts: QuerySet[Ticket]) -> Statement:
    """The count of what is in the parts, each read as far as the cap and a little beyond."""
    texts: list[str] = []
    values: list[object] = []
    for tickets in parts:
        try:
            sql, given = tickets.values("pk")[: COUNT_CAP + 1].query.sql_with_params()
        except EmptyResultSet:  # somebody in no team: Django knows that nothing can match
            continue
        texts.append(f"({sql})")
        values += given
    if not texts:
        return "0", ()
    among = " UNION ALL ".join(texts)
    if len(texts) > 1:
        among += f" LIMIT {COUNT_CAP + 1}"
    return f"(SELECT count(*) FROM ({among}) AS capped)", tuple(values)  # noqa: S608 (Django's own)


def _together(parts: Sequence[Statement]) -> Statement:
    sql = "SELECT " + ", ".join(sql for sql, _ in parts)
    return sql, tuple(value for _, given in parts for value in given)


def _asked(plan: Plan, values: Mapping[str, Any]) -> list[str]:
    with connection.cursor() as cursor:
        plan.execute(cursor, values)
        found = cursor.fetchone()
    return [_said(number) for number in found]


def _said(number: int) -> str:
    return f"{COUNT_CAP}+" if number > COUNT_CAP else str(number)
