"""A policy's draft as a form: its fields read into the plain data that policies are made of.

Nothing here judges: `escalation.checking` does, and says by path what is wrong. What was typed and
is no number stays as it was typed, so that it can be said to be wrong and shown again.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from escalation.checking import GOALLESS, NAMING, NEEDED, TELLING, check_policy, unknown_names
from escalation.models import PolicyRevision
from escalation.policies import filled
from web.policynames import LONG, NAMELESS, Names
from web.prose import TRUTHS, plain

UNITS: Final = {"s": 1, "min": 60, "h": 3600, "d": 86_400}
NUMBERS: Final = frozenset({"priority", "impact"})
NOTHING: Final = gettext_noop("(none)")
"""How a condition asks for a fact that the ticket does not have."""
ONE_PERSON: Final = "person"
"""What is chosen for a target before the person is named."""
DURATIONS: Final = ("delay_s", "remaining_s", "window_s")
WHOLE: Final = ("percent", "count")
DIGITS: Final = frozenset("0123456")
WORDS: Final = ("name", "trigger", "clock", "status", "same", "basis")
MOST: Final = {"steps": 60, "rows": 20}
"""More than anybody writes, and few enough to be read in no time."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A policy as it would be kept: `draft_policy` takes these by name."""

    conditions: list[dict[str, Any]] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)
    repeat_limit: Any = 0
    repeat_after_s: Any = 600
    stop_on: list[str] = field(default_factory=list)

    @property
    def problems(self) -> dict[str, str]:
        """What is wrong with it, a sentence by path; empty when it can be kept."""
        found = check_policy(self.conditions, self.steps, self.stop_on)
        for name, most in (("repeat_limit", 100), ("repeat_after_s", 2_147_483_647)):
            value = getattr(self, name)
            if not isinstance(value, int) or not 0 <= value <= most:
                found[name] = _("A whole number from 0 to %(most)s.") % {"most": most}
        found |= _empty_values("", self.conditions)
        for number, step in enumerate(self.steps, start=1):
            if len(str(step.get("name", ""))) > 120:
                found[f"steps.{number}.name"] = _("At most %(most)s characters.") % {"most": 120}
            found |= _empty_values(f"steps.{number}.", step.get("conditions", ()))
            found |= _goalless(f"steps.{number}.", step.get("actions", ()))
        return found or unknown_names([filled(step) for step in self.steps])

    def mistakes(self, names: Names) -> dict[str, str]:
        """The same, and what conditions name that the site does not have."""
        found = _strangers("", self.conditions, names)
        for number, step in enumerate(self.steps, start=1):
            found |= _strangers(f"steps.{number}.", step.get("conditions", ()), names)
        return found | self.problems


def _empty_values(path: str, conditions: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Conditions that ask for nothing, which would never hold."""
    return {
        f"{path}conditions.{number}": _("Say which.")
        for number, condition in enumerate(conditions, start=1)
        if "" in (condition.get("is"), condition.get("not"))
    }


def _strangers(path: str, conditions: Iterable[Mapping[str, Any]], names: Names) -> dict[str, str]:
    """Conditions that name a service, category or organisation that the site does not have."""
    found = {}
    for number, condition in enumerate(conditions, start=1):
        fact, value = condition["fact"], condition.get("is", condition.get("not"))
        values = value if isinstance(value, list) else [value]
        unknown = [item for item in values if item and not names.knows(fact, item)]
        if fact in LONG and unknown:
            told = _("There is no “%(name)s” here.") % {"name": unknown[0]}
            found[f"{path}conditions.{number}"] = told
    return found


def _goalless(path: str, actions: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Actions that do not say yet whom or what they mean."""
    found = {}
    for number, action in enumerate(actions, start=1):
        verb, goal = action.get("do"), action.get("to")
        is_bare = goal in (None, "", []) or (isinstance(goal, list) and f"{ONE_PERSON}:" in goal)
        if is_bare and verb in TELLING:
            found[f"{path}actions.{number}"] = _("Say whom.")
        elif is_bare and verb in ("move", "raise_priority", *NAMING):
            found[f"{path}actions.{number}"] = _("Say which.")
    return found


def draft_of(revision: PolicyRevision | None) -> Draft:
    """What stands in a revision; an empty draft for none."""
    if revision is None:
        return Draft()
    return Draft(
        conditions=list(revision.conditions),
        steps=plain(revision),
        repeat_limit=revision.repeat_limit,
        repeat_after_s=revision.repeat_after_s,
        stop_on=list(revision.stop_on),
    )


# ---- From the form -------------------------------------------------------------------------------


def read_draft(data: QueryDict, names: Names = NAMELESS) -> Draft:
    """The draft that the form holds, rows that were left empty left out.

    What was typed as a name becomes the slug by which policies name it.
    """
    return Draft(
        conditions=_conditions(data, "c", names),
        steps=[_step(data, f"s{place}", names) for place in _places(data, "s", "steps")],
        repeat_limit=_number(data.get("repeat_limit", "0")),
        repeat_after_s=_seconds(data, "repeat_after_s"),
        stop_on=data.getlist("stop_on"),
    )


def typed_names(data: QueryDict) -> list[str]:
    """Every text of the form that may be a name."""
    named = [texts for name, texts in data.lists() if name.endswith(("-value", "-who", "-to"))]
    return [text.strip() for texts in named for text in texts]


def _places(data: QueryDict, prefix: str, most: str) -> list[int]:
    """The numbers of the rows that a form has under a prefix, in order."""
    pattern = re.compile(rf"{re.escape(prefix)}(\d{{1,3}})-")
    found = {int(match[1]) for name in data if (match := pattern.match(name))}
    return sorted(found)[: MOST[most]]


def _step(data: QueryDict, at: str, names: Names) -> dict[str, Any]:
    """One step; of the numbers only those that its trigger goes by."""
    step: dict[str, Any] = {name: data.get(f"{at}-{name}", "").strip() for name in WORDS}
    needed = NEEDED.get(step["trigger"], ())
    for name in ("clock", "status", "same"):
        if name not in needed:
            step[name] = ""
    for name in needed:
        if name in WHOLE:
            step[name] = _number(data.get(f"{at}-{name}", ""))
        elif name in DURATIONS:
            step[name] = _seconds(data, f"{at}-{name}")
    kept = {name: value for name, value in step.items() if value not in ("", None)}
    conditions, gates = _conditions(data, f"{at}-c", names), _gates(data, at)
    kept |= {"conditions": conditions} if conditions else {}
    kept |= {"gates": gates} if gates else {}
    return {**kept, "actions": [_action(data, place, names) for place in _actions(data, at)]}


def _actions(data: QueryDict, at: str) -> Iterator[str]:
    for place in _places(data, f"{at}-a", "rows"):
        if data.get(f"{at}-a{place}-do"):
            yield f"{at}-a{place}"


def _action(data: QueryDict, at: str, names: Names) -> dict[str, Any]:
    """One action; of one whose verb has just changed, only the goals that fit its verb."""
    verb = data.get(f"{at}-do", "")
    goals = [*_goals(data, at, names)]
    if data.get(f"{at}-was", verb) != verb and not {verb, data[f"{at}-was"]} <= set(TELLING):
        goals = []
    if verb in TELLING:
        return {"do": verb, "to": goals}
    if verb in GOALLESS or not goals:
        return {"do": verb}
    return {"do": verb, "to": _number(goals[0]) if verb == "raise_priority" else goals[0]}


def _goals(data: QueryDict, at: str, names: Names) -> Iterator[str]:
    """What an action is for; for one person, who stands in a field of its own."""
    people = iter(data.getlist(f"{at}-who"))
    for goal in map(str.strip, data.getlist(f"{at}-to")):
        if goal == ONE_PERSON:
            typed = next(people, "").strip()
            yield f"{ONE_PERSON}:{names.slug_of(ONE_PERSON, typed) or typed}"
        elif goal:
            yield goal


def _conditions(data: QueryDict, prefix: str, names: Names) -> list[dict[str, Any]]:
    found = []
    for place in _places(data, prefix, "rows"):
        at = f"{prefix}{place}"
        fact = data.get(f"{at}-fact", "")
        if fact:
            verb = "not" if data.get(f"{at}-verb") == "not" else "is"
            is_list = data.get(f"{at}-list") == "1"
            is_same = data.get(f"{at}-was", fact) == fact
            texts = data.getlist(f"{at}-value") if is_same else []
            found.append({"fact": fact, verb: _value(fact, texts, is_list, names)})
    return found


def _value(fact: str, texts: Iterable[str], is_list: bool, names: Names) -> Any:
    parts = [part for text in texts for part in _parts(fact, text.strip(), names)]
    values = [_typed(fact, part.strip()) for part in parts if part.strip()]
    if len(values) == 1 and not is_list:
        return values[0]
    return values if values else ""


def _parts(fact: str, text: str, names: Names) -> list[str]:
    """A field of a condition by what it asks for: one name, or several with commas."""
    if fact not in LONG:
        return text.split(",")
    whole = names.slug_of(fact, text)
    if whole is not None:
        return [whole]
    return [names.slug_of(fact, part.strip()) or part for part in text.split(",")]


def _typed(fact: str, text: str) -> Any:
    if text in (NOTHING, _(NOTHING)):
        return None
    if fact in TRUTHS and text.lower() in ("yes", "no"):
        return text.lower() == "yes"
    return _number(text) if fact in NUMBERS else text


def _gates(data: QueryDict, at: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in ("weekdays", "priorities"):
        chosen = {int(text) for text in data.getlist(f"{at}-{name}") if text in DIGITS}
        if chosen:
            found[name] = sorted(chosen)
    for name in ("from", "until", "zone", "otherwise"):
        if text := data.get(f"{at}-{name}", "").strip():
            found[name] = text
    if data.get(f"{at}-hold_for_shift"):
        found["hold_for_shift"] = True
    return found


def _number(text: str) -> Any:
    """A whole number where the text is one, else the text."""
    stripped = text.strip()
    is_number = stripped.isascii() and stripped.isdigit() and len(stripped) < 12
    return int(stripped) if is_number else stripped


def _seconds(data: QueryDict, name: str) -> Any:
    amount = _number(data.get(name, ""))
    return (
        amount * UNITS.get(data.get(f"{name}-unit", "s"), 1) if isinstance(amount, int) else amount
    )


# ---- Into the form -------------------------------------------------------------------------------


def amount_of(seconds: Any) -> tuple[Any, str]:
    """Seconds as an amount and the largest unit that divides them."""
    if not isinstance(seconds, int):
        return ("" if seconds is None else seconds), "min"
    fitting = [unit for unit, size in UNITS.items() if seconds % size == 0 and seconds >= size]
    unit = fitting[-1] if fitting else "min"
    return seconds // UNITS[unit], unit


def value_texts(fact: str, value: Any, names: Names = NAMELESS) -> list[str]:
    """What a condition asks for as its fields hold it: codes to choose by, names as typed."""
    return [_text(fact, item, names) for item in (value if isinstance(value, list) else [value])]


def _text(fact: str, value: Any, names: Names) -> str:
    if value is None:
        return _(NOTHING) if fact in LONG else NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    return names.label(fact, str(value)) if fact in LONG else str(value)


# ---- Rows come, go and change places -------------------------------------------------------------

BLANK: Final[Mapping[str, Any]] = {
    "name": "",
    "trigger": "unacknowledged",
    "delay_s": 900,
    "basis": "auto",
    "actions": [{"do": "page", "to": ["on_call"]}],
}


def rearranged(draft: Draft, act: str) -> Draft:
    """The draft after a button such as "add", "remove-2", "up-2" or "down-2"; else as it was."""
    verb, _mark, place_text = act.partition("-")
    steps = list(draft.steps)
    if verb == "add":
        return replace(draft, steps=[*steps, dict(BLANK)])
    place = int(place_text) if place_text.isdigit() else -1
    if not 0 <= place < len(steps):
        return draft
    step = steps.pop(place)
    if verb in ("up", "down"):
        steps.insert(max(0, place - 1) if verb == "up" else place + 1, step)
    elif verb != "remove":
        return draft
    return replace(draft, steps=steps)


def as_arguments(draft: Draft) -> dict[str, Any]:
    """What `draft_policy` takes."""
    names = ("conditions", "steps", "repeat_limit", "repeat_after_s", "stop_on")
    return {name: getattr(draft, name) for name in names}
