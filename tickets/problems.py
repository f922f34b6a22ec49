"""Problems as parents of repeats: diagnosed, their workaround passed on, solved with children."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import transaction

from notifications.outbox import enqueue
from roles import oncall
from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.refusals import Conflict, Invalid, Refused
from tickets import letters, lifecycle, states, timeline
from tickets.access import may
from tickets.acting import Act, acting, begin, fitting
from tickets.models import EventKind, Kind, Problem, Ticket, TicketLink

TEXT_MAX: Final = 20_000
CHILDHOOD: Final = (TicketLink.Relation.CAUSED_BY, TicketLink.Relation.CHILD_OF)


@dataclass
class Solved:
    """The problem as it is now, the children resolved with it, and those left to their teams."""

    problem: Ticket
    resolved: list[Ticket] = field(default_factory=list)
    left: list[Ticket] = field(default_factory=list)


def children_of(problem: Ticket) -> list[Ticket]:
    """The open tickets that a problem has caused, oldest first: what solving it may solve.

    One that has become restricted since it was linked is none of an open problem's any more, nor
    are open ones of a restricted problem: neither may tell of the other.
    """
    links = TicketLink.objects.filter(target=problem.pk, relation__in=CHILDHOOD)
    found = Ticket.objects.filter(
        pk__in=links.values("source"), status__in=states.OPEN, restricted=problem.restricted
    )
    return list(found.order_by("id"))


def diagnose(
    *,
    ticket: Ticket,
    actor: Person | None,
    cause: str = "",
    workaround: str = "",
    is_known_error: bool = False,
    clock: TimeSource = database_now,
    via: str = "web",
) -> Problem:
    """Note what is known of a problem: its cause, what helps meanwhile, whether it is understood.

    Nobody is told; `publish_workaround` does that. Raises Invalid for a ticket of another kind, for
    a known error without its cause, or when nothing is said at all.
    """
    with acting(ticket, actor=actor, action="diagnose", clock=clock, via=via) as act:
        problem = _problem_of(act.ticket)
        cause = fitting(cause.strip(), "cause", TEXT_MAX)
        workaround = fitting(workaround.strip(), "workaround", TEXT_MAX)
        if is_known_error and not cause:
            raise Invalid("no_cause", "A known error has a cause.", {"cause": "Say what it is."})
        if not (cause or workaround):
            raise Invalid("empty", "Nothing is said.", {"cause": "Or a workaround."})
        if workaround != problem.workaround:
            problem.published_at = None
        problem.cause, problem.workaround = cause, workaround
        problem.is_known_error = is_known_error
        problem.diagnosed_at, problem.diagnosed_by = act.now, act.actor
        problem.save()
        said = [("Cause: ", cause), ("Workaround: ", workaround)]
        act.record(
            EventKind.DIAGNOSED,
            facts={"known_error": is_known_error, "has_workaround": bool(workaround)},
            body="\n\n".join(f"{head}{text}" for head, text in said if text),
        )
        return problem


def publish_workaround(
    *,
    ticket: Ticket,
    actor: Person,
    to_requesters: bool = False,
    clock: TimeSource = database_now,
    via: str = "web",
) -> list[Ticket]:
    """Pass the workaround on to each open child; the children that were told.

    It stands on each as a note, and its assignee gets a letter, or who is on call without one.
    `to_requesters` makes it a public reply instead, which the requesters read. Raises Conflict
    when there is no workaround yet.
    """
    with transaction.atomic():
        children = _lock_with_children(ticket)
        with acting(ticket, actor=actor, action="diagnose", clock=clock, via=via) as act:
            problem = _problem_of(act.ticket)
            if not problem.workaround:
                raise Conflict("no_workaround", f"{act.ticket.key} has no workaround yet.")
            problem.published_at = act.now
            problem.save()
            act.record(
                EventKind.DIAGNOSED,
                facts={"published": len(children), "to_requesters": to_requesters},
            )
            for child in children:
                each = begin(child, actor=actor, clock=clock, via=via)
                _pass_on(each, act.ticket, problem.workaround, public=to_requesters)
            return children


def _pass_on(act: Act, parent: Ticket, workaround: str, *, public: bool) -> None:
    event = act.record(
        EventKind.COMMENTED,
        body=workaround,
        is_public=public,
        facts={"by": "agent", "workaround_of": parent.key},
    )
    people = [act.ticket.assignee_id]
    if act.ticket.assignee_id is None and act.ticket.team_id is not None:
        people = [*oncall.on_call([act.ticket.team_id], act.now)[act.ticket.team_id]]
    told = letters.to_people(
        act.ticket, event, kind="workaround", body=workaround, person_ids=people
    )
    if public:
        told += letters.to_requester(act.ticket, event, kind="replied", body=workaround)
    enqueue(told, now=act.now)


def resolve_problem(
    *,
    ticket: Ticket,
    actor: Person,
    code: str,
    text: str,
    with_children: bool = False,
    clock: TimeSource = database_now,
    via: str = "web",
) -> Solved:
    """Resolve a problem and, if wished, its open children with the same words.

    Only children that the actor may resolve are resolved; the others get a note, and their
    assignees a letter, so that their own teams look and resolve. Raises as `lifecycle.resolve`.
    """
    with transaction.atomic():
        children = _lock_with_children(ticket)
        if ticket.kind != Kind.PROBLEM:
            raise Invalid("no_problem", f"{ticket.key} is no problem.")
        done = lifecycle.resolve(
            ticket=ticket, actor=actor, code=code, text=text, clock=clock, via=via
        )
        solved = Solved(done)
        words = {"code": code, "text": text, "clock": clock, "via": via}
        for child in children:
            resolved = _resolve_child(child, actor, words) if with_children else None
            if resolved is not None:
                solved.resolved.append(resolved)
            else:
                each = begin(child, actor=actor, clock=clock, via=via)
                _pass_on(each, done, f"{done.key} is resolved: {text}", public=False)
                solved.left.append(child)
        return solved


def _resolve_child(child: Ticket, actor: Person, words: Mapping[str, Any]) -> Ticket | None:
    """The child, resolved; None when the actor may not, or the child cannot be."""
    if not may(actor, "resolve", child):
        return None
    try:
        with transaction.atomic():
            return lifecycle.resolve(ticket=child, actor=actor, **words)
    except Refused:
        return None


def _lock_with_children(ticket: Ticket) -> list[Ticket]:
    """The open children, all locked with their parent in the order of ids.

    A child that is linked in the meantime is not among them: it was not there when one looked.
    """
    ids = [child.pk for child in children_of(ticket)]
    locked = timeline.lock_many([ticket.pk, *ids])
    still = {child.pk for child in children_of(locked[ticket.pk])}
    return [locked[pk] for pk in ids if pk in still]


def _problem_of(ticket: Ticket) -> Problem:
    """What is known of it so far; an empty row for a problem that nobody has diagnosed yet."""
    if ticket.kind != Kind.PROBLEM:
        raise Invalid("no_problem", f"{ticket.key} is no problem; open one for it.")
    if ticket.status in states.FINAL:
        raise Conflict("final", f"{ticket.key} is closed.")
    return Problem.objects.filter(ticket=ticket).first() or Problem(ticket=ticket)
