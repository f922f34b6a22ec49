"""Turns a letter into the messages that its recipient's own rules, or their team's, ask for."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
from django.db import connection

from notifications import phrases
from notifications.letter import Letter
from notifications.models import Urgency
from notifications.throttle import quiet_ends_at
from roles.plans import Hole, Plan
from roles.values import changed

USUAL: Final = "email"
"""What tells somebody for whom no rules are written down."""
PAGE: Final = "page"
CODE: Final = "code"
TEST: Final = "test"

# One statement for all of it: letters are written with nearly everything that happens. People for
# whom nothing is written down are left out. A team's rule counts where the person has an address
# for it; of several teams' rules for one channel the soonest.
_TOLD: Final = Plan(
    """
WITH concerned AS (
    SELECT unnest(%s::bigint[]) AS id
    UNION SELECT taker_id FROM notifications_ways
    WHERE person_id = ANY(%s::bigint[]) AND taker_id IS NOT NULL
), soonest AS (
    SELECT member.person_id, rule.urgency, rule.channel, min(rule.delay_s) AS delay_s
    FROM notifications_teamrule AS rule
    JOIN roles_membership AS member ON member.team_id = rule.team_id
    WHERE member.person_id IN (SELECT id FROM concerned) AND (
        rule.channel = 'email' OR EXISTS (
            SELECT 1 FROM notifications_contactmethod AS method
            WHERE method.person_id = member.person_id AND method.channel = rule.channel
              AND method.is_active AND method.verified_at IS NOT NULL
        )
    )
    GROUP BY member.person_id, rule.urgency, rule.channel
), team AS (
    SELECT person_id, json_agg(
        json_build_array(urgency, channel, delay_s) ORDER BY delay_s, channel
    ) AS rules
    FROM soonest GROUP BY person_id
)
SELECT person.id, coalesce(nullif(person.name, ''), person.username), person.zone,
    ways.quiet_from, ways.quiet_until, ways.away_until, ways.taker_id,
    coalesce(taker.is_active, false),
    (SELECT json_agg(
        json_build_array(rule.urgency, rule.channel, rule.delay_s) ORDER BY rule.delay_s, rule.id
    ) FROM notifications_contactrule AS rule WHERE rule.ways_id = person.id)::text,
    team.rules::text
FROM concerned
JOIN roles_person AS person ON person.id = concerned.id
LEFT JOIN notifications_ways AS ways ON ways.person_id = person.id
LEFT JOIN roles_person AS taker ON taker.id = ways.taker_id
LEFT JOIN team ON team.person_id = person.id
WHERE ways.person_id IS NOT NULL OR team.person_id IS NOT NULL
""",
    [Hole("ids"), Hole("ids")],
)

Rule = tuple[str, str, int]
"""Urgency, channel, and the delay in seconds."""


@dataclass(frozen=True, slots=True)
class Told:
    """One person's ways as they stand when a letter is written."""

    person_id: int
    name: str
    zone: str
    quiet_from: time | None
    quiet_until: time | None
    away_until: datetime | None
    taker_id: int | None
    is_taker_active: bool
    rules: Sequence[Rule] = ()
    team_rules: Sequence[Rule] = ()

    def channels(self, urgency: str) -> list[tuple[str, int]]:
        """Each channel with its delay in seconds, the first at once; one's own rules go first."""
        found = _of(self.rules, urgency) or _of(self.team_rules, urgency)
        if not found:
            return [(USUAL, 0)]
        # The first word goes out at once, whatever the rules say: nobody chooses to be paged late.
        first = min(delay_s for _, delay_s in found)
        return [(channel, delay_s - first) for channel, delay_s in found]

    def is_by_team(self, urgency: str) -> bool:
        """Whether the team's rules count, for want of one's own."""
        return not _of(self.rules, urgency) and bool(_of(self.team_rules, urgency))

    def is_away(self, now: datetime) -> bool:
        return self.away_until is not None and now < self.away_until


def _of(rules: Sequence[Rule], urgency: str) -> list[tuple[str, int]]:
    return [(channel, delay_s) for named, channel, delay_s in rules if named == urgency]


_known: ContextVar[dict[int, Told | None] | None] = ContextVar("ways", default=None)
"""By person, while a batch is written, how they are told; None for a plain one."""


@contextmanager
def knowing_ways(person_ids: Iterable[int]) -> Iterator[None]:
    """Meanwhile how these people are told is read once; others are asked for as they come."""
    token = _known.set({})
    try:
        _ways_known({*person_ids})
        yield
    finally:
        _known.reset(token)


def _ways_known(person_ids: set[int]) -> Mapping[int, Told | None]:
    known = _known.get()
    if known is None:
        return ways_of(person_ids)
    missing = person_ids - known.keys()
    known |= {**dict.fromkeys(missing), **ways_of(missing)}
    return known


def spread(letters: Sequence[Letter], now: datetime) -> list[list[Letter]]:
    """For each letter the letters, one a channel, that go out in its place; one query at most.

    A letter that names its channel is left as it is. A page to somebody who is away goes to whom
    they named; one about a restricted case does not, for only its own reader is known to be
    cleared.
    """
    ways = _ways_known({letter.recipient_id for letter in letters if not letter.channel})
    return [_spread(letter, ways, now) for letter in letters]


def ways_of(person_ids: Iterable[int]) -> dict[int, Told]:
    """How each of these people is told, and whoever takes their pages; plain ones are left out."""
    ids = sorted(person_ids)
    if not ids:
        return {}
    with connection.cursor() as cursor:
        _TOLD.execute(cursor, {"ids": ids})
        rows = cursor.fetchall()
    return {row[0]: _told(row) for row in rows}


def _told(row: tuple[Any, ...]) -> Told:
    *facts, own, team = row
    told: list[Any] = [*facts, _rules(own), _rules(team)]
    return Told(*told)


def _rules(text: str | None) -> list[Rule]:
    return [(urgency, channel, delay_s) for urgency, channel, delay_s in orjson.loads(text or "[]")]


def _spread(letter: Letter, ways: Mapping[int, Told | None], now: datetime) -> list[Letter]:
    if letter.channel:
        return [letter]
    letter = _handed_on(letter, ways, now)
    told = ways.get(letter.recipient_id)
    if told is None:
        return [changed(letter, channel=USUAL)]
    begins = letter.not_before or now
    if letter.urgency == Urgency.LOW:
        begins = _after_quiet(told, begins) or begins
    return [
        changed(letter, channel=channel, not_before=_at(letter, begins, delay_s, now))
        for channel, delay_s in told.channels(letter.urgency)
    ]


def _at(letter: Letter, begins: datetime, delay_s: int, now: datetime) -> datetime | None:
    at = begins + timedelta(seconds=delay_s)
    return at if at > now else letter.not_before


def _after_quiet(told: Told, at: datetime) -> datetime | None:
    if told.quiet_from is None or told.quiet_until is None:
        return None
    return quiet_ends_at(at, ZoneInfo(told.zone), told.quiet_from, told.quiet_until)


def _handed_on(letter: Letter, ways: Mapping[int, Told | None], now: datetime) -> Letter:
    """The page for whoever takes it, if its recipient is away and the taker is there."""
    told = ways.get(letter.recipient_id)
    if told is None or letter.kind != PAGE or letter.clearance or not told.is_away(now):
        return letter
    theirs = ways.get(told.taker_id) if told.taker_id else None
    if told.taker_id is None or not told.is_taker_active or (theirs and theirs.is_away(now)):
        return letter
    words = phrases.INSTEAD.format(name=told.name)
    return changed(
        letter,
        recipient_id=told.taker_id,
        body=f"{words}\n\n{letter.body}",
        data={**letter.data, "instead_of": told.person_id},
    )
