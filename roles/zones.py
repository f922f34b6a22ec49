"""Knows which time zones exist on this machine."""

from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ValidationError


@cache
def zone_exists(name: str) -> bool:
    """Whether `name` is an IANA time zone that this machine knows."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, TypeError, ValueError, OSError):
        return False
    return True


def validate_zone(name: str) -> None:
    """A field validator; raises ValidationError for an unknown time zone."""
    if not name or len(name) > 64 or not zone_exists(name):
        raise ValidationError(
            "%(name)s is not a known time zone; use an IANA name such as Europe/Berlin.",
            code="unknown_zone",
            params={"name": name},
        )
