"""The administrators' door to the catalog, to alerts, and to tickets as they may be read."""

from tickets.admin import alerts, catalog, history, tickets
from tickets.admin.reading import TicketBound, tickets_of

__all__ = ["TicketBound", "alerts", "catalog", "history", "tickets", "tickets_of"]
