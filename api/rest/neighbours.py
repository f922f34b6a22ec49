"""What a page of tickets points to: read table by table, for joins of eight take longer to plan."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.db.models import Model

from roles.instances import relate
from roles.models import Person, Team
from roles.written import Written, any_of
from tickets.models import Category, Service, Ticket


def _asked(model: type[Any], *names: str, near: tuple[str, ...] = ()) -> Written[Any]:
    """Those rows of a table with these keys, as others mention them."""
    rows = model._base_manager.order_by().select_related(*near).only("pk", *names)
    return Written(lambda keys: rows.filter(any_of("pk", keys)), keys=list[int])


NEAR: Final[Mapping[tuple[str, ...], Written[Any]]] = {
    ("requester", "assignee", "owner"): _asked(Person, "username", "name"),
    ("team", "owner_team"): _asked(
        Team, "slug", "name", "tier__slug", "tier__name", near=("tier",)
    ),
    ("service",): _asked(Service, "slug", "name"),
    ("category",): _asked(Category, "slug", "name"),
}
"""By the foreign keys of a ticket, how the rows are read that they lead to."""


def bring_near(tickets: Sequence[Ticket]) -> None:
    """Let tickets know all that a list shows of them; one statement at most for each table."""
    for names, rows in NEAR.items():
        wanted = {getattr(ticket, f"{name}_id") for ticket in tickets for name in names} - {None}
        found: dict[Any, Model] = {}
        if wanted:
            found = {row.pk: row for row in rows.all(keys=sorted(wanted))}
        for ticket in tickets:
            for name in names:
                relate(ticket, name, found.get(getattr(ticket, f"{name}_id")))
