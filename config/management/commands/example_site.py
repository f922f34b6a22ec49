"""Makes the example site and prints who may sign in; running it again adds what is missing."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from config.example.past import live_through
from config.example.sign_ins import keep_password, keep_source_key, sign_in_lines
from config.example.site import build_site


class Command(BaseCommand):
    requires_system_checks: list[str] = []
    help = "Make the example site, or whatever of it is missing, and print its sign-ins."

    def handle(self, *args: Any, **options: Any) -> None:
        password, is_fresh = keep_password()
        with transaction.atomic():  # a site half made would never be completed by itself
            fresh_key = build_site(password, renew_password=is_fresh)
            live_through()
        for line in sign_in_lines(password, keep_source_key(fresh_key)):
            self.stdout.write(line)
