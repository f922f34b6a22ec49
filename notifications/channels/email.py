"""E-mail: one message as text and HTML, threaded by topic, handed to the site's SMTP server."""

import smtplib
import threading
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.validators import validate_email
from django.template import Context, Engine
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from notifications.channels.message import Limits, OutgoingMessage, SendResult
from notifications.channels.pacing import Breaker
from notifications.channels.smtp import Session
from notifications.replies import message_id

_SMTP_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
_SUBJECT_MAX = 200
_DETAIL_MAX = 300
_HANGS = 3


class EmailChannel:
    """Sends over SMTP with a total deadline, keeping connections for a burst of messages.

    Any other Django e-mail backend that the site names (console, files, memory) is used as it is.
    """

    limits = Limits(length=100_000, per_second=100.0, buttons=3)

    def __init__(self) -> None:
        self._idle: list[Session] = []
        self._lock = threading.Lock()
        self._breaker = Breaker()
        self._hung = 0

    @property
    def is_ready(self) -> bool:
        return True

    def clean(self, address: str) -> str:
        """The address in small letters; raises ValueError for what is none."""
        try:
            validate_email(address.strip())
        except ValidationError:
            raise ValueError("An e-mail address, such as ann@example.org.") from None
        return address.strip().lower()

    def send(self, message: OutgoingMessage, address: str, deadline_s: float) -> SendResult:
        try:
            mail = compose(message, address)
            if settings.EMAIL_BACKEND == _SMTP_BACKEND:
                return self._send_smtp(mail, deadline_s)
            get_connection().send_messages([mail])
        except (ValueError, UnicodeError) as problem:
            # The address or a header cannot be written as mail, now or at any later try.
            return SendResult(ok=False, permanent=True, detail=f"Not a sendable mail: {problem}")
        return SendResult(ok=True)

    def rest(self) -> None:
        with self._lock:
            resting, self._idle = self._idle, []
        for session in resting:
            session.close()

    def _send_smtp(self, mail: EmailMultiAlternatives, deadline_s: float) -> SendResult:
        server = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
        if (wait_s := self._breaker.wait_s(server)) > 0:
            words = "Not tried: the mail server did not answer a moment ago."
            return SendResult(ok=False, detail=words, retry_after_s=wait_s)
        with self._lock:
            session = self._idle.pop() if self._idle else Session(deadline_s)
        is_there = False
        try:
            with session.connected(deadline_s) as backend:
                is_there = True
                backend.send_messages([mail])
        except (smtplib.SMTPException, OSError) as problem:
            self._note_trouble(server, is_there=is_there, has_hung=session.expired)
            if session.expired:
                return SendResult(ok=False, detail=f"No answer within {deadline_s:g} s.")
            return judge(problem)
        with self._lock:
            self._idle.append(session)
            self._hung = 0
        self._breaker.heal(server)
        return SendResult(ok=True)

    def _note_trouble(self, server: str, *, is_there: bool, has_hung: bool) -> None:
        """Leave a server alone for a while that is not there, or hangs on one mail after another.

        One that hangs on a single mail may well take the next: a slow recipient is not the server.
        """
        with self._lock:
            self._hung = self._hung + 1 if has_hung else 0
            is_down = not is_there or self._hung >= _HANGS
        if is_down:
            self._breaker.hold(server)
        elif not has_hung:
            self._breaker.heal(server)


def judge(problem: smtplib.SMTPException | OSError) -> SendResult:
    """Say what a failed SMTP dialogue means for this recipient.

    Only a 5xx to the recipient or to the content is final. A refused sender, log-in or greeting is
    the site's own trouble: it would kill everybody's mail, and passes when it is put right.
    """
    if isinstance(problem, smtplib.SMTPRecipientsRefused):
        code, text = next(iter(problem.recipients.values()))
        return SendResult(ok=False, permanent=500 <= code < 600, detail=_answer(code, text))
    if isinstance(problem, smtplib.SMTPResponseException):
        final = isinstance(problem, smtplib.SMTPDataError) and 500 <= problem.smtp_code < 600
        detail = _answer(problem.smtp_code, problem.smtp_error)
        return SendResult(ok=False, permanent=final, detail=detail)
    return SendResult(ok=False, detail=_one_line(f"{type(problem).__name__}: {problem}", 300))


class _Mail(EmailMultiAlternatives):
    """A mail with each header on one line: not every server knows a Message-ID that is folded."""

    def message(self, **given: Any) -> Any:
        """The mail as it is sent; RFC 5322 2.1.1 allows lines of 998 characters."""
        made = super().message(**given)
        made.policy = made.policy.clone(max_line_length=998)
        return made


def compose(message: OutgoingMessage, address: str) -> EmailMultiAlternatives:
    """Build the mail in its reader's language.

    Raises ValueError where the address cannot stand in a header.
    """
    with translation.override(message.language):
        return _compose(message, address)


def _compose(message: OutgoingMessage, address: str) -> EmailMultiAlternatives:
    host = urlsplit(settings.PUBLIC_URL).hostname or "localhost"
    thread = f"<{uuid5(NAMESPACE_URL, f'{settings.PUBLIC_URL}#{message.topic}')}@{host}>"
    subject = _one_line(message.subject, _SUBJECT_MAX)
    mail = _Mail(
        subject=subject,
        body=_plain(message),
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[address],
        reply_to=[message.reply_to] if message.reply_to else None,
        headers={
            "Message-ID": message_id(message.key),
            "References": thread,
            "In-Reply-To": thread,
            "Auto-Submitted": "auto-generated",
            "List-Id": f"<tierline.{host}>",
            **_unsubscribe(message),
            "X-Tierline-Key": message.key,
        },
    )
    page = _engine().get_template("notifications/email.html")
    html = page.render(Context({"message": message, "subject": subject, **_frame(message)}))
    mail.attach_alternative(html, "text/html")
    for name, kind, content in message.files:
        mail.attach(name, content, kind)
    return mail


def _unsubscribe(message: OutgoingMessage) -> dict[str, str]:
    """The headers of RFC 8058, by which a mail program ends it with one press; none for pages."""
    if not message.leave_url:
        return {}
    return {
        "List-Unsubscribe": f"<{message.leave_url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


@cache
def _engine() -> Engine:
    """An engine of the mail's own: a broken template library of a page must stop no message."""
    return Engine(dirs=[str(Path(__file__).resolve().parent.parent / "templates")])


def _frame(message: OutgoingMessage) -> dict[str, str]:
    """The words around the message, in the language that is spoken now."""
    return {
        "language": message.language,
        "urgent": _("Urgent"),
        "acknowledge": _("Acknowledge"),
        "open": pgettext("letter", "Open"),
    }


def _plain(message: OutgoingMessage) -> str:
    said = _frame(message)
    links = [
        (said["acknowledge"], message.ack_url),
        *message.links,
        (said["open"], message.open_url),
    ]
    lines = [f"{label}: {url}" for label, url in links if url]
    return "\n\n".join([message.body.strip(), *lines]) + "\n"


def _one_line(text: str, limit: int) -> str:
    """Fold all white space and control characters, so that no line break reaches a header."""
    folded = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return folded if len(folded) <= limit else folded[: limit - 1] + "…"


def _answer(code: int, text: bytes | str) -> str:
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return _one_line(f"{code} {words}", _DETAIL_MAX)
