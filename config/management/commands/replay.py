"""Lets a recorded incident log happen again, live and compressed, on a scratch site of its own."""

import signal
import time
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from api.importers.servicenow import BadExport, Row, read, zone_of
from config.replay.player import Played, Player, end_all
from config.replay.scratch import ScratchSite
from config.replay.script import Act, choose, write_script
from config.replay.stage import furnish
from config.replay.verdict import Mailbag, Verdict, judge, overdue_steps, table
from config.servers import ServerTrouble
from escalation.engine import last_sweep_at
from notifications.bundling import APART
from notifications.delivery import last_delivery_at
from notifications.models import Attempt, Message, MessageState, Outcome
from roles.instants import database_now
from roles.models import Person
from tickets.models import Ticket

ARRIVALS = 0.5  # the share of the time in which all incidents are opened
LONGEST_WAIT = 0.2
LOOK_EVERY_S = 5.0
READY_S = 40.0
DRAIN_S = APART.total_seconds() + 60.0  # the last letter may wait for its turn that long
P99_LIMIT_S = 3.0


class Command(BaseCommand):
    help = (
        "Replay incidents live on a scratch site with servers and workers of its own. "
        "Nothing of this site is read or written. Exit code 1: lost, double or too late."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="incident or audit export, CSV or CSV.gz")
        parser.add_argument("--incidents", type=int, default=200, help="how many (200)")
        parser.add_argument("--speed", type=float, default=600, help="how much faster (600)")
        parser.add_argument("--minutes", type=float, default=5, help="most minutes of play (5)")
        parser.add_argument("--zone", default="UTC", help="the zone of the log's times (UTC)")
        parser.add_argument("--inside", action="store_true", help="used by the command itself")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["incidents"] < 1 or options["speed"] <= 0 or options["minutes"] <= 0:
            raise CommandError("--incidents, --speed and --minutes are more than 0.")
        try:
            if options["inside"]:
                self._play(options)
            else:
                self._run_scratch(options)
        except (BadExport, ServerTrouble) as problem:
            raise CommandError(str(problem)) from problem

    def _run_scratch(self, options: dict[str, Any]) -> None:
        zone_of(options["zone"])
        if not options["file"].exists():
            raise BadExport(f"There is no {options['file']}.")
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        words = ["replay", str(options["file"].absolute()), "--inside", "--zone", options["zone"]]
        for name in ("incidents", "speed", "minutes"):
            words += [f"--{name}", str(options[name])]
        self.stdout.write("Starting a scratch site.")
        with ScratchSite() as site:
            try:
                site.manage(*words)
            finally:
                for trouble in site.troubles():
                    self.stderr.write(trouble)

    def _play(self, options: dict[str, Any]) -> None:
        """The part that runs inside the scratch site. Raises CommandError on any other."""
        if Person.objects.exists() or Ticket.objects.exists():
            raise CommandError("This site is in use; a replay plays on an empty one only.")
        play_s = options["minutes"] * 60
        incidents = _incidents(options, span_s=ARRIVALS * play_s * options["speed"])
        acts = write_script(
            incidents,
            speed=options["speed"],
            most_wait_s=LONGEST_WAIT * play_s,
            end_s=play_s,
        )
        first, last = incidents[0][0], incidents[-1][0]
        self.stdout.write(
            f"{len(incidents)} incidents, {first.number} to {last.number}, opened "
            f"{first.opened_at:%Y-%m-%d %H:%M} to {last.opened_at:%Y-%m-%d %H:%M}; "
            f"{len(acts)} acts in {acts[-1].at_s:.0f} s."
        )
        player = Player(furnish(incidents, options["speed"]))
        _wait_until(lambda: None not in (last_sweep_at(), last_delivery_at()), READY_S, "start")
        verdict, played = _perform(player, acts)
        for line in table(verdict, played):
            self.stdout.write(line)
        if verdict.lost or verdict.doubled or verdict.percentile(0.99) > P99_LIMIT_S:
            raise CommandError("The replay shows faults; see above.")


def _incidents(options: dict[str, Any], *, span_s: float) -> list[Sequence[Row]]:
    export = read(options["file"], zone_of(options["zone"]))
    if not export.incidents:
        raise BadExport("The file holds no incident that can be read.")
    ordered = sorted(
        export.incidents.values(), key=lambda rows: (rows[0].opened_at, rows[0].number)
    )
    return choose(ordered, options["incidents"], span_s)


def _perform(player: Player, acts: Sequence[Act]) -> tuple[Verdict, Played]:
    """Play, let the curtain fall, and judge what is left."""
    mailbag = Mailbag()
    looked_at = time.monotonic()
    with tqdm(total=len(acts), unit="act", desc="Replaying") as bar:

        def while_waiting(act: Act | None) -> None:
            nonlocal looked_at
            bar.update(act is not None)
            if time.monotonic() - looked_at > LOOK_EVERY_S:
                mailbag.look()
                looked_at = time.monotonic()

        played = player.play(acts, while_waiting=while_waiting)
    overdue = overdue_steps(database_now())
    end_all("The replay is over")
    queued = Message.objects.filter(state=MessageState.QUEUED)
    on_its_way = Attempt.objects.filter(outcome=Outcome.STARTED)
    _wait_until(
        lambda: not (queued.exists() or on_its_way.exists()), DRAIN_S, "send all", patient=True
    )
    mailbag.look()
    return judge(mailbag, overdue), played


def _wait_until(
    holds: Callable[[], bool], patience_s: float, what: str, *, patient: bool = False
) -> None:
    """Wait for something. Raises CommandError when it does not come, unless `patient`."""
    deadline = time.monotonic() + patience_s
    while not holds():
        if time.monotonic() > deadline:
            if patient:
                return
            raise CommandError(f"The scratch site did not {what} within {patience_s:.0f} s.")
        time.sleep(0.2)
