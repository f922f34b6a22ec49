"""A policy in words: its conditions and its steps as an administrator reads them."""

from collections.abc import Iterable, Mapping
from typing import Any

from escalation.explain import rule_of
from escalation.models import PolicyRevision, PolicyStep
from escalation.runs import step_of

VERBS = {"notify": "tell", "page": "page", "involve": "involve"}


def target_words(token: str) -> str:
    """Who is meant, such as "on call" or "incident manager"."""
    name, _, argument = token.partition(":")
    if name in ("duty", "person"):
        return argument.replace("-", " ") if name == "duty" else argument
    said = name.replace("_", " ")
    return f"{said} of {argument}" if argument else said


def action_words(action: Mapping[str, Any]) -> str:
    """One action, such as "page on_call" or "move to the next tier"."""
    verb, goal = str(action.get("do")), action.get("to")
    if verb in VERBS and isinstance(goal, list):
        return f"{VERBS[verb]} {', '.join(target_words(str(token)) for token in goal)}"
    if verb == "move":
        named = "the next tier" if goal == "next_tier" else str(goal).removeprefix("team:")
        return f"move to {named}"
    if verb == "raise_priority":
        return f"raise to P{goal}"
    return verb


def step_words(step: PolicyStep) -> str:
    """When a step is due and what it does then."""
    deeds = "; ".join(action_words(action) for action in step.actions)
    return f"{rule_of(step_of(step))}: {deeds}"


def condition_words(conditions: Iterable[Mapping[str, Any]]) -> str:
    """When a policy applies."""
    found = []
    for condition in conditions:
        verb = "is not" if "not" in condition else "is"
        value = condition.get("not", condition.get("is"))
        named = " or ".join(map(str, value)) if isinstance(value, list) else str(value)
        found.append(f"{condition.get('fact')} {verb} {named}")
    return " and ".join(found) or "always"


def repeat_words(revision: PolicyRevision) -> str:
    """How often the unacknowledged steps start over."""
    if not revision.repeat_limit:
        return "never"
    return f"{revision.repeat_limit} times, {revision.repeat_after_s} s after the last step"
