"""How a ticket's key looks in an address."""

from django.urls import register_converter
from django.urls.converters import get_converters


class TicketKey:
    """A key such as INC-000123; anything else is not found before it reaches the database."""

    regex = "[A-Za-z]{3}-[0-9]{1,12}"

    def to_python(self, value: str) -> str:
        return value.upper()

    def to_url(self, value: str) -> str:
        return value


def register() -> None:
    """Let addresses say `ticket_key`; once is enough."""
    if "ticket_key" not in get_converters():
        register_converter(TicketKey, "ticket_key")
