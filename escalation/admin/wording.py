"""A policy in words: its conditions and its steps as an administrator reads them."""

from collections.abc import Iterable, Mapping
from typing import Any

from escalation.actionwords import action_words
from escalation.explain import rule_of
from escalation.gates import holds_back, in_words
from escalation.models import PolicyRevision, PolicyStep
from escalation.rules import condition_words as one_condition
from escalation.runs import step_of


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
