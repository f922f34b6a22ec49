"""Replays every ticket's timeline and names each clock row that says something else."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from escalation.verify import check_all
from tickets.models import Ticket


class Command(BaseCommand):
    help = "Check that all clock rows equal the replay of their timelines. Exit code 1: findings."

    def handle(self, *args: Any, **options: Any) -> None:
        tickets = clocks = findings = 0
        with tqdm(total=Ticket.objects.count(), unit="ticket", desc="Replaying") as bar:
            for batch in check_all():
                tickets += batch.tickets
                clocks += batch.clocks
                findings += len(batch.findings)
                for finding in batch.findings:
                    tqdm.write(str(finding), file=self.stdout._out)  # type: ignore[attr-defined]
                bar.update(batch.tickets)
        words = f"{tickets} tickets, {clocks} clocks, {findings} findings"
        if findings:
            raise CommandError(words)
        self.stdout.write(f"{words}: every clock equals its replay.")
