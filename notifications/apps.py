"""Registers the notifications app."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "notifications"
    verbose_name = "Notifications"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Models can be imported only once the registry is ready.
        from notifications.erasing import erase_addresses_of, erase_letters_to
        from notifications.forgetting import LETTERS
        from notifications.hooks import name_kinds
        from notifications.passwords import tell_changed
        from notifications.phrases import KINDS
        from roles.erasing import register_part
        from roles.newcomers import password_set
        from roles.retention import register_kind

        register_part("addresses and ways to be reached", erase_addresses_of)
        register_part("letters to them", erase_letters_to)
        register_kind(LETTERS)
        name_kinds(KINDS)
        password_set.connect(tell_changed, dispatch_uid="tell_changed")
