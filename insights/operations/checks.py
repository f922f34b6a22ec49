"""Verifications of the past as jobs: asked for or nightly, watched while they run, kept."""

import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from escalation import verify as clocks
from escalation.explain import duration
from insights.operations.models import Verification
from insights.operations.reading import Part, Reading
from insights.operations.reading import State as Health
from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.people import require
from roles.refusals import Conflict, Invalid
from tickets import verify as timelines
from tickets.checking import Checked
from tickets.models import Ticket

log = logging.getLogger(__name__)

State = Verification.State
What = Verification.What
NIGHTLY: Final = timedelta(hours=24)
LOST_AFTER: Final = timedelta(seconds=120)
KEPT_FINDINGS: Final = 100
TOO_OLD: Final = timedelta(hours=48)
WELL: Final[Mapping[str, str | Promise]] = {
    What.TIMELINES: gettext_lazy("every timeline holds"),
    What.CLOCKS: gettext_lazy("every clock equals its replay"),
}
LABELS: Final[Mapping[str, str | Promise]] = {
    What.TIMELINES: gettext_lazy("Timelines"),
    What.CLOCKS: gettext_lazy("Clocks of tickets"),
}
WALKS: Final[Mapping[str, Callable[[], Iterator[Checked]]]] = {
    What.TIMELINES: timelines.check_all,
    What.CLOCKS: clocks.check_all,
}


def ask_verification(
    *, what: str, actor: Person | None, clock: TimeSource = database_now
) -> Verification:
    """Queue a walk through all timelines or clocks.

    Raises Forbidden, Invalid for anything else, Conflict while one waits or runs.
    """
    require(actor, "admin")
    if what not in WALKS:
        raise Invalid("unknown_check", "There is no such check.")
    return _queue(what, actor, clock())


def _queue(what: str, actor: Person | None, now: datetime) -> Verification:
    try:
        with transaction.atomic():
            return Verification.objects.create(
                what=what, asked_by=actor, asked_at=now, total=Ticket.objects.count()
            )
    except IntegrityError:
        raise Conflict("running", "It is under way already: wait for its end.") from None


def run_waiting(*, clock: TimeSource = database_now) -> int:
    """Run what waits, what a worker that died left, and once a day what nobody asked for."""
    _ask_nightly(clock())
    count = 0
    while (row := _claim(clock())) is not None:
        _run(row, clock)
        count += 1
    return count


def last_of(what: str) -> Verification | None:
    """The last walk that came to an end."""
    return Verification.objects.filter(what=what, state__in=[State.DONE, State.FAILED]).first()


def under_way() -> list[Verification]:
    """The walks that wait or run."""
    return list(Verification.objects.filter(state__in=[State.QUEUED, State.RUNNING]))


def _ask_nightly(now: datetime) -> None:
    for what in WALKS:
        newest = Verification.objects.filter(what=what).first()
        if newest is None or (newest.ended_at and now - newest.asked_at >= NIGHTLY):
            try:
                _queue(what, None, now)
            except Conflict:
                continue  # another worker was quicker


@transaction.atomic
def _claim(now: datetime) -> Verification | None:
    lost = Q(state=State.RUNNING, heard_at__lt=now - LOST_AFTER)
    waiting = Verification.objects.filter(Q(state=State.QUEUED) | lost).order_by("pk")
    row = waiting.select_for_update(skip_locked=True, of=("self",)).first()
    if row is not None:
        row.state, row.heard_at = State.RUNNING, now
        row.done = row.found = 0
        row.save(update_fields=["state", "heard_at", "done", "found"])
    return row


def _run(row: Verification, clock: TimeSource) -> None:
    findings: list[dict[str, Any]] = []
    found = done = 0
    mine = Verification.objects.filter(pk=row.pk, state=State.RUNNING)
    try:
        for checked in WALKS[row.what]():
            done, found = done + checked.tickets, found + len(checked.findings)
            room = KEPT_FINDINGS - len(findings)
            findings += [
                {"ticket": each.ticket, "words": str(each)} for each in checked.findings[:room]
            ]
            if not mine.update(done=done, found=found, heard_at=clock()):
                return  # somebody took it for lost and walks it anew
    except Exception as problem:
        log.exception("Verification %s failed.", row.pk)
        words = f"{type(problem).__name__}: {problem}"[:500]
        mine.update(state=State.FAILED, ended_at=clock(), trouble=words)
    else:
        mine.update(state=State.DONE, ended_at=clock(), findings=findings)


def findings_for(reader: Person, row: Verification) -> list[str]:
    """The findings on tickets that the reader may know of: unrestricted ones, and their own."""
    keys = {each["ticket"] for each in row.findings}
    open_ones = set(
        Ticket.objects.filter(key__in=keys, restricted=False).values_list("key", flat=True)
    )
    own = Ticket.objects.visible_to(reader).filter(key__in=keys).values_list("key", flat=True)
    known = open_ones | set(own)
    return [each["words"] for each in row.findings if each["ticket"] in known]


def checks_part(now: datetime) -> Part:
    """What the last walks came to, and whether they are recent enough."""
    return Part("checks", _("The past, verified"), [_reading(what, now) for what in WALKS])


def _reading(what: str, now: datetime) -> Reading:
    row, label, slug = last_of(what), str(LABELS[what]), f"verified_{what}_found"
    if row is None or row.ended_at is None:
        remedy = _("It comes by itself once a day, or by the button below.")
        return Reading(slug, label, _("never verified yet"), Health.WATCH, None, remedy)
    ago = duration(max(0.0, (now - row.ended_at).total_seconds()))
    if row.state == State.FAILED:
        remedy = _("Look at the log of the process “thinker”, and start it again below.")
        return Reading(slug, label, _("it failed"), Health.BAD, None, remedy)
    if row.found:
        remedy = _(
            "Somebody changed rows past the product, or a disk did: read what is named below, and"
            " keep a copy of the database before anything else."
        )
        return Reading(slug, label, _("something does not hold"), Health.BAD, row.found, remedy)
    words = _("%(well)s, %(ago)s ago") % {"well": WELL[what], "ago": ago}
    is_old = now - row.ended_at > TOO_OLD
    remedy = _("Look at the process “thinker”: it verifies once a day.") if is_old else ""
    return Reading(slug, label, words, Health.WATCH if is_old else Health.GOOD, 0, remedy)
