"""A policy's draft as rows of fields, each with its name, its value and what is wrong with it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django import forms
from django.utils import timezone
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from escalation.checking import FACTS as POLICY_FACTS
from escalation.checking import GOALLESS, NAMING, NEEDED, READERS, STEP_FACTS, TELLING
from escalation.gates import DAY_NAMES
from escalation.models import ClockKind, Policy, PolicyStep, StopOn
from escalation.policies import NAME_MAX
from escalation.steps import calendar_basis
from tickets import priority, states
from tickets.models import Kind, Source
from web.drafts import NOTHING, ONE_PERSON, UNITS, Draft, amount_of, value_texts
from web.forms.base import PageForm
from web.policynames import LONG, NAMELESS, Names
from web.prose import FACTS, STOPS, TRUTHS, WHOM, sentence_of, target_words
from web.wording import numbered, worded, worded_choices

AROUND: Final = tuple(WHOM)
PER_TEAM: Final = ("on_call", "lead", "manager", "team")
VERBS: Final = {
    "page": pgettext_lazy("act", "page"),
    "notify": gettext_lazy("tell"),
    "involve": gettext_lazy("call in (more authority)"),
    "move": gettext_lazy("move the ticket to"),
    "raise_priority": gettext_lazy("raise the priority to"),
    "propose_major": gettext_lazy("propose a major incident"),
    "restrict": gettext_lazy("put in the security lane"),
    "engage_vendor": gettext_lazy("engage the vendor"),
    "call_webhook": gettext_lazy("call the webhook"),
    "open_problem": gettext_lazy("open a problem for all"),
    "unacknowledge": gettext_lazy("let the acknowledgement lapse"),
}


def place_of(path: str) -> str:
    """The id of the place where the mistake at a path is shown."""
    return f"e-{path.replace('.', '-')}"


@dataclass(frozen=True, slots=True)
class ConditionRow:
    """One condition; an empty one is for the next."""

    at: str
    path: str
    fact: str = ""
    verb: str = "is"
    values: Sequence[str] = ()
    is_list: bool = False

    @property
    def suggestions(self) -> str:
        """The id of the names that are suggested as one types, of facts that have many."""
        return f"names-{self.fact}" if self.fact in LONG else ""

    @property
    def rows(self) -> list[str]:
        """Its values, each for a field of its own, and an empty one for the next."""
        return [*self.values, *([] if self.fact in TRUTHS and self.values else [""])]


@dataclass(frozen=True, slots=True)
class ActionRow:
    """One action with its targets, and an empty one for the next."""

    at: str
    path: str
    do: str = ""
    goals: Sequence[tuple[str, str]] = (("", ""),)
    """What is chosen for each, and the name that stands beside it where one person is meant."""

    @property
    def takes_goal(self) -> bool:
        """Whether it says to whom or what."""
        return self.do not in GOALLESS


@dataclass(frozen=True, slots=True)
class StepRows:
    """One step as its part of the form shows it."""

    at: str
    number: int
    values: Mapping[str, Any]
    amounts: Mapping[str, tuple[Any, str]]
    gates: Mapping[str, Any]
    conditions: Sequence[ConditionRow]
    actions: Sequence[ActionRow]
    sentence: str
    is_first: bool = False
    is_last: bool = False

    @property
    def path(self) -> str:
        """Where its mistakes are."""
        return f"steps.{self.number}"

    @property
    def is_narrowed(self) -> bool:
        """Whether it has conditions or gates."""
        return bool(self.gates or len(self.conditions) > 1)


@dataclass(frozen=True, slots=True)
class DraftForm:
    """The whole form of a draft, and what is wrong with it."""

    draft: Draft
    errors: Mapping[str, str]
    names: Names = NAMELESS

    @property
    def conditions(self) -> list[ConditionRow]:
        """The policy's own conditions, and an empty row."""
        return _conditions(self.draft.conditions, "c", "", self.names)

    @property
    def steps(self) -> list[StepRows]:
        """The steps in order."""
        last = len(self.draft.steps) - 1
        return [
            _step(step, place, self.names, is_last=place == last)
            for place, step in enumerate(self.draft.steps)
        ]

    @property
    def repeat_after(self) -> tuple[Any, str]:
        """After how long the ladder starts over: amount and unit."""
        return amount_of(self.draft.repeat_after_s)

    @property
    def paths(self) -> list[str]:
        """Every path at which the page has a place for a mistake."""
        found = ["steps", "stop_on", "repeat_limit", "repeat_after_s"]
        found += [row.path for row in self.conditions if row.fact]
        for step in self.steps:
            names = ("name", "trigger", *NEEDED.get(step.values.get("trigger", ""), ()))
            found += [f"{step.path}.{name}" for name in (*names, "gates", "actions")]
            found += [row.path for row in step.conditions if row.fact]
            found += [row.path for row in step.actions if row.do]
        return list(dict.fromkeys(found))


def _conditions(
    given: Sequence[Mapping[str, Any]], at: str, path: str, names: Names
) -> list[ConditionRow]:
    rows = []
    for place, item in enumerate(given):
        verb = "not" if "not" in item else "is"
        value, fact = item.get(verb), str(item.get("fact") or "")
        rows.append(
            ConditionRow(
                f"{at}{place}",
                f"{path}conditions.{place + 1}",
                fact,
                verb,
                [text for text in value_texts(fact, value, names) if text],
                isinstance(value, list),
            )
        )
    return [*rows, ConditionRow(f"{at}{len(rows)}", f"{path}conditions.{len(rows) + 1}")]


def _step(step: Mapping[str, Any], place: int, names: Names, *, is_last: bool) -> StepRows:
    at, path = f"s{place}", f"steps.{place + 1}."
    actions = [
        ActionRow(f"{at}-a{number}", f"{path}actions.{number + 1}", item["do"], _goals(item, names))
        for number, item in enumerate(step.get("actions") or ())
    ]
    actions.append(ActionRow(f"{at}-a{len(actions)}", f"{path}actions.{len(actions) + 1}"))
    return StepRows(
        at=at,
        number=place + 1,
        values=step,
        amounts={
            name: amount_of(step.get(name)) for name in ("delay_s", "remaining_s", "window_s")
        },
        gates=step.get("gates") or {},
        conditions=_conditions(step.get("conditions") or (), f"{at}-c", path, names),
        actions=actions,
        sentence=sentence_of(step, names),
        is_first=place == 0,
        is_last=is_last,
    )


def _goals(action: Mapping[str, Any], names: Names) -> list[tuple[str, str]]:
    goal = action.get("to")
    if isinstance(goal, list):
        return [*(_chosen(str(token), names) for token in goal), ("", "")]
    return [(str(goal), "")] if goal not in (None, "") else [("", "")]


def _chosen(token: str, names: Names) -> tuple[str, str]:
    kind, _mark, who = token.partition(":")
    return (ONE_PERSON, names.label(ONE_PERSON, who)) if kind == ONE_PERSON else (token, "")


def choices(names: Names) -> dict[str, Any]:
    """What the selects and suggestions of the form offer."""
    calendars = [
        (calendar_basis(slug), name) for slug, name in names.by_kind.get("calendar", {}).items()
    ]
    return {
        "triggers": worded_choices(PolicyStep.Trigger.choices),
        "clocks": worded_choices(ClockKind.choices),
        "statuses": [(name, worded(states.LABELS[name])) for name in sorted(states.OPEN)],
        "sames": worded_choices(PolicyStep.Same.choices),
        "bases": [*worded_choices(PolicyStep.Basis.choices), *calendars],
        "units": list(UNITS),
        "facts": [(name, FACTS[name]) for name in FACTS if name in POLICY_FACTS],
        "step_facts": [(name, FACTS[name]) for name in FACTS if name in STEP_FACTS],
        "verbs": [(name, VERBS.get(name, name)) for name in READERS],
        "goals": _goal_options(names),
        "values": _value_options(names),
        "names": [(f"names-{kind}", [*names.labels(kind).values()]) for kind in sorted(LONG)],
        "stops": [(value, STOPS[value]) for value in StopOn.values],
        "weekdays": [(day, worded(name)) for day, name in enumerate(DAY_NAMES)],
        "priorities": range(1, 6),
    }


def _goal_options(names: Names) -> dict[str, SafeString]:
    """By action, the options of whom or what it may mean."""
    teams = names.by_kind.get("team", {})
    groups = [
        (_("Of the ticket"), [(token, WHOM[token]) for token in AROUND]),
        (_("Duties"), [(f"duty:{slug}", name) for slug, name in names.labels("duty").items()]),
        *((name, _of_team(slug, names)) for slug, name in teams.items()),
        (_("Somebody"), [(ONE_PERSON, _("one person…"))]),
    ]
    told = format_html_join(
        "", '<optgroup label="{}">{}</optgroup>', ((name, _options(rows)) for name, rows in groups)
    )
    towards = [("next_tier", _("the next tier"))]
    towards += [(f"team:{slug}", name) for slug, name in names.labels("team").items()]
    return {
        **dict.fromkeys(TELLING, told),
        "move": _options(towards),
        "raise_priority": _options(numbered(priority.LABELS, "P")[:4]),
        **{verb: _options(names.labels(kind).items()) for verb, kind in NAMING.items()},
    }


def _of_team(slug: str, names: Names) -> list[tuple[str, str]]:
    return [(f"{token}:{slug}", target_words(f"{token}:{slug}", names)) for token in PER_TEAM]


def _value_options(names: Names) -> dict[str, SafeString]:
    """By fact, the options of what a condition may ask for; typed facts have none."""
    nothing = (NOTHING, _("none"))
    found: dict[str, Iterable[tuple[Any, Any]]] = {
        "kind": worded_choices(Kind.choices),
        "priority": numbered(priority.LABELS, "P"),
        "impact": numbered(priority.LEVELS),
        "source": worded_choices(Source.choices),
        "status": [(name, worded(label)) for name, label in states.LABELS.items()],
        "team": [*names.labels("team").items(), nothing],
        "tier": [*names.labels("tier").items(), nothing],
        **{fact: [("yes", _("yes")), ("no", _("no"))] for fact in TRUTHS},
    }
    return {fact: _options(rows) for fact, rows in found.items()}


def _options(rows: Iterable[tuple[Any, Any]]) -> SafeString:
    return format_html_join("", '<option value="{}">{}</option>', rows)


def with_chosen(options: SafeString, value: str) -> SafeString:
    """The options with one selected; one that is not offered any more is added as it stands."""
    if not value:
        return options
    begins = f'<option value="{escape(value)}"'
    if begins not in options:
        return options + format_html('<option value="{}" selected>{}</option>', value, value)
    return mark_safe(options.replace(begins, f"{begins} selected", 1))  # noqa: S308 (escaped)


# ---- Short forms ---------------------------------------------------------------------------------


class NewPolicyForm(PageForm):
    """What a new policy is called, and how it stands to the others."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=NAME_MAX,
        help_text=gettext_lazy("What it is for, such as “Databases, P1 and P2”."),
        error_messages={"required": gettext_lazy("Give it a name.")},
    )
    mode = forms.ChoiceField(
        label=gettext_lazy("How does it run?"),
        choices=worded_choices(Policy.Mode.choices),
        widget=forms.RadioSelect,
        initial=Policy.Mode.MAIN,
    )


class MoveForm(PageForm):
    """Why running climbs are moved to the current revision."""

    reason = forms.CharField(
        label=gettext_lazy("Why?"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": gettext_lazy("Say why; each ticket's timeline tells it.")},
    )


class WindowForm(PageForm):
    """Which tickets of the past a simulation plays."""

    since = forms.DateField(
        label=gettext_lazy("Tickets opened from"), widget=forms.DateInput(attrs={"type": "date"})
    )
    until = forms.DateField(
        label=gettext_lazy("up to"), widget=forms.DateInput(attrs={"type": "date"})
    )

    def __init__(self, *args: Any, months: int = 1, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        today = timezone.localdate()
        self.initial.setdefault(
            "since", (today - timedelta(days=round(30.44 * months))).isoformat()
        )
        self.initial.setdefault("until", (today + timedelta(days=1)).isoformat())
