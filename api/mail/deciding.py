"""Decides what becomes of a mail: report, loop, alert, answer, new ticket, or a case for a person.

Who may speak on a ticket is proven by the signed address or Message-ID that only its recipient was
sent, never by a subject, and by what that person may do there. A sender's address alone is enough
to open a ticket, not to touch one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db.models import Q

from api.mail import writing
from api.mail.automatic import own_loop, written_by_machine
from api.mail.monitors import alert_of
from api.mail.reading import Mail
from notifications.bounces import note_bounce
from notifications.models import ContactMethod, Message
from notifications.replies import Claim, claimed
from roles.instants import TimeSource
from roles.models import Person
from roles.newcomers import add_person
from tickets.access import may
from tickets.ingest import accept
from tickets.links import survivor_of
from tickets.models import MailSource, ReceivedMail, Ticket

Outcome = ReceivedMail.Outcome
HOUR: Final = timedelta(hours=1)
RESTRICTED: Final = "It answers a case that is not spoken of by mail."


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a mail, and to whom and what it belongs."""

    outcome: str
    reason: str = ""
    person: Person | None = None
    ticket: Ticket | None = None
    about: Message | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One mail on its way through the rules."""

    received: ReceivedMail
    mail: Mail
    clock: TimeSource
    claim: Claim
    as_guest: bool
    by_hand: bool

    @property
    def source(self) -> MailSource:
        return self.received.source


def decide(
    received: ReceivedMail,
    mail: Mail,
    clock: TimeSource,
    *,
    as_guest: bool = False,
    by_hand: bool = False,
) -> Decision:
    """What becomes of the mail, carried out. Raises what the domain refuses."""
    case = Case(
        received=received,
        mail=mail,
        clock=clock,
        claim=claimed(mail.recipients, mail.references),
        as_guest=as_guest,
        by_hand=by_hand,
    )
    for rule in RULES:
        decision = rule(case)
        if decision is not None:
            return decision
    return _new(case)


# ---- Machines ----


def _report(case: Case) -> Decision | None:
    """A mail server's report: told on the ticket, and on the message, when it is one of ours."""
    report = case.mail.report
    if report is None:
        return None
    message = claimed(report.addresses, report.ids).message
    if message is None:
        return Decision(Outcome.IGNORED, "It reports on a mail that is not one of ours.")
    words = " ".join(filter(None, [report.status, report.diagnostic])) or "no reason given"
    if report.action != "failed":
        late = f"A mail server says {report.action or 'something'} of a message: {words}"
        return Decision(Outcome.IGNORED, late[:400], about=message)
    to = report.recipient or "the recipient"
    said = f"The mail to {to} came back: {words}"[:400]
    note_bounce(message, said, case.clock())
    ticket = _ticket_of(message)
    if ticket is not None:
        writing.note_return(ticket, case.received, said, clock=case.clock)
    return Decision(Outcome.BOUNCED, said, ticket=ticket, about=message)


def _loop(case: Case) -> Decision | None:
    own = {settings.MAIL_REPLY_ADDRESS.lower(), _from_address()} - {""}
    own |= set(MailSource.objects.values_list("address", flat=True))
    reason = own_loop(case.mail, own)
    return Decision(Outcome.IGNORED, reason) if reason else None


def _from_address() -> str:
    return settings.DEFAULT_FROM_EMAIL.rpartition("<")[2].rstrip("> ").lower()


def _alert(case: Case) -> Decision | None:
    if case.source.monitor is None or case.claim.message is not None:
        return None
    alert = alert_of(case.mail)
    if alert is None:
        return None
    (outcome,) = accept(source=case.source.monitor, alerts=[alert], clock=case.clock)
    ticket = Ticket.objects.filter(key=outcome.ticket_key).first() if outcome.ticket_key else None
    words = f"{outcome.result}: {outcome.reason}" if outcome.reason else outcome.result
    return Decision(Outcome.ALERTED, words[:400], ticket=ticket)


def _machine(case: Case) -> Decision | None:
    if case.by_hand:
        return None  # somebody has looked at it and wants it taken in
    reason = written_by_machine(case.mail)
    if not reason:
        return None
    message = case.claim.message
    ticket = _ticket_of(message) if message is not None else None
    return Decision(Outcome.IGNORED, reason, ticket=ticket, about=message)


def _flood(case: Case) -> Decision | None:
    """More mails of one sender within an hour than a person writes are held."""
    if case.by_hand:
        return None
    since = case.clock() - HOUR
    same = ReceivedMail.objects.filter(sender=case.mail.sender, received_at__gt=since)
    taken = same.filter(outcome__in=[Outcome.OPENED, Outcome.COMMENTED]).count()
    if taken < case.source.hourly_limit:
        return None
    return Decision(Outcome.HELD, f"{taken} mails came from {case.mail.sender} within an hour.")


# ---- Answers ----


def _answer(case: Case) -> Decision | None:
    """An answer to a message of ours, in the name of whom that was sent to."""
    message = case.claim.message
    if message is None:
        return None
    ticket = _ticket_of(message)
    if ticket is None or message.clearance:
        return Decision(Outcome.HELD, RESTRICTED, about=message, ticket=ticket)
    goes_on = survivor_of(ticket)
    if ticket.restricted or goes_on.restricted:
        return Decision(Outcome.HELD, RESTRICTED, about=message, ticket=goes_on)
    writer = message.recipient
    if not writer.is_active:
        return Decision(Outcome.REFUSED, "Whoever it was sent to has left.", about=message)
    if case.mail.sender not in addresses_of(writer):
        said = f"{case.mail.sender} answers what was sent to somebody else."
        return Decision(Outcome.HELD, said, about=message, ticket=ticket)
    return _spoken(case, ticket, writer, message)


def _own_thread(case: Case) -> Decision | None:
    """A further mail of somebody to their own earlier one."""
    if not case.mail.references:
        return None
    writer = person_at(case.mail.sender)
    if writer is None:
        return None
    earlier = ReceivedMail.objects.filter(
        message_id__in=case.mail.references, person=writer, outcome__in=["opened", "commented"]
    ).exclude(pk=case.received.pk)
    found = earlier.select_related("ticket").order_by("-id").first()
    if found is None or found.ticket is None:
        return None
    goes_on = survivor_of(found.ticket)
    if found.ticket.restricted or goes_on.restricted:
        # A ticket of its own would tell everybody what was written about the case.
        return Decision(Outcome.HELD, RESTRICTED, person=writer, ticket=goes_on)
    return _spoken(case, found.ticket, writer, None)


def _spoken(case: Case, ticket: Ticket, writer: Person, about: Message | None) -> Decision:
    """What was written, on the ticket: a reply of those who asked, a note of those who work."""
    internal = may(writer, "see_internal", ticket)
    if not may(writer, "comment_internal" if internal else "comment_public", ticket):
        said = f"{writer} may not write on {ticket.key}."
        return Decision(Outcome.HELD, said, person=writer, ticket=ticket, about=about)
    on, is_new, left = writing.add(
        ticket, case.received, case.mail, writer=writer, internal=internal, clock=case.clock
    )
    outcome = Outcome.OPENED if is_new else Outcome.COMMENTED
    return Decision(outcome, left, person=writer, ticket=on, about=about)


# ---- New tickets ----


def _new(case: Case) -> Decision:
    """A ticket of its own; what it claims to answer, and cannot prove, is said on it."""
    sender = case.mail.sender
    known = Person.objects.filter(email__iexact=sender).first() or person_at(sender)
    if known is not None and not known.is_active:
        return Decision(Outcome.REFUSED, f"The account of {sender} is switched off.", person=known)
    if known is not None and known.kind != Person.Kind.PERSON:
        return Decision(Outcome.HELD, f"{sender} belongs to a service account.", person=known)
    is_guest = known is None
    if known is None:
        decision = _stranger(case)
        if decision is not None:
            return decision
        name = case.mail.sender_name or sender
        known = add_person(actor=None, name=name, email=sender, clock=case.clock)
    ticket, left = writing.open_by(
        case.received,
        case.mail,
        writer=known,
        is_guest=is_guest,
        is_unproven=case.claim.is_made,
        clock=case.clock,
    )
    return Decision(Outcome.OPENED, left, person=known, ticket=ticket)


def _stranger(case: Case) -> Decision | None:
    """What the source's rule says of a sender whom nobody knows; None: let them in."""
    policy = case.source.unknown
    if case.as_guest:
        return None
    if policy == MailSource.Unknown.GUEST:
        return _guest_flood(case)
    said = f"Nobody here has the address {case.mail.sender}."
    refused = policy == MailSource.Unknown.REFUSE
    return Decision(Outcome.REFUSED if refused else Outcome.HELD, said)


def _guest_flood(case: Case) -> Decision | None:
    """Too many strangers within an hour: each may be another name of one who floods.

    Every guest is an account, and gets a letter; to an address that was forged, somebody else does.
    """
    since = case.clock() - HOUR
    opened = ReceivedMail.objects.filter(source=case.source, outcome=Outcome.OPENED)
    guests = opened.filter(received_at__gt=since, ticket__tags__contains=["guest"]).count()
    if guests < case.source.hourly_limit:
        return None
    return Decision(Outcome.HELD, f"{guests} strangers were let in as guests within an hour.")


def person_at(address: str) -> Person | None:
    """The active person of this address: their own, or a verified one; None where it is unclear."""
    if not address:
        return None
    methods = ContactMethod.objects.filter(
        channel="email", address__iexact=address, is_active=True, verified_at__isnull=False
    )
    known = Q(email__iexact=address) | Q(pk__in=methods.values("person"))
    found = list(Person.objects.filter(known, is_active=True)[:2])
    return found[0] if len(found) == 1 else None


def addresses_of(person: Person) -> set[str]:
    """The addresses, in small letters, from which this person is known to write."""
    methods = ContactMethod.objects.filter(
        person=person, channel="email", is_active=True, verified_at__isnull=False
    )
    return {a.lower() for a in (person.email, *methods.values_list("address", flat=True)) if a}


def _ticket_of(message: Message) -> Ticket | None:
    """The ticket that a message of ours tells of."""
    kind, _, number = message.topic.partition(":")
    if kind != "ticket" or not number.isdecimal():
        return None
    return Ticket.objects.filter(pk=int(number)).first()


RULES: Final[tuple[Callable[[Case], Decision | None], ...]] = (
    _report,
    _loop,
    _alert,
    _machine,
    _flood,
    _answer,
    _own_thread,
)
"""In this order; the first that has something to say decides."""
