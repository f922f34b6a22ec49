"""Keeps what was read of the site's set-up in memory, for as long as nobody changes the set-up.

Every statement that writes to tiers, teams, calendars, routes, policies or targets leaves a mark in
the database, in its own transaction: whoever sees the change sees the mark, and nobody else does.
"""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from django.db import connection

Read = TypeVar("Read")
Edition = tuple[Any, ...]


def edition() -> Edition:
    """What is the same for as long as the set-up, as this transaction sees it; one statement."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), sum(mark) FROM roles_edition")
        found: Edition = cursor.fetchone()
    return (connection.settings_dict["NAME"], *found)


class Kept(Generic[Read]):
    """What `read` makes of the set-up, read again only once the set-up has changed.

    It is shared by all threads of the process: nobody may change it, and it must follow from the
    marked tables alone.
    """

    def __init__(self, read: Callable[[], Read]) -> None:
        self._read = read
        self._known: tuple[Edition, Read] | None = None

    def latest(self) -> Read:
        """As it is now."""
        # Asked before reading: what changes in between is at worst read twice, never missed.
        present = edition()
        known = self._known
        if known is None or known[0] != present:
            known = self._known = (present, self._read())
        return known[1]
