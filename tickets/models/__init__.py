"""The tables of the tickets floor."""

from tickets.models.alerts import Alert, AlertSource
from tickets.models.catalog import Category, Route, Service
from tickets.models.ticket import (
    Clearance,
    Kind,
    Origin,
    Source,
    Ticket,
    TicketLink,
    TicketQuerySet,
    Watcher,
)
from tickets.models.timeline import EventBody, EventKind, TimelineEvent

__all__ = [
    "Alert",
    "AlertSource",
    "Category",
    "Clearance",
    "EventBody",
    "EventKind",
    "Kind",
    "Origin",
    "Route",
    "Service",
    "Source",
    "Ticket",
    "TicketLink",
    "TicketQuerySet",
    "TimelineEvent",
    "Watcher",
]
