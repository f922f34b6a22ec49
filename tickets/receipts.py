"""Notes each request of a sender and what became of it; plain repeats in a flood are counted."""

import threading
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from time import monotonic
from typing import Final
from uuid import UUID

from roles.instants import TimeSource, database_now
from tickets.incoming import Outcome
from tickets.models import AlertSource, IntakeRequest
from tickets.sources import read_at

KEPT: Final = timedelta(days=7)
KEPT_FOLDED: Final = timedelta(days=1)
A_SECOND_MAX: Final = 5
TOLD_MAX: Final = 1000
PRUNE_MAX: Final = 20_000
Kinds = IntakeRequest.Outcome


class Sampler:
    """Lets so many notes a second pass for each name, and says how many each stands for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._second = 0
        self._passed: Counter[object] = Counter()
        self._waiting: Counter[object] = Counter()

    def stands_for(self, name: object) -> int:
        """How many requests a note made now stands for; 0 when none is to be made."""
        with self._lock:
            second = int(monotonic())
            if second != self._second:
                self._second = second
                self._passed.clear()
            self._waiting[name] += 1
            if self._passed[name] >= A_SECOND_MAX:
                return 0
            self._passed[name] += 1
            return self._waiting.pop(name)


repeats = Sampler()


def outcome_of(outcomes: Sequence[Outcome]) -> str:
    """What became of a request, in one word for all its alerts."""
    results = {outcome.result for outcome in outcomes}
    if results <= {"ignored"}:
        return Kinds.IGNORED
    if results <= {"repeated", "ignored"}:
        return Kinds.FOLDED
    if results <= {"suppressed", "repeated", "ignored"}:
        return Kinds.SUPPRESSED
    return Kinds.ACCEPTED


def words_of(outcomes: Sequence[Outcome]) -> str:
    """The same in words: one alert with the reason, several by their number.

    No ticket is named: who may know of it sees it by the alert.
    """
    if len(outcomes) == 1:
        (one,) = outcomes
        return f"{one.result}: {one.reason}" if one.reason else one.result
    counts = Counter(outcome.result for outcome in outcomes)
    return ", ".join(f"{count} {result}" for result, count in sorted(counts.items()))


def note_outcomes(
    source: AlertSource, outcomes: Sequence[Outcome], *, door: str, act: str, status: int
) -> None:
    """Note a request that was taken; a flood of plain repeats only now and then."""
    outcome = outcome_of(outcomes)
    stands_for = repeats.stands_for(source.pk) if outcome == Kinds.FOLDED else 1
    if stands_for:
        note(
            source,
            door=door,
            act=act,
            status=status,
            outcome=outcome,
            told=words_of(outcomes),
            alert_id=outcomes[0].alert_id if len(outcomes) == 1 else None,
            repeats=stands_for,
        )


def note(
    source: AlertSource | None,
    *,
    door: str,
    act: str,
    status: int,
    outcome: str,
    told: str = "",
    alert_id: int | None = None,
    uid: UUID | None = None,
    is_success: bool = True,
    repeats: int = 1,
    at: datetime | None = None,
) -> IntakeRequest:
    """Note one request; one statement when the source was just read."""
    more = {} if uid is None else {"uid": uid}
    return IntakeRequest.objects.create(
        at=at or read_at(source),
        source=source,
        door=door,
        act=act[:30],
        outcome=outcome,
        status=status,
        told=told[:TOLD_MAX].replace("\x00", ""),
        alert_id=alert_id,
        is_success=is_success,
        repeats=repeats,
        **more,
    )


def note_refusal(source: AlertSource | None, *, door: str, act: str, status: int, why: str) -> None:
    """Note a request that was refused; of what no source sent, a few a second."""
    stands_for = repeats.stands_for((door, source.pk if source else None, "refused"))
    if stands_for:
        note(
            source,
            door=door,
            act=act,
            status=status,
            outcome=Kinds.REFUSED,
            told=why,
            is_success=False,
            repeats=stands_for,
        )


def prune(clock: TimeSource = database_now) -> int:
    """Forget old notes, plain repeats earlier; returns how many."""
    now = clock()
    gone = 0
    for rows in (
        IntakeRequest.objects.filter(at__lt=now - KEPT),
        IntakeRequest.objects.filter(at__lt=now - KEPT_FOLDED, outcome=Kinds.FOLDED),
    ):
        ids = list(rows.order_by("at").values_list("pk", flat=True)[:PRUNE_MAX])
        if ids:
            gone += IntakeRequest.objects.filter(pk__in=ids).delete()[0]
    return gone
