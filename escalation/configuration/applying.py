"""Applies a configuration file in one transaction, or only shows what applying it would do.

Both ways carry every change out, so that what a domain function would refuse is known beforehand;
a plan is then rolled back.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection, transaction

from escalation.configuration.document import (
    BadFile,
    export_text,
    present_site,
    read_document,
)
from escalation.configuration.nodes import Mistake
from escalation.configuration.planning import Plan, make_plan
from escalation.configuration.section import Awaiting, Change, Hand
from escalation.configuration.touched import Touched, touched_by
from roles import audit
from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.people import require
from roles.refusals import Conflict, Refused

LOCK = 0x7469_6572  # one apply at a time, whoever runs it and wherever


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was planned or done, and the open tickets that stay on revisions now replaced."""

    plan: Plan
    touched: Sequence[Touched]
    is_applied: bool

    def lines(self) -> list[str]:
        """The outcome for people."""
        told = [*self.plan.lines(), *self.plan.notes, self.plan.summary()]
        return told + [str(touched) for touched in self.touched]


class _TakeBack(Exception):
    """Rolls a plan back."""


def export_site(*, actor: Person | None = None, only: Iterable[str] = ()) -> str:
    """The site's configuration as YAML. Raises Forbidden."""
    require(actor, "manage_policies")
    with transaction.atomic():
        return export_text(present_site(), only)


def plan_text(
    *,
    text: str,
    prune: bool = False,
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> Outcome:
    """What applying the file would do, by doing it and taking it back.

    Raises Forbidden, and BadFile with every mistake.
    """
    found: list[Outcome] = []
    try:
        with transaction.atomic():
            found.append(_carry_out(text, prune, None, Hand(actor, "", clock)))
            raise _TakeBack
    except _TakeBack:
        plan, touched = found[0].plan, found[0].touched
        return Outcome(plan, touched, is_applied=False)


@transaction.atomic
def apply_text(
    *,
    text: str,
    reason: str = "",
    prune: bool = False,
    token: str | None = None,
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> Outcome:
    """Make the site what the file says; all of it or nothing.

    With the `token` of a plan it does exactly what that plan showed. Raises Forbidden, BadFile
    with every mistake, and Conflict when the site has changed since that plan.
    """
    return _carry_out(text, prune, token, Hand(actor, reason, clock))


def _carry_out(text: str, prune: bool, token: str | None, hand: Hand) -> Outcome:
    require(hand.actor, "manage_policies")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    present = present_site()
    plan = make_plan(read_document(text, present), present, prune=prune)
    if token is not None and token != plan.token:
        raise Conflict(
            "site_changed",
            "The site was changed after this plan was made, so nothing was applied. "
            "Look at the new plan first.",
        )
    write_changes(plan.changes, hand)
    if plan.changes:
        told = plan.lines()
        audit.record(
            actor=hand.actor,
            action="configuration.applied",
            subject=None,
            changes={"plan": told, "pruned": prune},
            reason=hand.reason,
            clock=hand.clock,
        )
    return Outcome(plan, touched_by(plan.changes, hand.actor), is_applied=True)


def write_changes(changes: Sequence[Change], hand: Hand) -> None:
    """Carry all changes out, each by its domain function. Raises BadFile with every refusal.

    What is refused is tried again after the others, since it may be in the way of one of them
    (a rank, the service desk), until a whole round brings nothing.
    """
    waiting = list(changes)
    while waiting:
        refused: list[tuple[Change, Exception]] = []
        for change in waiting:
            try:
                with transaction.atomic():
                    change.section.write(change, hand)
            except (Refused, Awaiting) as trouble:
                refused.append((change, trouble))
        if len(refused) == len(waiting):
            raise BadFile(_refusals(refused))
        waiting = [change for change, _ in refused]


def _refusals(refused: Iterable[tuple[Change, Exception]]) -> list[Mistake]:
    """The refusals as mistakes; of items that only wait for a refused one nothing is said."""
    found = []
    for change, trouble in refused:
        if isinstance(trouble, Refused):
            fields = trouble.fields or {"": trouble.detail}
            for field, reason in fields.items():
                path = f"{change.path}.{field}" if field else change.path
                found.append(Mistake(change.line, path, reason))
    return found or [Mistake(change.line, change.path, str(t)) for change, t in refused]
