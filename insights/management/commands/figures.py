"""Rebuilds what the figures count, or checks it: `figures rebuild`, `figures verify`."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from insights.figures.upkeep import check_all, rebuild
from roles.refusals import Conflict
from tickets.models import Ticket


class Command(BaseCommand):
    help = (
        "Count all tickets anew from their timelines (rebuild), or check that what is stored is"
        " what they say (verify; exit code 1: findings)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("act", choices=("rebuild", "verify"))

    def handle(self, *args: Any, **options: Any) -> None:
        with tqdm(total=Ticket.objects.count(), unit="ticket", desc=options["act"]) as bar:
            words = self._rebuild(bar) if options["act"] == "rebuild" else self._verify(bar)
        self.stdout.write(words)

    def _rebuild(self, bar: tqdm) -> str:
        try:
            return f"{rebuild(told=bar.update)} tickets counted anew."
        except Conflict as busy:
            raise CommandError(busy.detail) from busy

    def _verify(self, bar: tqdm) -> str:
        tickets = rows = findings = 0
        for batch in check_all():
            tickets += batch.tickets
            rows += batch.rows
            findings += len(batch.findings)
            for finding in batch.findings:
                self.stdout.write(str(finding))
            bar.update(batch.tickets)
        words = f"{tickets} tickets, {rows} facts, {findings} findings"
        if findings:
            raise CommandError(words)
        return f"{words}: every figure stands on its timelines."
