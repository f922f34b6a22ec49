"""What the page “How you are told” shows: addresses, rules in words, and what was sent lately."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Q, QuerySet
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from notifications.bundling import TOLD_WITH
from notifications.channels.registry import on_offer
from notifications.models import ContactMethod, ContactRule, Message, MessageState, Urgency, Ways
from notifications.shipped import reason_in
from notifications.spreading import CODE, Told, ways_of
from notifications.ways import ready_channels
from roles.models import Person
from web.countdowns import clock_text
from web.forms.reach import delay_label, label_of
from web.retold import retold

LATELY: Final = 20
_TOGETHER: Final = TOLD_WITH.partition("{")[0]


@dataclass(frozen=True)
class Reach:
    """Everything about how one person is told, read once."""

    person: Person
    methods: Sequence[ContactMethod]
    rules: Sequence[ContactRule]
    ways: Ways
    ready: Sequence[str]
    offered: Sequence[str]
    letters: Sequence[Message]
    told: Told | None = None

    def rules_of(self, urgency: str) -> list[ContactRule]:
        return [rule for rule in self.rules if rule.urgency == urgency]

    @property
    def in_words(self) -> str:
        """How a page reaches this person, in one sentence."""
        rungs = self.told.channels(Urgency.HIGH) if self.told else [("email", 0)]
        if not self.ready:
            return _("A page cannot reach you: there is no address.")
        said = [f"{delay_label(delay_s)} {_('by')} {label_of(name)}" for name, delay_s in rungs]
        words = _("A page reaches you %(how)s.")
        if self.told and self.told.is_by_team(Urgency.HIGH):
            words = _("A page reaches you %(how)s, by your team's rules.")
        return words % {"how": ", ".join(said)}

    @property
    def is_thin(self) -> bool:
        """Whether a page comes by mail only, which wakes nobody."""
        rungs = self.told.channels(Urgency.HIGH) if self.told else []
        return {channel for channel, _ in rungs} <= {"email"}

    def is_away(self, now: datetime) -> bool:
        return self.ways.away_until is not None and now < self.ways.away_until


def reach_of(person: Person) -> Reach:
    """How the person is told, and the latest messages to them; six queries.

    Messages that need a clearance are left out: they stand on their case.
    """
    ways = Ways.objects.filter(person=person.pk).select_related("taker").first()
    return Reach(
        person=person,
        methods=list(_methods_of(person)),
        rules=list(ContactRule.objects.filter(ways=person.pk)),
        ways=ways or Ways(person=person),
        ready=ready_channels(person),
        offered=on_offer(),
        letters=list(_letters_to(person)[:LATELY]),
        told=ways_of([person.pk]).get(person.pk),
    )


def _methods_of(person: Person) -> QuerySet[ContactMethod]:
    """Addresses in use, and those that said themselves that they take nothing any more."""
    rows = ContactMethod.objects.filter(person=person.pk)
    return rows.filter(Q(is_active=True) | ~Q(ended_because=""))


def _letters_to(person: Person) -> QuerySet[Message]:
    """What was sent, without codes: reading one here would prove nothing about the address."""
    return Message.objects.filter(recipient=person.pk, clearance="").exclude(kind=CODE)


def reason_of(message: Message) -> str:
    """Why a message did not go out by itself, in the reader's language; empty where it did.

    Which message it went with is said by its time alone: it may be about something else.
    """
    reason = message.finished_reason
    if not is_told_with(reason) or message.finished_at is None:
        return retold(reason_in(get_language() or "en", reason)) if reason else ""
    return _("Told together with the message of %(time)s by %(channel)s.") % {
        "time": clock_text(message.finished_at),
        "channel": label_of(message.channel),
    }


def is_told_with(reason: str) -> bool:
    """Whether a message was told in another one."""
    return reason.startswith(_TOGETHER)


def companion_key(message: Message) -> str:
    """The key of the message in which this one was told; empty where it was in none."""
    reason = message.finished_reason
    return reason.removeprefix(_TOGETHER).removesuffix(".") if is_told_with(reason) else ""


def state_of(message: Message) -> dict[str, Any]:
    """How far a message has come: a word, a mark, and the reason where it did not arrive."""
    if message.acted_at:
        return {"word": _("acknowledged"), "icon": "check-check", "tone": "good"}
    if message.opened_at:
        return {"word": _("opened"), "icon": "eye", "tone": "good"}
    if message.state == MessageState.SENT:
        return {"word": _("handed over"), "icon": "check", "tone": "good"}
    if message.state == MessageState.QUEUED:
        if message.attempts and not message.leased_until:
            return {"word": _("tried, will be tried again"), "icon": "clock", "tone": "soon"}
        return {"word": _("planned"), "icon": "clock", "tone": "plain"}
    if is_told_with(message.finished_reason):
        return {"word": _("told with another"), "icon": "check", "tone": "good"}
    word = {
        MessageState.DEAD: _("could not be delivered"),
        MessageState.DROPPED: _("not sent"),
        MessageState.WITHDRAWN: _("taken back"),
    }[MessageState(message.state)]
    tone = "bad" if message.state == MessageState.DEAD else "plain"
    icon = "triangle-alert" if tone == "bad" else "circle-minus"
    return {"word": word, "icon": icon, "tone": tone}
