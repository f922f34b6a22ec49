"""The local mail catcher's messages, for the example site; the catcher is given by the site."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from roles.instants import database_now
from roles.models import Person
from roles.people import roles_of
from web import doors

SHOWN = 100


class Caught(Protocol):
    """One message as it came over SMTP."""

    id: str
    at: datetime
    sender: str
    recipients: str
    subject: str
    body: str


class Catcher(Protocol):
    """Where caught messages are read; `config.mailbox` is one."""

    def list_messages(self, limit: int) -> Sequence[Caught]: ...

    def read_message(self, message_id: str) -> Caught | None: ...


@doors.signed_in(action="see_mailbox")
def mailbox(request: HttpRequest, catcher: Catcher) -> HttpResponse:
    """The newest messages; for people of the service only, since they hold everybody's mail."""
    _require_reader(request.user)
    found = catcher.list_messages(SHOWN)
    context = {"messages_caught": found, "now": database_now(), "here": "mailbox"}
    return render(request, "web/mailbox/page.html", context)


@doors.signed_in(action="see_mailbox")
def letter(request: HttpRequest, catcher: Catcher, message_id: str) -> HttpResponse:
    """One message's text; markup in it is shown as text, never obeyed."""
    _require_reader(request.user)
    found = catcher.read_message(message_id)
    if found is None:
        raise Http404
    return render(request, "web/mailbox/letter.html", {"letter": found, "here": "mailbox"})


def _require_reader(person: Person) -> None:
    """Raise Http404 for people who only ask: to them there is no such page."""
    if not (person.is_staff or roles_of(person) & {"agent", "incident_manager", "administrator"}):
        raise Http404
