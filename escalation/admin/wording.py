"""A policy in words: its conditions and its steps as an administrator reads them."""

from collections.abc import Iterable, Mapping
from typing import Any

from escalation.explain import rule_of
from escalation.gates import holds_back, in_words
from escalation.models import PolicyRevision, PolicyStep
from escalation.rules import condition_words as one_condition
from escalation.runs import step_of

VERBS = {"notify": "tell", "page": "page", "involve": "involve"}
PLAIN = {
    "propose_major": "propose a major incident",
    "restrict": "put into the security lane",
    "engage_vendor": "engage the vendor {}",
    "call_webhook": "call the webhook {}",
    "open_problem": "link to the parent problem, or open one",
    "unacknowledge": "let the acknowledgement lapse",
}


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
    return PLAIN.get(verb, verb).format(goal)


def step_words(step: PolicyStep) -> str:
    """When a step is due and may go, and what it does then."""
    view = step_of(step)
    said = rule_of(view)
    if view.conditions:
        said += f", if {condition_words(view.conditions)}"
    if view.gates:
        said += f", only {in_words(view.gates)}"
        said += " (waits for that)" if holds_back(view.gates) else ""
    return f"{said}: " + "; ".join(action_words(action) for action in step.actions)


def condition_words(conditions: Iterable[Mapping[str, Any]]) -> str:
    """When a policy applies, or a step goes."""
    return " and ".join(one_condition(item) for item in conditions) or "always"


def repeat_words(revision: PolicyRevision) -> str:
    """How often the unacknowledged steps start over, and what ends it all."""
    ends = "; ends for good when " + " or ".join(revision.stop_on) if revision.stop_on else ""
    if not revision.repeat_limit:
        return "never" + ends
    return f"{revision.repeat_limit} times, {revision.repeat_after_s} s after the last step" + ends
