"""Addresses that are a right in themselves, at rest: sealed under a key that no dump holds."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from django.conf import settings
from django.db import models
from django.utils.crypto import salted_hmac

MARK: Final = "sealed:"
"""What sealed text begins with; then come the key's name, a colon, and the rest in base64."""
_SALT: Final = "tierline.sealed"
_NAME_MAX: Final = 12


def seal(text: str, place: str) -> str:
    """The text sealed for that place (a column), by AES-SIV (RFC 5297) under the present key.

    The same text comes out the same, so that the database can still tell that something stands
    twice. What is sealed already stays as it is.
    """
    if is_sealed(text):
        return text
    name, key = _key(settings.SECRET_KEY)
    sealed = AESSIV(key).encrypt(text.encode(), [place.encode()])
    return f"{MARK}{name}:{urlsafe_b64encode(sealed).decode()}"


def unseal(text: str, place: str) -> str:
    """What was sealed for that place, under the present key or a former one.

    What was never sealed, and what this site has no key for, stays as it is; `is_sealed` tells.
    """
    if not is_sealed(text):
        return text
    name, _, body = text.removeprefix(MARK).partition(":")
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        known, key = _key(secret)
        if not hmac.compare_digest(known, name):
            continue
        try:
            return AESSIV(key).decrypt(urlsafe_b64decode(body), [place.encode()]).decode()
        except (InvalidTag, ValueError):
            return text
    return text


def is_sealed(text: str) -> bool:
    """Whether this is sealed text, and not what was sealed."""
    return text.startswith(MARK)


@lru_cache(maxsize=8)
def _key(secret: str) -> tuple[str, bytes]:
    """A name that gives nothing away, and the key that follows from one of the site's secrets."""
    key = salted_hmac(_SALT, "key", secret=secret, algorithm="sha512").digest()
    name = salted_hmac(_SALT, "name", secret=secret, algorithm="sha256").hexdigest()
    return name[:_NAME_MAX], key


class SealedField(models.CharField):
    """Text that stands sealed in the database, and in Python as it is.

    `only_for` names another field of the row, and for which of its values this one is sealed.
    A query compares with what stands in the database: look sealed text up in Python.
    """

    def __init__(
        self, *args: Any, only_for: tuple[str, Sequence[str]] | None = None, **kwargs: Any
    ) -> None:
        self.only_for = only_for
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        if self.only_for is not None:
            kwargs["only_for"] = self.only_for
        return name, path, args, kwargs

    def db_type(self, connection: Any) -> str:
        """Text: what is sealed is longer than what was typed, which `max_length` bounds."""
        return "text"

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        return unseal(value, self._place) if value else value

    def pre_save(self, row: models.Model, add: bool) -> Any:
        value = super().pre_save(row, add)
        return seal(value, self._place) if value and self._is_for(row) else value

    @property
    def _place(self) -> str:
        return f"{self.model._meta.db_table}.{self.column}"

    def _is_for(self, row: models.Model) -> bool:
        if self.only_for is None:
            return True
        name, values = self.only_for
        return getattr(row, name) in values
