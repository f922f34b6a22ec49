"""Acts on many tickets at once, as the queue offers them, and what it tells of the last one."""

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from roles.access import RELATIONS, allows
from roles.instants import TimeSource, database_now
from roles.models import Person, Team
from roles.people import roles_of
from roles.refusals import Invalid, Refused
from tickets import assignment, lifecycle, triage
from tickets.bulk import MOST, UNDOING, chosen, do_one, keep, undo_until
from tickets.models import BulkAct, Ticket
from web.forms import bulk as forms

SESSION_KEY: Final = "bulk"
Perform = Callable[[Ticket, Person, Mapping[str, Any]], object]


@dataclass(frozen=True)
class BulkKind:
    """One act for many; `needs` are actions of the access table, one of which one must have."""

    slug: str
    label: str | Promise
    icon: str
    needs: tuple[str, ...]
    perform: Perform
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
    done, refused = [], {}
    for key in wanted:
        ticket = seen.get(key)
        if ticket is None:
            refused[key] = _("There is no such ticket that you can see.")
            continue
        act = partial(kind.perform, ticket, actor, data)
        try:
            done.append(do_one(ticket=ticket, actor=actor, perform=act))
        except Refused as why:
            refused[key] = why.detail
    return keep(act=kind.slug, actor=actor, done=done, refused=refused, clock=clock)


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
    if act.act.startswith(UNDOING):
        sentence = ngettext(
            "%(count)s ticket is as before", "%(count)s tickets are as before", count
        )
    return Report(act, sentence % {"count": count}, undo_until(act) is not None)


# ---- Each act ------------------------------------------------------------------------------------


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


KINDS: Final = (
    BulkKind("take", gettext_lazy("Take"), "hand", ("take",), _take),
    BulkKind(
        "assign",
        gettext_lazy("Assign…"),
        "user-check",
        ("assign", "triage", "push_any"),
        _assign,
        forms.BulkAssignForm,
        tells=gettext_lazy("Whoever gets them is told."),
    ),
    BulkKind(
        "priority",
        gettext_lazy("Priority…"),
        "octagon-alert",
        ("override_priority",),
        _priority,
        forms.BulkPriorityForm,
    ),
    BulkKind(
        "pend",
        gettext_lazy("Put on hold…"),
        "circle-pause",
        ("pend",),
        _pend,
        forms.BulkPendForm,
        tells=gettext_lazy("If they wait for the requesters, each of them is asked."),
    ),
    BulkKind("watch", gettext_lazy("Watch"), "eye", ("watch",), _watch),
    BulkKind(
        "resolve",
        gettext_lazy("Resolve…"),
        "circle-check",
        ("resolve",),
        _resolve,
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
