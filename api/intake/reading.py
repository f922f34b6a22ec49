"""Reads members of payloads with the tolerance that real senders force on us; pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlsplit

NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Go's zero time, 0001-01-01, means "none"; nothing before this can be meant."""
FAR: Final = datetime(9000, 1, 1, tzinfo=UTC)
DOUBLE_ZONE: Final = re.compile(r"([+-]\d\d:?\d\d)Z$")
NANOSECONDS: Final = re.compile(r"(\.\d{6})\d+")
DEPTH_MAX: Final = 12


class NotUnderstood(ValueError):
    """The body is JSON, but not what this sender's product says; says why."""

    def __init__(self, *reasons: str) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = reasons


def object_of(value: Any, place: str = "The body") -> Mapping[str, Any]:
    """The value as an object. Raises NotUnderstood."""
    if not isinstance(value, dict):
        raise NotUnderstood(f"{place} must be a JSON object.")
    return value


def text(value: Any) -> str:
    """The value as text that PostgreSQL can keep; "" for nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return (value if isinstance(value, str) else str(value)).replace("\x00", "\ufffd")


def texts(value: Any, place: str) -> dict[str, str]:
    """An object of texts; {} for nothing. Raises NotUnderstood for anything else."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise NotUnderstood(f"`{place}` must be an object.")
    return {text(name): text(item) for name, item in value.items()}


def plain(value: Any, depth: int = 0) -> Any:
    """Any JSON value without what PostgreSQL cannot keep, and not endlessly deep."""
    if depth > DEPTH_MAX:
        return "…"
    if isinstance(value, dict):
        return {text(name): plain(item, depth + 1) for name, item in value.items()}
    if isinstance(value, list):
        return [plain(item, depth + 1) for item in value]
    return text(value) if isinstance(value, str) else value


def moment(value: Any, place: str) -> datetime | None:
    """The instant; None for none and for Go's zero time; without a zone it is UTC.

    Takes `Z`, `+0000`, `+00:00Z`, micro- and nanoseconds. Raises NotUnderstood.
    """
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise NotUnderstood(f"`{place}` must be a time in ISO 8601.")
    try:
        tidy = NANOSECONDS.sub(r"\1", DOUBLE_ZONE.sub(r"\1", value.strip().upper()))
        found = datetime.fromisoformat(tidy)
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except OverflowError:
        return None
    except ValueError:
        raise NotUnderstood(f"`{place}` must be a time in ISO 8601.") from None
    return found if NEVER < found < FAR else None


def any_moment(value: Any) -> datetime | None:
    """The instant in ISO 8601 or as Unix seconds or milliseconds; None for what is no time."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = value / 1000 if value > 100_000_000_000 else value
        try:
            found = datetime.fromtimestamp(seconds, UTC)
        except (OverflowError, ValueError, OSError):
            return None
        return found if NEVER < found < FAR else None
    try:
        return moment(value, "time")
    except NotUnderstood:
        return None


def links(found: Iterable[Any]) -> tuple[str, ...]:
    """Those that lead to the web, each once."""
    return tuple(dict.fromkeys(link for link in map(text, found) if is_link(link)))


def is_link(found: str) -> bool:
    """Whether this is a web address of a length that can be meant."""
    try:
        return len(found) <= 2000 and urlsplit(found).scheme in ("http", "https")
    except ValueError:
        return False


def first_of(values: Mapping[str, Any], names: Sequence[str]) -> str:
    """The first of these members that says something; "" when none does."""
    found = (text(values.get(name)).strip() for name in names)
    return next((one for one in found if one), "")


def digest(pairs: Mapping[str, Any]) -> str:
    """A name for what came without one: the same pairs, the same name."""
    joined = "\x1f".join(f"{name}={pairs[name]}" for name in sorted(pairs))
    return sha256(joined.encode(errors="replace")).hexdigest()[:16]
