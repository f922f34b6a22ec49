"""The one password of the example accounts: made for each site, kept in its home folder."""

import os
import secrets
from pathlib import Path

from django.conf import settings

from config.example.people import PEOPLE, SIGN_INS


def password_path() -> Path:
    """Where the password is kept; that it exists marks a home with an example site."""
    return Path(settings.HOME) / "example-password"


def keep_password() -> tuple[str, bool]:
    """The shared password, and whether it has just been made; readable by its owner only."""
    path = password_path()
    if path.exists():
        return path.read_text().strip(), False
    word = "-".join(secrets.token_hex(2) for _ in range(3))
    _write_private(path, word)
    return word, True


def source_key_path() -> Path:
    """Where the key of the example's alert source is kept."""
    return Path(settings.HOME) / "example-source-key"


def keep_source_key(fresh: str | None) -> str:
    """The key of the example's alert source, kept when it is fresh; "" when it is not known."""
    path = source_key_path()
    if fresh is not None:
        path.unlink(missing_ok=True)
        _write_private(path, fresh)
    return path.read_text().strip() if path.exists() else ""


def sign_in_lines(password: str, source_key: str) -> list[str]:
    """What a newcomer needs to know to sign in and to send alerts, one line each."""
    rows = [
        f"  {username:8} {PEOPLE[username].name}, {what}" for username, what in SIGN_INS.items()
    ]
    lines = [f"Sign in with one of these user names and the password {password}", *rows]
    if source_key:
        lines.append(f"An Alertmanager may send its alerts here with the key {source_key}")
    return lines


def _write_private(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as output:
        output.write(text + "\n")
