"""Walks every ticket's timeline and names each row that was touched after it was written."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from tickets.models import Ticket
from tickets.verify import check_all


class Command(BaseCommand):
    help = (
        "Check the hash chain, the columns and the words of all timelines. Exit code 1: findings."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        tickets = events = findings = 0
        with tqdm(total=Ticket.objects.count(), unit="ticket", desc="Verifying") as bar:
            for batch in check_all():
                tickets += batch.tickets
                events += batch.events
                findings += len(batch.findings)
                for finding in batch.findings:
                    tqdm.write(str(finding), file=self.stdout._out)  # type: ignore[attr-defined]
                bar.update(batch.tickets)
        words = f"{tickets} tickets, {events} events, {findings} findings"
        if findings:
            raise CommandError(words)
        self.stdout.write(f"{words}: every timeline holds.")
