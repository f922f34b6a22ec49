"""Criteria of another product's routing as the conditions of a policy; pure."""

from collections.abc import Mapping
from typing import Any, Final

from api.importers.fields import items, text

PRIORITIES: Final = {f"P{number}": number for number in range(1, 6)}
Conditions = list[dict[str, Any]]


def conditions_of(criteria: Mapping[str, Any]) -> tuple[Conditions, str]:
    """The conditions that all must hold, and why the criteria cannot be taken over, or ""."""
    kind = text(criteria, "type", "match-all")
    if kind == "match-all":
        return [], ""
    read = [_condition(each) for each in items(criteria.get("conditions"))]
    wrong = [trouble for _, trouble in read if trouble]
    if wrong:
        return [], wrong[0]
    found = [condition for condition, _ in read]
    if kind == "match-all-conditions":
        return found, ""
    if kind != "match-any-condition":
        return [], f"criteria of the kind {kind} are not known"
    return _any(found)


def _any(found: Conditions) -> tuple[Conditions, str]:
    """One condition that holds when any of these does: they must ask for the same fact."""
    facts = {condition["fact"] for condition in found}
    if len(found) == 1:
        return found, ""
    if len(facts) != 1 or any("is" not in condition for condition in found):
        return [], "any of several different conditions: write a policy for each"
    return [{"fact": facts.pop(), "is": [condition["is"] for condition in found]}], ""


def _condition(each: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    field, operation = text(each, "field"), text(each, "operation")
    wanted = text(each, "expectedValue")
    word = "not" if each.get("not") else "is"
    if field == "priority" and operation == "equals" and wanted.upper() in PRIORITIES:
        return {"fact": "priority", word: PRIORITIES[wanted.upper()]}, ""
    if field == "tags" and operation == "contains" and wanted:
        return {"fact": "tags", word: wanted}, ""
    return {}, f"a policy cannot ask whether {field} {operation} {wanted!r}".replace("  ", " ")
