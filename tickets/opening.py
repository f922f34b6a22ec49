"""The birth of a ticket: its number, its first facts, its first team."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from django.core.files.uploadedfile import UploadedFile
from django.db import connection, transaction
from django.db.models import Model

from notifications.models import Message
from notifications.outbox import post
from roles.instants import TimeSource, database_now, fixed
from roles.ledger import keeping
from roles.models import Membership, Person, Team
from roles.people import roles_of
from roles.refusals import Forbidden, Invalid
from tickets import letters, timeline
from tickets.acting import begin, fitting, required
from tickets.assignment import Move, move_many
from tickets.attachments import bind, facts_of, keep_upload
from tickets.models import (
    Category,
    Clearance,
    EventKind,
    Kind,
    Service,
    Source,
    Ticket,
    TimelineEvent,
)
from tickets.priority import priority_of
from tickets.routing import SECURITY_LANE, first_teams

SERIES = {
    Kind.INCIDENT: "INC",
    Kind.REQUEST: "REQ",
    Kind.SECURITY: "SEC",
    Kind.PROBLEM: "PRB",
    Kind.CHANGE: "CHG",
}
RESTRICTED_SERIES = "RES"
ALLOWED_SKEW = timedelta(minutes=5)
"""By how much a sender's clock may be ahead of ours."""
OLDEST = timedelta(days=3660)
FRESH: Final = """
SELECT nextval(pg_get_serial_sequence('tickets_ticket', 'id')), nextval(%s::regclass)
FROM generate_series(1, %s)
"""
EXPECTED: Final[dict[type[Model], int]] = {TimelineEvent: 2, Message: 1}


def expect_rows(counts: dict[type[Model], int]) -> None:
    """Say how many rows an opening mostly writes besides its own: their ids are fetched at once."""
    for model, count in counts.items():
        EXPECTED[model] = EXPECTED.get(model, 0) + count


def next_ids(kind: str, *, restricted: bool, count: int = 1) -> list[tuple[int, str]]:
    """Fresh primary keys and ticket keys, such as (17, "INC-000017"), in one statement."""
    series = RESTRICTED_SERIES if restricted else SERIES[Kind(kind)]
    with connection.cursor() as cursor:
        cursor.execute(FRESH, [f"tickets_number_{series.lower()}", count])
        return [(pk, f"{series}-{number:06d}") for pk, number in cursor.fetchall()]


def open_ticket(
    *,
    subject: str,
    requester: Person,
    actor: Person | None,
    description: str = "",
    kind: str = Kind.INCIDENT,
    impact: int = 3,
    urgency: int = 3,
    service: Service | None = None,
    category: Category | None = None,
    team: Team | None = None,
    source: str = Source.PORTAL,
    asset: str = "",
    tags: Sequence[str] = (),
    began_at: datetime | None = None,
    detected_at: datetime | None = None,
    restricted: bool = False,
    uploads: Sequence[UploadedFile] = (),
    clock: TimeSource = database_now,
    via: str = "web",
) -> Ticket:
    """Open a ticket, its `uploads` with it, and route it to a team at once; the requester is told.

    Raises Invalid with the bad fields named; Forbidden, in somebody else's name too.
    """
    _require_opening(actor, requester)
    _check_choices(kind=kind, source=source, impact=impact, urgency=urgency)
    with transaction.atomic():
        now = clock()
        _check_times(now, began_at=began_at, detected_at=detected_at)
        ((pk, key),) = next_ids(kind, restricted=restricted)
        desk, first = first_teams(service=service, category=category, kind=kind)
        ticket = Ticket(
            pk=pk,
            key=key,
            kind=kind,
            subject=required(subject, "subject", 250),
            description=fitting(description, "description", 20_000),
            source=source,
            requester=requester,
            organisation=requester.organisation,
            service=service,
            category=category,
            asset=fitting(asset, "asset", 200),
            tags=[fitting(tag, "tags", 50) for tag in tags],
            impact=impact,
            urgency=urgency,
            priority=priority_of(impact, urgency, override=None, floor=None),
            restricted=restricted,
            opened_at=now,
            status_since=now,
            began_at=began_at,
            detected_at=detected_at,
            owner_team=desk,
        )
        ticket.save(force_insert=True)
        if restricted:
            _clear_first_readers(ticket, actor, team or first)
        return _born(ticket, team or first, actor=actor, uploads=uploads, clock=fixed(now), via=via)


def _born(
    ticket: Ticket,
    team: Team,
    *,
    actor: Person | None,
    uploads: Sequence[UploadedFile],
    clock: TimeSource,
    via: str,
) -> Ticket:
    """The ticket, told on its timeline and in its first team's queue, by one statement at best."""
    with keeping() as book:
        book.expect(EXPECTED)
        writer = actor or ticket.requester
        files = [keep_upload(ticket=ticket, actor=writer, upload=each) for each in uploads]
        act = begin(ticket, actor=actor, clock=clock, via=via)
        opening = _opened(ticket, actor, via, **facts_of(files))
        (event,) = timeline.record(ticket, opening, at=act.now, announce=False)
        if files:
            bind(files, event)
        move_many(
            [Move(ticket=ticket, to_team=team, actor=actor, via=via, tell_requester=False)],
            clock=clock,
        )
        post(_receipt(ticket, event, team), now=act.now)
    return ticket


def _receipt(ticket: Ticket, event: TimelineEvent, team: Team) -> list[letters.Letter]:
    body = f"Your request has the key {ticket.key}. {team.name} will look at it.\n\n"
    body += ticket.description[:2000]
    return letters.to_requester(ticket, event, kind="received", body=body)


def _opened(ticket: Ticket, actor: Person | None, via: str, **about: Any) -> timeline.Entry:
    """The first event of a ticket."""
    return timeline.Entry(
        kind=EventKind.OPENED,
        actor_id=actor.pk if actor else None,
        via=via,
        is_public=True,
        facts={"set": birth_facts(ticket), **about},
        body=ticket.description,
    )


def open_problems(wanted: Sequence[Mapping[str, Any]], *, clock: TimeSource) -> list[Ticket]:
    """Open problems in the engine's name, many at once with a bounded number of statements.

    Each is given by fields of Ticket, checked by the caller, and the `team` that gets it (None
    leaves it to the routes). Must run in a transaction.
    """
    if not wanted:
        return []
    now = clock()
    ids = next_ids(Kind.PROBLEM, restricted=False, count=len(wanted))
    first = cache(
        lambda service, category: first_teams(service=service, category=category, kind=Kind.PROBLEM)
    )
    pairs = [
        _problem(fresh, given, now, first(given["service"], given["category"]))
        for fresh, given in zip(ids, wanted, strict=True)
    ]
    Ticket.objects.bulk_create([ticket for ticket, _ in pairs])
    with keeping() as book:
        book.expect({model: count * len(pairs) for model, count in EXPECTED.items()})
        writes = [
            timeline.Write(ticket=ticket, entries=[_opened(ticket, None, "engine")])
            for ticket, _ in pairs
        ]
        timeline.record_many(writes, at=now, announce=False)
        moves = [Move(ticket=ticket, to_team=team, tell_requester=False) for ticket, team in pairs]
        move_many(moves, clock=fixed(now))
        told = [
            letter
            for (ticket, team), write in zip(pairs, writes, strict=True)
            for letter in _receipt(ticket, write.events[0], team)
        ]
        post(told, now=now)
    return [ticket for ticket, _ in pairs]


def _problem(
    fresh: tuple[int, str], given: Mapping[str, Any], now: datetime, teams: tuple[Team, Team]
) -> tuple[Ticket, Team]:
    """The problem and its first team; `teams` are the service desk and what the routes say."""
    fields = {name: value for name, value in given.items() if name != "team"}
    ticket = Ticket(
        pk=fresh[0],
        key=fresh[1],
        kind=Kind.PROBLEM,
        organisation=fields["requester"].organisation,
        priority=priority_of(fields["impact"], fields["urgency"], override=None, floor=None),
        opened_at=now,
        status_since=now,
        owner_team=teams[0],
        **fields,
    )
    return ticket, given["team"] or teams[1]


def birth_facts(ticket: Ticket) -> dict[str, Any]:
    """The facts that a replay starts from, as they stand when a ticket is born."""
    return {
        "status": ticket.status,
        "kind": ticket.kind,
        "priority": ticket.priority,
        "impact": ticket.impact,
        "urgency": ticket.urgency,
        "service_id": ticket.service_id,
        "category_id": ticket.category_id,
        "organisation_id": ticket.organisation_id,
        "requester_id": ticket.requester_id,
        "owner_team_id": ticket.owner_team_id,
        "restricted": ticket.restricted,
    }


def _clear_first_readers(ticket: Ticket, actor: Person | None, team: Team) -> None:
    people = {ticket.requester_id} | ({actor.pk} if actor else set())
    if team.tier.slug == SECURITY_LANE:
        members = Membership.objects.filter(team=team, person__is_active=True)
        people |= set(members.values_list("person_id", flat=True))
        people |= {pk for pk in (team.lead_id, team.manager_id) if pk}
    Clearance.objects.bulk_create(
        [Clearance(ticket=ticket, person_id=person_id) for person_id in sorted(people)]
    )


def _require_opening(actor: Person | None, requester: Person) -> None:
    if actor is None:
        return
    if not actor.is_active or not requester.is_active:
        raise Forbidden("not_allowed", "An inactive account cannot open tickets.")
    if actor.pk != requester.pk and not roles_of(actor) & {"agent", "service"}:
        raise Forbidden("not_allowed", "You may open tickets in your own name only.")


def believable(at: datetime | None, now: datetime) -> datetime | None:
    """A time that a machine gave, or None where it cannot be true."""
    if at is None or not now - OLDEST <= at <= now + ALLOWED_SKEW:
        return None
    return at


def _check_times(now: datetime, **given: datetime | None) -> None:
    """Refuse what cannot be: a time without zone, ahead of now, or before any of our tickets."""
    wrong = {}
    for name, at in given.items():
        if at is None:
            continue
        if at.tzinfo is None:
            wrong[name] = "This time needs a zone."
        elif at > now + ALLOWED_SKEW:
            wrong[name] = "This time lies ahead."
        elif at < now - OLDEST:
            wrong[name] = "This time is too long ago."
    if wrong:
        raise Invalid("bad_time", "A time is impossible.", wrong)


def _check_choices(*, kind: str, source: str, impact: int, urgency: int) -> None:
    wrong = {}
    if kind not in Kind.values:
        wrong["kind"] = "Choose one of: " + ", ".join(Kind.values)
    if source not in Source.values:
        wrong["source"] = "Choose one of: " + ", ".join(Source.values)
    if impact not in (1, 2, 3):
        wrong["impact"] = "1 (high), 2 or 3 (low)."
    if urgency not in (1, 2, 3):
        wrong["urgency"] = "1 (high), 2 or 3 (low)."
    if wrong:
        raise Invalid("unknown_choice", "Something is not one of the choices.", wrong)
