"""Reads YAML into plain nodes that know their line, and nothing else: no tag is ever obeyed.

It listens to the parser's events instead of building objects, so that no constructor runs, and
stops at the limits below, so that a small file cannot become a large one in memory.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml
from yaml.reader import ReaderError

MAX_BYTES = 1_000_000
MAX_DEPTH = 16
MAX_NODES = 60_000
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
NULLS = frozenset({"", "~", "null", "Null", "NULL"})
YES = frozenset({"true", "True", "TRUE"})
NO = frozenset({"false", "False", "FALSE"})
INTEGER = re.compile(r"[-+]?[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong in a file: the line from 1, the path in the document, the reason."""

    line: int
    path: str
    reason: str

    def __str__(self) -> str:
        return (
            f"{self.line}: {self.path}: {self.reason}"
            if self.path
            else (f"{self.line}: {self.reason}")
        )


class Unreadable(Exception):
    """The text is no YAML that we read; `mistake` says where and why."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.mistake = Mistake(line, "", reason)


@dataclass(slots=True)
class Scalar:
    """A single value as it is written; `plain` when it stands without quotes."""

    line: int
    text: str
    plain: bool

    @property
    def is_null(self) -> bool:
        return self.plain and self.text in NULLS

    @property
    def value(self) -> str | int | bool | None:
        """What the text means by YAML 1.2: quoted, it is always text; there are no fractions."""
        if not self.plain:
            return self.text
        if self.text in NULLS:
            return None
        if self.text in YES or self.text in NO:
            return self.text in YES
        return int(self.text) if INTEGER.fullmatch(self.text) else self.text


@dataclass(slots=True)
class Sequence:
    """A list."""

    line: int
    items: list["Node"] = field(default_factory=list)


@dataclass(slots=True)
class Mapping:
    """Keys with values, in the order of the file; `key_lines` has the line of each key."""

    line: int
    entries: dict[str, "Node"] = field(default_factory=dict)
    key_lines: dict[str, int] = field(default_factory=dict)


Node = Scalar | Sequence | Mapping


def read_nodes(text: str) -> Node:
    """The one document in `text`. Raises Unreadable at the first thing that cannot be read."""
    if len(text.encode(errors="replace")) > MAX_BYTES:
        raise Unreadable(1, f"The file is larger than {MAX_BYTES:,} bytes.")
    try:
        return _build(yaml.parse(text, Loader=LOADER))
    except yaml.MarkedYAMLError as trouble:
        mark = trouble.problem_mark or trouble.context_mark
        reason = " ".join(filter(None, (trouble.context, trouble.problem)))
        raise Unreadable(mark.line + 1 if mark else 1, f"This is not YAML: {reason}.") from None
    except UnicodeError:
        raise Unreadable(1, "The text holds half a character; save the file as UTF-8.") from None
    except ReaderError as trouble:
        line = text.count("\n", 0, trouble.position) + 1
        raise Unreadable(line, f"This is not YAML: {trouble.reason}.") from None


def _build(events: Iterator[yaml.Event]) -> Node:
    """The tree of one document, built without recursion, since the file decides the depth."""
    top = Sequence(1)
    above: list[Sequence | Mapping] = [top]
    keys: list[Scalar | None] = [None]
    count = 0
    for event in events:
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.CollectionEndEvent):
            above.pop()
            keys.pop()
            continue
        if not isinstance(event, yaml.NodeEvent):
            continue
        count += 1
        if count > MAX_NODES:
            raise Unreadable(line, f"The file has more than {MAX_NODES:,} values.")
        _refuse_tricks(event, line)
        node = _node(event, line)
        _place(node, above[-1], keys)
        if not isinstance(node, Scalar):
            if len(above) > MAX_DEPTH:
                raise Unreadable(line, f"Nested more than {MAX_DEPTH} deep.")
            above.append(node)
            keys.append(None)
    if not top.items:
        raise Unreadable(1, "The file is empty.")
    if len(top.items) > 1:
        raise Unreadable(top.items[1].line, "There is a second document; use one.")
    return top.items[0]


def _refuse_tricks(event: yaml.NodeEvent, line: int) -> None:
    if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
        raise Unreadable(line, "Anchors (&) and aliases (*) are not read; write the value out.")
    tag = getattr(event, "tag", None)
    if tag not in (None, "!"):
        raise Unreadable(line, f"Tags such as {tag} are not read; leave it out.")


def _node(event: yaml.NodeEvent, line: int) -> Node:
    if isinstance(event, yaml.ScalarEvent):
        return Scalar(line, event.value, event.implicit[0] and event.style in (None, ""))
    return Mapping(line) if isinstance(event, yaml.MappingStartEvent) else Sequence(line)


def _place(node: Node, parent: Sequence | Mapping, keys: list[Scalar | None]) -> None:
    """Put a node into the list or mapping that is open; in a mapping keys and values alternate."""
    if isinstance(parent, Sequence):
        parent.items.append(node)
        return
    key = keys[-1]
    if key is not None:
        parent.entries[key.text] = node
        keys[-1] = None
    elif not isinstance(node, Scalar) or node.is_null:
        raise Unreadable(node.line, "A key must be a simple word.")
    elif node.text in parent.entries:
        first = parent.key_lines[node.text]
        raise Unreadable(node.line, f'"{node.text}" stands here twice, first in line {first}.')
    else:
        keys[-1] = node
        parent.key_lines[node.text] = node.line
