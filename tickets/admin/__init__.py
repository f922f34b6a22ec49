"""The administrators' door to the catalog, to alerts, and to tickets as they may be read."""

from tickets.admin import alerts, catalog, changes, history, knowledge, problems, tickets, writing
from tickets.admin.reading import TicketBound, tickets_of

__all__ = [
    "TicketBound",
    "alerts",
    "catalog",
    "changes",
    "history",
    "knowledge",
    "problems",
    "tickets",
    "tickets_of",
    "writing",
]
