"""Takes mail in: kept first, with all that came, then decided on; one mail, one outcome.

The row of the mail and what it does to a ticket are one transaction. So a mail that is shown
again, after a crash or by a second road, is known by its Message-ID and does nothing more.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from django.db import (
    DatabaseError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    transaction,
)

from api.mail import deciding
from api.mail.deciding import Decision
from api.mail.quoting import fold
from api.mail.reading import Mail, read
from roles import audit
from roles.instants import TimeSource, database_now, fixed
from roles.models import Person
from roles.people import require
from roles.refusals import Conflict, Refused
from tickets.mailsources import note_mail
from tickets.models import MailSource, ReceivedMail

log = logging.getLogger(__name__)

BYTES_MAX: Final = 30_000_000
TEXT_MAX: Final = 20_000
Outcome = ReceivedMail.Outcome
SETTLED: Final = frozenset({Outcome.OPENED, Outcome.COMMENTED, Outcome.ALERTED, Outcome.BOUNCED})
"""Outcomes that have done something already, and so cannot be done again."""


@dataclass(frozen=True, slots=True)
class Place:
    """By which road a mail came; in a mailbox it has a number of its own."""

    via: str
    uid_validity: int | None = None
    uid: int | None = None


def take_in(
    *, source: MailSource, raw: bytes, place: Place, clock: TimeSource = database_now
) -> ReceivedMail:
    """The mail as it is kept, with its outcome; the one that is known already, untouched.

    Raises only what the database raises when it cannot be reached: then nothing was kept, and
    whoever holds the mail must offer it again.
    """
    mail = read(raw[:BYTES_MAX])
    now = clock()
    with transaction.atomic():
        received, is_new = _keep(source, raw, mail, place, now)
        if is_new:
            _settle(received, mail, len(raw) > BYTES_MAX, now)
    note_mail(source, now)
    return received


@transaction.atomic
def process_again(
    *,
    received: ReceivedMail,
    as_guest: bool = False,
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> ReceivedMail:
    """Decide once more on a mail that did nothing so far, in the light of what was mended.

    `as_guest` lets a stranger in whatever the source's rule says. Raises Forbidden, and Conflict
    for a mail that has become something already.
    """
    require(actor, "admin")
    locked = ReceivedMail.objects.select_for_update(of=("self",)).get(pk=received.pk)
    if locked.outcome in SETTLED:
        raise Conflict("settled", f"“{locked}” has become something already.")
    before = locked.outcome
    now = clock()
    raw = bytes(locked.raw)
    _settle(locked, read(raw), locked.size > len(raw), now, as_guest=as_guest, by_hand=True)
    audit.record(
        actor=actor,
        action="mail.processed_again",
        subject=locked,
        changes={"outcome": [before, locked.outcome]},
        clock=fixed(now),
    )
    return locked


def identity_of(mail: Mail, raw: bytes) -> str:
    """The name under which a mail is known here: its Message-ID's, else that of its bytes."""
    told = mail.message_id.encode() if mail.message_id else b"\x00" + raw
    return sha256(told).hexdigest()


def _second_identity(mail: Mail) -> str:
    """The name of a mail whose Message-ID another mail has come with before."""
    told = (mail.message_id, mail.sender, str(mail.sent_at), mail.subject, mail.text)
    return sha256("\x00".join(told).encode()).hexdigest()


def _is_same(known: ReceivedMail, mail: Mail) -> bool:
    """Whether a mail of the same Message-ID is the one that is known, come by another road.

    Devices give all their mails one id, and whoever knows an id can send it ahead. On the way a
    list or a gateway may change subject and words, but neither sender nor date.
    """
    if not known.raw:
        return True  # it has been forgotten by now
    former = read(bytes(known.raw))
    if (former.sender, former.sent_at) != (mail.sender, mail.sent_at):
        return False
    return mail.sent_at is not None or (former.subject, former.text) == (mail.subject, mail.text)


def _keep(
    source: MailSource, raw: bytes, mail: Mail, place: Place, now: datetime
) -> tuple[ReceivedMail, bool]:
    """The mail's row, and whether it is new; another that keeps it now is waited for."""
    written, rest = fold(mail.text)
    values: dict[str, Any] = {
        "source": source,
        "message_id": mail.message_id[:500],
        "sender": mail.sender[:320],
        "sender_name": mail.sender_name[:200],
        "subject": mail.subject,
        "raw": raw[:BYTES_MAX],
        "size": len(raw),
        "text": written,
        "rest": rest,
        "html": mail.html,
        "via": place.via,
        "uid_validity": place.uid_validity,
        "uid": place.uid,
        "received_at": now,
        "settled_at": now,
        "outcome": Outcome.FAILED,
        "reason": "It was not looked at to the end.",
    }
    first, is_new = _keep_as(identity_of(mail, raw), values)
    if is_new or not mail.message_id or _is_same(first, mail):
        return first, is_new
    return _keep_as(_second_identity(mail), values)


def _keep_as(identity: str, values: dict[str, Any]) -> tuple[ReceivedMail, bool]:
    try:
        with transaction.atomic():
            return ReceivedMail.objects.create(identity=identity, **values), True
    except IntegrityError:
        return ReceivedMail.objects.get(identity=identity), False


def _settle(
    received: ReceivedMail,
    mail: Mail,
    is_cut: bool,
    now: datetime,
    *,
    as_guest: bool = False,
    by_hand: bool = False,
) -> None:
    """Decide, and write down the outcome; whatever goes wrong is an outcome too."""
    try:
        with transaction.atomic():
            decision = _decided(
                received, mail, is_cut, fixed(now), as_guest=as_guest, by_hand=by_hand
            )
    except (OperationalError, InterfaceError):
        raise  # not the mail's fault: it is offered again
    except (Refused, DatabaseError) as trouble:
        decision = Decision(Outcome.FAILED, _words(trouble))
    except Exception as trouble:
        log.exception("mail %s could not be taken in", received.pk)
        decision = Decision(Outcome.FAILED, f"It could not be taken in: {type(trouble).__name__}.")
    notes = [decision.reason, *mail.troubles]
    received.outcome = decision.outcome
    received.reason = " ".join(filter(None, notes))[:500]
    received.person, received.about = decision.person, decision.about
    received.ticket, received.settled_at = decision.ticket, now
    received.save(update_fields=["outcome", "reason", "person", "about", "ticket", "settled_at"])


def _decided(
    received: ReceivedMail,
    mail: Mail,
    is_cut: bool,
    clock: TimeSource,
    *,
    as_guest: bool,
    by_hand: bool,
) -> Decision:
    if is_cut:
        return Decision(Outcome.FAILED, f"It is larger than {BYTES_MAX // 1_000_000} MB.")
    if not mail.sender and mail.report is None:
        return Decision(Outcome.FAILED)
    return deciding.decide(received, mail, clock, as_guest=as_guest, by_hand=by_hand)


def _words(trouble: Exception) -> str:
    if isinstance(trouble, Refused):
        return " ".join([trouble.detail, *trouble.fields.values()])[:400]
    return f"The database refused it: {str(trouble).splitlines()[0]}"[:400]
