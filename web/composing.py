"""What the composer of a ticket's page must know: who may write what, and whom it reaches."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from roles.models import Person
from tickets import states
from web.acts import Situation
from web.timeline import last_seen


@dataclass(frozen=True, slots=True)
class Writing:
    """What somebody may write on a ticket; `seen` is the last event they can know of."""

    may_reply: bool
    may_note: bool
    may_pend: bool
    may_resolve: bool
    to: str
    reached: Sequence[str]
    seen: int
    is_requester: bool

    @property
    def may_write(self) -> bool:
        """Whether there is a composer at all."""
        return self.may_reply or self.may_note

    @property
    def has_choice(self) -> bool:
        """Whether both kinds are open to the writer."""
        return self.may_reply and self.may_note

    @property
    def may_go_on(self) -> bool:
        """Whether something can follow in the same act."""
        return self.may_pend or self.may_resolve


def writing_of(at: Situation, newest: int = 0) -> Writing:
    """What the reader of the page may write; one query when the newest event is not known."""
    ticket: Any = at.ticket
    over = ticket.status in states.FINAL
    reached = reached_by_reply(ticket, at.person)
    internal = "see_internal" in at.allowed
    return Writing(
        may_reply="comment_public" in at.allowed and not over,
        may_note="comment_internal" in at.allowed and not over,
        may_pend="pend" in at.allowed and ticket.status == states.IN_PROGRESS,
        may_resolve="resolve" in at.allowed and ticket.is_open and ticket.team_id is not None,
        to=listed(reached),
        reached=reached,
        seen=newest or last_seen(ticket, at.person, internal=internal),
        is_requester=ticket.requester_id == at.person.pk,
    )


def reached_by_reply(ticket: Any, writer: Person) -> list[str]:
    """The names of all whom a public reply is sent to: the requester, then those who watch."""
    if ticket.requester_id == writer.pk:
        first = [str(ticket.assignee)] if ticket.assignee else []
    else:
        first = [str(ticket.requester)] if ticket.requester.kind == Person.Kind.PERSON else []
    known = {writer.pk, ticket.requester_id, ticket.assignee_id if first else None}
    if ticket.requester_id != writer.pk:
        known.discard(ticket.assignee_id)
    watching = getattr(ticket, "watched_by", [])
    return [*first, *(each["name"] for each in watching if each["id"] not in known)]


def listed(names: Sequence[str]) -> str:
    """The first name and how many others there are; for nobody the service itself."""
    if not names:
        return _("the team")
    if len(names) == 1:
        return names[0]
    more = len(names) - 1
    return ngettext("%(name)s and %(more)d other", "%(name)s and %(more)d others", more) % {
        "name": names[0],
        "more": more,
    }
