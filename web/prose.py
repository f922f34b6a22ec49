"""A policy in sentences: when each step goes, whom it tells and what it does, as a ladder."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from escalation.checking import NAMING
from escalation.explain import duration
from escalation.gates import DAY_NAMES
from escalation.models import ClockKind, PolicyRevision, PolicyStep
from tickets import priority, states
from tickets.models import Kind, Source
from web.policynames import KINDS, NAMELESS, Names
from web.wording import inline, worded

Step = Mapping[str, Any]
"""A step as drafts carry it: the fields of PolicyStep."""

FACTS: Final = {
    "kind": gettext_lazy("the kind"),
    "priority": gettext_lazy("the priority"),
    "impact": gettext_lazy("the impact"),
    "service": gettext_lazy("the service"),
    "category": gettext_lazy("the category"),
    "organisation": gettext_lazy("the organisation"),
    "vip": gettext_lazy("the requester is a VIP"),
    "restricted": gettext_lazy("the ticket is restricted"),
    "major": gettext_lazy("a major incident is declared"),
    "source": gettext_lazy("the source"),
    "tags": gettext_lazy("a tag"),
    "team": gettext_lazy("the team"),
    "tier": gettext_lazy("the tier"),
    "status": gettext_lazy("the status"),
    "acknowledged": gettext_lazy("it is acknowledged"),
}
TRUTHS: Final = {
    "vip": gettext_lazy("the requester is no VIP"),
    "restricted": gettext_lazy("the ticket is not restricted"),
    "major": gettext_lazy("no major incident is declared"),
    "acknowledged": gettext_lazy("it is not acknowledged"),
}
"""Facts that are true or not, and how it is said that they are not."""
LABELLED: Final[Mapping[str, Mapping[str, str]]] = {
    "kind": dict(Kind.choices),
    "source": dict(Source.choices),
    "status": states.LABELS,
}
"""Facts whose values are words of ours."""

WHOM: Final = {
    "on_call": gettext_lazy("whoever is on call for the ticket's team"),
    "team": gettext_lazy("everybody of the ticket's team"),
    "lead": gettext_lazy("the team's lead"),
    "manager": gettext_lazy("the team's manager"),
    "assignee": gettext_lazy("the assignee"),
    "owner": gettext_lazy("the owner"),
    "requester": gettext_lazy("the requester"),
    "watchers": gettext_lazy("everybody who watches"),
}
WHOM_OF: Final = {
    "on_call": gettext_lazy("whoever is on call for %(name)s"),
    "team": gettext_lazy("everybody of %(name)s"),
    "lead": gettext_lazy("the lead of %(name)s"),
    "manager": gettext_lazy("the manager of %(name)s"),
    "duty": gettext_lazy("the %(name)s"),
    "person": gettext_lazy("%(name)s"),
}
DEEDS: Final = {
    "notify": gettext_lazy("tell %(whom)s"),
    "page": gettext_lazy("page %(whom)s"),
    "involve": gettext_lazy("call in %(whom)s"),
    "raise_priority": gettext_lazy("raise the priority to P%(goal)s"),
    "engage_vendor": gettext_lazy("engage the vendor %(goal)s"),
    "call_webhook": gettext_lazy("call the webhook %(goal)s"),
    "propose_major": gettext_lazy("propose a major incident"),
    "restrict": gettext_lazy("restrict it and put it in the security lane"),
    "open_problem": gettext_lazy("open a problem for all of them"),
    "unacknowledge": gettext_lazy("let the acknowledgement lapse, so that the ladder goes on"),
}
STOPS: Final = {
    "acknowledged": gettext_lazy("somebody acknowledges it"),
    "taken": gettext_lazy("somebody takes it"),
    "first_response": gettext_lazy("the requester has a first answer"),
    "moved": gettext_lazy("it moves to another team"),
}


@dataclass(frozen=True, slots=True)
class Rung:
    """One step as people read it: its mark on the time line, when, under what, and what it does."""

    position: int
    name: str
    mark: str
    when: str
    unless: Sequence[str]
    deeds: Sequence[str]


@dataclass(frozen=True, slots=True)
class Line:
    """The steps that one thing sets off, in the order in which they come."""

    title: str
    rungs: Sequence[Rung]


def plain(revision: PolicyRevision) -> list[dict[str, Any]]:
    """The steps of a stored revision as mappings, in order; one query unless prefetched."""
    return [as_mapping(row) for row in sorted(revision.steps.all(), key=_position)]


def _position(row: PolicyStep) -> int:
    return row.position


def as_mapping(row: PolicyStep) -> dict[str, Any]:
    """A stored step with what its trigger says and nothing that is empty."""
    names = ("name", "trigger", "clock", "percent", "remaining_s", "status", "delay_s", "count")
    found = {name: getattr(row, name) for name in (*names, "window_s", "same", "basis")}
    kept = {name: value for name, value in found.items() if value not in (None, "")}
    kept |= {name: value for name in ("conditions", "gates") if (value := getattr(row, name))}
    return {**kept, "actions": row.actions}


def lines_of(steps: Sequence[Step], names: Names = NAMELESS) -> list[Line]:
    """The ladder: what is due while nobody acknowledges, by each clock, and for other reasons."""
    groups: dict[str, list[tuple[float, int]]] = {}
    for place, step in enumerate(steps):
        groups.setdefault(_title(step), []).append((_order(step), place))
    return [
        Line(title, [rung_of(steps[place], place + 1, names) for _order_, place in sorted(found)])
        for title, found in groups.items()
    ]


def rung_of(step: Step, position: int, names: Names = NAMELESS) -> Rung:
    """One step as people read it."""
    return Rung(
        position=position,
        name=str(step.get("name") or ""),
        mark=_mark(step),
        when=when_words(step),
        unless=[*_under(step, names)],
        deeds=[
            deed_words(action, names) for action in step.get("actions") or () if action.get("do")
        ],
    )


def sentence_of(step: Step, names: Names = NAMELESS) -> str:
    """The whole step as one sentence."""
    rung = rung_of(step, 0, names)
    under = _joined([rung.when, *rung.unless], _("and"))
    deeds = "; ".join(rung.deeds) or _("nothing yet")
    return f"{under}: {deeds}."


def _joined(parts: Iterable[str], word: str) -> str:
    return f" {word} ".join(parts)


def _title(step: Step) -> str:
    trigger = step.get("trigger")
    if trigger == "unacknowledged":
        return _("While nobody acknowledges")
    if trigger in ("clock_percent", "clock_remaining"):
        return _("By the %(clock)s clock") % {"clock": _clock(step)}
    if trigger == "manual":
        return _("By hand only")
    return _("When something happens")


def _order(step: Step) -> float:
    trigger = step.get("trigger")
    if trigger == "unacknowledged":
        return float(step.get("delay_s") or 0)
    if trigger == "clock_percent":
        return float(step.get("percent") or 0)
    if trigger == "clock_remaining":
        return 100 - float(step.get("remaining_s") or 0) / 1e6
    return 0


def _clock(step: Step) -> str:
    kind = step.get("clock") or ""
    return inline(ClockKind(kind).label) if kind in ClockKind.values else "…"


def _mark(step: Step) -> str:
    trigger = step.get("trigger")
    if trigger in ("clock_percent", "risk"):
        return f"{step.get('percent') or '…'} %"
    if trigger == "clock_remaining":
        return f"\u2212{_span(step.get('remaining_s'))}"
    if trigger in ("unacknowledged", "silent", "in_status", "since_start"):
        return _("at once") if step.get("delay_s") == 0 else _span(step.get("delay_s"))
    count = step.get("count")
    return f"{count}\u00d7" if count else "\u2022"


def _span(seconds: Any) -> str:
    return duration(seconds) if isinstance(seconds, int) else "…"


def same_words(same: Any) -> str:
    """What tickets have in common, within a sentence."""
    return inline(PolicyStep.Same(same).label) if same in PolicyStep.Same.values else "…"


def when_words(step: Step) -> str:
    """When the step is due, as the beginning of a sentence."""
    trigger = step.get("trigger")
    values = {
        "clock": _clock(step),
        "percent": step.get("percent") or "…",
        "left": _span(step.get("remaining_s")),
        "delay": _span(step.get("delay_s")),
        "window": _span(step.get("window_s")),
        "status": inline(states.LABELS.get(step.get("status") or "", "…")),
        "count": step.get("count") or "…",
        "same": same_words(step.get("same")),
    }
    times = step.get("count") if isinstance(step.get("count"), int) else 2
    values["times"] = ngettext("once", "%(count)s times", times or 2) % {"count": values["count"]}
    if step.get("delay_s") == 0 and trigger in AT_ONCE:
        return str(AT_ONCE[trigger])
    return str(WHEN.get(str(trigger), gettext_lazy("When it is due"))) % values


AT_ONCE: Final = {
    "unacknowledged": gettext_lazy("At once, if nobody has acknowledged it"),
    "since_start": gettext_lazy("As soon as the policy begins"),
}
WHEN: Final = {
    "clock_percent": gettext_lazy("When the %(clock)s clock reaches %(percent)s %%"),
    "clock_remaining": gettext_lazy("When %(left)s are left on the %(clock)s clock"),
    "unacknowledged": gettext_lazy("When nobody has acknowledged it for %(delay)s"),
    "silent": gettext_lazy("When it is acknowledged and nothing has happened for %(delay)s"),
    "in_status": gettext_lazy("When it has been %(status)s for %(delay)s"),
    "since_start": gettext_lazy("When the policy has run for %(delay)s"),
    "reopened": gettext_lazy("When it is reopened %(times)s"),
    "handed_over": gettext_lazy("When it is handed over %(times)s"),
    "chased": gettext_lazy("When the requester has chased it %(times)s"),
    "ping_pong": gettext_lazy("When it returns %(times)s to a team that it had left"),
    "repeated": gettext_lazy("When %(count)s tickets of the same %(same)s come within %(window)s"),
    "flapping": gettext_lazy("When %(count)s alerts come within %(window)s"),
    "risk": gettext_lazy("When the risk of missing a target reaches %(percent)s %%"),
    "manual": gettext_lazy("When somebody calls it"),
}


def _under(step: Step, names: Names) -> list[str]:
    """The conditions and gates of a step, a clause each."""
    found = [condition_words(item, names) for item in step.get("conditions") or ()]
    return [*found, *gate_words(step.get("gates") or {})]


def condition_words(condition: Mapping[str, Any], names: Names = NAMELESS) -> str:
    """One condition as a clause, such as “the priority is 1 or 2”."""
    fact = str(condition.get("fact") or "")
    is_not = "not" in condition
    value = condition["not"] if is_not else condition.get("is")
    about = str(FACTS.get(fact, fact))
    if fact in TRUTHS and isinstance(value, bool):
        return about if value != is_not else str(TRUTHS[fact])
    values = value if isinstance(value, list) else [value]
    named = _joined((value_words(fact, item, names) for item in values), _("or"))
    text = _("%(about)s is not %(value)s") if is_not else _("%(about)s is %(value)s")
    return text % {"about": about, "value": named}


def value_words(fact: str, value: Any, names: Names = NAMELESS) -> str:
    """What a condition asks a fact to be, as it is called."""
    if value is None:
        return _("none")
    if fact == "priority":
        return f"P{value}"
    if fact == "impact":
        return inline(priority.LEVELS.get(value, value))
    if fact in LABELLED:
        return inline(LABELLED[fact].get(str(value), value))
    return names.of(fact, value) if fact in KINDS else f"“{value}”"


def gate_words(gates: Mapping[str, Any]) -> list[str]:
    """The gate as clauses: on which days, between which times, for which priorities."""
    parts: list[str] = []
    hours = []
    if gates.get("weekdays"):
        hours.append(
            " ".join(worded(DAY_NAMES[day]) for day in gates["weekdays"] if day in range(7))
        )
    if gates.get("from") or gates.get("until"):
        hours.append(f"{gates.get('from', '00:00')}\u2013{gates.get('until', '24:00')}")
    places = {"team": _("in the team's hours"), "responder": _("in each person's own time")}
    if gates.get("zone"):
        hours.append(places.get(gates["zone"], f"({gates['zone']})"))
    if hours:
        parts.append(_("it is %(hours)s") % {"hours": " ".join(hours)})
    if gates.get("priorities"):
        named = _joined((f"P{item}" for item in gates["priorities"]), _("or"))
        parts.append(_("the priority is %(value)s") % {"value": named})
    if parts and gates.get("otherwise") == "hold":
        parts[-1] += " " + _("(else it waits until then)")
    if gates.get("hold_for_shift"):
        parts.append(_("somebody is on call (else it waits for the next shift)"))
    return parts


def deed_words(action: Mapping[str, Any], names: Names = NAMELESS) -> str:
    """One action as a clause, such as “page whoever is on call for the ticket's team”."""
    verb, goal = str(action.get("do") or ""), action.get("to")
    if verb == "move":
        if goal == "next_tier":
            return _("move it to the next tier")
        team = names.of("team", str(goal).removeprefix("team:")) if goal else "…"
        return _("move it to %(goal)s") % {"goal": team}
    text = DEEDS.get(verb)
    if text is None:
        return verb.replace("_", " ")
    targets = goal if isinstance(goal, list) else []
    whom = _joined((target_words(str(token), names) for token in targets), _("and")) or "…"
    if verb in NAMING and goal:
        goal = names.of(NAMING[verb], goal)
    return str(text) % {"whom": whom, "goal": goal if goal not in (None, "") else "…"}


def target_words(token: str, names: Names = NAMELESS) -> str:
    """A target in words; one that nobody knows as it stands."""
    name, _mark, argument = token.partition(":")
    if not argument or name not in WHOM_OF:
        return str(WHOM.get(name, token))
    kind = name if name in ("duty", "person") else "team"
    called = names.of(kind, argument)
    return str(WHOM_OF[name]) % {"name": inline(called) if kind == "duty" else called}


def applies_words(conditions: Sequence[Mapping[str, Any]], names: Names = NAMELESS) -> str:
    """To which tickets a policy applies, as a clause."""
    if not conditions:
        return _("every ticket")
    joined = _joined((condition_words(item, names) for item in conditions), _("and"))
    return _("tickets for which %(conditions)s") % {"conditions": joined}
