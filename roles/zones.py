"""Knows which time zones exist on this machine."""

from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from django.core.exceptions import ValidationError


@cache
def zone_exists(name: str) -> bool:
    """Whether `name` is an IANA time zone that this machine knows."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, TypeError, ValueError, OSError):
        return False
    return True


@cache
def named_zones() -> list[tuple[str, str]]:
    """Every zone with a place in its name, and UTC, each with how people read it."""
    named = sorted(name for name in available_timezones() if "/" in name and "Etc/" not in name)
    return [(name, name.replace("_", " ")) for name in ("UTC", *named)]


def validate_zone(name: str) -> None:
    """A field validator; raises ValidationError for an unknown time zone."""
    if not name or len(name) > 64 or not zone_exists(name):
        raise ValidationError(
            "%(name)s is not a known time zone; use an IANA name such as Europe/Berlin.",
            code="unknown_zone",
            params={"name": name},
        )
