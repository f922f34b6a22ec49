"""Acts on many tickets at once: each by its own transaction, told one by one, and taken back."""

import uuid
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from roles.access import RELATIONS, allows
from roles.instants import TimeSource, database_now
from roles.models import Person, Team
from roles.people import roles_of
from roles.refusals import Conflict, Invalid, Refused
from tickets import assignment, lifecycle, triage
from tickets.models import Ticket, Watcher
from web.forms import bulk as forms
from web.models import BulkAct

MOST: Final = 100
UNDO_FOR: Final = timedelta(minutes=30)
SESSION_KEY: Final = "bulk"
STANDING: Final = ("status", "assignee_id", "team_id", "entry", "priority_override")
"""What of a ticket an act may change here, and what must still be so when it is taken back."""

Standing = dict[str, Any]
Perform = Callable[[Ticket, Person, Mapping[str, Any]], object]
Undo = Callable[[Ticket, Person, Standing], str]
"""Brings a ticket back to what it was; answers what could not be brought back, or ""."""


@dataclass(frozen=True)
class BulkKind:
    """One act for many; `needs` are actions of the access table, one of which one must have."""

    slug: str
    label: str | Promise
    icon: str
    needs: tuple[str, ...]
    perform: Perform
    undo: Undo | None = None
    form: type[forms.BulkForm] | None = None
    tells: str | Promise = ""
    warning: str | Promise = ""

    @property
    def asks(self) -> bool:
        """Whether something is to be filled in or read before it is done."""
        return self.form is not None or bool(self.warning)

    @property
    def verb(self) -> str:
        """What the button says once nothing more is asked."""
        return str(self.label).rstrip("…")


@dataclass(frozen=True)
class Report:
    """What became of the last act on many."""

    act: BulkAct
    sentence: str
    can_undo: bool


def kinds_for(person: Person) -> list[BulkKind]:
    """The acts that somebody may do on some ticket at least; each is checked again on each."""
    may = may_ever(person)
    return [kind for kind in KINDS if may & set(kind.needs)]


def may_ever(person: Person) -> frozenset[str]:
    """The actions that this person's roles could ever grant, on tickets near enough."""
    near = RELATIONS - {"cleared", "paged", "requester", "watcher"}
    roles = roles_of(person)
    names = {name for kind in KINDS for name in kind.needs}
    return frozenset(name for name in names if allows(roles, name, near))


def do(
    *,
    kind: BulkKind,
    actor: Person,
    keys: Sequence[str],
    data: Mapping[str, Any],
    clock: TimeSource = database_now,
) -> BulkAct:
    """Do it to each of these tickets; what one refuses harms no other.

    A key that the actor may not see is told of as one that does not exist. Raises Invalid for no
    ticket, or for more than can be looked over.
    """
    wanted = list(dict.fromkeys(key.upper() for key in keys))
    if not wanted or len(wanted) > MOST:
        raise Invalid("bad_count", _("Choose between 1 and %(most)s tickets.") % {"most": MOST})
    seen = {ticket.key: ticket for ticket in chosen(actor, wanted)}
    done, refused = [], []
    for key in wanted:
        ticket = seen.get(key)
        if ticket is None:
            refused.append({"key": key, "why": _("There is no such ticket that you can see.")})
            continue
        before = _standing(ticket, actor)
        try:
            kind.perform(ticket, actor, data)
        except Refused as why:
            refused.append({"key": key, "why": why.detail})
        else:
            after = _standing(Ticket.objects.get(pk=ticket.pk), actor)
            done.append({"ticket": ticket.pk, "key": key, "before": before, "after": after})
    return BulkAct.objects.create(
        token=uuid.uuid4(), actor=actor, act=kind.slug, done_at=clock(), done=done, refused=refused
    )


def undo(*, act: BulkAct, actor: Person, clock: TimeSource = database_now) -> BulkAct:
    """Take an act back where nothing has happened since; a record of its own, with its own results.

    Raises Conflict when it is too late, was done already, or cannot be taken back.
    """
    kind = BY_SLUG[act.act]
    with transaction.atomic():
        held = BulkAct.objects.select_for_update().get(pk=act.pk)
        if kind.undo is None or held.undone_at or clock() - held.done_at > UNDO_FOR:
            raise Conflict("too_late", _("This cannot be taken back any more."))
        held.undone_at = clock()
        held.save(update_fields=["undone_at"])
    done, refused = [], []
    for item in held.done:
        try:
            remark = _undo_one(kind.undo, item, actor)
        except Refused as why:
            refused.append({"key": item["key"], "why": why.detail})
        else:
            done.append({"ticket": item["ticket"], "key": item["key"]})
            refused += [{"key": item["key"], "why": remark}] if remark else []
    return BulkAct.objects.create(
        token=uuid.uuid4(),
        actor=actor,
        act=f"undo {kind.slug}",
        done_at=clock(),
        done=done,
        refused=refused,
    )


def _undo_one(take_back: Undo, item: Mapping[str, Any], actor: Person) -> str:
    ticket = Ticket.objects.visible_to(actor).filter(pk=item["ticket"]).first()
    if ticket is None or _standing(ticket, actor) != item["after"]:
        raise Conflict("changed", _("It has changed since; it stays as it is."))
    if item["before"] == item["after"]:
        return ""
    return take_back(ticket, actor, item["before"])


def chosen(person: Person, keys: Sequence[str]) -> list[Ticket]:
    """The tickets of these keys that the person may see, in the order given."""
    seen = Ticket.objects.visible_to(person).select_related("team", "requester")
    found = {ticket.key: ticket for ticket in seen.filter(key__in=keys[:MOST])}
    return [found[key] for key in keys if key in found]


def note_report(session: MutableMapping[str, Any], act: BulkAct) -> None:
    """Let the next page of the queue tell what became of it."""
    session[SESSION_KEY] = str(act.token)


def take_report(session: MutableMapping[str, Any], person: Person) -> Report | None:
    """What the next page of the queue has to tell, once."""
    token = session.pop(SESSION_KEY, None) if SESSION_KEY in session else None
    act = BulkAct.objects.filter(token=token, actor=person.pk).first() if token else None
    if act is None:
        return None
    count = len(act.done)
    sentence = ngettext("%(count)s ticket done", "%(count)s tickets done", count)
    if act.act.startswith("undo "):
        sentence = ngettext(
            "%(count)s ticket is as before", "%(count)s tickets are as before", count
        )
    kind = BY_SLUG.get(act.act)
    can_undo = bool(kind and kind.undo and count)
    return Report(act, sentence % {"count": count}, can_undo)


def _standing(ticket: Ticket, actor: Person) -> Standing:
    held = {name: getattr(ticket, name) for name in STANDING}
    watching = Watcher.objects.filter(ticket=ticket.pk, person=actor.pk).exists()
    return {**held, "watching": watching}


# ---- Each act, and how it is taken back ----------------------------------------------------------


def _take(ticket: Ticket, person: Person, data: Mapping[str, Any]) -> object:
    return assignment.take(ticket=ticket, actor=person)


def _assign(ticket: Ticket, person: Person, data: Mapping[str, Any]) -> object:
    sort, _colon, pk = str(data["to"]).partition(":")
    if sort == "team":
        team = Team.objects.get(pk=int(pk))
        return assignment.move(ticket=ticket, actor=person, to_team=team, reason=data["reason"])
    assignee = Person.objects.get(pk=int(pk))
    return assignment.assign(ticket=ticket, actor=person, assignee=assignee)


def _priority(ticket: Ticket, person: Person, data: Mapping[str, Any]) -> object:
    return triage.override_priority(ticket=ticket, actor=person, **data)


def _pend(ticket: Ticket, person: Person, data: Mapping[str, Any]) -> object:
    return lifecycle.pend(ticket=ticket, actor=person, **data)


def _watch(ticket: Ticket, person: Person, data: Mapping[str, Any]) -> object:
    return assignment.watch(ticket=ticket, actor=person)


def _resolve(ticket: Ticket, person: Person, data: Mapping[str, Any]) -> object:
    return lifecycle.resolve(ticket=ticket, actor=person, **data)


def _close(ticket: Ticket, person: Person, data: Mapping[str, Any]) -> object:
    return lifecycle.close(ticket=ticket, actor=person)


def _give_back(ticket: Ticket, person: Person, before: Standing) -> str:
    if before["team_id"] != ticket.team_id:
        team = Team.objects.get(pk=before["team_id"])
        assignment.move(ticket=ticket, actor=person, to_team=team, reason=_("Taken back."))
        return _return_to(ticket, person, before["assignee_id"]) if before["assignee_id"] else ""
    if before["assignee_id"] is None:
        assignment.release(ticket=ticket, actor=person)
        return ""
    assignee = Person.objects.get(pk=before["assignee_id"])
    assignment.assign(ticket=ticket, actor=person, assignee=assignee)
    return ""


def _return_to(ticket: Ticket, person: Person, assignee_id: int) -> str:
    """Back to whoever had it, if the person may assign; else says who has to take it."""
    assignee = Person.objects.get(pk=assignee_id)
    try:
        if assignee_id == person.pk:
            assignment.take(ticket=ticket, actor=person)
        else:
            assignment.assign(ticket=ticket, actor=person, assignee=assignee)
    except Refused:
        return _("Back in its team; %(who)s had it and has to take it again.") % {"who": assignee}
    return ""


def _lift(ticket: Ticket, person: Person, before: Standing) -> str:
    given, reason = before["priority_override"], _("Taken back.")
    triage.override_priority(ticket=ticket, actor=person, priority=given, reason=reason)
    return ""


def _resume(ticket: Ticket, person: Person, before: Standing) -> str:
    lifecycle.resume(ticket=ticket, actor=person)
    return ""


def _unwatch(ticket: Ticket, person: Person, before: Standing) -> str:
    assignment.unwatch(ticket=ticket, actor=person)
    return ""


KINDS: Final = (
    BulkKind("take", gettext_lazy("Take"), "hand", ("take",), _take, _give_back),
    BulkKind(
        "assign",
        gettext_lazy("Assign…"),
        "user-check",
        ("assign", "triage", "push_any"),
        _assign,
        _give_back,
        forms.BulkAssignForm,
        tells=gettext_lazy("Whoever gets them is told."),
    ),
    BulkKind(
        "priority",
        gettext_lazy("Priority…"),
        "octagon-alert",
        ("override_priority",),
        _priority,
        _lift,
        forms.BulkPriorityForm,
    ),
    BulkKind(
        "pend",
        gettext_lazy("Put on hold…"),
        "circle-pause",
        ("pend",),
        _pend,
        _resume,
        forms.BulkPendForm,
        tells=gettext_lazy("If they wait for the requesters, each of them is asked."),
    ),
    BulkKind("watch", gettext_lazy("Watch"), "eye", ("watch",), _watch, _unwatch),
    BulkKind(
        "resolve",
        gettext_lazy("Resolve…"),
        "circle-check",
        ("resolve",),
        _resolve,
        None,
        forms.BulkResolveForm,
        tells=gettext_lazy("Each requester is told."),
    ),
    BulkKind(
        "close",
        gettext_lazy("Close…"),
        "archive",
        ("close",),
        _close,
        warning=gettext_lazy("A closed ticket cannot be reopened."),
    ),
)
BY_SLUG: Final = {kind.slug: kind for kind in KINDS}
