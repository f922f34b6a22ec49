"""The /tierline command of a chat: status, who is on call, escalate, update, decide and note."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from escalation.handover import escalate
from escalation.outlook import next_steps
from roles.instants import database_now
from roles.models import Person, Team
from roles.oncall import on_call
from roles.people import roles_of
from roles.refusals import Invalid, Refused
from roles.zones import zone_exists
from tickets.incidents import post_update
from tickets.lifecycle import comment
from tickets.models import Ticket
from tickets.warroom import decide, ticket_of_room
from web.answering import in_words_of
from web.retold import retold
from web.wording import worded

NEXT_IN_MIN: Final = 30
"""What an update by chat promises; another time is promised on the page."""
_KEY: Final = re.compile(r"[A-Za-z]{2,8}-\d+")


@dataclass(frozen=True)
class Asked:
    """One command: the verb, its first word, and the rest."""

    person: Person
    verb: str
    first: str
    rest: str


def answer(person: Person, text: str, *, room: str = "") -> str:
    """What a command comes to, in one message in the language of whoever gave it.

    It never raises a refusal. `room` is the channel in which it was given: where that is a major
    incident's, its key may be left out.
    """
    with in_words_of(person):
        return _answer(person, text, room)


def _answer(person: Person, text: str, room: str) -> str:
    verb, _blank, after = text.strip().partition(" ")
    first, _blank, rest = after.strip().partition(" ")
    asked = Asked(person, verb.lower(), first, rest.strip())
    if asked.verb in ABOUT_TICKETS and not _KEY.fullmatch(first):
        asked = _in_room(asked, after.strip(), room)
    do = VERBS.get(asked.verb)
    if do is None or not roles_of(person) - {"requester"}:
        return _(
            "You can say: status KEY · oncall [team] · escalate KEY why · update KEY words"
            " · decide KEY words · note KEY words. In the room of a major incident the key may be"
            " left out."
        )
    try:
        return do(asked)
    except Refused as refused:
        return " ".join(map(retold, [refused.detail, *refused.fields.values()]))
    except Ticket.DoesNotExist:
        return _("There is no such ticket that you can see.")


def _in_room(asked: Asked, words: str, room: str) -> Asked:
    """The command about the ticket whose room this is; as it was given where it is none."""
    ticket_id = ticket_of_room(room)
    seen = Ticket.objects.visible_to(asked.person).filter(pk=ticket_id).first()
    return Asked(asked.person, asked.verb, seen.key, words) if seen else asked


def _ticket(asked: Asked) -> Ticket:
    """The ticket that is meant. Raises Ticket.DoesNotExist, and Invalid for a restricted case.

    What is said in a chat may be kept there, and by whom nobody knows.
    """
    seen = Ticket.objects.visible_to(asked.person).select_related("team", "assignee")
    found: Ticket = seen.get(key=asked.first.upper())
    if found.restricted:
        raise Invalid("restricted", _("%(key)s: please sign in for it.") % {"key": found.key})
    return found


def _status(asked: Asked) -> str:
    ticket = _ticket(asked)
    now = database_now()
    step = next_steps([ticket.pk], now).get(ticket.pk)
    has = (
        _("%(name)s has it") % {"name": ticket.assignee} if ticket.assignee else _("nobody has it")
    )
    facts = [
        worded(ticket.get_status_display()),
        str(ticket.team or _("no team")),
        has,
        _("acknowledged") if ticket.is_acknowledged else _("not acknowledged"),
    ]
    lines = [f"{ticket.key} P{ticket.priority} {ticket.subject}", f"{', '.join(facts)}."]
    if step is not None:
        said = {
            "what": retold(step.what),
            "at": _clock_time(step.at, asked.person),
            "to": retold(step.to),
        }
        lines.append(_("Next: %(what)s, %(at)s, to %(to)s.") % said)
    return "\n".join(lines)


def _clock_time(at: datetime, person: Person) -> str:
    """The time of day as the person's clock shows it, with its zone."""
    zone = ZoneInfo(person.zone if zone_exists(person.zone) else "UTC")
    return f"{at.astimezone(zone):%H:%M %Z}"


def _on_call(asked: Asked) -> str:
    teams = Team.objects.filter(is_active=True).order_by("name")
    if asked.first:
        teams = teams.filter(slug=asked.first.lower())
    rows = list(teams)
    if not rows:
        return _("There is no such team.")
    serving = on_call([team.pk for team in rows], database_now())
    ids = {person_id for found in serving.values() for person_id in found}
    names = {person.pk: str(person) for person in Person.objects.filter(pk__in=ids)}
    return "\n".join(
        f"{team}: {', '.join(names[pk] for pk in serving.get(team.pk, [])) or _('nobody')}"
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
    goal = {"key": asked.first.upper(), "team": passed.to_team or _("the incident manager")}
    return _("%(key)s is with %(team)s now.") % goal


def _update(asked: Asked) -> str:
    post_update(
        ticket=_ticket(asked),
        actor=asked.person,
        text=asked.rest,
        next_in_min=NEXT_IN_MIN,
        via="chat",
    )
    said = _("The stakeholders are told. The next word is due in %(count)d minutes.")
    return said % {"count": NEXT_IN_MIN}


def _decide(asked: Asked) -> str:
    decide(ticket=_ticket(asked), actor=asked.person, text=asked.rest, via="chat")
    return _("Kept as a decision on %(key)s.") % {"key": asked.first.upper()}


def _note(asked: Asked) -> str:
    comment(ticket=_ticket(asked), actor=asked.person, text=asked.rest, public=False, via="chat")
    return _("Noted on %(key)s.") % {"key": asked.first.upper()}


VERBS: Final[dict[str, Callable[[Asked], str]]] = {
    "status": _status,
    "oncall": _on_call,
    "escalate": _escalate,
    "update": _update,
    "decide": _decide,
    "note": _note,
}
ABOUT_TICKETS: Final = frozenset(VERBS) - {"oncall"}
