"""Writes swaps: one person offers another a shift, alone or for one of theirs; both must agree."""

from datetime import datetime

from django.db import transaction

from roles import audit
from roles.instants import TimeSource, database_now
from roles.models import Override, Person, Schedule, Swap
from roles.oncall import final_shifts
from roles.overrides import make_room, write_override
from roles.people import require
from roles.refusals import Conflict, Forbidden, Invalid
from roles.teams import relations_to

Stretch = tuple[datetime, datetime]


@transaction.atomic
def offer_swap(
    *,
    schedule: Schedule,
    giver: Person,
    taker: Person,
    during: Stretch,
    in_return: Stretch | None = None,
    reason: str = "",
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> Swap:
    """The new request that `taker` serves the giver's hours, perhaps in return for hours of theirs.

    Nothing changes before the taker accepts. Members offer their own hours (`stand_in`); heads of
    the team and administrators ask for anybody. Raises Forbidden, Invalid with the fields at
    fault, and Conflict where one of the two does not serve the hours named.
    """
    relations = relations_to(actor, schedule.team)
    is_own = actor is not None and actor.pk == giver.pk
    require(actor, "stand_in" if is_own and "own_team" in relations else "manage_roster", relations)
    now = clock()
    _check_swap(giver, taker, (during, in_return), reason, now)
    _check_serving(schedule, giver, during)
    if in_return is not None:
        _check_serving(schedule, taker, in_return)
    swap = Swap.objects.create(
        schedule=schedule,
        giver=giver,
        taker=taker,
        during=during,
        in_return=in_return,
        reason=reason,
        requested_at=now,
        requested_by=actor,
    )
    _record(swap, "swap.requested", actor, clock)
    return swap


@transaction.atomic
def accept_swap(
    *, swap: Swap, actor: Person | None = None, clock: TimeSource = database_now
) -> Swap:
    """The agreed swap; its hours are overrides from now on.

    Only the taker accepts, or a head of the team or an administrator in their name, on record.
    Raises Forbidden, and Conflict when it was answered before, has begun, or when one of the two
    does not serve those hours any more.
    """
    locked = _locked(swap)
    _require_party(locked, actor, locked.taker)
    now = clock()
    if min(locked.during.lower, (locked.in_return or locked.during).lower) < now:
        raise Conflict("swap_begun", "These hours have begun; make an override instead.")
    hours = [(locked.giver, locked.taker, (locked.during.lower, locked.during.upper))]
    if locked.in_return:
        back = (locked.in_return.lower, locked.in_return.upper)
        hours.append((locked.taker, locked.giver, back))
    for serves, _, stretch in hours:
        _check_serving(locked.schedule, serves, stretch)
    for _, person, stretch in hours:
        _hand_over(locked, person, stretch, actor)
    return _answer(swap, locked, Swap.State.ACCEPTED, actor, clock)


@transaction.atomic
def decline_swap(
    *, swap: Swap, actor: Person | None = None, clock: TimeSource = database_now
) -> Swap:
    """The swap turned down by the taker. Raises Forbidden, and Conflict when answered before."""
    locked = _locked(swap)
    _require_party(locked, actor, locked.taker)
    return _answer(swap, locked, Swap.State.DECLINED, actor, clock)


@transaction.atomic
def withdraw_swap(
    *, swap: Swap, actor: Person | None = None, clock: TimeSource = database_now
) -> Swap:
    """The swap taken back by the giver. Raises Forbidden, and Conflict when answered before."""
    locked = _locked(swap)
    _require_party(locked, actor, locked.giver)
    return _answer(swap, locked, Swap.State.WITHDRAWN, actor, clock)


def _locked(swap: Swap) -> Swap:
    """The swap as it stands, its schedule locked first, like everybody who writes one."""
    Schedule.objects.select_for_update().get(pk=swap.schedule_id)
    found = Swap.objects.select_for_update(of=("self",)).select_related(
        "schedule__team", "giver", "taker"
    )
    locked = found.get(pk=swap.pk)
    if locked.state != Swap.State.REQUESTED:
        raise Conflict("swap_answered", f"This swap is {locked.get_state_display().lower()}.")
    return locked


def _require_party(swap: Swap, actor: Person | None, party: Person) -> None:
    relations = relations_to(actor, swap.schedule.team)
    if actor is not None and actor.pk == party.pk:
        require(actor, "stand_in", relations)
        return
    try:
        require(actor, "manage_roster", relations)
    except Forbidden:
        detail = f"Only {party} can answer this, or a head of the team."
        raise Forbidden("forbidden", detail) from None


def _hand_over(swap: Swap, person: Person, stretch: Stretch, actor: Person | None) -> Override:
    """`person` serves these hours; an earlier override by which the other did gives way."""
    start, end = stretch
    make_room(swap.schedule, start, end)
    return write_override(
        schedule=swap.schedule,
        person=person,
        start=start,
        end=end,
        reason=swap.reason or "Swap",
        actor=actor,
        swap=swap,
    )


def _answer(given: Swap, locked: Swap, state: str, actor: Person | None, clock: TimeSource) -> Swap:
    locked.state, locked.answered_at, locked.answered_by = state, clock(), actor
    locked.save(update_fields=["state", "answered_at", "answered_by"])
    _record(locked, f"swap.{state}", actor, clock)
    given.state, given.answered_at, given.answered_by = state, locked.answered_at, actor
    return given


def _record(swap: Swap, action: str, actor: Person | None, clock: TimeSource) -> None:
    changes = {
        "giver": swap.giver.username,
        "taker": swap.taker.username,
        "during": [_ends(swap.during)],
        "in_return": [_ends(swap.in_return)] if swap.in_return else None,
    }
    audit.record(
        actor=actor, action=action, subject=swap, changes=changes, reason=swap.reason, clock=clock
    )


def _ends(stretch: object) -> object:
    """The two ends, of a stored range or of a pair just given."""
    lower = getattr(stretch, "lower", None)
    return stretch if lower is None else (lower, stretch.upper)  # type: ignore[attr-defined]


def _check_swap(
    giver: Person,
    taker: Person,
    stretches: tuple[Stretch, Stretch | None],
    reason: str,
    now: datetime,
) -> None:
    problems: dict[str, str] = {}
    if giver.pk == taker.pk:
        problems["taker"] = "Name somebody else."
    for field, person in (("giver", giver), ("taker", taker)):
        if not person.is_active:
            problems[field] = f"{person} is not active."
    for field, stretch in zip(("during", "in_return"), stretches, strict=True):
        if stretch is None:
            continue
        if stretch[0].tzinfo is None or stretch[1].tzinfo is None:
            problems[field] = "Give times with their zone."
        elif stretch[1] <= stretch[0]:
            problems[field] = "The end must be later than the start."
        elif stretch[0] < now:
            problems[field] = "Only hours still to come can be swapped."
    if len(reason) > 500:
        problems["reason"] = "At most 500 characters."
    if problems:
        raise Invalid("bad_swap", "This swap cannot be offered.", problems)


def _check_serving(schedule: Schedule, person: Person, stretch: Stretch) -> None:
    """Raise Conflict unless the person serves the whole stretch."""
    start, end = stretch
    found = final_shifts(schedule.team, start, end)
    if [(shift.person_id, shift.start, shift.end) for shift in found] != [(person.pk, start, end)]:
        raise Conflict("not_serving", f"{person} does not serve all of these hours.")
