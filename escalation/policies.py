"""Drafts and publishes policies: new immutable revisions, never changed ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.text import slugify

from escalation.checking import check_policy, unknown_names
from escalation.difference import Difference, difference
from escalation.models import Policy, PolicyRevision, PolicyStep
from escalation.touching import Touched, touched
from roles import audit
from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.people import require
from roles.refusals import Conflict, Invalid

NAME_MAX = 120
TAKEN = frozenset({"new"})
"""Slugs that stand for a page of their own."""


@transaction.atomic
def add_policy(
    *,
    name: str,
    mode: str = Policy.Mode.MAIN,
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> Policy:
    """A new policy with nothing in it, tried after all others; it does nothing before it has
    a published draft.

    Raises Forbidden, Invalid for a name without a letter or digit, Conflict for one that is taken.
    """
    require(actor, "manage_policies")
    named = name.strip()
    slug = slugify(named)[:80]
    if not slug or len(named) > NAME_MAX or mode not in Policy.Mode.values:
        wrong = f"A name of 1 to {NAME_MAX} characters, letters or digits among them."
        raise Invalid("bad_name", "This policy cannot be added.", {"name": wrong})
    if slug in TAKEN or Policy.objects.filter(slug=slug).exists():
        raise Conflict("name_taken", f"There is a policy named {named} already.")
    last = Policy.objects.aggregate(position=Max("position"))["position"] or 0
    added = Policy.objects.create(slug=slug, name=named, mode=mode, position=last + 10)
    changes = {"name": [None, named], "mode": [None, mode], "position": [None, added.position]}
    audit.record(actor=actor, action="policy.added", subject=added, changes=changes, clock=clock)
    return added


@transaction.atomic
def draft_policy(
    *,
    policy: Policy,
    conditions: Sequence[Mapping[str, Any]],
    steps: Sequence[Mapping[str, Any]],
    repeat_limit: int = 0,
    repeat_after_s: int = 600,
    stop_on: Sequence[str] = (),
    read: int | None = None,
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> PolicyRevision:
    """Replace the policy's draft; nothing running is touched.

    Each step is a mapping with the fields of PolicyStep; positions follow the order given. `read`
    is what `newest_of` told when the writer began. Raises Invalid with a sentence for each mistake,
    by its path such as "steps.2.actions.1", and Conflict where somebody wrote another meanwhile.
    """
    require(actor, "manage_policies")
    problems = check_policy(conditions, steps, stop_on) or unknown_names(steps)
    if problems:
        raise Invalid("bad_policy", "The policy has mistakes.", problems)
    now = clock()
    locked = Policy.objects.select_for_update().get(pk=policy.pk)
    _check_read(locked, read)
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
        stop_on=list(stop_on),
        created_at=now,
        created_by=actor,
    )
    PolicyStep.objects.bulk_create(
        [
            PolicyStep(revision=revision, position=position, **filled(step))
            for position, step in enumerate(steps, start=1)
        ]
    )
    return revision


def filled(step: Mapping[str, Any]) -> dict[str, Any]:
    """The step with nothing left open that the table wants filled."""
    empty = {"conditions": [], "gates": {}, "clock": "", "status": "", "same": ""}
    return {**step, **{name: step.get(name) or value for name, value in empty.items()}}


def newest_of(policy: Policy) -> int:
    """The id of the revision that a writer finds: the draft, else the current one; 0 for none."""
    draft = PolicyRevision.objects.filter(policy=policy.pk, published_at=None).first()
    return draft.pk if draft else policy.current_id or 0


def _check_read(locked: Policy, read: int | None) -> None:
    """Every draft that is kept is a row of its own, so its id tells whether it is the one read."""
    if read is None or read == newest_of(locked):
        return
    drafts = PolicyRevision.objects.filter(policy=locked, published_at=None)
    draft = drafts.select_related("created_by").first()
    if draft is None:
        raise Conflict("draft_changed", "This draft was published meanwhile.")
    who = draft.created_by or "Somebody"
    raise Conflict("draft_changed", f"{who} kept another draft meanwhile.")


@dataclass(frozen=True, slots=True)
class Publication:
    """A revision about to be in force, or in force now: what it changes, and whom it touches."""

    revision: PolicyRevision
    difference: Difference
    touched: Touched


def preview(*, policy: Policy, actor: Person | None) -> Publication:
    """What publishing the draft would come to, for this reader; nothing is written.

    Raises Conflict when there is no draft or it has no steps.
    """
    revision = PolicyRevision.objects.filter(policy=policy.pk, published_at=None).first()
    if revision is None or not revision.steps.exists():
        raise Conflict("no_draft", f"“{policy}” has no draft with steps to publish.")
    return Publication(
        revision=revision,
        difference=difference(policy.current, revision),
        touched=touched(policy, revision, actor),
    )


@transaction.atomic
def publish_policy(
    *,
    policy: Policy,
    read: int | None = None,
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> Publication:
    """Make the draft the current revision; climbs under way stay on the one they began with.

    Returns what changed and which open tickets stay on an older revision; `moving.move_runs` moves
    them. `read` is the id of the draft that was looked at. Raises Conflict when there is no draft,
    it has no steps, or it is another one by now.
    """
    require(actor, "manage_policies")
    now = clock()
    locked = Policy.objects.select_for_update().get(pk=policy.pk)
    published = preview(policy=locked, actor=actor)
    _check_read(locked, read)
    revision = published.revision
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
        changes={
            "revision": [before, revision.number],
            "difference": published.difference.sentences if before else [],
        },
        clock=clock,
    )
    return published
