"""The steps of another product's escalation as steps of a policy of ours; pure."""

from collections.abc import Sequence
from typing import Any, Final

LONGEST_S: Final = 30 * 86_400


def told(
    targets: Sequence[str], delay_s: int, *, until_solved: bool = False, gates: Any = None
) -> dict[str, Any]:
    """Page these targets once a ticket has waited that long since it was there.

    It is the waiting for an acknowledgement, or, with `until_solved`, that for the end.
    """
    step: dict[str, Any] = {
        "name": f"After {in_words(delay_s)}" if delay_s else "At once",
        "trigger": "since_start" if until_solved else "unacknowledged",
        "delay": f"{delay_s} s",
        "basis": "wall",
        "actions": [{"do": "page", "to": list(dict.fromkeys(targets))}],
    }
    if gates:
        step["gates"] = gates
    return step


def in_words(seconds: int) -> str:
    """A length of time as short words."""
    minutes, rest = divmod(seconds, 60)
    hours, left = divmod(minutes, 60)
    parts = [(hours, "h"), (left, "min"), (rest, "s")]
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 s"


def named_apart(steps: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The steps with names of their own, where two would be called alike."""
    seen: dict[str, int] = {}
    for step in steps:
        count = seen[step["name"]] = seen.get(step["name"], 0) + 1
        if count > 1:
            step["name"] = f"{step['name']} ({count})"
    return list(steps)
