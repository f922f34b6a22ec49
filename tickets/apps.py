"""Registers the tickets app and says who may read messages about restricted tickets."""

from django.apps import AppConfig


class TicketsConfig(AppConfig):
    name = "tickets"
    verbose_name = "Tickets"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Models can be imported only once the registry is ready.
        from notifications.hooks import name_events, name_kinds, register_clearance
        from roles.erasing import register_part
        from roles.retention import register_kind
        from tickets.access import is_cleared_for
        from tickets.broadcast import type_of
        from tickets.erasing import erase_files_of, erase_mails_of, erase_words_of
        from tickets.forgetting import KINDS
        from tickets.letters import SUBJECTS
        from tickets.models import EventKind

        for kind in KINDS:
            register_kind(kind)
        name_kinds(SUBJECTS)
        name_events({type_of(kind.value): str(kind.label) for kind in EventKind})
        register_clearance("ticket", is_cleared_for)
        register_part("mails received from them", erase_mails_of)
        register_part("words that they wrote", erase_words_of)
        register_part("files that they sent", erase_files_of)
