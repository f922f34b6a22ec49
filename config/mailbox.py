"""Reads what the local mail catcher has kept."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from django.conf import settings

_NAME = re.compile(r"\d{20}-\d+-\d+")


@dataclass(frozen=True)
class CaughtMessage:
    """One message as it came over SMTP; `at` is when the catcher got it."""

    id: str
    at: datetime
    sender: str
    recipients: str
    subject: str
    body: str
    headers: dict[str, str] = field(repr=False)


def list_messages(limit: int = 100, *, since: datetime | None = None) -> list[CaughtMessage]:
    """The newest messages first; with `since`, only those caught at or after it."""
    return [_read(path) for path in _newest(limit, since)]


def read_message(message_id: str) -> CaughtMessage | None:
    """One message, or None when there is none of that id."""
    if not _NAME.fullmatch(message_id):
        return None
    path = Path(settings.MAIL_FOLDER) / f"{message_id}.eml"
    return _read(path) if path.is_file() else None


def _newest(limit: int, since: datetime | None) -> Iterator[Path]:
    paths = sorted(Path(settings.MAIL_FOLDER).glob("[0-9]*.eml"), reverse=True)
    for path in paths[:limit]:
        if since is not None and _caught_at(path) < since:
            return
        yield path


def _caught_at(path: Path) -> datetime:
    return datetime.fromtimestamp(int(path.name.partition("-")[0]) / 1e9, tz=UTC)


def _read(path: Path) -> CaughtMessage:
    parsed = message_from_bytes(path.read_bytes(), _class=EmailMessage, policy=policy.default)
    plain = parsed.get_body(("plain", "html"))
    return CaughtMessage(
        id=path.stem,
        at=_caught_at(path),
        sender=str(parsed.get("From", "")),
        recipients=str(parsed.get("To", "")),
        subject=str(parsed.get("Subject", "")),
        body=str(plain.get_content()) if plain is not None else "",
        headers={name: str(value) for name, value in parsed.items()},
    )
