"""What an authority must be told of a ticket, by when, and that it has been told."""

from datetime import datetime

from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.refusals import Conflict, Invalid
from tickets.acting import acting, fitting, required
from tickets.models import EventKind, Notice, Ticket
from tickets.opening import ALLOWED_SKEW
from tickets.timeline import instant_text


def owe_notice(
    *,
    ticket: Ticket,
    actor: Person | None,
    authority: str,
    since: datetime | None = None,
    reason: str = "",
    clock: TimeSource = database_now,
    via: str = "web",
) -> Notice:
    """Note that an authority must be told; the time allowed runs from `since` (now, by default).

    `since` is when the duty began, such as the moment at which the breach of data became known
    (72 hours by Article 33 GDPR; the site's own target says how long). Raises Conflict when this
    authority is owed word of this ticket already.
    """
    with acting(ticket, actor=actor, action="notify_authority", clock=clock, via=via) as act:
        name = required(authority, "authority", 200)
        began = _believed(since, act.now)
        held = Notice.objects.filter(ticket=act.ticket.pk, authority=name).first()
        if held is not None:
            raise Conflict("owed", f"{name} is on the list of {act.ticket.key} already.")
        notice = Notice.objects.create(
            ticket=act.ticket, authority=name, since=began, owed_by=actor
        )
        act.record(
            EventKind.NOTICE_OWED,
            body=fitting(reason.strip(), "reason", 2000),
            facts={"notice": notice.pk, "authority": name, "since": instant_text(began)},
        )
        return notice


def give_notice(
    *,
    ticket: Ticket,
    actor: Person,
    authority: str,
    reference: str = "",
    clock: TimeSource = database_now,
    via: str = "web",
) -> Notice:
    """Note that the authority has been told, with its reference. Raises Conflict if none is due."""
    with acting(ticket, actor=actor, action="notify_authority", clock=clock, via=via) as act:
        rows = Notice.objects.filter(ticket=act.ticket.pk, authority=authority.strip())
        notice = rows.filter(given_at=None).select_for_update(of=("self",)).first()
        if notice is None:
            raise Conflict("not_owed", f"No word is owed to {authority.strip() or 'nobody'}.")
        notice.given_at, notice.given_by = act.now, actor
        notice.reference = fitting(reference.strip(), "reference", 200)
        notice.save(update_fields=["given_at", "given_by", "reference"])
        still = Notice.objects.filter(ticket=act.ticket.pk, given_at=None).count()
        act.record(
            EventKind.NOTICE_GIVEN,
            facts={
                "notice": notice.pk,
                "authority": notice.authority,
                "reference": notice.reference,
                "still_owed": still,
            },
        )
        return notice


def _believed(since: datetime | None, now: datetime) -> datetime:
    if since is None:
        return now
    if since.tzinfo is None:
        raise Invalid("bad_time", "A time is impossible.", {"since": "This time needs a zone."})
    if since > now + ALLOWED_SKEW:
        raise Invalid("bad_time", "A time is impossible.", {"since": "This time lies ahead."})
    return min(since, now)
