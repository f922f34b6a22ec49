"""Reads out of the code which English sentences the floors below the pages say to people.

They stand where they are thought of, as plain strings and f-strings, and are kept in English where
they are stored. The catalogues know each by its pattern, with a number in the place of each value.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from django.conf import settings

from web import retold, wording

FLOORS: Final = ("roles", "notifications", "tickets", "escalation", "insights")
REFUSALS: Final = frozenset({"Invalid", "Conflict", "Forbidden"})
SPEAKING: Final = frozenset(
    f"escalation/{name}.py"
    for name in (
        *("checking", "difference", "explain", "firing", "outlook", "routes", "targets", "why"),
    )
) | {"insights/risk/leaks.py", "insights/risk/training.py"}
"""Modules that say nothing but what a page shows."""
SILENT: Final = frozenset({"admin", "management", "migrations", "models", "configuration"})
"""Folders whose words no page shows."""
_NAMED: Final = re.compile(r"\{\w+\}")
_SENTENCE: Final = re.compile(r"^[A-Z{“].*[.?]$", re.DOTALL)
_CODE: Final = re.compile(r"[a-z]_[a-z]|[|]{2}|SELECT|\{\w+\}-\{|^\S*$")


def unmarked() -> Iterator[tuple[str, str]]:
    """Every label and every sentence that no mark names, with its context in the catalogues."""
    yield from ((label, wording.CONTEXT) for label in wording.labels())
    yield from ((pattern, retold.CONTEXT) for _place, pattern in sentences())


def sentences() -> Iterator[tuple[str, str]]:
    """Every pattern of a sentence with the file in which it stands."""
    for floor in FLOORS:
        for path in sorted((settings.BASE_DIR / floor).rglob("*.py")):
            place = path.relative_to(settings.BASE_DIR)
            if not set(place.parts) & SILENT:
                yield from ((str(place), said) for said in _said(path, str(place)))


def _said(path: Path, place: str) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if place in SPEAKING:
        yield from _patterns(tree)
        return
    yield from _withdrawing(tree)
    refusing = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    refusing = [call for call in refusing if _is_refusal(call)]
    for call in refusing:
        for argument in call.args[1:]:
            yield from _patterns(argument)
    if refusing:  # and what it keeps in a name before it refuses with it
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign | ast.AnnAssign | ast.Return) and node.value:
                kept = node.value
                if not isinstance(kept, ast.Call):
                    yield from (said for said in _patterns(kept) if _SENTENCE.match(said))


def _withdrawing(tree: ast.AST) -> Iterator[str]:
    """Why messages are taken back, where that is said on the spot."""
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "withdraw":
            for given in call.keywords:
                if given.arg == "reason":
                    yield from _patterns(given.value)


def _is_refusal(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id in REFUSALS


def _patterns(node: ast.AST) -> Iterator[str]:
    """The strings below a node, docstrings and the values of f-strings left out."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    pattern = _pattern(node)
    if _is_for_people(pattern):
        yield _numbered(pattern)
    for part in _parts(node):
        yield from _patterns(part)


def _pattern(node: ast.AST) -> str:
    """The string that a node makes, with {0} for each value; empty for what makes none."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(_pattern(part) or "{0}" for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        sides = _pattern(node.left), _pattern(node.right)
        return "".join(side or "{0}" for side in sides) if any(sides) else ""
    return ""


def _parts(node: ast.AST) -> Iterator[ast.AST]:
    """What stands below a node and is not a part of its own string."""
    if isinstance(node, ast.JoinedStr):
        yield from (part.value for part in node.values if isinstance(part, ast.FormattedValue))
    elif isinstance(node, ast.BinOp) and _pattern(node):
        for side in (node.left, node.right):
            yield from _parts(side) if _pattern(side) else [side]
    else:
        yield from ast.iter_child_nodes(node)


def _is_for_people(pattern: str) -> bool:
    bare = _NAMED.sub("", pattern)
    return len(re.findall(r"[^\W\d_]", bare)) >= retold.LEAST_LETTERS and not _CODE.search(pattern)


def _numbered(pattern: str) -> str:
    """Each value by its place: the first is {1}."""
    places = iter(range(1, 100))
    return _NAMED.sub(lambda _found: f"{{{next(places)}}}", pattern)
