"""A service whose mail comes in: its address, an answered ticket, answers as programs send them."""

from api.mail.taking import Place, take_in
from notifications.models import Message
from notifications.replies import message_id, reply_address
from roles.models import Person
from tests.api.mails import raw
from tests.story import Story
from tickets.lifecycle import comment
from tickets.models import MailSource, ReceivedMail, Ticket, TimelineEvent

PIPE = Place("pipe")


def take(story: Story, source: MailSource, content: bytes) -> ReceivedMail:
    return take_in(source=source, raw=content, place=PIPE, clock=story.clock)


def asked(story: Story, **more) -> tuple[Ticket, Message]:
    """A ticket that an agent has answered, and the letter that the requester got of it."""
    ticket = story.open(**more)
    comment(ticket=ticket, actor=story.agent, text="What?", public=True, clock=story.clock)
    return ticket, Message.objects.get(recipient=story.requester, kind="replied")


def answer(message: Message, text: str = "It says 42.", **more) -> bytes:
    """An answer as a mail program sends it: to the signed address, naming what it answers."""
    more.setdefault("to", reply_address(message))
    more.setdefault("ident", "<2@example.org>")
    more.setdefault("In_Reply_To", message_id(message.key))
    return raw(text, subject="Re: anything at all", **more)


def talk(ticket: Ticket) -> list[tuple[str, bool, str]]:
    """(who, public, words) of everything said on the ticket."""
    events = TimelineEvent.objects.filter(ticket=ticket.pk, kind="commented").order_by("seq")
    names = dict(Person.objects.values_list("pk", "username"))
    return [
        (names.get(event.actor_id, ""), event.is_public, event.body.text)
        for event in events.select_related("body")
    ]
