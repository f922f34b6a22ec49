"""The live example: tickets whose targets are seconds, so that a newcomer can watch a climb."""

from datetime import timedelta
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.db import connection, transaction

from config.example.catalog import DEMO_SERVICE
from roles import audit
from roles.instants import TimeSource, database_now
from roles.models import AuditEntry, Person
from roles.people import roles_of
from roles.refusals import Conflict, Forbidden, Invalid
from tickets.lifecycle import cancel
from tickets.models import Service, Ticket
from tickets.opening import open_ticket

TAG: Final = "live-example"
OPENING: Final = "Live example:"
STARTED: Final = "live_example.started"
REST: Final = timedelta(seconds=30)
REPLACED: Final = "A new live example has begun."
LOCK: Final = 0x71E7_C11B


class Part(NamedTuple):
    """One ticket of a climb."""

    subject: str
    description: str
    requester: str
    kind: str
    impact: int
    urgency: int


PARTS: Final = (
    Part(
        f"{OPENING} nobody can pay at the checkout",
        "Watch this one climb: L1, L2, L3 and the incident manager within two minutes, each told "
        "by mail. Take or acknowledge it, and the climb stops.",
        "rita",
        "incident",
        1,
        1,
    ),
    Part(
        f"{OPENING} search is slow in the shop",
        "This one has a deadline of one minute: the lead is warned, then it is passed on. Reply "
        "to the requester, and the first clock is met.",
        "mike",
        "incident",
        2,
        1,
    ),
    Part(
        f"{OPENING} a till for the new branch",
        "A request on the same clock, less urgent: it is warned of in the same way.",
        "sophie",
        "request",
        3,
        2,
    ),
)


@transaction.atomic
def start_climb(*, actor: Person | None, clock: TimeSource = database_now) -> list[Ticket]:
    """Open the tickets of a live example, and cancel those that an earlier one has left open.

    Raises Invalid where there is no example site, Forbidden for people who are no agents, and
    Conflict when one has begun less than half a minute ago.
    """
    if actor is not None and "agent" not in roles_of(actor):
        raise Forbidden("not_allowed", "Live examples are started by people who work on tickets.")
    service = _demo_service()
    _take_turn()
    now = clock()
    if _started().filter(at__gt=now - REST).exists():
        raise Conflict("too_soon", "A live example has just begun; wait half a minute.")
    return _start(service, actor, clock)


@transaction.atomic
def start_first_climb(*, clock: TimeSource = database_now) -> list[Ticket]:
    """Start the live example unless this site has ever seen one; [] when it has, or is real."""
    if not settings.EXAMPLE_SITE or _started().exists():
        return []
    service = _demo_service()
    _take_turn()
    if _started().exists():
        return []
    return _start(service, None, clock)


def on_sign_in(sender: Any, **_: Any) -> None:
    """Receive the signal of a sign-in; whatever goes wrong here must not keep anybody out."""
    try:
        start_first_climb()
    except Invalid:
        return


def _start(service: Service, actor: Person | None, clock: TimeSource) -> list[Ticket]:
    for old in Ticket.objects.open().filter(tags__contains=[TAG]).order_by("id"):
        cancel(ticket=old, actor=None, reason=REPLACED, clock=clock, via="engine")
    people = {row.username: row for row in Person.objects.filter(is_active=True)}
    tickets = [
        open_ticket(
            subject=part.subject,
            description=part.description,
            requester=people[part.requester],
            actor=None,
            kind=part.kind,
            impact=part.impact,
            urgency=part.urgency,
            service=service,
            tags=[TAG],
            clock=clock,
            via="engine",
        )
        for part in PARTS
        if part.requester in people
    ]
    keys = [ticket.key for ticket in tickets]
    audit.record(
        actor=actor, action=STARTED, subject=service, changes={"tickets": keys}, clock=clock
    )
    return tickets


def _started() -> Any:
    return AuditEntry.objects.filter(action=STARTED)


def _demo_service() -> Service:
    service = Service.objects.filter(slug=DEMO_SERVICE).first()
    if service is None or not settings.EXAMPLE_SITE:
        raise Invalid("no_example", "Live examples run on an example site only.")
    return service


def _take_turn() -> None:
    """Let one start at a time decide whether it is due; held until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
