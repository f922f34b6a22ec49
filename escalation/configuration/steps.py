"""The steps of a policy as the file has them: triggers, conditions, gates, actions, names."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from escalation import gates
from escalation.checking import (
    CHOICES,
    GOALLESS,
    RANGES,
    READERS,
    TELLING,
    calendar_of,
)
from escalation.configuration.reading import Reading, Use
from escalation.configuration.records import Field, Record
from escalation.configuration.section import Item
from escalation.configuration.shapes import (
    WEEKDAY,
    Choice,
    Duration,
    Flag,
    Many,
    Parsed,
    Plain,
    Text,
    Whole,
)
from escalation.models import PolicyStep

ABSENT: Final = object()
"""The default of a key that is either written or not there: null is a value of its own."""
STORED: Final = {"delay": "delay_s", "remaining": "remaining_s", "window": "window_s"}
"""Durations of a step by the name that the file has for them."""
SHOWN: Final = {stored: shown for shown, stored in STORED.items()}
FACT_KINDS: Final = frozenset({"service", "category", "organisation", "team", "tier"})
"""Facts whose values are names that must exist; each is called by its kind."""
TARGET_KINDS: Final = {
    **dict.fromkeys(("team", "on_call", "lead", "manager"), "team"),
    "duty": "duty",
    "person": "person",
}
GOAL_KINDS: Final = {"engage_vendor": "vendor", "call_webhook": "webhook"}


def _basis(text: str) -> str:
    if text not in PolicyStep.Basis.values and not calendar_of(text):
        raise ValueError(text)
    return text


def _gate_time(text: str) -> str:
    if not gates.is_time(text):
        raise ValueError(text)
    return text


def _word(name: str) -> Field:
    return Field(Choice(tuple(CHOICES[name]), may_be_empty=True), default="")


def _number(name: str) -> Field:
    return Field(Whole(*RANGES[name], may_be_none=True), default=None)


CONDITION = Record(
    {
        "fact": Field(Text()),
        "is": Field(Plain(), default=ABSENT),
        "not": Field(Plain(), default=ABSENT),
    },
    inline=True,
)
ACTION = Record(
    {"do": Field(Choice(tuple(READERS))), "to": Field(Plain(), default=ABSENT)}, inline=True
)
GATE_TIME = Parsed(_gate_time, "a time of day such as 08:00")
GATES = Record(
    {
        "weekdays": Field(Many(WEEKDAY, inline=True), default=ABSENT),
        "from": Field(GATE_TIME, default=ABSENT),
        "until": Field(GATE_TIME, default=ABSENT),
        "zone": Field(Text(), default=ABSENT),
        "priorities": Field(Many(Whole(1, 5), inline=True), default=ABSENT),
        "otherwise": Field(Choice(gates.OTHERWISE), default=ABSENT),
        "hold_for_shift": Field(Flag(), default=ABSENT),
    },
    inline=True,
)
STEP = Record(
    {
        "name": Field(Text(120, may_be_empty=False)),
        "trigger": Field(Choice(tuple(PolicyStep.Trigger.values))),
        "clock": _word("clock"),
        "percent": _number("percent"),
        "remaining": Field(Duration(), default=None),
        "status": _word("status"),
        "delay": Field(Duration(), default=None),
        "count": _number("count"),
        "window": Field(Duration(1), default=None),
        "same": _word("same"),
        "basis": Field(Parsed(_basis, "auto, wall, team or calendar:…"), default="auto"),
        "conditions": Field(Many(CONDITION), default=[]),
        "gates": Field(GATES, default={}),
        "actions": Field(Many(ACTION)),
    }
)


def fields_of(step: Mapping[str, Any]) -> dict[str, Any]:
    """A step of the file as the fields of PolicyStep."""
    return {STORED.get(name, name): value for name, value in step.items()}


def item_of(step: PolicyStep) -> Item:
    """A stored step as the file has it, without what is the default anyway."""
    found = {name: getattr(step, STORED.get(name, name)) for name in STEP.fields}
    return {name: value for name, value in found.items() if value != STEP.fields[name].default}


def shown_path(place: str) -> str:
    """A path of the policy's own check with the names that the file has."""
    return ".".join(SHOWN.get(word, word) for word in place.split("."))


def names_used(item: Mapping[str, Any], path: str, reading: Reading) -> Iterator[Use]:
    """Every name in the conditions and steps of a policy or of its part."""
    for number, condition in enumerate(item.get("conditions", ()), start=1):
        place = f"{path}.conditions.{number}"
        for kind, name in _names_in_condition(condition):
            yield Use(kind, name, reading.line_of(place), place)
    for number, step in enumerate(item.get("steps", ()), start=1):
        where = f"{path}.steps.{number}"
        if calendar := calendar_of(step.get("basis") or ""):
            place = f"{where}.basis"
            yield Use("calendar", calendar, reading.line_of(place), place)
        yield from names_used({"conditions": step.get("conditions", ())}, where, reading)
        for which, action in enumerate(step.get("actions", ()), start=1):
            place = f"{where}.actions.{which}"
            for kind, name in names_in_action(action):
                yield Use(kind, name, reading.line_of(place), place)


def _names_in_condition(condition: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if condition.get("fact") in FACT_KINDS:
        given = condition.get("is", condition.get("not"))
        for name in given if isinstance(given, list) else [given]:
            if isinstance(name, str):
                yield condition["fact"], name


def names_in_action(action: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What an action names: the kind and the name of each."""
    verb, goal = action.get("do"), action.get("to")
    if verb in GOAL_KINDS and goal:
        yield GOAL_KINDS[verb], str(goal)
    elif verb in (*TELLING, "move") and verb not in GOALLESS:
        for token in goal if isinstance(goal, list) else [goal]:
            word, _, name = str(token).partition(":")
            if name and word in TARGET_KINDS:
                yield TARGET_KINDS[word], name
