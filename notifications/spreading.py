"""Turns a letter into the messages that its recipient's own rules ask for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from notifications.letter import Letter
from notifications.models import ContactRule, Urgency, Ways
from notifications.throttle import quiet_ends_at

USUAL: Final = "email"
"""What tells somebody who wrote no rules down."""
PAGE: Final = "page"
CODE: Final = "code"
TEST: Final = "test"


@dataclass(frozen=True)
class Told:
    """One person's ways as they stand when a letter is written."""

    ways: Ways
    rules: Sequence[ContactRule]

    def channels(self, urgency: str) -> list[tuple[str, int]]:
        """Each channel with its delay in seconds, the first at once."""
        found = [(rule.channel, rule.delay_s) for rule in self.rules if rule.urgency == urgency]
        if not found:
            return [(USUAL, 0)]
        # The first word goes out at once, whatever the rules say: nobody chooses to be paged late.
        first = min(delay_s for _, delay_s in found)
        return [(channel, delay_s - first) for channel, delay_s in found]

    def is_away(self, now: datetime) -> bool:
        return self.ways.away_until is not None and now < self.ways.away_until


def spread(letters: Sequence[Letter], now: datetime) -> list[list[Letter]]:
    """For each letter the letters, one a channel, that go out in its place; two queries at most.

    A letter that names its channel is left as it is. A page to somebody who is away goes to whom
    they named; one about a restricted case does not, for only its own reader is known to be
    cleared.
    """
    ways = ways_of({letter.recipient_id for letter in letters if not letter.channel})
    return [_spread(letter, ways, now) for letter in letters]


def ways_of(person_ids: Iterable[int]) -> dict[int, Told]:
    """How each of these people wants to be told, and whoever takes their pages; plain ones not."""
    ids = set(person_ids)
    if not ids:
        return {}
    named = Ways.objects.filter(person__in=ids).select_related("person", "taker")
    rows = list(named.prefetch_related("rules"))
    beyond = {row.taker_id for row in rows if row.taker_id} - ids
    if beyond:
        more = Ways.objects.filter(person__in=beyond).select_related("person", "taker")
        rows += more.prefetch_related("rules")
    return {row.person_id: Told(row, list(row.rules.all())) for row in rows}


def _spread(letter: Letter, ways: dict[int, Told], now: datetime) -> list[Letter]:
    if letter.channel:
        return [letter]
    letter = _handed_on(letter, ways, now)
    told = ways.get(letter.recipient_id)
    if told is None:
        return [replace(letter, channel=USUAL)]
    begins = letter.not_before or now
    if letter.urgency == Urgency.LOW:
        begins = _after_quiet(told.ways, begins) or begins
    return [
        replace(letter, channel=channel, not_before=_at(letter, begins, delay_s, now))
        for channel, delay_s in told.channels(letter.urgency)
    ]


def _at(letter: Letter, begins: datetime, delay_s: int, now: datetime) -> datetime | None:
    at = begins + timedelta(seconds=delay_s)
    return at if at > now else letter.not_before


def _after_quiet(ways: Ways, at: datetime) -> datetime | None:
    if ways.quiet_from is None or ways.quiet_until is None:
        return None
    return quiet_ends_at(at, ZoneInfo(ways.person.zone), ways.quiet_from, ways.quiet_until)


def _handed_on(letter: Letter, ways: dict[int, Told], now: datetime) -> Letter:
    """The page for whoever takes it, if its recipient is away and the taker is there."""
    told = ways.get(letter.recipient_id)
    if told is None or letter.kind != PAGE or letter.clearance or not told.is_away(now):
        return letter
    taker = told.ways.taker
    theirs = ways.get(taker.pk) if taker else None
    if taker is None or not taker.is_active or (theirs and theirs.is_away(now)):
        return letter
    words = f"You take this page for {told.ways.person}, who is away."
    return replace(
        letter,
        recipient_id=taker.pk,
        body=f"{words}\n\n{letter.body}",
        data={**letter.data, "instead_of": told.ways.person_id},
    )
