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
    path.parent.mkdir(parents=True, exist_ok=True)
    word = "-".join(secrets.token_hex(2) for _ in range(3))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as output:
        output.write(word + "\n")
    return word, True


def sign_in_lines(password: str) -> list[str]:
    """What a newcomer needs to know to sign in, one line each."""
    rows = [
        f"  {username:8} {PEOPLE[username].name}, {what}" for username, what in SIGN_INS.items()
    ]
    return [f"Sign in with one of these user names and the password {password}", *rows]
