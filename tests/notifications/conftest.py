"""What these tests share: people to be told, letters, and a mailbox over real SMTP."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from notifications import hooks, leases
from notifications.delivery import deliver_batch
from notifications.models import Message
from notifications.outbox import Letter, enqueue
from notifications.sending import Sender
from roles.instants import TimeSource, fixed
from roles.models import Person
from tests.notifications.mailbox import Mailbox, serving

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def mailbox(settings) -> Iterator[Mailbox]:
    """A local SMTP server to which the e-mail channel sends during the test."""
    box = Mailbox()
    with serving(box) as port:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        settings.PUBLIC_URL = "https://desk.example"
        yield box


@pytest.fixture
def ann(db) -> Person:
    return person("ann")


@pytest.fixture(autouse=True)
def own_hooks() -> Iterator[None]:
    """What a test plugs in is unplugged after it."""
    checks, dead = dict(hooks.clearance_checks), list(hooks.dead_hooks)
    yield
    hooks.clearance_checks.clear()
    hooks.clearance_checks.update(checks)
    hooks.dead_hooks[:] = dead


def person(name: str) -> Person:
    return Person.objects.create_user(name, email=f"{name}@example.org")


def letter(recipient: Person, **changes) -> Letter:
    given = {
        "topic": "ticket:12",
        "cause": "firing:55",
        "recipient_id": recipient.pk,
        "kind": "page",
        "subject": "INC-000012 is overdue",
        "body": "Nobody has answered for 20 minutes.",
    }
    return Letter(**{**given, **changes})


def alone(number: int) -> dict[str, str]:
    """What makes a letter one that is told with no other."""
    return {"cause": f"event:{number}", "topic": f"ticket:{number}", "urgency": "high"}


def post(*letters: Letter, now: datetime = NOON) -> list[Message]:
    with transaction.atomic():
        return enqueue(letters, now=now)


def tries(message: Message) -> list[str]:
    return list(message.tries.order_by("number").values_list("outcome", flat=True))


def forward(**by: float) -> TimeSource:
    """The clock, so much after noon."""
    return fixed(NOON + timedelta(**by))


def deliver(**by: float) -> int:
    return deliver_batch(clock=forward(**by))


def launch(claim: leases.Claim) -> None:
    with closing(Sender(forward())) as sender:
        sender.launch([claim])
        sender.land_all()
