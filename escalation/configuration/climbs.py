"""The section of policies: when each applies, its steps, and how often they repeat."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from django.db.models import Model

from escalation.configuration.promises import POSITION
from escalation.configuration.records import Field, Record
from escalation.configuration.section import Change, Hand, Item, Section, find
from escalation.configuration.shapes import (
    Choice,
    Duration,
    Flag,
    Many,
    Plain,
    Reading,
    Text,
    Use,
    Whole,
)
from escalation.models import ClockKind, Policy, PolicyRevision, PolicyStep
from escalation.policies import check_policy, draft_policy, publish_policy
from escalation.register import set_policy
from roles.models import Duty, Person, Team
from tickets import states

SECONDS: Final = {"delay": "delay_s"}
"""Durations by the name that the file has for a step's field."""
OWN: Final = {"repeat_after": "repeat_after_s"}
FACT_KINDS: Final = {name: name for name in ("service", "category", "organisation")}
TARGET_KINDS: Final = {
    "team": "team",
    "on_call": "team",
    "lead": "team",
    "manager": "team",
    "duty": "duty",
    "person": "person",
}
TARGET_MODELS: Final[dict[str, type[Model]]] = {"team": Team, "duty": Duty, "person": Person}

STEP = Record(
    {
        "name": Field(Text(120, may_be_empty=False)),
        "trigger": Field(Choice(tuple(PolicyStep.Trigger.values))),
        "clock": Field(Choice(tuple(ClockKind.values), may_be_empty=True), default=""),
        "percent": Field(Whole(1, 10_000, may_be_none=True), default=None),
        "status": Field(Choice(tuple(sorted(states.ALL)), may_be_empty=True), default=""),
        "delay": Field(Duration(), default=None),
        "basis": Field(Choice(tuple(PolicyStep.Basis.values)), default="auto"),
        "actions": Field(Many(Plain())),
    }
)


def fields_of(step: Mapping[str, Any]) -> dict[str, Any]:
    """A step of the file as the fields of PolicyStep."""
    return {SECONDS.get(name, name): value for name, value in step.items()}


def _step_item(step: PolicyStep) -> Item:
    """A stored step as the file has it, without what is the default anyway."""
    found = {name: getattr(step, SECONDS.get(name, name)) for name in STEP.fields}
    return {name: value for name, value in found.items() if value != STEP.fields[name].default}


def _policies() -> dict[str, Item]:
    rows = Policy.objects.select_related("current").order_by("position", "id")
    steps: dict[int, list[Item]] = {}
    current = PolicyStep.objects.filter(revision__in=rows.values("current"))
    for step in current.order_by("revision", "position"):
        steps.setdefault(step.revision_id, []).append(_step_item(step))
    return {row.slug: _policy_item(row, steps) for row in rows}


def _policy_item(row: Policy, steps: Mapping[int, list[Item]]) -> Item:
    now = row.current or PolicyRevision()
    return {
        "name": row.name,
        "description": row.description,
        "position": row.position,
        "mode": row.mode,
        "active": row.is_active,
        "conditions": now.conditions,
        "steps": steps.get(now.pk, []),
        "repeat_limit": now.repeat_limit,
        "repeat_after": now.repeat_after_s,
    }


def _write_policy(change: Change, hand: Hand) -> None:
    item = change.after
    policy = set_policy(
        slug=change.key,
        name=item["name"],
        description=item["description"],
        position=item["position"],
        mode=item["mode"],
        is_active=item["active"],
        **hand.because,
    )
    if change.rewords:
        for use in _targets_used(item, change.path, Reading()):
            find(TARGET_MODELS[use.kind], use.name, "username" if use.kind == "person" else "slug")
        wording = {OWN.get(name, name): item[name] for name in change.section.wording}
        wording["steps"] = [fields_of(step) for step in item["steps"]]
        draft_policy(policy=policy, **wording, **hand.by)
        publish_policy(policy=policy, **hand.by)


def _check(item: Item, path: str, reading: Reading) -> None:
    """What a policy's own check says of it, at the lines where it stands, and every name in it."""
    if "steps" not in item and "conditions" not in item:
        return
    steps = [fields_of(step) for step in item.get("steps", [])]
    for place, reason in check_policy(item.get("conditions", []), steps).items():
        words = place.split(".")
        shown = ".".join(word.removesuffix("_s") for word in words)
        reading.wrong_at(f"{path}.{shown}", reason)
    for use in (*_facts_used(item, path, reading), *_targets_used(item, path, reading)):
        reading.uses.append(use)


def _facts_used(item: Item, path: str, reading: Reading) -> Iterator[Use]:
    for number, condition in enumerate(item.get("conditions", []), start=1):
        kind = (
            FACT_KINDS.get(str(condition.get("fact"))) if isinstance(condition, Mapping) else None
        )
        if kind is None:
            continue
        place = f"{path}.conditions.{number}"
        given = condition.get("is", condition.get("not"))
        for name in given if isinstance(given, list) else [given]:
            if isinstance(name, str):
                yield Use(kind, name, reading.line_of(place), place)


def _targets_used(item: Item, path: str, reading: Reading) -> Iterator[Use]:
    for number, step in enumerate(item.get("steps", []), start=1):
        for which, action in enumerate(step.get("actions", []), start=1):
            place = f"{path}.steps.{number}.actions.{which}"
            goal = action.get("to") if isinstance(action, Mapping) else None
            for token in goal if isinstance(goal, list) else [goal]:
                word, _, name = str(token).partition(":")
                if name and word in TARGET_KINDS:
                    yield Use(TARGET_KINDS[word], name, reading.line_of(place), place)


POLICIES = Section(
    name="policies",
    kind="policy",
    record=Record(
        {
            "name": Field(Text(120, may_be_empty=False)),
            "description": Field(Text(), default=""),
            "position": POSITION,
            "mode": Field(Choice(tuple(Policy.Mode.values)), default=Policy.Mode.MAIN.value),
            "active": Field(Flag(), default=True),
            "conditions": Field(Many(Plain()), default=[], is_wording=True),
            "steps": Field(Many(STEP), is_wording=True),
            "repeat_limit": Field(Whole(0, 32_767), default=0, is_wording=True),
            "repeat_after": Field(Duration(), default=600, is_wording=True),
        },
        whole=False,
    ),
    present=_policies,
    write=_write_policy,
    check=_check,
)
