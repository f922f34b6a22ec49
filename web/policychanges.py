"""What two revisions of a policy differ in, as sentences in the reader's language."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from escalation.checking import calendar_of
from escalation.difference import Difference, StepChange, difference
from escalation.explain import duration
from escalation.models import ClockKind, PolicyRevision, PolicyStep
from tickets import states
from web.policynames import Names, names_in
from web.prose import (
    STOPS,
    applies_words,
    condition_words,
    deed_words,
    gate_words,
    same_words,
)
from web.wording import inline

ABOUT: Final = {
    "conditions": gettext_lazy("It applies to"),
    "repeat_limit": gettext_lazy("The ladder starts over"),
    "repeat_after_s": gettext_lazy("The ladder starts over after"),
    "stop_on": gettext_lazy("It ends early when"),
}
FIELDS: Final = {
    "name": gettext_lazy("the name"),
    "trigger": gettext_lazy("what sets it off"),
    "clock": gettext_lazy("the clock"),
    "percent": gettext_lazy("the share"),
    "remaining_s": gettext_lazy("the time left"),
    "status": gettext_lazy("the status"),
    "delay_s": gettext_lazy("the delay"),
    "count": gettext_lazy("how often"),
    "window_s": gettext_lazy("within"),
    "same": gettext_lazy("what is the same"),
    "basis": gettext_lazy("how its time counts"),
    "conditions": gettext_lazy("its conditions"),
    "gates": gettext_lazy("its hours"),
    "actions": gettext_lazy("what it does"),
}


def changes_between(
    old: PolicyRevision, new: PolicyRevision, found: Difference | None = None
) -> list[str]:
    """What changes from one to the other, a sentence each; [] when nothing does.

    `found` is the difference of the two where the caller has it.
    """
    found = difference(old, new) if found is None else found
    if not found:
        return []
    fields = [step.fields for step in found.changed]
    names = names_in(found.settings, fields)
    return [*_settings(found, names), *_steps(found, names)]


def _settings(found: Difference, names: Names) -> list[str]:
    pattern = _("%(about)s: was %(was)s, becomes %(becomes)s.")
    return [
        pattern
        % {
            "about": ABOUT[name],
            "was": _setting(name, was, names),
            "becomes": _setting(name, becomes, names),
        }
        for name, (was, becomes) in found.settings.items()
    ]


def _setting(name: str, value: Any, names: Names) -> str:
    if name == "conditions":
        return applies_words(value, names)
    if name == "repeat_limit":
        return ngettext("at most once", "at most %(n)s times", value) % {"n": value}
    if name == "repeat_after_s":
        return duration(value)
    return _listed((str(STOPS[item]) for item in value if item in STOPS), _("or")) or _("never")


def _steps(found: Difference, names: Names) -> list[str]:
    lines = [_("Step “%(step)s” is removed.") % {"step": name} for name in found.removed]
    lines += [_("Step “%(step)s” is added.") % {"step": name} for name in found.added]
    for step in found.changed:
        lines += _step(step, names)
    return lines


def _step(step: StepChange, names: Names) -> list[str]:
    was, becomes = step.position
    lines = []
    if was != becomes:
        moved = _("Step “%(step)s” moves from place %(was)s to place %(becomes)s.")
        lines.append(moved % {"step": step.name, "was": was, "becomes": becomes})
    pattern = _("Step “%(step)s”: %(about)s was %(was)s, becomes %(becomes)s.")
    for name, (old, new) in step.fields.items():
        said = {"was": _field(name, old, names), "becomes": _field(name, new, names)}
        lines.append(pattern % {"step": step.name, "about": FIELDS.get(name, name), **said})
    return lines


def _field(name: str, value: Any, names: Names) -> str:
    """A field of a step as it is called; “nothing” where it is empty."""
    if value in (None, "", [], {}):
        return _("nothing")
    if name == "basis" and (calendar := calendar_of(value)):
        return names.of("calendar", calendar)
    return WORDS[name](value, names)


def _listed(parts: Any, word: str) -> str:
    return f" {word} ".join(parts)


def _label(enum: Any, value: Any) -> str:
    return inline(enum(value).label) if value in enum.values else str(value)


WORDS: Final[Mapping[str, Callable[[Any, Names], str]]] = {
    "name": lambda value, names: f"“{value}”",
    "trigger": lambda value, names: _label(PolicyStep.Trigger, value),
    "clock": lambda value, names: _label(ClockKind, value),
    "percent": lambda value, names: f"{value} %",
    "remaining_s": lambda value, names: duration(value),
    "status": lambda value, names: inline(states.LABELS.get(value, value)),
    "delay_s": lambda value, names: duration(value),
    "count": lambda value, names: str(value),
    "window_s": lambda value, names: duration(value),
    "same": lambda value, names: same_words(value),
    "basis": lambda value, names: _label(PolicyStep.Basis, value),
    "conditions": lambda value, names: _listed(
        (condition_words(item, names) for item in value), _("and")
    ),
    "gates": lambda value, names: _listed(gate_words(value), _("and")),
    "actions": lambda value, names: "; ".join(deed_words(item, names) for item in value),
}
"""How each field of a step is said."""
