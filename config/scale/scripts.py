"""What happens to a made-up ticket: kinds, priorities, ages and fates in believable shares."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from tickets.models import Kind, Source
from tickets.priority import MATRIX

HOST: Final = "pc-00000"
"""Stands in every subject; each copy of a ticket gets a machine of its own there."""

PRIORITY_SHARES: Final = {1: 0.01, 2: 0.04, 3: 0.45, 4: 0.38, 5: 0.12}
LONGEST: Final = {1: 0.06, 2: 0.12, 3: 0.8, 4: 2.5, 5: 6.0}
"""The age in days that few open tickets of a priority exceed: most keep their targets."""
FIRST_ACT_S: Final = {1: 40, 2: 60, 3: 900, 4: 1500, 5: 2000}
"""How soon after its opening somebody takes a ticket, if anybody does; twice that to an answer."""
UNTOUCHED_S: Final = (120, 2400)
"""How long ago a ticket came in that nobody has looked at yet."""
LONGEST_CLOSED_DAYS: Final = 365.0
PLAIN_WEEKS: Final = ((1, 9, 2, 1), (6, 10, 9, 1))
"""From which day of which month to which other no day is off and no clock is changed for a month.

Lives that begin there fit into nearly all weeks of a year; one about Christmas fits into its own.
"""
OFFICE_OPENS: Final = timedelta(hours=8)
OFFICE_SPAN_S: Final = 6 * 3600
SUBJECTS: Final = (
    ("e-mail", "performance", "Mail from {host} does not arrive"),
    ("ordering", "outage", "Orders end with an error at {host}"),
    ("warehouse", "data", "Stock shown on {host} is wrong"),
    ("patient-portal", "access", "No sign-in to the portal from {host}"),
    ("customer-data", "data", "A customer is there twice, seen on {host}"),
    ("network", "performance", "The line behind {host} is slow"),
    ("remote-access", "access", "The tunnel of {host} breaks off"),
    ("workplace", "hardware", "{host} does not start any more"),
    ("workplace", "how-to", "How do I print from {host}?"),
)
KINDS: Final = (*(Kind.INCIDENT,) * 26, *(Kind.REQUEST,) * 12, Kind.PROBLEM)
URGENT_KINDS: Final = (*(Kind.INCIDENT,) * 8, Kind.REQUEST, Kind.SECURITY)

Moment = tuple[float, str, Mapping[str, Any]]
Fate = tuple[Moment, ...]
"""Acts, each with the share of the ticket's age at which it happens."""

TAKE: Final[Moment] = (0.2, "take", {})
REPLY: Final[Moment] = (0.3, "comment", {"text": "We are looking into it.", "public": True})
NOTE: Final[Moment] = (0.45, "comment", {"text": "The log shows time-outs.", "public": False})
UP: Final[Moment] = (
    0.5,
    "escalate",
    {
        "reason_code": "skill",
        "reason": "Needs a look at the server itself.",
        "tried": "Restarted it; the same again after an hour.",
        "impact": "One department works on paper.",
    },
)
ASK: Final[Moment] = (
    0.6,
    "pend",
    {"status": "pending_requester", "reason": "Does it still happen after a restart?"},
)
SOLVE: Final[Moment] = (0.8, "resolve", {"code": "fixed", "text": "A full disk was the cause."})

ANSWER: Final[Moment] = (0.7, "answer", {"text": "Yes, it does.", "public": True})
VENDOR: Final[Moment] = (
    0.6,
    "pend",
    {"status": "pending_vendor", "reason": "Spare part ordered."},
)

# Shares as in a log of a service desk, looked at on any day: of all open tickets a quarter have
# had one entry since they came in, half have had three at most, a tenth have had eight or more;
# a third wait for the requester, one in a hundred has been reopened.
OPEN_FATES: Final[Mapping[str, tuple[float, Fate]]] = {
    "waiting": (0.27, ()),
    "taken": (0.08, (TAKE,)),
    "answered": (0.20, (TAKE, REPLY)),
    "asked at once": (0.13, (TAKE, ASK)),
    "asked back": (0.09, (TAKE, REPLY, ASK)),
    "worked on": (0.05, (TAKE, REPLY, NOTE)),
    "with the vendor": (0.04, (TAKE, NOTE, VENDOR)),
    "passed on": (0.03, (TAKE, UP)),
    "passed on and taken": (0.04, (TAKE, REPLY, UP, (0.7, "take", {}))),
    "handed back": (
        0.01,
        (TAKE, UP, (0.7, "hand_back", {"reason_code": "incomplete", "reason": "Which server?"})),
    ),
    "reopened": (
        0.01,
        (
            TAKE,
            REPLY,
            (0.5, "resolve", {"code": "fixed", "text": "Restarted."}),
            (0.7, "reopen", {"reason": "It is back."}),
        ),
    ),
    "chased": (0.02, (TAKE, (0.7, "chase", {"text": "Any news?"}))),
    "a long story": (
        0.03,
        (
            TAKE,
            REPLY,
            ASK,
            ANSWER,
            (0.75, "comment", {"text": "Then it is the driver.", "public": False}),
            (0.8, "comment", {"text": "A new driver is on its way.", "public": True}),
            (0.9, "comment", {"text": "Waiting for the roll-out.", "public": False}),
        ),
    ),
}
CLOSED_FATES: Final[Mapping[str, tuple[float, Fate]]] = {
    "solved": (0.15, (TAKE, REPLY, SOLVE)),
    "confirmed": (0.45, (TAKE, REPLY, NOTE, SOLVE, (0.95, "confirm", {}))),
    "confirmed above": (
        0.20,
        (TAKE, REPLY, UP, (0.6, "take", {}), SOLVE, (0.95, "confirm", {})),
    ),
    "answered by the requester": (
        0.10,
        (
            TAKE,
            (0.3, *ASK[1:]),
            (0.4, *ANSWER[1:]),
            SOLVE,
            (0.95, "confirm", {}),
        ),
    ),
    "cancelled": (0.10, (TAKE, (0.6, "cancel", {"reason": "Opened by mistake."}))),
}


@dataclass(frozen=True, slots=True)
class Script:
    """One ticket's life; `weight` is its share of all tickets that are open (or closed)."""

    is_open: bool
    weight: float
    kind: str
    impact: int
    urgency: int
    source: str
    service: str
    category: str
    subject: str
    is_restricted: bool
    opened_at: datetime
    acts: tuple[tuple[datetime, str, Mapping[str, Any]], ...]


def write_scripts(
    rng: Random, end: datetime, *, open_count: int, closed_count: int
) -> list[Script]:
    """That many lives that all end at `end`, oldest first; the same for the same `rng`."""
    scripts = [
        *_of_fates(rng, end, OPEN_FATES, open_count, is_open=True),
        *_of_fates(rng, end, CLOSED_FATES, closed_count, is_open=False),
    ]
    return sorted(scripts, key=lambda script: script.opened_at)


def _of_fates(
    rng: Random,
    end: datetime,
    fates: Mapping[str, tuple[float, Fate]],
    count: int,
    *,
    is_open: bool,
) -> Iterator[Script]:
    """Each priority with each fate in turn, so that rare ones are among few lives too."""
    strata = [(p, name) for name in fates for p in PRIORITY_SHARES]
    chosen = [strata[number % len(strata)] for number in range(count)]
    if count < len(strata):
        weights = [PRIORITY_SHARES[p] * fates[name][0] for p, name in strata]
        chosen = rng.choices(strata, weights, k=count)
    for priority, name in chosen:
        share, acts = fates[name]
        weight = share * PRIORITY_SHARES[priority] / chosen.count((priority, name))
        yield _script(rng, end, priority, acts, weight=weight, is_open=is_open)


def _script(
    rng: Random, end: datetime, priority: int, acts: Fate, *, weight: float, is_open: bool
) -> Script:
    span = LONGEST[priority]
    age = timedelta(days=min(span, rng.expovariate(5 / span)), minutes=5)
    opened_at = end - age
    if not is_open:
        opened_at = end - age - timedelta(days=_days_ago(rng, end - age, span, priority))
    opened_at = _in_hours(rng, opened_at, priority) if acts else _lately(rng, end, priority)
    moments = [_in_hours(rng, opened_at + age * share, priority) for share, _, _ in acts]
    for number, moment in enumerate(moments[:2], start=1):
        latest = opened_at + timedelta(seconds=number * FIRST_ACT_S[priority])
        moments[number - 1] = min(moment, latest)
    kind = rng.choice(KINDS if priority > 2 else URGENT_KINDS)
    service, category, subject = rng.choice(SUBJECTS)
    impact, urgency = rng.choice([pair for pair, value in MATRIX.items() if value == priority])
    return Script(
        is_open=is_open,
        weight=weight,
        kind=kind,
        impact=impact,
        urgency=urgency,
        source=rng.choices(Source.values, (50, 20, 5, 10, 15))[0],
        service=service,
        category="phishing" if kind == Kind.SECURITY else category,
        subject=subject.format(host=HOST),
        is_restricted=kind == Kind.SECURITY and rng.random() < 0.3,
        opened_at=opened_at,
        acts=tuple(
            (min(at, end), verb, given)
            for at, (_, verb, given) in zip(_ascending(opened_at, moments), acts, strict=True)
        ),
    )


def _days_ago(rng: Random, before: datetime, span: float, priority: int) -> float:
    """How long ago something has ended, within a year; in plain weeks, unless it was urgent."""
    while True:
        ago = rng.uniform(0.1, LONGEST_CLOSED_DAYS - span)
        day = before - timedelta(days=ago)
        if priority <= 2 or any(
            (month, first) <= (day.month, day.day) < (to_month, to_first)
            for month, first, to_month, to_first in PLAIN_WEEKS
        ):
            return ago


def _in_hours(rng: Random, at: datetime, priority: int) -> datetime:
    """A whole second; what is not urgent happens in office hours, on the last day that has any.

    In UTC, well within the hours of Berlin.
    """
    at = at.replace(microsecond=0)
    if priority <= 2:
        return at
    at -= timedelta(days=max(0, at.weekday() - 4))
    midnight = at.replace(hour=0, minute=0, second=0)
    return midnight + OFFICE_OPENS + timedelta(seconds=rng.randrange(OFFICE_SPAN_S))


def _lately(rng: Random, end: datetime, priority: int) -> datetime:
    """When a ticket came in that still lies in the queue of the desk, which never closes."""
    ago = timedelta(seconds=rng.randint(*UNTOUCHED_S))
    return end - (ago / 10 if priority <= 2 else ago)


def _ascending(first: datetime, moments: list[datetime]) -> list[datetime]:
    """The moments, each at least a minute after the one before."""
    found: list[datetime] = []
    for moment in moments:
        earliest = (found[-1] if found else first) + timedelta(minutes=1)
        found.append(max(moment, earliest))
    return found
