"""The /tierline command of a chat: status, who is on call, escalate, update, decide and note."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from escalation.handover import escalate
from escalation.outlook import next_steps
from roles.instants import database_now
from roles.models import Person, Team
from roles.oncall import on_call
from roles.people import roles_of
from roles.refusals import Refused
from tickets.incidents import post_update
from tickets.lifecycle import comment
from tickets.models import Ticket
from tickets.warroom import decide, ticket_of_room

HELP: Final = (
    "status KEY · oncall [team] · escalate KEY why · update KEY words · decide KEY words"
    " · note KEY words. In the room of a major incident the key may be left out."
)
_KEY: Final = re.compile(r"[A-Za-z]{2,8}-\d+")
UNSEEN: Final = "There is no such ticket, or you may not see it."


@dataclass(frozen=True)
class Asked:
    """One command: the verb, its first word, and the rest."""

    person: Person
    verb: str
    first: str
    rest: str


def answer(person: Person, text: str, *, room: str = "") -> str:
    """What a command comes to, in one message for whoever gave it; it never raises a refusal.

    `room` is the channel in which it was given: where that is a major incident's, its key may be
    left out.
    """
    verb, _, after = text.strip().partition(" ")
    first, _, rest = after.strip().partition(" ")
    asked = Asked(person, verb.lower(), first, rest.strip())
    if asked.verb in ABOUT_TICKETS and not _KEY.fullmatch(first):
        asked = _in_room(asked, after.strip(), room)
    do = VERBS.get(asked.verb)
    if do is None or not roles_of(person) - {"requester"}:
        return f"You can say: {HELP}"
    try:
        return do(asked)
    except Refused as refused:
        return " ".join([refused.detail, *refused.fields.values()])
    except Ticket.DoesNotExist:
        return UNSEEN


def _in_room(asked: Asked, words: str, room: str) -> Asked:
    """The command about the ticket whose room this is; as it was given where it is none."""
    ticket_id = ticket_of_room(room)
    seen = Ticket.objects.visible_to(asked.person).filter(pk=ticket_id).first()
    return Asked(asked.person, asked.verb, seen.key, words) if seen else asked


def _ticket(asked: Asked) -> Ticket:
    seen = Ticket.objects.visible_to(asked.person).select_related("team", "assignee")
    return seen.get(key=asked.first.upper())


def _status(asked: Asked) -> str:
    ticket = _ticket(asked)
    if ticket.restricted:  # what is said in a chat may be kept there, and by whom nobody knows
        return f"{ticket.key}: please sign in to read it."
    now = database_now()
    step = next_steps([ticket.pk], now).get(ticket.pk)
    has = f"{ticket.assignee} has it" if ticket.assignee else "nobody has it"
    seen = "acknowledged" if ticket.is_acknowledged else "not acknowledged"
    lines = [
        f"{ticket.key} P{ticket.priority} {ticket.subject}",
        f"{ticket.get_status_display()}, {ticket.team or 'no team'}, {has}, {seen}.",
    ]
    if step is not None:
        lines.append(f"Next: {step.what}, {step.at:%H:%M} UTC, to {step.to}.")
    return "\n".join(lines)


def _on_call(asked: Asked) -> str:
    teams = Team.objects.filter(is_active=True).order_by("name")
    if asked.first:
        teams = teams.filter(slug=asked.first.lower())
    rows = list(teams)
    if not rows:
        return "There is no such team."
    serving = on_call([team.pk for team in rows], database_now())
    ids = {person_id for found in serving.values() for person_id in found}
    names = {person.pk: str(person) for person in Person.objects.filter(pk__in=ids)}
    return "\n".join(
        f"{team}: {', '.join(names[pk] for pk in serving.get(team.pk, [])) or 'nobody'}"
        for team in rows
    )


def _escalate(asked: Asked) -> str:
    passed = escalate(
        ticket=_ticket(asked),
        actor=asked.person,
        reason_code="skill",
        reason=asked.rest,
        urgent=True,
        via="chat",
    )
    return f"{asked.first.upper()} is with {passed.to_team or 'the incident manager'} now."


def _update(asked: Asked) -> str:
    post_update(ticket=_ticket(asked), actor=asked.person, text=asked.rest, via="chat")
    return "The stakeholders are told. The next word is due in 30 minutes."


def _decide(asked: Asked) -> str:
    decide(ticket=_ticket(asked), actor=asked.person, text=asked.rest, via="chat")
    return f"Kept as a decision on {asked.first.upper()}."


def _note(asked: Asked) -> str:
    comment(ticket=_ticket(asked), actor=asked.person, text=asked.rest, public=False, via="chat")
    return f"Noted on {asked.first.upper()}."


VERBS: Final[dict[str, Callable[[Asked], str]]] = {
    "status": _status,
    "oncall": _on_call,
    "escalate": _escalate,
    "update": _update,
    "decide": _decide,
    "note": _note,
}
ABOUT_TICKETS: Final = frozenset(VERBS) - {"oncall"}
