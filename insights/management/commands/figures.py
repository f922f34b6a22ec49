"""Rebuilds what the figures count, checks it, or tells it: `figures rebuild`, `verify`, `tell`."""

from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from insights.figures.answers import tell_board
from insights.figures.boards import BOARDS
from insights.figures.sums import Question
from insights.figures.upkeep import check_all, rebuild
from insights.figures.wording import said
from roles.instants import database_now
from roles.refusals import Conflict
from roles.zones import zone_exists
from tickets.models import Ticket


class Command(BaseCommand):
    help = (
        "Count all tickets anew from their timelines (rebuild), or check that what is stored is"
        " what they say (verify; exit code 1: findings), or say every figure of a period (tell)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("act", choices=("rebuild", "verify", "tell"))
        parser.add_argument("--zone", default="", help="rebuild: count days of this time zone")
        parser.add_argument("--since", type=date.fromisoformat, help="tell: the first day")
        parser.add_argument("--until", type=date.fromisoformat, help="tell: the last day")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["act"] == "tell":
            for line in _told(options["since"], options["until"]):
                self.stdout.write(line)
            return
        with tqdm(total=Ticket.objects.count(), unit="ticket", desc=options["act"]) as bar:
            rebuilds = options["act"] == "rebuild"
            words = self._rebuild(bar, options["zone"]) if rebuilds else self._verify(bar)
        self.stdout.write(words)

    def _rebuild(self, bar: tqdm, zone: str) -> str:
        if zone and not zone_exists(zone):
            raise CommandError(f"There is no time zone {zone}.")
        try:
            return f"{rebuild(zone=zone, told=bar.update)} tickets counted anew."
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


def _told(since: date | None, until: date | None) -> Iterator[str]:
    """Every figure of the period (four weeks unless said), nothing restricted among it."""
    now = database_now()
    last = until or now.date()
    question = Question(since or last - timedelta(days=27), last + timedelta(days=1))
    for board in BOARDS:
        yield f"{board.name}, {question.since} to {last}"
        for tile in tell_board(board, question, None, now=now).tiles:
            value = said(tile.figure, tile.value)
            lacking = f", because {tile.figure.lacking}" if tile.value is None else ""
            yield f"  {tile.figure.name!s:34} {value:>14}   of {tile.weight}{lacking}"
