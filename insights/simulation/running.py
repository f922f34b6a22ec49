"""Runs worlds of policies over a history, case by case, and reports them side by side."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import chain, islice
from typing import Any

from escalation.sla import Targets
from insights.simulation.cast import Company, Rehearsal
from insights.simulation.figures import LABEL, Figures, moment
from insights.simulation.playing import Player
from insights.simulation.recorded import Recorded
from insights.simulation.site import Site
from insights.simulation.world import World


def simulate(
    worlds: Sequence[World],
    cases: Iterable[Recorded],
    *,
    since: datetime,
    until: datetime,
    history: str,
    progress: Callable[[int], Any] = lambda done: None,
) -> dict[str, Any]:
    """Play every case, in order of opening, in each world; returns the report as plain data.

    The same history gives the same report, to the byte. `progress` is told after each case how
    many are done, and may raise to end it. Nothing is written anywhere.
    """
    # The first case is drawn before anything is read: a history may bring its own teams.
    queue = iter(cases)
    head = list(islice(queue, 1))
    company = Company(since, until)
    rehearsal, site, targets = Rehearsal(company), Site(), Targets()
    tables = [Figures(company.zone_of) for _ in worlds]
    players = [Player(world, site, rehearsal, targets, until) for world in worlds]
    for done, case in enumerate(chain(head, queue), start=1):
        site.remember(case)
        for player, figures in zip(players, tables, strict=True):
            figures.add(player.play(case))
        progress(done)
    return {
        "label": LABEL,
        "history": history,
        "since": moment(since),
        "until": moment(until),
        "stand_ins": sorted(company.stood_in),
        "worlds": [
            {"name": world.name, **figures.document(), "not_simulated": world.unplayed}
            for world, figures in zip(worlds, tables, strict=True)
        ],
    }
