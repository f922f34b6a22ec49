"""Publishes targets: each wording is an immutable revision, which clocks keep until moved."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Max

from escalation.clock import PER_ENGAGEMENT, REPEATING
from escalation.models import ClockKind, Target, TargetRevision
from roles import audit
from roles.calendars import comes_in_time
from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.people import require
from roles.refusals import Invalid
from tickets import states


@transaction.atomic
def publish_target(
    *,
    target: Target,
    clock_kind: str,
    seconds: int,
    pauses: Sequence[str] = (),
    actor: Person | None = None,
    clock: TimeSource = database_now,
    **narrowed: Any,
) -> TargetRevision:
    """Give a target a new wording: working seconds, pausing statuses, and what it applies to.

    `narrowed` may hold calendar, priority, kind, service, organisation, team and vendor, and
    `first_seconds` for the first word of a series. Clocks that run keep the revision they began
    with until they are moved (`retargeting.move_clocks`). Raises Forbidden, and Invalid by field.
    """
    require(actor, "manage_policies")
    wrong = _mistakes(clock_kind, seconds, pauses, narrowed)
    if wrong:
        raise Invalid("bad_target", "The target has mistakes.", wrong)
    locked = Target.objects.select_for_update().get(pk=target.pk)
    newest = TargetRevision.objects.filter(target=locked).aggregate(number=Max("number"))["number"]
    revision = TargetRevision.objects.create(
        target=locked,
        number=(newest or 0) + 1,
        clock=clock_kind,
        seconds=seconds,
        pauses=list(pauses),
        created_at=clock(),
        **narrowed,
    )
    locked.current = revision
    locked.save(update_fields=["current"])
    target.current = revision
    audit.record(
        actor=actor,
        action="target.published",
        subject=locked,
        changes={"revision": [newest, revision.number]},
        clock=clock,
    )
    return revision


def _mistakes(
    clock_kind: str, seconds: int, pauses: Sequence[str], narrowed: dict[str, Any]
) -> dict[str, str]:
    wrong = {}
    first_seconds = narrowed.get("first_seconds")
    if clock_kind not in ClockKind.values:
        wrong["clock"] = "Choose one of " + ", ".join(ClockKind.values) + "."
    if seconds < 1:
        wrong["seconds"] = "At least one second."
    elif (calendar := narrowed.get("calendar")) and not comes_in_time(calendar, seconds):
        wrong["seconds"] = "By this calendar the deadline lies more than a century ahead."
    if set(pauses) - states.OPEN:
        wrong["pauses"] = "Only open statuses can stop a clock."
    elif clock_kind in PER_ENGAGEMENT and states.PENDING_VENDOR in pauses:
        wrong["pauses"] = "A vendor's time cannot stand still while the ticket waits for it."
    if first_seconds is not None and clock_kind not in REPEATING:
        wrong["first_seconds"] = "Only a clock that repeats has a first word."
    elif first_seconds is not None and first_seconds < 1:
        wrong["first_seconds"] = "At least one second."
    if narrowed.get("vendor") is not None and clock_kind not in PER_ENGAGEMENT:
        wrong["vendor"] = "Only a vendor's clocks can depend on the vendor."
    return wrong
