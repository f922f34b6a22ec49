"""Calling in a vendor for a ticket: engaged, answered, delivered or released."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q

from escalation.letters import agent_letter, vendor_letter
from escalation.models import Engagement, Vendor, VendorContact
from escalation.targets import People
from notifications.models import ContactMethod
from notifications.outbox import Letter, enqueue
from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.refusals import Conflict, Invalid
from roles.written import any_of
from tickets import states, timeline
from tickets.acting import Act, acting, fitting, required
from tickets.models import EventKind, Ticket, TimelineEvent
from tickets.timeline import Entry, Write

REASON_MAX = 2000
REFERENCE_MAX = 120
LIVE = Q(ended_at__isnull=True)


def engage(
    *,
    ticket: Ticket,
    vendor: Vendor,
    actor: Person | None,
    reason: str,
    reference: str = "",
    wait: bool = False,
    clock: TimeSource = database_now,
    via: str = "web",
) -> Engagement:
    """Call in a vendor; its clocks start, and its first contact is written to.

    With `wait` the ticket is put on hold for it, from work in progress only; that pauses just the
    clocks whose target says so. The vendor reads `reason`, but never of a restricted case.
    Raises Conflict when a vendor is engaged already, Invalid for one that is switched off.
    """
    with acting(ticket, actor=actor, action="engage_vendor", clock=clock, via=via) as act:
        engagement, write = engaging(act, vendor, reason=reason, reference=reference)
        timeline.record_many([write], at=act.now)
        enqueue(told_to_vendor(act.ticket, write.events[0], engagement), now=act.now)
        if wait and act.ticket.status != states.PENDING_VENDOR:
            act.ticket.await_vendor()
            act.ticket.pending_reason = f"{vendor.name}: {engagement.reason}"[:250]
            act.record(EventKind.PENDED, facts={"by": "agent", **_facts(engagement)})
        return engagement


def engaging(
    act: Act, vendor: Vendor, *, reason: str, reference: str = ""
) -> tuple[Engagement, Write]:
    """The same within a frame of the caller's own: the engagement, and its event still to record.

    For callers that hold the ticket's lock and write many tickets at once. Raises as `engage`.
    """
    ticket = act.ticket
    body = required(reason, "reason", REASON_MAX)
    if not ticket.is_open:
        raise Conflict("not_open", f"{ticket.key} is not open any more.")
    if not vendor.is_active:
        raise Invalid("switched_off", f"{vendor} takes no calls.", {"vendor": "Choose another."})
    held = live_engagement(ticket)
    if held is not None:
        raise Conflict("engaged", f"{held.vendor} is engaged for {ticket.key}; release it first.")
    engagement = Engagement.objects.create(
        ticket=ticket,
        vendor=vendor,
        reference=fitting(reference.strip(), "reference", REFERENCE_MAX),
        reason=body,
        engaged_at=act.now,
        engaged_by=act.actor,
        entry=ticket.entry,
    )
    return engagement, act.write(EventKind.VENDOR_ENGAGED, facts=_facts(engagement), body=body)


def respond(
    *,
    ticket: Ticket,
    actor: Person | None,
    reference: str = "",
    text: str = "",
    clock: TimeSource = database_now,
    via: str = "web",
) -> Engagement:
    """Note that the vendor has answered, under which number of its own; meets its response.

    Answering again keeps the first time. Raises Conflict when no vendor is engaged.
    """
    with acting(ticket, actor=actor, action="engage_vendor", clock=clock, via=via) as act:
        engagement = _required(act)
        engagement.reference = (
            fitting(reference.strip(), "reference", REFERENCE_MAX) or engagement.reference
        )
        engagement.state = Engagement.State.RESPONDED
        engagement.responded_at = engagement.responded_at or act.now
        engagement.save(update_fields=["reference", "state", "responded_at"])
        body = fitting(text.strip(), "text", REASON_MAX)
        act.record(EventKind.VENDOR_RESPONDED, facts=_facts(engagement), body=body)
        return engagement


def deliver(
    *,
    ticket: Ticket,
    actor: Person | None,
    result: str,
    clock: TimeSource = database_now,
    via: str = "web",
) -> Engagement:
    """Note what the vendor has delivered; a ticket that waits for it is worked on again.

    Its assignee is told, or who is on call where it has none. Raises Conflict as `respond`.
    """
    with acting(ticket, actor=actor, action="engage_vendor", clock=clock, via=via) as act:
        body = required(result, "result", REASON_MAX)
        engagement = _required(act)
        _end(engagement, Engagement.State.DELIVERED, act.now)
        event = act.record(EventKind.VENDOR_DELIVERED, facts=_facts(engagement), body=body)
        _resume(act, f"{engagement.vendor} has delivered")
        subject = f"{engagement.vendor} has delivered"
        enqueue(_told_at_work(act, event.cause, subject, body), now=act.now)
        return engagement


def release_vendor(
    *,
    ticket: Ticket,
    actor: Person | None,
    reason: str,
    clock: TimeSource = database_now,
    via: str = "web",
) -> Engagement:
    """End the engagement without a delivery; a ticket that waits for it is worked on again.

    Raises Conflict as `respond`.
    """
    with acting(ticket, actor=actor, action="engage_vendor", clock=clock, via=via) as act:
        body = required(reason, "reason", REASON_MAX)
        engagement = _required(act)
        _end(engagement, Engagement.State.RELEASED, act.now)
        act.record(EventKind.VENDOR_RELEASED, facts=_facts(engagement), body=body)
        _resume(act, f"{engagement.vendor} was released")
        return engagement


def live_engagement(ticket: Ticket) -> Engagement | None:
    """The vendor that is engaged for the ticket now, if any."""
    return Engagement.objects.filter(LIVE, ticket=ticket.pk).select_related("vendor").first()


def _required(act: Act) -> Engagement:
    engagement = live_engagement(act.ticket)
    if engagement is None:
        raise Conflict("not_engaged", f"No vendor is engaged for {act.ticket.key}.")
    return engagement


def _facts(engagement: Engagement) -> dict[str, Any]:
    return {
        "vendor": engagement.vendor_id,
        "engagement": engagement.pk,
        "name": engagement.vendor.name,
        "reference": engagement.reference,
    }


def _end(engagement: Engagement, state: str, at: datetime) -> None:
    engagement.state, engagement.ended_at = state, at
    engagement.save(update_fields=["state", "ended_at"])


def _resume(act: Act, because: str) -> None:
    if act.ticket.status == states.PENDING_VENDOR:
        act.ticket.resume()
        act.record(EventKind.RESUMED, facts={"because": because})


def _told_at_work(act: Act, cause: str, subject: str, body: str) -> list[Letter]:
    people = People([act.ticket], act.now)
    found = people.find(act.ticket, ["assignee"])
    if not found.people:
        found = people.find(act.ticket, ["on_call"])
    return [
        agent_letter(
            act.ticket,
            cause=cause,
            recipient_id=person_id,
            kind="vendor",
            subject=subject,
            body=body,
        )
        for person_id in found.ids
        if act.actor is None or person_id != act.actor.pk
    ]


# ---- What the vendor itself is told --------------------------------------------------------------


def told_to_vendor(ticket: Ticket, event: TimelineEvent, engagement: Engagement) -> list[Letter]:
    """The letter to the vendor's first contact with an address; none about a restricted case."""
    if ticket.restricted:
        return []
    account = _reachable_account(engagement.vendor)
    return [vendor_letter(ticket, engagement, event.cause, account.pk)] if account else []


def _reachable_account(vendor: Vendor) -> Person | None:
    """The account that stands for the vendor, reached at its first contact; None without one."""
    contact = VendorContact.objects.filter(vendor=vendor).exclude(email="").first()
    if contact is None:
        return None
    if vendor.account is None:
        vendor.account = _make_account(vendor)
        vendor.save(update_fields=["account"])
    methods = ContactMethod.objects.filter(person=vendor.account, channel="email")
    methods.exclude(address=contact.email).update(is_active=False)
    method, _ = methods.get_or_create(
        address=contact.email,
        defaults={"person": vendor.account, "channel": "email", "verified_at": database_now()},
    )
    if not method.is_active:
        method.is_active = True
        method.save(update_fields=["is_active"])
    return vendor.account


def _make_account(vendor: Vendor) -> Person:
    """A service account for the vendor; a person who has its name already is left alone."""
    username = f"vendor-{vendor.slug}"
    if Person.objects.filter(username=username).exists():
        username = f"{username}-{vendor.pk}"
    account = Person(username=username, name=vendor.name, kind=Person.Kind.SERVICE)
    account.set_unusable_password()
    account.save(force_insert=True)
    return account


# ---- Following the tickets -----------------------------------------------------------------------


def follow_tickets(
    tickets: Sequence[Ticket], at: datetime, *, vendor_teams: Collection[int] | None = None
) -> list[int]:
    """Make engagements fit where locked tickets are now; two queries when nothing is to be done.

    A ticket in a vendor's team has that vendor engaged; one that left it, or is done, has not. A
    vendor that was engaged by hand stays through hand-overs, until the ticket is done. Returns the
    ids of the tickets of which that told something new. `vendor_teams` are the ids of all teams of
    vendors, where the caller has read them.
    """
    ids = [ticket.pk for ticket in tickets]
    teams = {ticket.team_id for ticket in tickets if ticket.is_open and ticket.team_id}
    if vendor_teams is not None:
        teams &= set(vendor_teams)
    found = Vendor.objects.filter(team__in=teams, is_active=True) if teams else ()
    at_team = {row.team_id: row for row in found}
    rows = Engagement.objects.filter(LIVE | Q(by_move=True, vendor__in=at_team.values()))
    known: dict[int, list[Engagement]] = {}
    for row in rows.filter(any_of("ticket", ids)).select_related("vendor"):
        known.setdefault(row.ticket_id, []).append(row)
    return [
        ticket.pk
        for ticket in tickets
        if (ticket.pk in known or ticket.team_id in at_team)
        and _follow(ticket, known.get(ticket.pk, []), at_team.get(ticket.team_id), at)
    ]


def _follow(
    ticket: Ticket, known: Sequence[Engagement], vendor: Vendor | None, at: datetime
) -> bool:
    """Release and engage as it must be; whether there was anything to do."""
    live = next((row for row in known if row.ended_at is None), None)
    if not ticket.is_open or any(row.by_move and row.entry == ticket.entry for row in known):
        vendor = None  # done; or engaged in this entry already, and perhaps released again
    because = _why_over(ticket, live, vendor) if live else ""
    if live and because:
        _end(live, Engagement.State.RELEASED, at)
        facts = {**_facts(live), "because": because}
        entry = Entry(kind=EventKind.VENDOR_RELEASED, facts=facts)
        timeline.record(ticket, entry, at=at, announce=False)
        live = None
    if vendor and live is None:
        _engage_by_move(ticket, vendor, at)
        return True
    return bool(because)


def _engage_by_move(ticket: Ticket, vendor: Vendor, at: datetime) -> None:
    engagement = Engagement.objects.create(
        ticket=ticket,
        vendor=vendor,
        reason=f"Passed to {ticket.team}.",
        engaged_at=at,
        entry=ticket.entry,
        by_move=True,
    )
    entry = Entry(kind=EventKind.VENDOR_ENGAGED, facts=_facts(engagement), body=engagement.reason)
    (event,) = timeline.record(ticket, entry, at=at, announce=False)
    enqueue(told_to_vendor(ticket, event, engagement), now=at)


def _why_over(ticket: Ticket, live: Engagement, coming: Vendor | None) -> str:
    """Why an engagement does not hold any more; empty while it does."""
    if not ticket.is_open:
        return f"the ticket is {states.LABELS[ticket.status].lower()}"
    if coming is not None and coming.pk != live.vendor_id:
        return f"the work went to {coming}"
    if live.by_move and live.entry != ticket.entry:
        return "the ticket has left the vendor's team"
    return ""
