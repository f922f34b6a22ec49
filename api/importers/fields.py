"""Reads values of another product's JSON without trusting their shape; pure."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from roles.zones import zone_exists

WHOLE_MAX: Final = 1_000_000_000
"""More seconds, tries or people than any of these products takes."""
YEAR_MIN: Final = 1970
YEAR_MAX: Final = 2200


class BadConfiguration(Exception):
    """The file or address as a whole cannot be read; the text says why."""


def items(value: Any) -> Iterator[Mapping[str, Any]]:
    """The objects of a list; nothing for anything else."""
    for each in value if isinstance(value, list) else ():
        if isinstance(each, Mapping):
            yield each


def inner(value: Any, name: str) -> Mapping[str, Any]:
    """A member that should be an object; an empty one where it is not."""
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def text(value: Any, name: str, otherwise: str = "") -> str:
    """A member as text without outer blanks."""
    found = value.get(name) if isinstance(value, Mapping) else None
    said = "" if found is None or isinstance(found, dict | list) else str(found)
    return said.replace("\x00", "").strip() or otherwise


def whole(value: Any, name: str) -> int | None:
    """A member as a whole number from 0 to WHOLE_MAX, or None."""
    found = value.get(name) if isinstance(value, Mapping) else None
    if isinstance(found, bool):
        return None
    if isinstance(found, int | float):
        return int(found) if 0 <= found <= WHOLE_MAX else None
    said = str(found or "").strip()
    is_number = said.isascii() and said.isdecimal() and len(said) < 12
    return int(said) if is_number and int(said) <= WHOLE_MAX else None


def instant(value: Any, name: str) -> datetime | None:
    """A member as a moment in UTC, without a zone meant as UTC; None for none."""
    found = moment(value, name)
    if found is None:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


def moment(value: Any, name: str) -> datetime | None:
    """A member as a moment as it is written, with a zone or without; None for none of our time."""
    try:
        found = datetime.fromisoformat(text(value, name))
    except ValueError:
        return None
    return found if YEAR_MIN <= found.year <= YEAR_MAX else None


def zone(value: Any, name: str, otherwise: str = "UTC") -> str:
    """A member as a time zone that is known here."""
    said = text(value, name)
    return said if said and zone_exists(said) else otherwise


def entries(value: Any, name: str) -> list[Any]:
    """A member that should be a list; an empty one where it is not."""
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, list) else []
