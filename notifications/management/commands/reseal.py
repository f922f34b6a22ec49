"""Seals all addresses under the present SECRET_KEY: `reseal`, after the key has been changed."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from notifications.resealing import reseal


class Command(BaseCommand):
    help = (
        "Seal the addresses of hooks, browsers, Teams workflows and Apprise under the present"
        " SECRET_KEY. The former one must stand in SECRET_KEY_FALLBACKS until then."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        found = reseal()
        self.stdout.write(f"{found.sealed} addresses stand under the present key.")
        if found.lost:
            raise CommandError(f"No key of this site opens {', '.join(found.lost)}.")
