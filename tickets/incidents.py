"""Major incidents: proposed, accepted or rejected, staffed, told of, demoted or resolved."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import transaction

from notifications.outbox import enqueue
from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.oncall import duty_on_call, holders
from roles.refusals import Conflict, Invalid, Refused
from tickets import letters, lifecycle, reminders, stakeholders, states, timeline
from tickets.access import require
from tickets.acting import Act, acting, required
from tickets.links import tie, two_acts, untie
from tickets.models import EventKind, Major, Phase, Ticket, TicketLink, TimelineEvent

CHILD_OF = TicketLink.Relation.CHILD_OF
LONGEST_SILENCE_MIN = 24 * 60


@dataclass(frozen=True)
class Resolved:
    """What resolving a major incident came to; `left` says by key why a child was not resolved."""

    major: Ticket
    children: list[Ticket] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)


# ---- Proposed and decided ----------------------------------------------------------------------


def propose_major(
    *,
    ticket: Ticket,
    actor: Person | None,
    reason: str,
    severity: int = Major.Severity.SEVERE,
    clock: TimeSource = database_now,
    via: str = "web",
) -> Major:
    """Ask the incident manager to declare a major incident; those on call are told at once.

    Raises Conflict when it is one, has been proposed, is not open or is restricted.
    """
    with acting(ticket, actor=actor, action="propose_major", clock=clock, via=via) as act:
        return propose_within(act, reason=reason, severity=severity)


def propose_within(act: Act, *, reason: str, severity: int = Major.Severity.SEVERE) -> Major:
    """Propose within an act under way on a locked ticket, as a policy's step does."""
    words = required(reason, "reason", 2000)
    _require_severity(severity)
    _require_fit(act.ticket)
    major = _record_of(act.ticket) or Major(ticket=act.ticket)
    if major.pk and major.state in (Major.State.PROPOSED, Major.State.ACCEPTED):
        raise Conflict(
            "proposed", f"{act.ticket.key} is {major.state} as a major incident already."
        )
    fresh = Major(
        pk=major.pk,
        ticket=act.ticket,
        proposer=act.actor,
        reason=words,
        severity=severity,
        proposed_at=act.now,
    )
    fresh.save()
    event = act.record(EventKind.MAJOR_PROPOSED, body=words, facts={"severity": int(severity)})
    called = duty_on_call("incident-manager", act.now) or holders("administrator")
    told = letters.to_people(
        act.ticket,
        event,
        kind="major_proposed",
        body=words,
        person_ids=called,
        urgency="high",
    )
    enqueue(told, now=act.now)
    return fresh


def accept_major(
    *,
    ticket: Ticket,
    actor: Person,
    severity: int | None = None,
    clock: TimeSource = database_now,
    via: str = "web",
) -> Major:
    """Declare the proposed major incident; the actor leads it until somebody else is named.

    From here on the stakeholders' clock runs, the first word is due in a quarter of an hour, and
    policies match anew.
    """
    with acting(ticket, actor=actor, action="run_major", clock=clock, via=via) as act:
        return _declare(act, _proposed(act), severity)


def declare_major(
    *,
    ticket: Ticket,
    actor: Person,
    reason: str,
    severity: int = Major.Severity.SEVERE,
    clock: TimeSource = database_now,
    via: str = "web",
) -> Major:
    """Propose and accept in one act, for an incident manager who sees it with their own eyes."""
    with acting(ticket, actor=actor, action="run_major", clock=clock, via=via) as act:
        return _declare(act, propose_within(act, reason=reason, severity=severity), severity)


def reject_major(
    *,
    ticket: Ticket,
    actor: Person,
    reason: str,
    clock: TimeSource = database_now,
    via: str = "web",
) -> Major:
    """Turn a proposal down with a reason; the proposer is told."""
    with acting(ticket, actor=actor, action="run_major", clock=clock, via=via) as act:
        words = required(reason, "reason", 2000)
        major = _proposed(act)
        _decide(major, act, Major.State.REJECTED)
        major.save()
        event = act.record(EventKind.MAJOR_REJECTED, body=words)
        told = letters.to_people(
            act.ticket, event, kind="major_rejected", body=words, person_ids=[major.proposer_id]
        )
        enqueue(told, now=act.now)
        return major


def _declare(act: Act, major: Major, severity: int | None) -> Major:
    _require_fit(act.ticket)
    if severity is not None:
        _require_severity(severity)
        major.severity = severity
    _decide(major, act, Major.State.ACCEPTED)
    major.manager = act.actor
    major.next_update_at = act.now + reminders.FIRST_WORD
    major.save()
    act.ticket.is_major = True
    event = act.record(
        EventKind.MAJOR_DECLARED,
        facts={"severity": int(major.severity), "manager": major.manager_id},
        is_public=True,
    )
    body = "It is led by an incident manager now; you will hear from us regularly."
    stakeholders.tell(act, event, kind="major_declared", body=body, audience=stakeholders.EVERYBODY)
    reminders.remind(act, event, major)
    return major


def _decide(major: Major, act: Act, state: str) -> None:
    major.state, major.decided_by, major.decided_at = state, act.actor, act.now


# ---- Led ---------------------------------------------------------------------------------------


def attach_child(
    *,
    ticket: Ticket,
    child: Ticket,
    actor: Person,
    clock: TimeSource = database_now,
    via: str = "web",
) -> TicketLink:
    """Hang a ticket on the major incident; its policy is held as long as that goes on.

    Whoever asked in it is told, and hears every update from now on. `ticket` is the major.
    """
    with transaction.atomic():
        near, far = two_acts(child, ticket, actor=actor, clock=clock, via=via)
        require(actor, "run_major", far.ticket)
        require(actor, "link", near.ticket)
        under_way(far)
        if not near.ticket.is_open:
            raise Conflict("not_open", f"{near.ticket.key} is not open any more.")
        if near.ticket.is_major:
            raise Conflict("major", f"{near.ticket.key} is a major incident of its own.")
        if near.ticket.pk in children_of_open_majors([near.ticket.pk]):
            raise Conflict("child", f"{near.ticket.key} belongs to a major incident already.")
        made = tie(near, far, CHILD_OF)
        event = TimelineEvent.objects.get(ticket=near.ticket.pk, seq=near.ticket.last_seq)
        body = f"We work on it as a part of {far.ticket.key} and keep you informed."
        enqueue(letters.to_requester(near.ticket, event, kind="attached", body=body), now=near.now)
        return made


def detach_child(
    *,
    ticket: Ticket,
    child: Ticket,
    actor: Person,
    clock: TimeSource = database_now,
    via: str = "web",
) -> None:
    """Let a child go its own way again; its policy goes on."""
    with transaction.atomic():
        near, far = two_acts(child, ticket, actor=actor, clock=clock, via=via)
        require(actor, "run_major", far.ticket)
        require(actor, "link", near.ticket)
        untie(near, far, CHILD_OF)


def post_update(
    *,
    ticket: Ticket,
    actor: Person,
    text: str,
    audience: str = stakeholders.EVERYBODY,
    next_in_min: int = 30,
    phase: str = "",
    clock: TimeSource = database_now,
    via: str = "web",
) -> Major:
    """Tell the stakeholders how it goes; "still working on it" counts as word given.

    `phase` says how far the work has come, where that is known.
    """
    if audience not in stakeholders.AUDIENCES:
        raise Invalid("unknown_choice", "Choose an audience.", {"audience": "Choose one."})
    if phase and phase not in Phase.values:
        raise Invalid("unknown_choice", "Choose how far it is.", {"phase": "Choose one."})
    if not 1 <= next_in_min <= LONGEST_SILENCE_MIN:
        words = f"From 1 to {LONGEST_SILENCE_MIN} minutes."
        raise Invalid("bad_time", "When comes the next word?", {"next_in_min": words})
    with acting(ticket, actor=actor, action="update_stakeholders", clock=clock, via=via) as act:
        major = under_way(act)
        body = required(text, "text")
        major.last_update_at = act.now
        major.next_update_at = act.now + timedelta(minutes=next_in_min)
        major.save(update_fields=["last_update_at", "next_update_at"])
        event = act.record(
            EventKind.MAJOR_UPDATED,
            body=body,
            is_public=audience == stakeholders.EVERYBODY,
            facts={
                "audience": audience,
                "next_in_min": next_in_min,
                **({"phase": str(phase)} if phase else {}),
            },
        )
        stakeholders.tell(act, event, kind="major_updated", body=body, audience=audience)
        reminders.remind(act, event, major)
        return major


# ---- Ended -------------------------------------------------------------------------------------


def demote_major(
    *,
    ticket: Ticket,
    actor: Person,
    reason: str,
    clock: TimeSource = database_now,
    via: str = "web",
) -> Major:
    """Say that it is no major incident after all; the ticket goes on as any other."""
    with acting(ticket, actor=actor, action="run_major", clock=clock, via=via) as act:
        words = required(reason, "reason", 2000)
        major = under_way(act)
        major.state, major.ended_at = Major.State.DEMOTED, act.now
        major.next_update_at = None
        major.save(update_fields=["state", "ended_at", "next_update_at"])
        reminders.forget(act, "It is no major incident any more.")
        act.ticket.is_major = False
        event = act.record(EventKind.MAJOR_DEMOTED, body=words)
        stakeholders.tell(
            act, event, kind="major_demoted", body=words, audience=stakeholders.INSIDE
        )
        return major


def resolve_major(
    *,
    ticket: Ticket,
    actor: Person,
    code: str,
    text: str,
    with_children: bool = True,
    quietly: bool = False,
    clock: TimeSource = database_now,
    via: str = "web",
) -> Resolved:
    """Resolve the major incident and, if wished, its open children with the same words.

    Every ticket has its own event. A child that cannot be resolved stays as it was, all of it, and
    is named with the reason. `quietly` tells those who asked in a ticket, and nobody else.
    """
    with transaction.atomic():
        children = stakeholders.children_of(ticket) if with_children else []
        for ticket_id in sorted({ticket.pk, *children}):
            timeline.lock(ticket_id)
        with acting(ticket, actor=actor, action="run_major", clock=clock, via=via) as act:
            under_way(act)
            lifecycle.solve(act, code=code, text=text, quietly=quietly)
            outcome = Resolved(major=act.ticket)
        mine = Ticket.objects.visible_to(actor).filter(pk__in=children, status__in=states.OPEN)
        for child in mine.order_by("id"):
            try:
                with acting(child, actor=actor, action="run_major", clock=clock, via=via) as act:
                    facts = {"major": outcome.major.key}
                    lifecycle.solve(act, code=code, text=text, facts=facts)
            except Refused as refusal:
                outcome.left[child.key] = refusal.detail
            else:
                outcome.children.append(act.ticket)
        return outcome


# ---- Read --------------------------------------------------------------------------------------


def children_of_open_majors(ticket_ids: Iterable[int]) -> set[int]:
    """Which of these tickets hang on a major incident under way: their policies are held.

    A restricted one never does, whatever it was linked with before: its own chain goes on.
    """
    # From the few majors that are under way, not from the tickets, of which there may be many.
    rows = TicketLink.objects.filter(
        relation=CHILD_OF,
        target__in=Major.objects.filter(state=Major.State.ACCEPTED).values("ticket"),
    )
    linked = set(rows.values_list("source_id", flat=True)) & set(ticket_ids)
    if not linked:
        return linked
    open_to_all = Ticket.objects.filter(pk__in=linked, restricted=False)
    return set(open_to_all.values_list("pk", flat=True))


def _record_of(ticket: Ticket) -> Major | None:
    return Major.objects.filter(ticket=ticket.pk).select_for_update(of=("self",)).first()


def _proposed(act: Act) -> Major:
    major = _record_of(act.ticket)
    if major is None or major.state != Major.State.PROPOSED:
        raise Conflict("not_proposed", f"Nobody has proposed {act.ticket.key} as a major incident.")
    return major


def under_way(act: Act) -> Major:
    """The locked record of the act's ticket. Raises Conflict unless it is a major under way."""
    major = _record_of(act.ticket)
    if major is None or not major.is_under_way:
        raise Conflict("no_major", f"{act.ticket.key} is no major incident under way.")
    return major


def _require_fit(ticket: Ticket) -> None:
    if not ticket.is_open:
        raise Conflict("not_open", f"{ticket.key} is not open any more.")
    if ticket.restricted:
        raise Conflict("restricted", f"{ticket.key} is restricted; it is led in its own lane.")


def _require_severity(severity: int) -> None:
    if severity not in Major.Severity.values:
        raise Invalid("unknown_choice", "Choose a severity.", {"severity": "1, 2 or 3."})
