"""Takes the requester's word on how it went: once for each ticket, to be changed for a week."""

from datetime import datetime, timedelta
from typing import Final

from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.refusals import Conflict, Invalid
from tickets import states
from tickets.acting import Act, acting, fitting
from tickets.models import EventKind, Feedback, Ticket

CHANGEABLE: Final = timedelta(days=7)
COMMENT_MAX: Final = 2000
RATEABLE: Final = (states.RESOLVED, states.CLOSED)


def rate(
    *,
    ticket: Ticket,
    actor: Person,
    score: int,
    comment: str | None = None,
    clock: TimeSource = database_now,
    via: str = "web",
) -> Feedback:
    """Note the requester's mark, from 1 (very bad) to 5 (very good), for a ticket that is solved.

    Within a week it can be changed; without a `comment` the one given before stays. Raises
    Forbidden for anybody else, Invalid for another mark, Conflict when it is too early or too late.
    """
    with acting(ticket, actor=actor, action="rate", clock=clock, via=via) as act:
        if score not in Feedback.Score.values:
            raise Invalid("bad_score", "Choose a mark.", {"score": "From 1 to 5."})
        if act.ticket.status not in RATEABLE or act.ticket.merged_into_id is not None:
            raise Conflict("not_solved", f"{act.ticket.key} is not solved yet.")
        held = Feedback.objects.filter(ticket=act.ticket, person=actor).first()
        given = None if comment is None else fitting(comment.strip(), "comment", COMMENT_MAX)
        return _change(act, held, score, given) if held else _give(act, actor, score, given or "")


def may_change(feedback: Feedback | None, now: datetime) -> bool:
    """Whether the requester may still give or change it."""
    return feedback is None or now <= feedback.given_at + CHANGEABLE


def _give(act: Act, actor: Person, score: int, comment: str) -> Feedback:
    made = Feedback.objects.create(
        ticket=act.ticket,
        person=actor,
        score=score,
        comment=comment,
        given_at=act.now,
        changed_at=act.now,
    )
    act.record(EventKind.RATED, facts={"score": score}, body=comment)
    return made


def _change(act: Act, held: Feedback, score: int, comment: str | None) -> Feedback:
    if not may_change(held, act.now):
        raise Conflict("too_late", "Your word is more than a week old and stands now.")
    said = held.comment if comment is None else comment
    if (held.score, held.comment) == (score, said):
        return held
    was, held.score, held.comment, held.changed_at = held.score, score, said, act.now
    held.save(update_fields=["score", "comment", "changed_at"])
    act.record(EventKind.RATED, facts={"score": score, "before": was}, body=said)
    return held
