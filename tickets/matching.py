"""Conditions on an alert, as rules and maintenance windows hold them; pure."""

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final

TEXT_MAX: Final = 4000
DEEPEST: Final = 12
TESTS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "equals": lambda text, wanted: text == wanted,
    "contains": lambda text, wanted: wanted in text,
    "starts with": lambda text, wanted: text.startswith(wanted),
    "ends with": lambda text, wanted: text.endswith(wanted),
    "like": fnmatchcase,
    "is empty": lambda text, wanted: not text,
}
"""How a value may be compared, without regard to case; `like` knows `*` and `?`."""


def conditions_problem(value: Any) -> str:
    """What is wrong with a list of conditions, in one sentence; "" when nothing is."""
    if not isinstance(value, list):
        return "Give a list of conditions."
    for number, condition in enumerate(value, start=1):
        if not isinstance(condition, dict) or not isinstance(condition.get("field"), str):
            return f'Condition {number} must name a "field".'
        if condition.get("is") not in TESTS:
            known = ", ".join(f'"{name}"' for name in TESTS)
            return f'Condition {number}: "is" must be one of {known}.'
        wanted = condition.get("value", "")
        if not isinstance(wanted, str | list) or isinstance(condition.get("not", False), str):
            return f'Condition {number}: "value" is a text or a list of texts, "not" true or false.'
    return ""


def holds(conditions: Sequence[Mapping[str, Any]], facts: Mapping[str, Any]) -> bool:
    """Whether every condition holds for these facts; a condition that cannot be read never does."""
    return all(_one_holds(condition, facts) for condition in conditions)


def _one_holds(condition: Mapping[str, Any], facts: Mapping[str, Any]) -> bool:
    test = TESTS.get(str(condition.get("is")))
    if test is None:
        return False
    wanted = condition.get("value", "")
    listed = wanted if isinstance(wanted, list) else [wanted]
    texts = texts_at(facts, str(condition.get("field", "")))
    found = any(test(text, str(one).lower()) for text in texts for one in listed)
    return found is not bool(condition.get("not"))


def texts_at(facts: Mapping[str, Any], path: str) -> list[str]:
    """What stands there, as small texts; a list gives each of its items, nothing gives ""."""
    found = value_at(facts, path)
    if isinstance(found, list):
        return [_small(item) for item in found] or [""]
    return [_small(found)]


def value_at(facts: Any, path: str) -> Any:
    """The value at a dotted path such as `labels.team` or `items.0.name`; None for nothing.

    A member whose own name has dots is found too: the longest name that fits goes first.
    """
    if not path:
        return facts
    if isinstance(facts, list):
        head, _, rest = path.partition(".")
        return value_at(facts[int(head)], rest) if _is_place(head, facts) else None
    if not isinstance(facts, Mapping):
        return None
    parts = path.split(".")[: DEEPEST + 1]
    for length in range(len(parts), 0, -1):
        name = ".".join(parts[:length])
        if name in facts:
            return value_at(facts[name], ".".join(parts[length:]))
    return None


def _is_place(text: str, items: Sequence[Any]) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 6 and int(text) < len(items)


def _small(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)[:TEXT_MAX].lower()
