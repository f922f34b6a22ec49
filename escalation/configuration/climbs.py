"""The section of policies: when each applies, its steps, how often they repeat, what stops it."""

from collections.abc import Mapping
from typing import Final

from django.db.models import Model

from escalation.checking import check_policy
from escalation.configuration.promises import POSITION
from escalation.configuration.reading import Reading
from escalation.configuration.records import Field, Record
from escalation.configuration.section import Change, Hand, Item, Section, find
from escalation.configuration.shapes import Choice, Duration, Flag, Many, Text, Whole
from escalation.configuration.steps import (
    CONDITION,
    STEP,
    fields_of,
    item_of,
    names_in_action,
    names_used,
    shown_path,
)
from escalation.models import Policy, PolicyRevision, PolicyStep, StopOn, Vendor
from escalation.policies import draft_policy, publish_policy
from escalation.register import set_policy
from roles.models import Duty, Person, Team

MADE_BY_FILE: Final[dict[str, type[Model]]] = {"team": Team, "duty": Duty, "vendor": Vendor}


def _policies() -> dict[str, Item]:
    rows = Policy.objects.select_related("current").order_by("position", "id")
    steps: dict[int, list[Item]] = {}
    current = PolicyStep.objects.filter(revision__in=rows.order_by().values("current"))
    for step in current.order_by("revision", "position"):
        steps.setdefault(step.revision_id, []).append(item_of(step))
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
        "stop_on": sorted(set(now.stop_on)),
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
    if not change.rewords:
        return
    _await_names(item)
    draft_policy(
        policy=policy,
        conditions=item["conditions"],
        steps=[fields_of(step) for step in item["steps"]],
        repeat_limit=item["repeat_limit"],
        repeat_after_s=item["repeat_after"],
        stop_on=item["stop_on"],
        **hand.by,
    )
    publish_policy(policy=policy, **hand.by)


def _await_names(item: Item) -> None:
    """Raise Awaiting while something that a step names is still to be made by the same file."""
    for step in item["steps"]:
        for action in step["actions"]:
            for kind, name in names_in_action(action):
                if kind in MADE_BY_FILE:
                    find(MADE_BY_FILE[kind], name)
                elif kind == "person":
                    find(Person, name, "username")


def _check(item: Item, path: str, reading: Reading) -> None:
    """What a policy's own check says of it, at the lines where it stands, and every name in it."""
    known = {mistake.path for mistake in reading.mistakes}
    if "steps" in item:
        steps = [fields_of(step) for step in item["steps"]]
        problems = check_policy(item.get("conditions", []), steps, item.get("stop_on", ()))
        for place, reason in problems.items():
            shown = f"{path}.{shown_path(place)}"
            # What could not even be read has been told in better words.
            if not any(told == shown or told.startswith(f"{shown}.") for told in known):
                reading.wrong_at(shown, reason)
    reading.uses.extend(names_used(item, path, reading))


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
            "conditions": Field(Many(CONDITION), default=[], is_wording=True),
            "steps": Field(Many(STEP), is_wording=True),
            "repeat_limit": Field(Whole(0, 32_767), default=0, is_wording=True),
            "repeat_after": Field(Duration(), default=600, is_wording=True),
            "stop_on": Field(
                Many(Choice(tuple(StopOn.values)), unordered=True, inline=True),
                default=[],
                is_wording=True,
            ),
        },
        whole=False,
    ),
    present=_policies,
    write=_write_policy,
    check=_check,
)
