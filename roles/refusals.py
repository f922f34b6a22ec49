"""Refused and its kinds: the only exceptions by which domain functions turn down bad input."""

from collections.abc import Mapping


class Refused(Exception):
    """An act was refused and changed nothing; doors turn it into their own form of error."""

    def __init__(self, code: str, detail: str, fields: Mapping[str, str] | None = None) -> None:
        """Take a stable `code`, a sentence for a person, and sentences by name of bad field."""
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.fields: dict[str, str] = dict(fields or {})

    def __str__(self) -> str:
        return self.detail

    def __reduce__(self) -> tuple[type["Refused"], tuple[str, str, dict[str, str]]]:
        return type(self), (self.code, self.detail, self.fields)


class Forbidden(Refused):
    """The actor may not do this here."""


class Invalid(Refused):
    """What was given is wrong: unknown, of the wrong type, too long or missing."""


class Conflict(Refused):
    """Right in itself, but not now: the present state does not allow it."""
