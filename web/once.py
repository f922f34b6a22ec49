"""Lets a form be sent once: sent again, after going back perhaps, it leads to what it made."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Final, cast

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from roles.instants import database_now
from roles.models import Person
from web.models import SentForm

FIELD: Final = "form_token"
KEPT: Final = timedelta(days=2)


def fresh_token() -> str:
    """A token for a form that is about to be shown."""
    return str(uuid.uuid4())


def send_once(request: HttpRequest, make: Callable[[], str]) -> str:
    """Do what the form asks for, `make`, and note the address that it answers.

    In one transaction: of two sendings at the same moment the second waits, makes nothing and is
    led to what the first has made, and told so. A form without a token is done as often as sent.
    """
    person = cast(Person, request.user)
    token = _token(request.POST.get(FIELD, ""))
    if token is None:
        return make()
    onward = _onward(person, token)
    if onward is None:
        try:
            return _send(person, token, make)
        except IntegrityError:
            onward = _onward(person, token)
            if onward is None:
                raise
    messages.info(request, _("This was sent before; here is the ticket that it opened."))
    return onward


def _send(person: Person, token: uuid.UUID, make: Callable[[], str]) -> str:
    with transaction.atomic():
        sent = SentForm.objects.create(token=token, person=person, onward="/")
        sent.onward = make()
        sent.save(update_fields=["onward"])
        SentForm.objects.filter(sent_at__lt=database_now() - KEPT).delete()
        return sent.onward


def _onward(person: Person, token: uuid.UUID) -> str | None:
    """Where the form of this token has led when it was sent before; None when it was not."""
    sent = SentForm.objects.filter(token=token, person=person.pk).first()
    return sent.onward if sent else None


def _token(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
