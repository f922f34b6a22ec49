"""What the tests of alerts have in common: a monitor that speaks at the story's time."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tests.story import MONDAY, Story
from tickets.incoming import IncomingAlert, Outcome
from tickets.ingest import accept
from tickets.models import AlertSource

START = MONDAY - timedelta(minutes=1)


def firing(key: str = "disk", **more: Any) -> IncomingAlert:
    given: dict[str, Any] = {
        "dedup_key": key,
        "group_key": "",
        "state": "firing",
        "summary": f"{key} is full",
        "severity": "warning",
        "details": {"labels": {"alertname": "DiskFull", "team": "db"}},
    }
    return IncomingAlert(**{**given, **more})


def clear(key: str = "disk", **more: Any) -> IncomingAlert:
    return firing(key, state="resolved", **more)


def speaker(story: Story, source: AlertSource) -> Callable[..., list[Outcome]]:
    """Lets the source say something at the story's time."""

    def say(*alerts: IncomingAlert) -> list[Outcome]:
        fresh = AlertSource.objects.get(pk=source.pk)
        return accept(source=fresh, alerts=alerts, clock=story.clock)

    return say
