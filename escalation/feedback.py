"""Takes the word of sender and receiver on an escalation: right tier, complete, did it help?"""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Final

from escalation.models import Escalation, HandoverFeedback
from roles.instants import TimeSource, database_now
from roles.models import Membership, Person
from roles.refusals import Conflict, Forbidden, Invalid
from tickets.acting import Act, acting, fitting
from tickets.models import EventKind, Ticket, TimelineEvent

COMMENT_MAX: Final = 2000
CHANGEABLE: Final = timedelta(days=14)

Side = HandoverFeedback.Side
Verdict = HandoverFeedback.Verdict
VERDICTS: Final[Mapping[str, Sequence[str]]] = {
    Side.RECEIVER: (Verdict.RIGHT, Verdict.INCOMPLETE, Verdict.WRONG_TIER),
    Side.SENDER: (Verdict.HELPED, Verdict.LATE, Verdict.UNHELPFUL),
}
"""What each side can say, the best first."""


def rate_handover(
    *,
    escalation: Escalation,
    actor: Person,
    verdict: str,
    comment: str | None = None,
    clock: TimeSource = database_now,
    via: str = "web",
) -> HandoverFeedback:
    """Note what somebody of the sending or receiving team says; a second word replaces the first.

    Raises Forbidden for anybody else, Invalid for a verdict of the other side, Conflict when the
    word is more than two weeks old.
    """
    with acting(escalation.ticket, actor=actor, action="see_internal", clock=clock, via=via) as act:
        side = side_of(escalation, actor)
        if side is None:
            raise Forbidden("not_concerned", "Only the two teams of an escalation rate it.")
        if verdict not in VERDICTS[side]:
            raise Invalid("unknown_verdict", "Choose an answer.", {"verdict": "Choose one."})
        said = None if comment is None else fitting(comment.strip(), "comment", COMMENT_MAX)
        held = HandoverFeedback.objects.filter(escalation=escalation, person=actor).first()
        if held is None:
            return _give(act, escalation, side, (verdict, said or ""))
        return _change(act, held, (verdict, held.comment if said is None else said))


def teams_of(person: Person) -> frozenset[int]:
    """The teams that the person works in."""
    rows = Membership.objects.filter(person=person.pk)
    return frozenset(rows.values_list("team", flat=True))


def side_of(
    escalation: Escalation, person: Person, teams: Collection[int] | None = None
) -> str | None:
    """On which side of the escalation the person stands; None for neither.

    Whoever sent it is the sender, though that person may work in both teams. `teams` are the
    person's, if they have been read.
    """
    if person.pk in (escalation.sender_id, escalation.actor_id):
        return Side.SENDER
    if teams is None:
        teams = teams_of(person)
    if escalation.to_team_id in teams:
        return Side.RECEIVER
    return Side.SENDER if escalation.from_team_id in teams else None


def escalation_told_by(cause: str, ticket: Ticket) -> Escalation | None:
    """The escalation of this ticket that a message with this cause told of, if it told of one."""
    kind, _, number = cause.partition(":")
    if not number.isdecimal():
        return None
    rows = Escalation.objects.filter(ticket=ticket.pk, type=Escalation.Type.FUNCTIONAL)
    if kind == "escalation":
        return rows.filter(pk=int(number)).first()
    if kind != "event":
        return None
    told = TimelineEvent.objects.filter(pk=int(number), ticket=ticket.pk)
    passed = (EventKind.ESCALATED, EventKind.HANDED_BACK)
    event = told.filter(kind__in=passed).first()
    if event is None:
        return None
    if event.kind == EventKind.HANDED_BACK:
        return rows.filter(pk=event.facts.get("escalation", 0)).first()
    entry = event.facts.get("set", {}).get("entry")
    return None if entry is None else rows.filter(entry=entry).first()


def _give(act: Act, escalation: Escalation, side: str, said: tuple[str, str]) -> HandoverFeedback:
    assert act.actor is not None
    made = HandoverFeedback.objects.create(
        escalation=escalation,
        side=side,
        person=act.actor,
        verdict=said[0],
        comment=said[1],
        given_at=act.now,
        changed_at=act.now,
    )
    _record(act, made)
    return made


def _change(act: Act, held: HandoverFeedback, said: tuple[str, str]) -> HandoverFeedback:
    if (held.verdict, held.comment) == said:
        return held
    if act.now > held.given_at + CHANGEABLE:
        raise Conflict("too_late", "Your word is more than two weeks old and stands now.")
    held.verdict, held.comment = said
    held.changed_at = act.now
    held.save(update_fields=["verdict", "comment", "changed_at"])
    _record(act, held)
    return held


def _record(act: Act, feedback: HandoverFeedback) -> None:
    facts = {
        "escalation": feedback.escalation_id,
        "side": str(feedback.side),
        "verdict": str(feedback.verdict),
    }
    act.record(EventKind.HANDOVER_RATED, facts=facts, body=feedback.comment)
