"""Reminds whoever words the updates of a major incident, before the promised word is due."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from notifications.outbox import Letter, post, withdraw
from roles.oncall import duty_on_call
from tickets import letters
from tickets.acting import Act
from tickets.models import Major, TimelineEvent

AHEAD: Final = timedelta(minutes=5)
"""So long before the promised time the reminder comes; half the way, where that is shorter."""
FIRST_WORD: Final = timedelta(minutes=15)
"""Within this time stakeholders hear the first word; after each update its own promise counts."""
DUE: Final = "major_due"
LATE: Final = "major_late"


def remind(act: Act, event: TimelineEvent, major: Major) -> None:
    """Plan the reminders of the next word in place of those planned before; none without one.

    Before the time it is whoever words the updates; once it has passed the manager too. They wait
    in the outbox, so that no sweep has to find them.
    """
    forget(act, "Overtaken: the next word is planned anew.")
    due_at = major.next_update_at
    if due_at is None:
        return
    ahead = min(AHEAD, (due_at - act.now) / 2)
    writers = _writers(act, major)
    planned = [_reminder(act, event, DUE, person_id) for person_id in writers]
    late = {*writers, *([major.manager_id] if major.manager_id else [])}
    post(
        [replace(letter, not_before=due_at - ahead) for letter in planned]
        + [
            replace(_reminder(act, event, LATE, person_id), not_before=due_at)
            for person_id in sorted(late)
        ],
        now=act.now,
    )


def forget(act: Act, reason: str) -> None:
    """Take back what has been planned and not sent yet."""
    withdraw(topics=[act.ticket.topic], kinds=(DUE, LATE), reason=reason, now=act.now)


def _writers(act: Act, major: Major) -> list[int]:
    """Who words the updates: the one named, else who has the duty now, else who leads."""
    if major.coordinator_id is not None:
        return [major.coordinator_id]
    on_duty = duty_on_call("communication-coordinator", act.now)
    return sorted(on_duty) or [major.manager_id or 0]


def _reminder(act: Act, event: TimelineEvent, kind: str, person_id: int) -> Letter:
    letter = letters.letter(
        act.ticket,
        event,
        kind=kind,
        recipient_id=person_id,
        body="Say how it goes; “still working on it” counts as word given.",
        urgency="high",
    )
    return replace(
        letter,
        # Apart from the letter about the event itself, which the same person may have got.
        cause=f"{event.cause}:{kind}",
        data={**letter.data, "url": f"/majors/{act.ticket.key}"},
    )
