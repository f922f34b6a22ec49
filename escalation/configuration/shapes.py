"""The shapes that values of a configuration file may have: how each is read, checked and shown.

A shape turns a node into a plain value and notes every mistake with its line; it never raises,
so that all mistakes of a file are told at once.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, time
from typing import Any, Final

from escalation.configuration import nodes
from escalation.configuration.durations import format_duration, parse_duration
from escalation.configuration.nodes import Node
from escalation.configuration.reading import (
    SLUG,
    Inline,
    InlineList,
    Reading,
    Shape,
    Use,
    scalar,
    suggestion,
)
from roles.hours import DAYS, format_hours, parse_hours
from roles.zones import zone_exists

READ_ORDER: Final = {
    key: place
    for place, key in enumerate(
        ("fact", "is", "not", "do", "to", "weekdays", "from", "until", "zone", "priorities")
    )
}


class Plain:
    """Any value at all, as YAML 1.2 means it; what it may be is checked elsewhere."""

    def read(self, node: Node, path: str, reading: Reading) -> Any:
        reading.lines[path] = node.line
        if isinstance(node, nodes.Scalar):
            return node.value
        if isinstance(node, nodes.Sequence):
            return [
                self.read(item, f"{path}.{number}", reading)
                for number, item in enumerate(node.items, start=1)
            ]
        return {
            key: self.read(item, f"{path}.{key}", reading) for key, item in node.entries.items()
        }

    def show(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            # The database keeps no order of keys, so that they are put in the one that reads well.
            keys = sorted(value, key=lambda key: (READ_ORDER.get(key, len(READ_ORDER)), key))
            return Inline({key: self.show(value[key]) for key in keys})
        return InlineList(map(self.show, value)) if isinstance(value, list) else value


@dataclass(frozen=True, slots=True)
class Text:
    """Text, whatever it looks like; nothing written is the empty text."""

    longest: int = 20_000
    may_be_empty: bool = True

    def read(self, node: Node, path: str, reading: Reading) -> str:
        held = scalar(node, path, reading, "text")
        said = "" if held is None or held.is_null else held.text
        if held is not None and not said and not self.may_be_empty:
            reading.wrong(node, path, "This cannot be empty.")
        if len(said) > self.longest:
            reading.wrong(node, path, f"At most {self.longest} characters.")
        if "\x00" in said:
            reading.wrong(node, path, "Text cannot hold the character NUL.")
        return said

    def show(self, value: str) -> str:
        return value


class Flag:
    """Yes or no."""

    def read(self, node: Node, path: str, reading: Reading) -> bool:
        held = scalar(node, path, reading, "true or false")
        if held is None:
            return False
        if not isinstance(held.value, bool):
            reading.wrong(node, path, f'Write true or false, not "{held.text}".')
        return held.value is True

    def show(self, value: bool) -> bool:
        return value


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number within bounds; with `may_be_none` also null."""

    lowest: int = 0
    highest: int = 2_000_000_000
    may_be_none: bool = False

    def read(self, node: Node, path: str, reading: Reading) -> int | None:
        held = scalar(node, path, reading, "a number")
        if held is None or (held.is_null and self.may_be_none):
            return None
        value = held.value
        if isinstance(value, bool) or not isinstance(value, int):
            reading.wrong(node, path, f'"{held.text}" is not a whole number.')
        elif not self.lowest <= value <= self.highest:
            reading.wrong(node, path, f"Use {self.lowest} to {self.highest}.")
        else:
            return value
        return None

    def show(self, value: int | None) -> int | None:
        return value


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time in seconds, written as "15 min" or as a bare number of seconds."""

    shortest: int = 0

    def read(self, node: Node, path: str, reading: Reading) -> int | None:
        held = scalar(node, path, reading, "a length of time")
        if held is None:
            return None
        try:
            seconds = parse_duration(held.text)
        except ValueError as trouble:
            reading.wrong(node, path, str(trouble))
            return None
        if seconds < self.shortest:
            reading.wrong(node, path, f"At least {format_duration(self.shortest)}.")
        return seconds

    def show(self, value: int | None) -> str | None:
        return None if value is None else format_duration(value)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words; with `may_be_empty` also nothing, kept as the empty text."""

    known: tuple[str, ...]
    may_be_empty: bool = False

    def read(self, node: Node, path: str, reading: Reading) -> str:
        held = scalar(node, path, reading, "one word")
        if held is None:
            return ""
        said = "" if held.is_null else held.text
        if said not in self.known and not (self.may_be_empty and not said):
            reading.wrong(node, path, f'"{said}" is unknown.{suggestion(said, self.known)}')
        return said

    def show(self, value: str) -> str:
        return value


@dataclass(frozen=True, slots=True)
class Name:
    """The name of something that must exist: a slug, or a person's user name."""

    kind: str
    may_be_none: bool = False

    def read(self, node: Node, path: str, reading: Reading) -> str | None:
        held = scalar(node, path, reading, f"the name of a {self.kind}")
        if held is None:
            return None
        if held.is_null or not held.text:
            if not self.may_be_none:
                reading.wrong(node, path, f"Name a {self.kind}.")
            return None
        reading.use(self.kind, held.text, node, path)
        return held.text

    def show(self, value: str | None) -> str | None:
        return value


@dataclass(frozen=True, slots=True)
class Parsed:
    """A text with a form of its own: `parse` gives the normal form or raises ValueError."""

    parse: Callable[[str], str]
    wanted: str

    def read(self, node: Node, path: str, reading: Reading) -> str | None:
        held = scalar(node, path, reading, self.wanted)
        if held is None:
            return None
        try:
            return self.parse(held.text)
        except ValueError:
            reading.wrong(node, path, f'"{held.text}" is not {self.wanted}.')
            return None

    def show(self, value: str) -> str:
        return value


def _zone(text: str) -> str:
    if not zone_exists(text) or len(text) > 64:
        raise ValueError(text)
    return text


def _time_of_day(text: str) -> str:
    at = time.fromisoformat(text)
    if at.tzinfo is not None or at.microsecond or not re.match(r"[0-9]{2}:", text):
        raise ValueError(text)
    return at.isoformat("seconds" if at.second else "minutes")


def _years(text: str) -> str:
    found = re.fullmatch(r"([0-9]{4})(?:\s*-\s*([0-9]{4}))?", text)
    if found is None:
        raise ValueError(text)
    return f"{found[1]}-{found[2] or found[1]}"


DAY = Parsed(lambda text: date.fromisoformat(text).isoformat(), "a day such as 2026-12-25")
ZONE = Parsed(_zone, "a time zone such as Europe/Berlin")
YEARS = Parsed(_years, "a range of years such as 2025-2031")
TIME = Parsed(_time_of_day, "a time of day such as 09:00")


@dataclass(frozen=True, slots=True)
class Many:
    """A list of values of one shape; `unordered` ones are kept sorted, each once."""

    of: Shape
    unordered: bool = False
    inline: bool = False

    def read(self, node: Node, path: str, reading: Reading) -> list[Any]:
        if isinstance(node, nodes.Scalar) and node.is_null:
            return []
        if not isinstance(node, nodes.Sequence):
            reading.wrong(node, path, "This must be a list: one entry a line, each with a dash.")
            return []
        found = []
        for number, item in enumerate(node.items, start=1):
            place = f"{path}.{number}"
            reading.lines[place] = item.line
            found.append(self.of.read(item, place, reading))
        return sorted({item for item in found if item is not None}) if self.unordered else found

    def show(self, value: list[Any]) -> list[Any]:
        shown = [self.of.show(item) for item in value]
        return InlineList(shown) if self.inline else shown


@dataclass(frozen=True, slots=True)
class Table:
    """Names of one kind, each with a value: the members of a team and their roles."""

    kind: str
    of: Shape

    def read(self, node: Node, path: str, reading: Reading) -> dict[str, Any]:
        if isinstance(node, nodes.Scalar) and node.is_null:
            return {}
        if not isinstance(node, nodes.Mapping):
            reading.wrong(node, path, f"This must be a mapping from each {self.kind} to a value.")
            return {}
        found = {}
        for key, item in node.entries.items():
            place = f"{path}.{key}"
            reading.lines[place] = node.key_lines[key]
            reading.uses.append(Use(self.kind, key, node.key_lines[key], place))
            found[key] = self.of.read(item, place, reading)
        return found

    def show(self, value: dict[str, Any]) -> dict[str, Any]:
        return {key: self.of.show(item) for key, item in value.items()}


@dataclass(frozen=True, slots=True)
class Slug:
    """A name of its own, under which something is known."""

    longest: int = 80

    def read(self, node: Node, path: str, reading: Reading) -> str:
        held = scalar(node, path, reading, "a slug")
        said = held.text if held is not None else ""
        if held is not None and (not SLUG.fullmatch(said) or len(said) > self.longest):
            reason = f"A slug has 1 to {self.longest} letters, digits, hyphens or underscores."
            reading.wrong(node, path, reason)
        return said

    def show(self, value: str) -> str:
        return value


@dataclass(frozen=True, slots=True)
class Numbered:
    """A number that is written as a word: a weekday, from Monday 0."""

    words: tuple[str, ...]

    def read(self, node: Node, path: str, reading: Reading) -> int | None:
        held = scalar(node, path, reading, "one word")
        if held is None:
            return None
        said = held.text.capitalize()
        if said in self.words:
            return self.words.index(said)
        reading.wrong(node, path, f'"{held.text}" is unknown; use {", ".join(self.words)}.')
        return None

    def show(self, value: int) -> str:
        return self.words[value]


WEEKDAY = Numbered(DAYS)


class Hours:
    """Weekly hours as lines such as "Mon-Fri 09:00-17:00"; kept in one normal form."""

    def read(self, node: Node, path: str, reading: Reading) -> list[str]:
        lines = Many(Text()).read(
            nodes.Sequence(node.line, [node]) if isinstance(node, nodes.Scalar) else node,
            path,
            reading,
        )
        try:
            return self.normal(parse_hours("\n".join(lines)))
        except ValueError as trouble:
            reading.wrong(node, path, str(trouble))
            return []

    @staticmethod
    def normal(spans: Iterable[Any]) -> list[str]:
        """Spans as the lines that are shown and compared."""
        return format_hours(parse_hours(format_hours(spans))).splitlines()

    def show(self, value: list[str]) -> list[str]:
        return value
