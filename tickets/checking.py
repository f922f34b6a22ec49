"""What the commands that check every ticket have in common: the walk, its bar, and the verdict."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from tickets.models import Ticket


@dataclass(frozen=True, slots=True)
class Checked:
    """What one batch came to: how many tickets and rows were looked at, and what does not hold."""

    tickets: int
    rows: int
    findings: Sequence[Any]


class CheckCommand(BaseCommand):
    """Prints each finding and fails with a count; says what holds where there is none."""

    doing: str
    rows: str
    all_well: str
    check_all: Callable[[], Iterable[Checked]]

    def handle(self, *args: Any, **options: Any) -> None:
        tickets = rows = findings = 0
        with tqdm(total=Ticket.objects.count(), unit="ticket", desc=self.doing) as bar:
            for batch in self.check_all():
                tickets += batch.tickets
                rows += batch.rows
                findings += len(batch.findings)
                for finding in batch.findings:
                    tqdm.write(str(finding), file=self.stdout._out)  # type: ignore[attr-defined]
                bar.update(batch.tickets)
        words = f"{tickets} tickets, {rows} {self.rows}, {findings} findings"
        if findings:
            raise CommandError(words)
        self.stdout.write(f"{words}: {self.all_well}.")
