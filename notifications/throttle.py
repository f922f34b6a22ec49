"""When news may wait: quiet hours in a person's own zone. Pure."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo


def quiet_ends_at(now: datetime, zone: ZoneInfo, starts: time, ends: time) -> datetime | None:
    """When the quiet hours around `now` end, or None outside of them.

    The hours may cross midnight; equal ends mean none at all. Wall times that a clock change skips
    or repeats are read as Python reads them: the first of two, and the gap moved forward.
    """
    local = now.astimezone(zone)
    if starts == ends:
        return None
    for day in (local.date() - timedelta(days=1), local.date()):
        begin = datetime.combine(day, starts, zone)
        last = day if starts < ends else day + timedelta(days=1)
        end = datetime.combine(last, ends, zone)
        if begin.timestamp() <= now.timestamp() < end.timestamp():
            return end.astimezone(now.tzinfo)
    return None
