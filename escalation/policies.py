"""Drafts and publishes policies: new immutable revisions, never changed ones."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Max

from escalation.models import ClockKind, Policy, PolicyRevision, PolicyStep
from escalation.targets import check_token
from roles import audit
from roles.instants import TimeSource, database_now
from roles.models import Duty, Person, Team
from roles.people import require
from roles.refusals import Conflict, Invalid
from tickets import states

FACTS = frozenset(
    {
        "kind",
        "priority",
        "impact",
        "service",
        "category",
        "organisation",
        "vip",
        "restricted",
        "source",
        "tags",
    }
)
TELLING = ("notify", "page", "involve")


@transaction.atomic
def draft_policy(
    *,
    policy: Policy,
    conditions: Sequence[Mapping[str, Any]],
    steps: Sequence[Mapping[str, Any]],
    repeat_limit: int = 0,
    repeat_after_s: int = 600,
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> PolicyRevision:
    """Replace the policy's draft; nothing running is touched.

    Each step is a mapping with the fields of PolicyStep; positions follow the order given. Raises
    Invalid with a sentence for each mistake, by its path such as "steps.2.actions.1".
    """
    require(actor, "manage_policies")
    problems = check_policy(conditions, steps) or unknown_names(steps)
    if problems:
        raise Invalid("bad_policy", "The policy has mistakes.", problems)
    now = clock()
    locked = Policy.objects.select_for_update().get(pk=policy.pk)
    drafts = PolicyRevision.objects.filter(policy=locked, published_at=None)
    PolicyStep.objects.filter(revision__in=drafts).delete()
    drafts.delete()
    newest = PolicyRevision.objects.filter(policy=locked).aggregate(number=Max("number"))["number"]
    revision = PolicyRevision.objects.create(
        policy=locked,
        number=(newest or 0) + 1,
        conditions=list(conditions),
        repeat_limit=repeat_limit,
        repeat_after_s=repeat_after_s,
        created_at=now,
        created_by=actor,
    )
    PolicyStep.objects.bulk_create(
        [
            PolicyStep(revision=revision, position=position, **step)
            for position, step in enumerate(steps, start=1)
        ]
    )
    return revision


@transaction.atomic
def publish_policy(
    *, policy: Policy, actor: Person | None = None, clock: TimeSource = database_now
) -> PolicyRevision:
    """Make the draft the current revision; climbs under way stay on the one they began with.

    Raises Conflict when there is no draft or it has no steps.
    """
    require(actor, "manage_policies")
    now = clock()
    locked = Policy.objects.select_for_update().get(pk=policy.pk)
    revision = PolicyRevision.objects.filter(policy=locked, published_at=None).first()
    if revision is None or not revision.steps.exists():
        raise Conflict("no_draft", f"“{locked}” has no draft with steps to publish.")
    before = locked.current.number if locked.current else None
    revision.published_at, revision.published_by = now, actor
    revision.save(update_fields=["published_at", "published_by"])
    locked.current = revision
    locked.save(update_fields=["current"])
    policy.current = revision
    audit.record(
        actor=actor,
        action="policy.published",
        subject=locked,
        changes={"revision": [before, revision.number]},
        clock=clock,
    )
    return revision


def check_policy(
    conditions: Sequence[Mapping[str, Any]], steps: Sequence[Mapping[str, Any]]
) -> dict[str, str]:
    """What is wrong with a policy, by path; empty when it is right."""
    problems: dict[str, str] = {}
    for number, condition in enumerate(conditions, start=1):
        if not _is_condition(condition):
            problems[f"conditions.{number}"] = (
                'Needs "fact" (one of ' + ", ".join(sorted(FACTS)) + ') and "is" or "not" with a'
                " value or a list of values."
            )
    if not steps:
        problems["steps"] = "A policy needs at least one step."
    for number, step in enumerate(steps, start=1):
        for place, problem in _step_problems(step).items():
            problems[f"steps.{number}{place}"] = problem
    return problems


def unknown_names(steps: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The teams, duties and people that steps name and the site does not have, by path."""
    known = {
        "team": set(Team.objects.values_list("slug", flat=True)),
        "duty": set(Duty.objects.values_list("slug", flat=True)),
        "person": set(Person.objects.values_list("username", flat=True)),
    }
    problems: dict[str, str] = {}
    for number, step in enumerate(steps, start=1):
        for place, action in enumerate(step["actions"], start=1):
            goals = action["to"] if isinstance(action["to"], list) else [str(action["to"])]
            for goal in goals:
                kind, _, name = goal.partition(":")
                kind = kind if kind in known else "team"
                if name and name not in known[kind]:
                    problems[f"steps.{number}.actions.{place}"] = f"There is no {kind} {name}."
    return problems


def _is_condition(condition: Mapping[str, Any]) -> bool:
    given = [name for name in ("is", "not") if name in condition]
    if condition.get("fact") not in FACTS or len(given) != 1 or len(condition) != 2:
        return False
    value = condition[given[0]]
    values = value if isinstance(value, list) else [value]
    return all(item is None or isinstance(item, str | int | bool) for item in values)


def _step_problems(step: Mapping[str, Any]) -> dict[str, str]:
    problems: dict[str, str] = {}
    trigger = str(step.get("trigger"))
    needed: dict[str, tuple[str, ...]] = {
        PolicyStep.Trigger.CLOCK_PERCENT: ("clock", "percent"),
        PolicyStep.Trigger.UNACKNOWLEDGED: ("delay_s",),
        PolicyStep.Trigger.IN_STATUS: ("status", "delay_s"),
        PolicyStep.Trigger.MANUAL: (),
    }
    if trigger not in needed:
        problems[".trigger"] = "Choose one of " + ", ".join(PolicyStep.Trigger.values) + "."
    for name in needed.get(trigger, ()):
        if step.get(name) in (None, ""):
            problems[f".{name}"] = "This trigger needs it."
    if step.get("clock") and step["clock"] not in ClockKind.values:
        problems[".clock"] = "Choose one of " + ", ".join(ClockKind.values) + "."
    if step.get("status") and step["status"] not in states.ALL:
        problems[".status"] = "Choose one of " + ", ".join(sorted(states.ALL)) + "."
    if not step.get("name"):
        problems[".name"] = "A step needs a name that says what it does."
    if not step.get("actions"):
        problems[".actions"] = "A step needs at least one action."
    for number, action in enumerate(step.get("actions") or (), start=1):
        problem = _action_problem(action)
        if problem:
            problems[f".actions.{number}"] = problem
    return problems


def _action_problem(action: Mapping[str, Any]) -> str:
    verb, goal = action.get("do"), action.get("to")
    if verb in TELLING:
        if not isinstance(goal, list) or not goal:
            return f'"{verb}" needs a list of targets, such as ["on_call"].'
        return " ".join(filter(None, (check_token(str(token)) for token in goal)))
    if verb == "move":
        named = isinstance(goal, str) and (goal == "next_tier" or goal.startswith("team:"))
        return "" if named else '"move" goes to "next_tier" or "team:…".'
    if verb == "raise_priority":
        return "" if goal in (1, 2, 3, 4) else '"raise_priority" needs 1 to 4.'
    return "Choose notify, page, involve, move or raise_priority."
