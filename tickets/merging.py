"""Two tickets about one thing become one: the duplicate closes, its people go over."""

from django.db import transaction

from notifications.outbox import enqueue
from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.refusals import Conflict, Invalid
from tickets import letters, states
from tickets.access import may, require
from tickets.acting import Act, required
from tickets.lifecycle import withdraw_all
from tickets.links import two_acts
from tickets.models import Clearance, EventKind, Ticket, TicketLink, Watcher

DUPLICATE = "duplicate"


@transaction.atomic
def merge(
    *,
    ticket: Ticket,
    into: Ticket,
    actor: Person | None,
    reason: str,
    clock: TimeSource = database_now,
    via: str = "web",
) -> Ticket:
    """Close `ticket` as a duplicate of `into`, which goes on; returns the latter.

    The clocks of the duplicate are cancelled and its policy stops; those of the survivor do not
    move. The requester and the watchers of the duplicate watch the survivor, its comments stay
    where they are, and what is said on it from now on is said on the survivor. Raises Invalid for
    a ticket with itself and for restricted with open, Conflict where one of them is over, a major
    incident or a child of the duplicate.
    """
    gone, kept = two_acts(ticket, into, actor=actor, clock=clock, via=via)
    require(actor, "merge", gone.ticket)
    require(actor, "link", kept.ticket)
    words = required(reason, "reason", 2000)
    _require_fit(gone.ticket, kept.ticket)
    TicketLink.objects.get_or_create(
        source=gone.ticket, target=kept.ticket, relation=TicketLink.Relation.DUPLICATE_OF
    )
    people = _bring_people(gone.ticket, kept)
    _end(gone, kept.ticket, words)
    kept.record(
        EventKind.MERGED,
        body=words,
        facts={"other": gone.ticket.key, "direction": "in", "added": people},
    )
    return kept.ticket


def _require_fit(gone: Ticket, kept: Ticket) -> None:
    if gone.restricted != kept.restricted:
        raise Invalid("restricted", "A restricted case and an open ticket are never merged.")
    if gone.status in states.FINAL:
        raise Conflict("over", f"{gone.key} is closed already.")
    if not kept.is_open:
        raise Conflict("over", f"{kept.key} is not open; reopen it first.")
    if gone.is_major:
        raise Conflict(
            "major", f"{gone.key} is a major incident; demote it or merge the other way."
        )
    if _hangs_on(kept, gone):
        raise Conflict("child", f"{kept.key} is a child of {gone.key}; merge the other way.")


def _hangs_on(ticket: Ticket, ancestor: Ticket) -> bool:
    """Whether the ticket is a child, a grandchild, … of the other."""
    level, seen = {ticket.pk}, set()
    while level:
        if ancestor.pk in level:
            return True
        seen |= level
        above = TicketLink.objects.filter(source__in=level, relation=TicketLink.Relation.CHILD_OF)
        level = set(above.values_list("target_id", flat=True)) - seen
    return False


def _bring_people(gone: Ticket, kept: Act) -> list[int]:
    """Let the duplicate's people watch the survivor; of a case only those who are cleared for it.

    Returns whom that adds.
    """
    people = {gone.requester_id, *letters.watcher_ids(gone)}
    people -= {kept.ticket.requester_id, *letters.watcher_ids(kept.ticket)}
    if kept.ticket.restricted:
        cleared = Clearance.objects.filter(ticket=kept.ticket.pk)
        people &= set(cleared.values_list("person_id", flat=True))
    known = Person.objects.filter(pk__in=people, is_active=True, kind=Person.Kind.PERSON)
    added = sorted(known.values_list("pk", flat=True))
    Watcher.objects.bulk_create(
        [Watcher(ticket=kept.ticket, person_id=pk, since=kept.now) for pk in added]
    )
    return added


def _end(act: Act, survivor: Ticket, reason: str) -> None:
    """Close the duplicate by the legal way, resolved and then closed; the first event says why."""
    ticket = act.ticket
    ticket.merged_into = survivor
    ticket.resolution_code, ticket.resolution = DUPLICATE, f"Goes on as {survivor.key}."
    facts = {"other": survivor.key, "direction": "out"}
    if ticket.status != states.RESOLVED:
        ticket.resolve()
        ticket.resolved_at = act.now
        event = act.record(EventKind.MERGED, body=reason, is_public=True, facts=facts)
        ticket.close()
        ticket.closed_at = act.now
        act.record(EventKind.CLOSED, facts={"how": "merged"})
    else:
        ticket.close()
        ticket.closed_at = act.now
        event = act.record(EventKind.MERGED, body=reason, is_public=True, facts=facts)
    withdraw_all(act, "merged")
    if ticket.requester.is_active and may(ticket.requester, "view", survivor):
        body = f"It goes on as {survivor.key}; answers reach us there. {reason}"
        enqueue(letters.to_requester(ticket, event, kind="merged", body=body), now=act.now)
