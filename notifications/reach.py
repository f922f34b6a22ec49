"""Whether people can be reached at all: an address, and a channel that does not fail just now."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from notifications.addresses import usable_channels
from notifications.channels.registry import CHANNELS
from notifications.models import Attempt, Outcome
from roles.models import Person

LOOKED_AT: Final = 500
"""The latest tries that a channel is judged by; more would say nothing about now."""
WITHIN: Final = timedelta(minutes=10)
FAILURES: Final = 3


def failing_channels(now: datetime) -> set[str]:
    """The channels whose latest tries all failed, three at least, within ten minutes; one query.

    A channel that nobody has used lately is not known to fail.
    """
    latest = Attempt.objects.order_by("-pk").values_list(
        "message__channel", "outcome", "started_at"
    )[:LOOKED_AT]
    failures: dict[str, int] = {}
    working: set[str] = set()
    for channel, outcome, started_at in latest:
        if started_at < now - WITHIN:
            continue
        if outcome == Outcome.SENT:
            working.add(channel)
        elif outcome in (Outcome.FAILED, Outcome.REFUSED):
            failures[channel] = failures.get(channel, 0) + 1
    return {name for name, count in failures.items() if count >= FAILURES and name not in working}


def unreachable(person_ids: Iterable[int], now: datetime) -> dict[int, str]:
    """Why each of these people cannot be reached; whoever can is left out. Three queries."""
    ids = set(person_ids)
    people = {row.pk: row for row in Person.objects.filter(pk__in=ids)}
    channels = usable_channels(ids)
    for person in people.values():
        if person.email:
            channels[person.pk].add("email")
    failing = failing_channels(now)
    found = {}
    for person_id in ids:
        person = people.get(person_id)
        usable = channels[person_id] & set(CHANNELS)
        if person is None or not person.is_active:
            found[person_id] = "account is inactive"
        elif not usable:
            found[person_id] = "has no address that can be used"
        elif not usable - failing:
            found[person_id] = f"{', '.join(sorted(usable))} fails just now"
    return found
