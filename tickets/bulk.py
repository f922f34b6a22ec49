"""Acts on many tickets at once: each as a transaction of its own, kept, and taken back."""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction

from roles.instants import TimeSource, database_now
from roles.models import Person, Team
from roles.refusals import Conflict, Refused
from tickets import assignment, lifecycle, triage
from tickets.models import BulkAct, Ticket, Watcher
from tickets.queries import hidden_keys, without

MOST: Final = 100
UNDO_FOR: Final = timedelta(minutes=30)
KEPT_FOR: Final = timedelta(days=30)
FORGET_MAX: Final = 50
UNDOING: Final = "undo "
"""What the name of an act begins with that took another one back."""
TAKEN_BACK: Final = "Taken back."
UNSEEN: Final = "No ticket that you can see has this key."
STANDING: Final = ("status", "assignee_id", "team_id", "entry", "priority_override")
"""What of a ticket an act may change here, and what must still be so when it is taken back."""

Standing = dict[str, Any]
Done = dict[str, Any]
Undo = Callable[[Ticket, Person, Standing, str], str]
"""Brings a ticket back to what it was; answers what could not be brought back, or ""."""


def chosen(person: Person, keys: Sequence[str]) -> list[Ticket]:
    """The tickets of these keys that the person may see, in the order given."""
    seen = Ticket.objects.visible_to(person).select_related("team", "requester")
    found = {ticket.key: ticket for ticket in seen.filter(key__in=keys[:MOST])}
    return [found[key] for key in keys if key in found]


def do_one(*, ticket: Ticket, actor: Person, perform: Callable[[], object]) -> Done:
    """Do it to one of the tickets; how that stood before and after. Raises what the act raises."""
    before = _standing(ticket, actor)
    perform()
    after = _standing(Ticket.objects.get(pk=ticket.pk), actor)
    return {"ticket": ticket.pk, "key": ticket.key, "before": before, "after": after}


@transaction.atomic
def keep(
    *,
    act: str,
    actor: Person,
    done: Sequence[Done],
    refused: Mapping[str, str],
    clock: TimeSource = database_now,
) -> BulkAct:
    """Keep what became of each; `refused` says why by key. Old records pay with their place."""
    now = clock()
    _forget(now)
    return _keep(act, actor, done, [{"key": key, "why": why} for key, why in refused.items()], now)


def undo_until(act: BulkAct) -> datetime | None:
    """Until when somebody can take it back; None for what cannot be, or was, or changed nothing."""
    is_open = act.act in UNDOS and act.undone_at is None and bool(act.done)
    return act.done_at + UNDO_FOR if is_open else None


def left_of(act: BulkAct, reader: Person) -> list[dict[str, str]]:
    """The tickets that it was not done to, each with why, as the reader may still know of them."""
    keys = {each["key"] for each in act.refused}
    seen = set(Ticket.objects.visible_to(reader).filter(key__in=keys).values_list("key", flat=True))
    hidden = hidden_keys((each["why"] for each in act.refused), reader)
    return [
        {
            "key": each["key"],
            "why": without(each["why"], hidden) if each["key"] in seen else UNSEEN,
        }
        for each in act.refused
    ]


def undo(
    *, act: BulkAct, actor: Person, clock: TimeSource = database_now, via: str = "web"
) -> BulkAct:
    """Take an act back where nothing has happened since; a record of its own, with its own results.

    Whose act it is the caller has asked. Raises Conflict when it is too late, was done already, or
    cannot be taken back.
    """
    take_back = UNDOS.get(act.act)
    with transaction.atomic():
        held = BulkAct.objects.select_for_update().get(pk=act.pk)
        now = clock()
        if take_back is None or held.undone_at or now - held.done_at > UNDO_FOR:
            raise Conflict("too_late", "This cannot be taken back any more.")
        held.undone_at = now
        held.save(update_fields=["undone_at"])
    done, refused = [], []
    for item in held.done:
        try:
            remark = _undo_one(take_back, item, actor, via)
        except Refused as why:
            refused.append({"key": item["key"], "why": why.detail})
        else:
            done.append({"ticket": item["ticket"], "key": item["key"]})
            refused += [{"key": item["key"], "why": remark}] if remark else []
    return _keep(f"{UNDOING}{act.act}", actor, done, refused, clock())


def _keep(
    act: str, actor: Person, done: Iterable[Done], refused: Iterable[Any], now: datetime
) -> BulkAct:
    return BulkAct.objects.create(
        token=uuid.uuid4(),
        actor=actor,
        act=act,
        done_at=now,
        done=list(done),
        refused=list(refused),
    )


def _forget(now: datetime) -> None:
    """Let go of a few old records; each new one pays for its predecessors."""
    old = BulkAct.objects.filter(done_at__lt=now - KEPT_FOR).order_by("done_at")
    ids = old.select_for_update(skip_locked=True).values_list("pk", flat=True)[:FORGET_MAX]
    BulkAct.objects.filter(pk__in=list(ids)).delete()


def _undo_one(take_back: Undo, item: Mapping[str, Any], actor: Person, via: str) -> str:
    ticket = Ticket.objects.visible_to(actor).filter(pk=item["ticket"]).first()
    if ticket is None or _standing(ticket, actor) != item["after"]:
        raise Conflict("changed", "It has changed since; it stays as it is.")
    if item["before"] == item["after"]:
        return ""
    return take_back(ticket, actor, item["before"], via)


def _standing(ticket: Ticket, actor: Person) -> Standing:
    held = {name: getattr(ticket, name) for name in STANDING}
    watching = Watcher.objects.filter(ticket=ticket.pk, person=actor.pk).exists()
    return {**held, "watching": watching}


# ---- How each is taken back ----------------------------------------------------------------------


def _give_back(ticket: Ticket, person: Person, before: Standing, via: str) -> str:
    given: dict[str, Any] = {"ticket": ticket, "actor": person, "via": via}
    if before["team_id"] != ticket.team_id:
        team = Team.objects.get(pk=before["team_id"])
        assignment.move(to_team=team, reason=TAKEN_BACK, **given)
        return _return_to(before["assignee_id"], **given) if before["assignee_id"] else ""
    if before["assignee_id"] is None:
        assignment.release(**given)
        return ""
    assignee = Person.objects.get(pk=before["assignee_id"])
    assignment.assign(assignee=assignee, **given)
    return ""


def _return_to(assignee_id: int, *, ticket: Ticket, actor: Person, via: str) -> str:
    """Back to whoever had it, if the person may assign; else says who has to take it."""
    assignee = Person.objects.get(pk=assignee_id)
    try:
        if assignee_id == actor.pk:
            assignment.take(ticket=ticket, actor=actor, via=via)
        else:
            assignment.assign(ticket=ticket, actor=actor, assignee=assignee, via=via)
    except Refused:
        return f"Back in its team; {assignee} had it and has to take it again."
    return ""


def _lift(ticket: Ticket, person: Person, before: Standing, via: str) -> str:
    triage.override_priority(
        ticket=ticket,
        actor=person,
        priority=before["priority_override"],
        reason=TAKEN_BACK,
        via=via,
    )
    return ""


def _resume(ticket: Ticket, person: Person, before: Standing, via: str) -> str:
    lifecycle.resume(ticket=ticket, actor=person, via=via)
    return ""


def _unwatch(ticket: Ticket, person: Person, before: Standing, via: str) -> str:
    assignment.unwatch(ticket=ticket, actor=person, via=via)
    return ""


UNDOS: Final[Mapping[str, Undo]] = {
    "take": _give_back,
    "assign": _give_back,
    "move": _give_back,
    "priority": _lift,
    "pend": _resume,
    "watch": _unwatch,
}
"""By the name of an act; what is told to somebody outside, or final, is in no such list."""
