"""Tells two states of a value apart as lines for people: + added, - gone, ~ old → new. Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

LONGEST = 160
CONTEXT = 24


def difference_lines(path: str, old: Any, new: Any) -> Iterator[str]:
    """One line for each place in which the values differ, with its path."""
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from _mappings(path, old, new)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _named(path, old, new) if _have_names(old, new) else _lists(path, old, new)
    else:
        before, after = _pair(old, new)
        yield f"~ {path}: {before} → {after}"


def value_text(value: Any) -> str:
    """A value on one line, cut where it is long."""
    return _cut(_said(value))


def _said(value: Any) -> str:
    if isinstance(value, str) and value and value.isprintable():
        return value
    return json.dumps(value, ensure_ascii=False)


def _cut(said: str) -> str:
    return said if len(said) <= LONGEST else f"{said[: LONGEST - 1]}…"


def _pair(old: Any, new: Any) -> tuple[str, str]:
    """Both values on one line; of long ones what stands around the first difference."""
    before, after = _said(old), _said(new)
    if max(len(before), len(after)) > LONGEST:
        same = next(
            (n for n, (a, b) in enumerate(zip(before, after, strict=False)) if a != b),
            min(len(before), len(after)),
        )
        if same > CONTEXT:
            start = same - CONTEXT
            before, after = f"…{before[start:]}", f"…{after[start:]}"
    return _cut(before), _cut(after)


def _mappings(path: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for key in [*old, *(key for key in new if key not in old)]:
        place = f"{path}.{key}"
        if key not in new:
            yield f"- {place}: {value_text(old[key])}"
        elif key not in old:
            yield f"+ {place}: {value_text(new[key])}"
        else:
            yield from difference_lines(place, old[key], new[key])


def _have_names(*lists: Sequence[Any]) -> bool:
    """Whether all lists hold mappings that go by a name of their own, such as steps."""
    for held in lists:
        names = [item.get("name") if isinstance(item, Mapping) else None for item in held]
        if None in names or len(set(names)) < len(names):
            return False
    return True


def _named(path: str, old: Sequence[Any], new: Sequence[Any]) -> Iterator[str]:
    before = {item["name"]: item for item in old}
    after = {item["name"]: item for item in new}
    for name in [*before, *(name for name in after if name not in before)]:
        place = f"{path}[{name}]"
        if name not in after:
            yield f"- {place}: {value_text(before[name])}"
        elif name not in before:
            yield f"+ {place}: {value_text(after[name])}"
        else:
            yield from difference_lines(place, before[name], after[name])
    kept_before = [name for name in before if name in after]
    kept_after = [name for name in after if name in before]
    if kept_before != kept_after:
        yield f"~ {path}: order {', '.join(kept_before)} → {', '.join(kept_after)}"


def _lists(path: str, old: Sequence[Any], new: Sequence[Any]) -> Iterator[str]:
    before, after = ([value_text(item) for item in held] for held in (old, new))
    for what, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if what != "equal":
            yield from (f"- {path}: {item}" for item in before[a:b])
            yield from (f"+ {path}: {item}" for item in after[c:d])
