"""Reads what somebody types into the search box: words, phrases, keys and operators; pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from tickets import states

LONGEST: Final = 200
MOST_TERMS: Final = 20

STATUSES: Final[Mapping[str, tuple[str, ...]]] = {
    **{name: (name,) for name in sorted(states.ALL)},
    "waiting": (states.WAITING,),
    "progress": (states.IN_PROGRESS,),
    "pending": tuple(sorted(states.PENDING)),
    "open": tuple(sorted(states.OPEN)),
}
IS: Final = (
    *("breached", "major", "vip", "unassigned", "restricted", "acknowledged", "reopened", "chased"),
    *("open", "solved", "any"),
)
UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
AGE = re.compile(r"([<>]?)(\d{1,5})([mhdw])")
OPERATOR = re.compile(r"([a-z]+):(.*)", re.DOTALL | re.IGNORECASE)
PIECE = re.compile(r'(-?)(?:([A-Za-z]+):)?"([^"]*)"|(\S+)')
KEY = re.compile(r"([A-Za-z]{3})-?(\d{1,12})")
SERIES = re.compile(r"[A-Za-z]{3}-")
NUMBER = re.compile(r"\d{1,12}")


@dataclass(frozen=True)
class Age:
    """A distance from now: `is_within` for "<2d", otherwise longer ago than that."""

    length: timedelta
    is_within: bool


Value = str | int | Age


@dataclass(frozen=True)
class Term:
    """One wish: `name` is an operator, or "words", "phrase" or "key"; any of the values will do."""

    name: str
    values: tuple[Value, ...]
    is_not: bool = False


@dataclass(frozen=True)
class Trouble:
    """What could not be read: which word, of which sort, and what there is instead."""

    sort: str
    word: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Search:
    """What was typed, as far as it could be read."""

    terms: tuple[Term, ...] = ()
    troubles: tuple[Trouble, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.terms or self.troubles)

    @property
    def names_status(self) -> bool:
        """Whether it says itself which statuses it is about, solved and closed ones perhaps."""
        return any(
            term.name == "status" or (term.name == "is" and {"solved", "any"} & set(term.values))
            for term in self.terms
            if not term.is_not
        )


Read = Callable[[str], tuple[tuple[Value, ...], Trouble | None]]


def parse(text: str) -> Search:
    """The search that a text asks for. Nothing in it is an error: what is not known is told of."""
    terms: list[Term] = []
    troubles: list[Trouble] = []
    for minus, name, quoted, bare in PIECE.findall(text[:LONGEST])[:MOST_TERMS]:
        term, trouble = _quoted(minus, name, quoted) if not bare else _bare(bare)
        terms += [term] if term else []
        troubles += [trouble] if trouble else []
    return Search(tuple(terms), tuple(troubles))


def _quoted(minus: str, name: str, text: str) -> tuple[Term | None, Trouble | None]:
    if name:
        return _operator(name.lower(), text.strip(), bool(minus))
    return (Term("phrase", (text,), bool(minus)) if _says_something(text) else None), None


def _bare(text: str) -> tuple[Term | None, Trouble | None]:
    is_not = text.startswith("-") and len(text) > 1
    text = text[1:] if is_not else text
    found = OPERATOR.fullmatch(text)
    if found and not found[2].startswith("//"):
        return _operator(found[1].lower(), found[2], is_not)
    if (key := KEY.fullmatch(text)) and ("-" in text or len(key[2]) > 2):
        return Term("key", (f"{key[1].upper()}-{key[2]}",), is_not), None
    if SERIES.fullmatch(text):
        return Term("key", (text.upper(),), is_not), None
    if NUMBER.fullmatch(text):
        return Term("number", (text,), is_not), None
    return (Term("words", (text,), is_not) if _says_something(text) else None), None


def _says_something(text: str) -> bool:
    return any(letter.isalnum() for letter in text) and "\x00" not in text


def _operator(name: str, text: str, is_not: bool) -> tuple[Term | None, Trouble | None]:
    read = OPERATORS.get(name)
    if read is None:
        return None, Trouble("operator", name, tuple(OPERATORS))
    if not _says_something(text):
        return None, Trouble("empty", name)
    values, trouble = read(text)
    return (Term(name, values, is_not) if values else None), trouble


def _names(text: str) -> tuple[tuple[Value, ...], Trouble | None]:
    return tuple(part.strip().lower() for part in text.split(",") if part.strip()), None


def _statuses(text: str) -> tuple[tuple[Value, ...], Trouble | None]:
    found: list[Value] = []
    for part in text.lower().split(","):
        named = STATUSES.get(part.replace("-", "_"))
        if named is None:
            known = ("new", "waiting", "progress", "pending", "resolved", "closed", "cancelled")
            return (), Trouble("status", part, known)
        found += named
    return tuple(dict.fromkeys(found)), None


def _is(text: str) -> tuple[tuple[Value, ...], Trouble | None]:
    given = text.lower().split(",")
    wrong = next((part for part in given if part not in IS), None)
    return ((), Trouble("is", wrong, IS)) if wrong is not None else (tuple(given), None)


def _priorities(text: str) -> tuple[tuple[Value, ...], Trouble | None]:
    given = [part.lower().removeprefix("p") for part in text.split(",")]
    wrong = next((part for part in given if part not in {"1", "2", "3", "4", "5"}), None)
    if wrong is not None:
        return (), Trouble("priority", wrong, ("1", "2", "3", "4", "5"))
    return tuple(int(part) for part in given), None


def _age(text: str) -> tuple[tuple[Value, ...], Trouble | None]:
    found = AGE.fullmatch(text.lower())
    if found is None:
        return (), Trouble("age", text, ("<2d", ">4h", "<30m", "<1w"))
    length = timedelta(**{UNITS[found[3]]: int(found[2])})
    return (Age(length, is_within=found[1] != ">"),), None


OPERATORS: Final[Mapping[str, Read]] = {
    "team": _names,
    "tier": _names,
    "is": _is,
    "status": _statuses,
    "priority": _priorities,
    "assignee": _names,
    "owner": _names,
    "requester": _names,
    "watcher": _names,
    "service": _names,
    "category": _names,
    "kind": _names,
    "tag": _names,
    "opened": _age,
    "updated": _age,
    "due": _age,
}
