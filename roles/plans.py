"""Lets PostgreSQL keep the plan of a statement that is asked again and again with other values.

Planning a statement over twenty tables takes ten times as long as carrying it out. A statement is
prepared once on each connection, with its constants in its text, for without them no partial index
would serve it; the values alone are handed over afterwards. PostgreSQL plans it for given values a
few times and then goes on with one plan, if that is not dearer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any, Final
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import DatabaseError, NotSupportedError, connection
from django.db.backends.utils import CursorWrapper

TYPES: Final[Mapping[type, str]] = {int: "bigint", str: "text", datetime: "timestamptz"}
"""What a value is declared as; a list of values is declared as an array of the same."""

Kinds = tuple[str | None, ...]
_numbers = count(1)


@dataclass(slots=True)
class Known:
    """The statements that a connection knows, and how often it had to prepare all of them anew."""

    names: set[str] = field(default_factory=set)
    times: int = 0

    def name_for(self, name: str) -> str:
        """What a statement of that name is called here now."""
        return f"{name}_{self.times}" if self.times else name

    def forget(self) -> None:
        """What it knows has become useless; the same names are not free again."""
        self.names.clear()
        self.times += 1


_prepared: WeakKeyDictionary[Any, Known] = WeakKeyDictionary()
"""By connection of the driver; a new one knows nothing."""


@dataclass(frozen=True, slots=True)
class Hole:
    """Where a value belongs among the parameters, by its name."""

    name: str


_behind: dict[str, str] = {}
"""By its name, the text of every statement that any connection may have prepared."""


def text_behind(sql: str) -> str:
    """The statement that this one carries out, if it was prepared; else itself."""
    if not sql.startswith("EXECUTE "):
        return sql
    return _behind.get(sql.split(" ", 2)[1], sql)


class Plan:
    """A statement with `%s` for its parameters, of which those that are holes change."""

    def __init__(self, sql: str, places: Sequence[Any]) -> None:
        self.sql = sql
        self.places = tuple(places)
        names = dict.fromkeys(place.name for place in self.places if isinstance(place, Hole))
        self._numbers = {name: at for at, name in enumerate(names, 1)}
        self._texts: dict[Kinds, tuple[str, str]] = {}

    def execute(self, cursor: CursorWrapper, values: Mapping[str, Any]) -> None:
        """Ask it with these values by name; the answer waits in the cursor."""
        given = [values[name] for name in self._numbers]
        kinds = tuple(map(_kind_of, given))
        if not (settings.KEEP_PLANS and kinds) or None in kinds:
            cursor.execute(
                self.sql, [values[p.name] if isinstance(p, Hole) else p for p in self.places]
            )
            return
        if kinds not in self._texts:
            self._texts[kinds] = self._put(cursor, kinds)
        name, text = self._texts[kinds]
        known = _prepared.setdefault(connection.connection, Known())
        own = known.name_for(name)
        call = f"EXECUTE {own} ({', '.join(['%s'] * len(given))})"
        if own in known.names:
            try:
                cursor.execute(call, given)
            except NotSupportedError:
                # Since a migration it would answer in another shape, and others with it.
                known.forget()
                if connection.in_atomic_block:
                    raise  # The transaction is lost; the next one prepares anew.
                self.execute(cursor, values)
            return
        _behind[own] = self.sql
        try:
            cursor.execute(f"PREPARE {own} {text}; {call}", given)
        except DatabaseError:
            # What was prepared stands although the call was undone; that name is not free again.
            self._texts.pop(kinds, None)
            raise
        known.names.add(own)

    def _put(self, cursor: CursorWrapper, kinds: Kinds) -> tuple[str, str]:
        """Its name, and the text that prepares it under that or another name."""
        body = self.sql % tuple(
            f"${self._numbers[place.name]}"
            if isinstance(place, Hole)
            else cursor.mogrify("%s", (place,)).decode()
            for place in self.places
        )
        name = f"tierline_{next(_numbers)}"
        doubled = body.replace("%", "%%")  # it is sent together with the call and its values
        return name, f"({', '.join(map(str, kinds))}) AS {doubled}"


def _kind_of(value: Any) -> str | None:
    """What it is declared as; None where nothing is: for truths, and for an empty or mixed list.

    A choice of a list of texts is a text like others.
    """
    if isinstance(value, list):
        kinds = set(map(_kind_of, value))
        kind = kinds.pop() if len(kinds) == 1 else None
        return None if kind is None or kind.endswith("[]") else f"{kind}[]"
    if isinstance(value, bool):
        return None
    return next((TYPES[kind] for kind in TYPES if isinstance(value, kind)), None)
