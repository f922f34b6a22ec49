"""Does once what is sent twice: a form leads to what it made, a recorded call to nothing."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
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


def hear_once(person: Person, mark: str, do: Callable[[], str]) -> str | None:
    """What `do` answers to a signed call from outside; None where the same call came before.

    `mark` is what no two calls share, its signature. Whoever records a call could else have it done
    again for as long as its signature is good. If `do` raises, the call counts as never heard.
    """
    token = uuid.UUID(bytes=sha256(mark.encode()).digest()[:16])
    with transaction.atomic():
        try:
            with transaction.atomic():
                SentForm.objects.create(token=token, person=person, onward="")
        except IntegrityError:
            return None
        _forget_old()
        return do()


def _forget_old() -> None:
    SentForm.objects.filter(sent_at__lt=database_now() - KEPT).delete()


def _send(person: Person, token: uuid.UUID, make: Callable[[], str]) -> str:
    with transaction.atomic():
        sent = SentForm.objects.create(token=token, person=person, onward="/")
        sent.onward = make()
        sent.save(update_fields=["onward"])
        _forget_old()
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
