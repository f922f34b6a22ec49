"""Registers the tickets app and says who may read messages about restricted tickets."""

from django.apps import AppConfig


class TicketsConfig(AppConfig):
    name = "tickets"
    verbose_name = "Tickets"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Models can be imported only once the registry is ready.
        from notifications.hooks import register_clearance
        from tickets.access import is_cleared_for

        register_clearance("ticket", is_cleared_for)
