"""Says what time it is: live the database's own clock, else one that the caller gives."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from django.db import connection
from django.db.models import DateTimeField, Func

TimeSource = Callable[[], datetime]
CLOCK: Final = Func(function="clock_timestamp", output_field=DateTimeField())
"""The same within a query, for rows that are read together with the time of reading."""


def database_now() -> datetime:
    """The database's time at this moment, not at the transaction's start; aware, in UTC."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        row = cursor.fetchone()
    now: datetime = row[0]
    return now


def fixed(at: datetime) -> TimeSource:
    """A time source that always answers `at`; raises ValueError for a time without zone."""
    if at.tzinfo is None:
        raise ValueError("A time source needs a time with a zone.")
    return lambda: at
