"""What two revisions of a policy differ in, as data and in sentences."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from escalation.actionwords import action_words
from escalation.checking import STEP_FIELDS
from escalation.explain import duration
from escalation.gates import holds_back, in_words
from escalation.models import ClockKind, PolicyRevision, PolicyStep, StopOn
from escalation.rules import condition_words
from escalation.runs import steps_of
from escalation.steps import Step
from tickets import states

SECONDS: Final = frozenset({"delay_s", "remaining_s", "window_s", "repeat_after_s"})
LABELS: Final[Mapping[str, Mapping[Any, str]]] = {
    "trigger": dict(PolicyStep.Trigger.choices),
    "clock": dict(ClockKind.choices),
    "basis": dict(PolicyStep.Basis.choices),
    "same": dict(PolicyStep.Same.choices),
    "status": states.LABELS,
    "stop_on": dict(StopOn.choices),
}
"""What the values of a field are called."""

Change = tuple[Any, Any]


@dataclass(frozen=True, slots=True)
class StepChange:
    """One step that stays under both revisions, and its fields that change: (was, becomes)."""

    name: str
    position: Change
    fields: Mapping[str, Change]


@dataclass(frozen=True, slots=True)
class Difference:
    """What changes from one revision to another; `settings` are conditions, repeats, stop_on."""

    settings: Mapping[str, Change] = field(default_factory=dict)
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[StepChange, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.settings or self.added or self.removed or self.changed)

    @property
    def sentences(self) -> list[str]:
        """The difference to be read, one thing in a sentence."""
        lines = [_setting_words(name, change) for name, change in self.settings.items()]
        lines += [f"Step “{name}” is removed." for name in self.removed]
        lines += [f"Step “{name}” is added." for name in self.added]
        for step in self.changed:
            was, becomes = step.position
            if was != becomes:
                lines.append(f"Step “{step.name}” moves from place {was} to place {becomes}.")
            lines += [
                f"Step “{step.name}”: {name.removesuffix('_s').replace('_', ' ')} was"
                f" {_words(name, old)}, becomes {_words(name, new)}."
                for name, (old, new) in step.fields.items()
            ]
        return lines or ["Nothing changes."]


def pair_steps(old: Sequence[Step], new: Sequence[Step]) -> dict[int, int]:
    """Which step of a revision is which of another, by id.

    A step is known by its name and trigger; one that was renamed, by its place and trigger. No
    step is two others.
    """
    pairs: dict[int, int] = {}
    for same in (_name_of, _place_of):
        free = {same(step): step.id for step in reversed(new) if step.id not in pairs.values()}
        for step in old:
            if step.id not in pairs and same(step) in free:
                pairs[step.id] = free.pop(same(step))
    return pairs


def _name_of(step: Step) -> tuple[str, str]:
    return step.name, step.trigger


def _place_of(step: Step) -> tuple[int, str]:
    return step.position, step.trigger


def difference(old: PolicyRevision | None, new: PolicyRevision) -> Difference:
    """What changes from `old` (None: nothing was in force) to `new`; one query."""
    found = steps_of([new.pk, *([old.pk] if old else [])])
    olds, news = found.get(old.pk, []) if old else [], found.get(new.pk, [])
    pairs = pair_steps(olds, news)
    by_id = {step.id: step for step in news}
    changed = []
    for step in olds:
        if step.id in pairs:
            heir = by_id[pairs[step.id]]
            fields = _field_changes(step, heir)
            if fields or step.position != heir.position:
                places = (step.position, heir.position)
                changed.append(StepChange(step.name, places, fields))
    return Difference(
        settings=_settings(old, new),
        added=tuple(step.name for step in news if step.id not in pairs.values()),
        removed=tuple(step.name for step in olds if step.id not in pairs),
        changed=tuple(changed),
    )


def _field_changes(old: Step, new: Step) -> dict[str, Change]:
    pairs = {name: (_plain(getattr(old, name)), _plain(getattr(new, name))) for name in STEP_FIELDS}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _plain(value: Any) -> Any:
    return [dict(item) for item in value] if isinstance(value, tuple) else value


def _settings(old: PolicyRevision | None, new: PolicyRevision) -> dict[str, Change]:
    names = ("conditions", "repeat_limit", "repeat_after_s", "stop_on")
    if old is None:
        return {}
    pairs = {name: (getattr(old, name), getattr(new, name)) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _setting_words(name: str, change: Change) -> str:
    was, becomes = (_words(name, value) for value in change)
    about = {
        "conditions": "It applies when",
        "repeat_limit": "The ladder starts over, at most",
        "repeat_after_s": "It starts over after",
        "stop_on": "It ends by itself when",
    }[name]
    return f"{about}: was {was}, becomes {becomes}."


def _words(name: str, value: Any) -> str:
    if value in (None, "", [], {}):
        return "always" if name == "conditions" else "nothing"
    return SAID.get(name, _plainly)(value) if name not in LABELS else _labels(name, value)


def _labels(name: str, value: Any) -> str:
    labels = LABELS[name]
    if isinstance(value, list):
        return " or ".join(f"“{labels.get(item, item)}”" for item in value)
    return f"“{labels.get(value, value)}”"


def _plainly(value: Any) -> str:
    return f"“{value}”"


def _gate_words(value: Mapping[str, Any]) -> str:
    return in_words(value) + (" (waits for that)" if holds_back(value) else "")


SAID: Final[Mapping[str, Callable[[Any], str]]] = {
    "conditions": lambda value: " and ".join(condition_words(item) for item in value),
    "gates": _gate_words,
    "actions": lambda value: "; ".join(action_words(item) for item in value),
    "repeat_limit": lambda value: f"{value} times",
    "percent": lambda value: f"{value} %",
    "count": str,
    **dict.fromkeys(SECONDS, duration),
}
"""How the other fields are said; what is not named stands as it is."""
