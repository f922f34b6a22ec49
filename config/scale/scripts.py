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

PRIORITY_SHARES: Final = {1: 0.02, 2: 0.08, 3: 0.35, 4: 0.40, 5: 0.15}
LONGEST: Final = {1: 0.1, 2: 0.25, 3: 1.5, 4: 4.0, 5: 9.0}
"""The age in days that few open tickets of a priority exceed: most keep their targets."""
FIRST_ACT_S: Final = {1: 40, 2: 60, 3: 900, 4: 1500, 5: 2000}
"""How soon after its opening somebody takes or answers a ticket, if anybody does."""
UNTOUCHED_AGE: Final = 0.05
"""A ticket that nobody has taken yet is so much younger than others."""
LONGEST_CLOSED_DAYS: Final = 365.0
OFFICE_OPENS: Final = timedelta(hours=8)
OFFICE_SPAN_S: Final = 6 * 3600
LATE_OPENS: Final = timedelta(hours=15, minutes=25)
LATE_SPAN_S: Final = 1800
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
KINDS: Final = (
    *(Kind.INCIDENT,) * 12,
    *(Kind.REQUEST,) * 6,
    Kind.SECURITY,
    Kind.PROBLEM,
)

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

OPEN_FATES: Final[Mapping[str, tuple[float, Fate]]] = {
    "waiting": (0.30, ()),
    "answered": (0.06, ((0.2, "comment", {"text": "Noted, thank you.", "public": True}),)),
    "taken": (0.20, (TAKE, REPLY)),
    "worked on": (
        0.10,
        (TAKE, REPLY, NOTE, (0.9, "comment", {"text": "Found it.", "public": False})),
    ),
    "asked back": (0.10, (TAKE, REPLY, ASK)),
    "with the vendor": (
        0.05,
        (TAKE, NOTE, (0.6, "pend", {"status": "pending_vendor", "reason": "Spare part ordered."})),
    ),
    "passed on": (0.07, (TAKE, REPLY, UP)),
    "passed on and taken": (0.05, (TAKE, REPLY, UP, (0.7, "take", {}))),
    "handed back": (
        0.02,
        (TAKE, UP, (0.7, "hand_back", {"reason_code": "incomplete", "reason": "Which server?"})),
    ),
    "reopened": (
        0.03,
        (
            TAKE,
            REPLY,
            (0.5, "resolve", {"code": "fixed", "text": "Restarted."}),
            (0.7, "reopen", {"reason": "It is back."}),
        ),
    ),
    "chased": (0.02, ((0.7, "chase", {"text": "Any news?"}),)),
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
            (0.4, "answer", {"text": "Yes, it does.", "public": True}),
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
    span = LONGEST[priority] * (1.0 if acts else UNTOUCHED_AGE)
    age = timedelta(days=min(span, rng.expovariate(5 / span)), minutes=5)
    opened_at = end - age
    if not is_open:
        opened_at = end - age - timedelta(days=rng.uniform(0.1, LONGEST_CLOSED_DAYS - span))
    opened_at = _in_hours(rng, opened_at, priority, is_late=not acts)
    moments = [_in_hours(rng, opened_at + age * share, priority) for share, _, _ in acts]
    if moments:
        moments[0] = min(moments[0], opened_at + timedelta(seconds=FIRST_ACT_S[priority]))
    kind = rng.choice(KINDS)
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


def _in_hours(rng: Random, at: datetime, priority: int, *, is_late: bool = False) -> datetime:
    """A whole second; what is not urgent happens in office hours, on the last day that has any.

    In UTC, well within the hours of Berlin; what still lies in the queue came in late that day.
    """
    at = at.replace(microsecond=0)
    if priority <= 2:
        return at
    at -= timedelta(days=max(0, at.weekday() - 4))
    midnight = at.replace(hour=0, minute=0, second=0)
    if is_late:
        return midnight + LATE_OPENS + timedelta(seconds=rng.randrange(LATE_SPAN_S))
    return midnight + OFFICE_OPENS + timedelta(seconds=rng.randrange(OFFICE_SPAN_S))


def _ascending(first: datetime, moments: list[datetime]) -> list[datetime]:
    """The moments, each at least a minute after the one before."""
    found: list[datetime] = []
    for moment in moments:
        earliest = (found[-1] if found else first) + timedelta(minutes=1)
        found.append(max(moment, earliest))
    return found
