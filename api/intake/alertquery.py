"""Opsgenie's query language for alerts: read into a tree, and asked of one alert's facts; pure."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

LENGTH_MAX: Final = 1000
DEPTH_MAX: Final = 30
TOKENS: Final = re.compile(
    r"""\s*(?:(?P<open>\()|(?P<close>\))|(?P<mark><=|>=|!=|[:=<>])"""
    r"""|"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<word>[^\s()"<>=:!]+(?:[:][^\s()"<>=:!]+)*|!))"""
)
TEXTS: Final = frozenset(
    {
        *("alias", "message", "description", "entity", "source", "tag", "owner", "team"),
        *("priority", "status", "details.key", "details.value", "responder", "user", "tinyid"),
    }
)
FLAGS: Final = frozenset({"acknowledged", "isseen", "snoozed"})
TIMES: Final = frozenset({"createdat", "updatedat", "lastoccurredat", "snoozeduntil"})
NUMBERS: Final = frozenset({"count"})
ALSO: Final = {
    "tags": "tag",
    "teams": "team",
    "responders": "responder",
    "owners": "owner",
    "lastoccurrence": "lastoccurredat",
    "actor": "user",
}
FIELDS: Final = TEXTS | FLAGS | TIMES | NUMBERS


class BadQuery(ValueError):
    """The query cannot be read; says where."""


@dataclass(frozen=True)
class Term:
    """One comparison; without a field, words looked for in the message."""

    field: str
    mark: str
    value: str


@dataclass(frozen=True)
class Not:
    inner: "Node"


@dataclass(frozen=True)
class And:
    parts: tuple["Node", ...]


@dataclass(frozen=True)
class Or:
    parts: tuple["Node", ...]


Node = Term | Not | And | Or
Token = tuple[str, str]


def read_query(query: str) -> Node:
    """The tree of a query; an empty one asks for everything. Raises BadQuery."""
    if len(query) > LENGTH_MAX:
        raise BadQuery(f"A query has at most {LENGTH_MAX} characters.")
    reader = _Reader(list(_tokens(query)))
    if reader.is_done:
        return And(())
    tree = reader.either(0)
    if not reader.is_done:
        raise BadQuery(f"Unexpected {reader.peek()[1]!r}.")
    return tree


def _tokens(query: str) -> Iterator[Token]:
    at, end, before = 0, len(query.rstrip()), ""
    while at < end:
        found = TOKENS.match(query, at)
        if found is None:
            raise BadQuery(f"Cannot read the query from {query[at : at + 20]!r} on.")
        at = found.end()
        kind = found.lastgroup or ""
        value = found[kind]
        if kind == "quoted":
            value = re.sub(r"\\(.)", r"\1", value)
        if kind == "word" and value.upper() in ("AND", "OR", "NOT", "&&", "||", "!"):
            kind = {"&&": "and", "||": "or", "!": "not"}.get(value, value.lower())
        name, colon, rest = value.partition(":")
        if kind == "word" and colon and before != "mark" and _is_field(name):
            # `status:open` is three, while in `alias: a:b` the value has a colon of its own.
            yield "word", name
            yield "mark", colon
            value = rest
        yield kind, value
        before = kind


@dataclass
class _Reader:
    tokens: list[Token]
    at: int = 0

    @property
    def is_done(self) -> bool:
        return self.at >= len(self.tokens)

    def peek(self) -> Token:
        return self.tokens[self.at] if not self.is_done else ("end", "the end")

    def take(self) -> Token:
        token = self.peek()
        self.at += 1
        return token

    def either(self, depth: int) -> Node:
        parts = [self.both(depth)]
        while self.peek()[0] == "or":
            self.take()
            parts.append(self.both(depth))
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def both(self, depth: int) -> Node:
        parts = [self.one(depth)]
        while self.peek()[0] not in ("or", "close", "end"):
            if self.peek()[0] == "and":
                self.take()
            parts.append(self.one(depth))
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def one(self, depth: int) -> Node:
        if depth > DEPTH_MAX:
            raise BadQuery("The query is nested too deeply.")
        kind, value = self.take()
        if kind == "not":
            return Not(self.one(depth + 1))
        if kind == "open":
            inner = self.either(depth + 1)
            self._expect_close()
            return inner
        if kind == "word" and self.peek()[0] == "mark":
            return self._comparison(_field(value), self.take()[1], depth)
        if kind in ("word", "quoted"):
            return Term("", ":", value)
        raise BadQuery(f"Unexpected {value!r}.")

    def _comparison(self, field: str, mark: str, depth: int) -> Node:
        if self.peek()[0] == "open":
            self.take()
            node = self._choice(field, mark, depth + 1)
            self._expect_close()
            return node
        kind, value = self.take()
        if kind not in ("word", "quoted", "and", "or", "not"):
            raise BadQuery(f"A value is missing after {field}{mark}")
        return self._term(field, mark, value)

    def _choice(self, field: str, mark: str, depth: int) -> Node:
        """`status: (open OR closed)`: the same field against each."""
        if depth > DEPTH_MAX:
            raise BadQuery("The query is nested too deeply.")
        parts: list[Node] = []
        while self.peek()[0] in ("word", "quoted", "or", "and"):
            kind, value = self.take()
            if kind in ("word", "quoted"):
                parts.append(self._term(field, mark, value))
        if not parts:
            raise BadQuery(f"A value is missing after {field}{mark}")
        return Or(tuple(parts))

    @staticmethod
    def _term(field: str, mark: str, value: str) -> Node:
        check_value(field, mark, value)
        if mark == "!=":
            return Not(Term(field, "=", value))
        return Term(field, mark, value)

    def _expect_close(self) -> None:
        if self.take()[0] != "close":
            raise BadQuery("A closing bracket is missing.")


def _field(name: str) -> str:
    if not _is_field(name):
        raise BadQuery(f"There is no field {name!r}.")
    return ALSO.get(name.lower(), name.lower())


def _is_field(name: str) -> bool:
    field = ALSO.get(name.lower(), name.lower())
    return field in FIELDS or field.startswith("details.")


def check_value(field: str, mark: str, value: str) -> None:
    """Raise BadQuery unless the field can be compared so."""
    if field in FLAGS and value.lower() not in ("true", "false"):
        raise BadQuery(f"{field} is true or false.")
    if (field in TIMES or field in NUMBERS) and not re.fullmatch(r"\d{1,15}", value):
        raise BadQuery(f"{field} is compared with a whole number.")
    if mark in ("<", ">", "<=", ">=") and field not in TIMES | NUMBERS:
        raise BadQuery(f"{field} cannot be compared by {mark}.")


# ---- Asked of one alert ----

ORDERED: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
    ":": lambda a, b: a == b,
    "=": lambda a, b: a == b,
}


def answers(node: Node, facts: Mapping[str, Any]) -> bool:
    """Whether an alert with these facts is asked for.

    Facts: texts or lists of texts by field, flags, numbers, and times as instants or None.
    """
    if isinstance(node, And):
        return all(answers(part, facts) for part in node.parts)
    if isinstance(node, Or):
        return any(answers(part, facts) for part in node.parts)
    if isinstance(node, Not):
        return not answers(node.inner, facts)
    if not node.field:
        return node.value.lower().strip("*") in str(facts["message"]).lower()
    found = facts.get(node.field)
    if node.field in FLAGS:
        return bool(found) is (node.value.lower() == "true")
    if node.field in NUMBERS:
        return ORDERED[node.mark](found, int(node.value))
    if node.field in TIMES:
        return found is not None and ORDERED[node.mark](_ms(found), int(node.value))
    listed = found if isinstance(found, list) else [found or ""]
    return any(text_fits(node.field, node.value, str(text)) for text in listed)


def text_fits(field: str, value: str, text: str) -> bool:
    """Whether a text answers a term; `*` stands at the end or the beginning, an alias is exact."""
    if field == "alias" and "*" not in value:
        return text == value
    wanted, text = value.lower(), text.lower()
    if wanted.strip("*") == "" and wanted:
        return bool(text)
    starts, ends = wanted.startswith("*"), wanted.endswith("*")
    core = wanted.strip("*")
    if starts and ends:
        return core in text
    if ends:
        return text.startswith(core)
    if starts:
        return text.endswith(core)
    if field in ("message", "description"):
        return core in text
    return text == core


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
