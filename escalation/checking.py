"""Reads a policy before it is kept: what is wrong with it, a sentence for each mistake by path."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from escalation import gates
from escalation.carriers import CARRIERS
from escalation.models import ClockKind, PolicyStep, StopOn, Vendor
from escalation.steps import CALENDAR
from escalation.targets import check_token
from notifications.models import Hook
from roles.models import Calendar, Duty, Person, Team
from tickets import states

FACTS: Final = frozenset(
    {
        "kind",
        "priority",
        "impact",
        "service",
        "category",
        "organisation",
        "vip",
        "restricted",
        "major",
        "source",
        "tags",
    }
)
"""What a policy matches by."""
STEP_FACTS: Final = FACTS | {"team", "tier", "status", "acknowledged"}
"""What a step's own conditions may ask for: also where the ticket is at that moment."""

TELLING: Final = ("notify", "page", "involve")
NAMING: Final[Mapping[str, str]] = {"engage_vendor": "vendor", "call_webhook": "webhook"}
"""Actions that name one thing in "to", and of what kind it is."""
GOALLESS: Final = tuple(verb for verb in CARRIERS if verb not in NAMING)
"""Actions that take no "to"."""
MOST_S: Final = 2_147_483_647
MOST_OFTEN: Final = 32_767

NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    PolicyStep.Trigger.CLOCK_PERCENT: ("clock", "percent"),
    PolicyStep.Trigger.CLOCK_REMAINING: ("clock", "remaining_s"),
    PolicyStep.Trigger.UNACKNOWLEDGED: ("delay_s",),
    PolicyStep.Trigger.SILENT: ("delay_s",),
    PolicyStep.Trigger.IN_STATUS: ("status", "delay_s"),
    PolicyStep.Trigger.SINCE_START: ("delay_s",),
    PolicyStep.Trigger.REOPENED: ("count",),
    PolicyStep.Trigger.HANDED_OVER: ("count",),
    PolicyStep.Trigger.CHASED: ("count",),
    PolicyStep.Trigger.PING_PONG: ("count",),
    PolicyStep.Trigger.REPEATED: ("count", "window_s", "same"),
    PolicyStep.Trigger.FLAPPING: ("count", "window_s"),
    PolicyStep.Trigger.RISK: ("percent",),
    PolicyStep.Trigger.MANUAL: (),
}
"""What each trigger cannot do without."""

STEP_FIELDS: Final = (
    "name",
    "trigger",
    "clock",
    "percent",
    "remaining_s",
    "status",
    "delay_s",
    "count",
    "window_s",
    "same",
    "basis",
    "conditions",
    "gates",
    "actions",
)
"""What the draft of a step may say; its position is its place in the list."""

RANGES: Final = {
    "percent": (1, MOST_OFTEN),
    "count": (1, MOST_OFTEN),
    "window_s": (1, MOST_S),
    "remaining_s": (0, MOST_S),
    "delay_s": (0, MOST_S),
}
CHOICES: Final[Mapping[str, Iterable[str]]] = {
    "clock": ClockKind.values,
    "status": sorted(states.ALL),
    "same": PolicyStep.Same.values,
}


def check_policy(
    conditions: Sequence[Mapping[str, Any]],
    steps: Sequence[Mapping[str, Any]],
    stop_on: Iterable[str] = (),
) -> dict[str, str]:
    """What is wrong with a policy, by path such as "steps.2.actions.1"; empty when it is right."""
    problems = _condition_problems(conditions, FACTS)
    if not steps:
        problems["steps"] = "A policy needs at least one step."
    if set(stop_on) - set(StopOn.values):
        problems["stop_on"] = "Choose of " + ", ".join(StopOn.values) + "."
    for number, step in enumerate(steps, start=1):
        for place, problem in _step_problems(step).items():
            problems[f"steps.{number}.{place}"] = problem
    return problems


def _condition_problems(
    conditions: Sequence[Mapping[str, Any]], facts: frozenset[str]
) -> dict[str, str]:
    words = (
        'Needs "fact" (one of ' + ", ".join(sorted(facts)) + ') and "is" or "not" with a value or a'
        " list of values."
    )
    return {
        f"conditions.{number}": words
        for number, condition in enumerate(conditions, start=1)
        if not _is_condition(condition, facts)
    }


def _is_condition(condition: Any, facts: frozenset[str]) -> bool:
    if not isinstance(condition, Mapping):
        return False
    given = [name for name in ("is", "not") if name in condition]
    fact = condition.get("fact")
    if not isinstance(fact, str) or fact not in facts or len(given) != 1 or len(condition) != 2:
        return False
    value = condition[given[0]]
    values = value if isinstance(value, list) else [value]
    return all(item is None or isinstance(item, str | int | bool) for item in values)


def _step_problems(step: Mapping[str, Any]) -> dict[str, str]:
    problems = {name: "A step has no such field." for name in step if name not in STEP_FIELDS}
    trigger = str(step.get("trigger"))
    if trigger not in NEEDED:
        problems["trigger"] = "Choose one of " + ", ".join(PolicyStep.Trigger.values) + "."
    for name in NEEDED.get(trigger, ()):
        if step.get(name) in (None, ""):
            problems[name] = "This trigger needs it."
    problems |= _value_problems(step)
    if trigger == PolicyStep.Trigger.RISK and "percent" not in problems and step["percent"] > 100:
        problems["percent"] = "A risk is 1 to 100."
    if not step.get("name"):
        problems["name"] = "A step needs a name that says what it does."
    problems |= _condition_problems(step.get("conditions") or (), STEP_FACTS)
    if found := gates.problems_of(step.get("gates") or {}):
        problems["gates"] = " ".join(found)
    if not step.get("actions"):
        problems["actions"] = "A step needs at least one action."
    for number, action in enumerate(step.get("actions") or (), start=1):
        if problem := _action_problem(action):
            problems[f"actions.{number}"] = problem
    return problems


def _value_problems(step: Mapping[str, Any]) -> dict[str, str]:
    """Numbers out of range and words that are no choice, whether the trigger needs them or not."""
    problems = {}
    for name, (least, most) in RANGES.items():
        value = step.get(name)
        if value is None or value == "":
            continue
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            problems[name] = f"A whole number from {least} to {most}."
    for name, choices in CHOICES.items():
        if step.get(name) and step[name] not in choices:
            problems[name] = "Choose one of " + ", ".join(choices) + "."
    if not _is_basis(step.get("basis") or "auto"):
        problems["basis"] = "Choose one of " + ", ".join(PolicyStep.Basis.values) + ", calendar:…."
    return problems


def _is_basis(basis: Any) -> bool:
    return isinstance(basis, str) and (basis in PolicyStep.Basis.values or calendar_of(basis) != "")


def calendar_of(basis: str) -> str:
    """The slug of the calendar by which a delay counts; empty where it names none."""
    return basis.removeprefix(CALENDAR) if basis.startswith(CALENDAR) else ""


def _telling_problem(action: Mapping[str, Any]) -> str:
    goal = action.get("to")
    if not isinstance(goal, list) or not goal:
        return f'"{action["do"]}" needs a list of targets, such as ["on_call"].'
    return " ".join(filter(None, (check_token(str(token)) for token in goal)))


def _move_problem(action: Mapping[str, Any]) -> str:
    goal = action.get("to")
    named = isinstance(goal, str) and (goal == "next_tier" or goal.startswith("team:"))
    return "" if named else '"move" goes to "next_tier" or "team:…".'


def _raise_problem(action: Mapping[str, Any]) -> str:
    goal = action.get("to")
    is_priority = isinstance(goal, int) and not isinstance(goal, bool) and 1 <= goal <= 4
    return "" if is_priority else '"raise_priority" needs 1 to 4.'


def _named_problem(action: Mapping[str, Any]) -> str:
    goal = action.get("to")
    return "" if isinstance(goal, str) and goal else f'"{action["do"]}" needs a name in "to".'


def _goalless_problem(action: Mapping[str, Any]) -> str:
    return f'"{action["do"]}" takes no "to".' if action.get("to") else ""


READERS: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    **dict.fromkeys(TELLING, _telling_problem),
    "move": _move_problem,
    "raise_priority": _raise_problem,
    "call_webhook": _named_problem,
    **dict.fromkeys(NAMING.keys() & CARRIERS.keys(), _named_problem),
    **dict.fromkeys(GOALLESS, _goalless_problem),
}
"""By action, what says what is wrong with it; the one list of actions."""


def _action_problem(action: Any) -> str:
    verb = action.get("do") if isinstance(action, Mapping) else None
    if not isinstance(verb, str) or verb not in READERS:
        return "Choose " + ", ".join(READERS) + "."
    return READERS[verb](action)


def unknown_names(steps: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What steps name and the site lacks (calendars, teams, duties, people …), by path.

    The steps must have passed `check_policy`.
    """
    known = {
        "team": set(Team.objects.values_list("slug", flat=True)),
        "duty": set(Duty.objects.values_list("slug", flat=True)),
        "person": set(Person.objects.values_list("username", flat=True)),
        "vendor": set(Vendor.objects.filter(is_active=True).values_list("slug", flat=True)),
        "calendar": set(
            Calendar.objects.filter(current__isnull=False).values_list("slug", flat=True)
        ),
        "webhook": set(Hook.objects.filter(is_active=True).values_list("slug", flat=True)),
    }
    problems: dict[str, str] = {}
    for number, step in enumerate(steps, start=1):
        calendar = calendar_of(step.get("basis") or "")
        if calendar and calendar not in known["calendar"]:
            problems[f"steps.{number}.basis"] = f"There is no calendar {calendar}."
        for place, action in enumerate(step["actions"], start=1):
            for kind, name in _names_in(action):
                if name not in known[kind]:
                    problems[f"steps.{number}.actions.{place}"] = f"There is no {kind} {name}."
    return problems


def _names_in(action: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What an action names: (kind, name) of each."""
    if action["do"] in NAMING:
        return [(NAMING[action["do"]], action["to"])]
    if action["do"] not in (*TELLING, "move"):
        return []
    goals = action["to"] if isinstance(action["to"], list) else [str(action["to"])]
    parts = [goal.partition(":") for goal in goals]
    return [
        (kind if kind in ("duty", "person") else "team", name) for kind, _, name in parts if name
    ]
