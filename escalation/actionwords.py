"""The actions of a step in words, as an administrator reads them."""

from collections.abc import Mapping
from typing import Any, Final

VERBS: Final = {"notify": "tell", "page": "page", "involve": "involve"}
PLAIN: Final = {
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
