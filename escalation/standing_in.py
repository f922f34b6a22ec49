"""Changes who is on call for a while, and tells everybody whom that concerns in the same act."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from escalation.explain import moment
from notifications.outbox import Letter, enqueue
from roles.instants import TimeSource, database_now
from roles.models import Override, Person, Schedule, Swap
from roles.oncall import final_shifts
from roles.overrides import add_override, remove_override
from roles.swaps import Stretch, accept_swap, decline_swap, offer_swap, withdraw_swap

SOON: Final = timedelta(hours=12)
"""A change that takes effect within this time is worth a word at once, quiet hours or not."""


def concerned(
    schedule: Schedule, person: Person, *, start: datetime, end: datetime, actor: Person | None
) -> list[Person]:
    """Whom an override tells: who is put in, whoever is relieved, and the team's lead.

    Not the one who does it, nobody twice, and nobody who has left.
    """
    shifts = final_shifts(schedule.team, start, end) if start < end else []
    relieved = [shift.person_id for shift in shifts if shift.person_id != person.pk]
    lead = [schedule.team.lead_id] if schedule.team.lead_id else []
    return _present([person.pk, *relieved, *lead], actor)


@transaction.atomic
def put_in(
    *,
    schedule: Schedule,
    person: Person,
    start: datetime,
    end: datetime,
    reason: str = "",
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> Override:
    """`roles.overrides.add_override`, and a letter to everybody `concerned`; raises the same."""
    told = concerned(schedule, person, start=start, end=end, actor=actor)
    override = add_override(
        schedule=schedule,
        person=person,
        start=start,
        end=end,
        reason=reason,
        actor=actor,
        clock=clock,
    )
    begins = max(start, clock()) if start.tzinfo else start
    body = f"{person} is on call for {schedule.team} {_between(begins, end)}{_by(actor, reason)}"
    _tell(schedule, told, f"override:{override.pk}:added", body, begins=begins, clock=clock)
    return override


@transaction.atomic
def take_back(
    *,
    override: Override,
    reason: str = "",
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> None:
    """`roles.overrides.remove_override`, and a letter to who was in and who is in again."""
    schedule, key, person = override.schedule, override.pk, override.person
    start, end = max(override.during.lower, clock()), override.during.upper
    remove_override(override=override, reason=reason, actor=actor, clock=clock)
    back = final_shifts(schedule.team, start, end) if start < end else []
    told = _present([person.pk, *(shift.person_id for shift in back)], actor)
    body = (
        f"{person} is no longer put in for {schedule.team} {_between(start, end)}: the schedule"
        f" holds again{_by(actor, reason)}"
    )
    _tell(schedule, told, f"override:{key}:removed", body, begins=start, clock=clock)


@transaction.atomic
def offer(
    *,
    schedule: Schedule,
    giver: Person,
    taker: Person,
    during: Stretch,
    in_return: Stretch | None = None,
    reason: str = "",
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> Swap:
    """`roles.swaps.offer_swap`, and a letter to the one who must answer."""
    swap = offer_swap(
        schedule=schedule,
        giver=giver,
        taker=taker,
        during=during,
        in_return=in_return,
        reason=reason,
        actor=actor,
        clock=clock,
    )
    back = f", and would serve yours {_between(*in_return)}" if in_return else ""
    body = (
        f"{giver} asks you to be on call for {schedule.team} {_between(*during)}{back}."
        f"{_words(reason)}\n\nNothing changes before you accept."
    )
    told = _present([taker.pk], actor)
    _tell(
        schedule,
        told,
        f"swap:{swap.pk}:offered",
        body,
        begins=during[0],
        clock=clock,
        url="/on-call/mine",
    )
    return swap


@transaction.atomic
def answer(
    *, swap: Swap, verb: str, actor: Person | None = None, clock: TimeSource = database_now
) -> Swap:
    """The swap accepted, declined or withdrawn, and a letter to the other one.

    Raises KeyError for another verb, and what the functions of `roles.swaps` raise.
    """
    act, words = ANSWERS[verb]
    answered = act(swap=swap, actor=actor, clock=clock)
    hours = (swap.during.lower, swap.during.upper)
    body = f"The swap of {swap.schedule.team} {_between(*hours)} {words}{_by(actor, '')}"
    told = _present([swap.giver_id, swap.taker_id], actor)
    cause = f"swap:{swap.pk}:{verb}"
    _tell(swap.schedule, told, cause, body, begins=hours[0], clock=clock, url="/on-call/mine")
    return answered


ANSWERS: Final = {
    "accept": (accept_swap, "is agreed"),
    "decline": (decline_swap, "was declined"),
    "withdraw": (withdraw_swap, "was taken back"),
}
"""How a swap is answered: the act, and what the other one reads."""


def _present(ids: Iterable[int], actor: Person | None) -> list[Person]:
    wanted = dict.fromkeys(pk for pk in ids if actor is None or pk != actor.pk)
    found = Person.objects.filter(is_active=True).in_bulk(list(wanted))
    return [found[pk] for pk in wanted if pk in found]


def _tell(
    schedule: Schedule,
    told: Sequence[Person],
    cause: str,
    body: str,
    *,
    begins: datetime,
    clock: TimeSource,
    url: str = "",
) -> None:
    now = clock()
    is_soon = begins - now < SOON
    letters = [
        Letter(
            topic=f"team:{schedule.team_id}",
            cause=cause,
            recipient_id=person.pk,
            kind="roster",
            subject=body.splitlines()[0].split(" (")[0][:200],
            body=body,
            urgency="high" if is_soon else "low",
            priority=2 if is_soon else 4,
            data={"url": url or f"/on-call/team/{schedule.team.slug}"},
        )
        for person in told
    ]
    enqueue(letters, now=now)


def _between(start: datetime, end: datetime) -> str:
    return f"from {moment(start)} to {moment(end)}"


def _by(actor: Person | None, reason: str) -> str:
    return f", by {actor or 'the system'}.{_words(reason)}"


def _words(reason: str) -> str:
    return f" “{reason}”" if reason else ""
