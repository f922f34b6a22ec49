"""What is noted while a file is read: mistakes, the names it uses, the line of each path."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final, Protocol

from escalation.configuration import nodes
from escalation.configuration.nodes import Mistake, Node

SLUG = re.compile(r"[-a-zA-Z0-9_]{1,80}")
REQUIRED: Final = object()
"""The default of a key that must be written."""


class Inline(dict[str, Any]):
    """A mapping that is shown on one line."""


class InlineList(list[Any]):
    """A list that is shown on one line."""


@dataclass(frozen=True, slots=True)
class Use:
    """A name that the file uses and that must exist."""

    kind: str
    name: str
    line: int
    path: str


@dataclass(slots=True)
class Reading:
    """What was found in one file: its mistakes, the names it uses, and the line of each path."""

    mistakes: list[Mistake] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)

    def wrong(self, node: Node, path: str, reason: str) -> None:
        """Note a mistake at a node."""
        self.mistakes.append(Mistake(node.line, path, reason))

    def wrong_at(self, path: str, reason: str) -> None:
        """Note a mistake at the line of a path, or of the nearest path above it."""
        self.mistakes.append(Mistake(self.line_of(path), path, reason))

    def line_of(self, path: str) -> int:
        """The line of a path or of what it stands in; 1 if nothing of it was written."""
        while path and path not in self.lines:
            path = path.rpartition(".")[0]
        return self.lines.get(path, 1)

    def use(self, kind: str, name: str, node: Node, path: str) -> None:
        """Note that a name must exist."""
        self.uses.append(Use(kind, name, node.line, path))


class Shape(Protocol):
    """What may stand at one place of the file."""

    def read(self, node: Node, path: str, reading: Reading) -> Any:
        """The plain value; mistakes go into `reading`."""

    def show(self, value: Any) -> Any:
        """The value as it is written into YAML."""


def suggestion(name: str, known: Iterable[str]) -> str:
    """ " Did you mean "…"?" or the list of what is known, if that is short."""
    names = sorted(set(known))
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f' Did you mean "{close[0]}"?'
    return f" Known: {', '.join(names)}." if 0 < len(names) <= 24 else ""


def scalar(node: Node, path: str, reading: Reading, wanted: str) -> nodes.Scalar | None:
    """The node as a single value; else the mistake is noted."""
    if isinstance(node, nodes.Scalar):
        return node
    found = "a list" if isinstance(node, nodes.Sequence) else "a mapping"
    reading.wrong(node, path, f"This must be {wanted}, not {found}.")
    return None
