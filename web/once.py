"""Lets a form be sent once: sent again, after going back perhaps, it leads to what it made."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from django.db import IntegrityError, transaction

from roles.instants import database_now
from roles.models import Person
from web.models import SentForm

FIELD: Final = "form_token"
KEPT: Final = timedelta(days=2)


def fresh_token() -> str:
    """A token for a form that is about to be shown."""
    return str(uuid.uuid4())


def sent_to(person: Person, token: str) -> str | None:
    """Where the form of this token has led when it was sent before; None when it was not."""
    known = _token(token)
    sent = SentForm.objects.filter(token=known, person=person.pk).first() if known else None
    return sent.onward if sent else None


def send_once(person: Person, token: str, make: Callable[[], str]) -> str:
    """Do what the form asks for, `make`, and note the address that it answers.

    In one transaction: of two sendings at the same moment the second waits, makes nothing and is
    led to what the first has made. A form without a token is done as often as it is sent.
    """
    known = _token(token)
    if known is None:
        return make()
    try:
        with transaction.atomic():
            sent = SentForm.objects.create(token=known, person=person, onward="/")
            sent.onward = make()
            sent.save(update_fields=["onward"])
            SentForm.objects.filter(sent_at__lt=database_now() - KEPT).delete()
            return sent.onward
    except IntegrityError:
        onward = sent_to(person, token)
        if onward is None:
            raise
        return onward


def _token(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
