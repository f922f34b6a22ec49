"""Makes a site of a given size: an example site, a few lives on it, and copies of them."""

import multiprocessing
import secrets
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Final

from django.db import connection, connections

from config.example.site import build_site
from config.scale import database, moving, press
from config.scale.life import Life, Lived, draw_crowd
from config.scale.scripts import Script, write_scripts
from escalation.models import Policy
from roles.instants import database_now, fixed
from roles.models import Team

HANDS: Final = 2
MOST_OPEN_LIVES: Final = 85
MOST_CLOSED_LIVES: Final = 50
MOST_LIVES: Final = MOST_OPEN_LIVES + MOST_CLOSED_LIVES
FEW: Final = "few"
ALL: Final = "all"
WATCHING_ALL: Final = ("repeat-complaints", "ping-pong", "vendor-overdue", "reopened", "chased")
"""Policies of the example that stand beside the main one on every ticket, to show one trigger each.

With `few` they are switched off: no large site begins six policies for each request.
"""
ENOUGH_ROOMS: Final = 30
SITE_AGE: Final = timedelta(days=470)
"""By how much the site is older than now: somebody was on call when the oldest ticket came in."""

Tell = Callable[[str, int], None]
"""Hears the name of what is under way, and how much more of it is done."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """How large a site is to be made; the same seed gives the same lives."""

    open: int
    closed: int
    seed: int
    lives: int = MOST_LIVES
    policies: str = FEW


@dataclass(frozen=True, slots=True)
class Made:
    """What has been made, and the moment up to which all of it has lived."""

    end: datetime
    lives: int
    copies: int
    refused: int
    seconds: dict[str, float]


def make_site(wanted: Wanted, tell: Tell, *, is_fresh: bool) -> Made:
    """Fill the database that this process leads to. Its owner's rights are needed.

    A fresh one has its indexes made at the end, which is faster; one in use keeps them.
    """
    seconds: dict[str, float] = {}
    begun = time.monotonic()
    end = database_now().replace(microsecond=0) - moving.SPREAD
    if not (Policy.objects.exists() and Team.objects.filter(is_service_desk=True).exists()):
        build_site(secrets.token_urlsafe(12), clock=fixed(end - SITE_AGE))
    if wanted.policies == FEW:
        Policy.objects.filter(slug__in=WATCHING_ALL).update(is_active=False)
    draw_crowd(min(5000, max(30, (wanted.open + wanted.closed) // 200)))
    scripts = _scripts(wanted, end)
    lived = live_all(scripts, end, str(wanted.seed), lambda done: tell("living", done))
    seconds["lives"] = time.monotonic() - begun
    begun = time.monotonic()
    stamps = press.cut_stamps([life.ticket_id for life in lived])
    copies = _copies(lived, [stamp.past for stamp in stamps], wanted, end)
    aside = database.set_indexes_aside() if is_fresh and copies else []
    try:
        if copies:
            orders = press.deal(stamps, copies, HANDS, str(wanted.seed))
            press.print_all(orders, lambda done: tell("printing", done), is_fresh=is_fresh)
        seconds["copies"] = time.monotonic() - begun
        begun = time.monotonic()
    finally:
        if aside:
            database.make_indexes(aside, lambda done: tell("indexing", done))
    seconds["indexes"] = time.monotonic() - begun
    refused = sum(life.refused for life in lived)
    return Made(end, len(lived), len(copies), refused, seconds)


def _scripts(wanted: Wanted, end: datetime) -> list[Script]:
    whole = wanted.open + wanted.closed
    count = min(whole, wanted.lives)
    closed = min(wanted.closed, max(1, count * MOST_CLOSED_LIVES // MOST_LIVES))
    rng = Random(wanted.seed)
    opened = min(wanted.open, count - closed)
    return write_scripts(rng, end, open_count=opened, closed_count=closed)


def _copies(
    lived: Sequence[Lived], pasts: Sequence[moving.Past], wanted: Wanted, end: datetime
) -> list[press.Copy]:
    """Which life each copy is a copy of, by their shares, and how far it is shifted.

    What is open stays where it is, for the engine goes on with it at `end`; what has ended may have
    come in on any day of the year before. In the order of opening, as keys are given.
    """
    rng = Random(f"{wanted.seed} copies")
    copies: list[press.Copy] = []
    for is_open, count in ((True, wanted.open), (False, wanted.closed)):
        mine = [at for at, life in enumerate(lived) if life.script.is_open == is_open]
        missing = count - len(mine)
        if not mine or missing <= 0:
            continue
        rooms = {at: _rooms(pasts[at], end, is_open=is_open) for at in mine}
        # What fits into few days only would be a heap there.
        few = 1 if is_open else ENOUGH_ROOMS
        shares = [lived[at].script.weight * min(1, len(rooms[at]) / few) for at in mine]
        for at, times in sorted(Counter(rng.choices(mine, shares, k=missing)).items()):
            copies += ((at, shift) for shift in moving.draw(rooms[at], times, rng))
    opened = [moving.us(past.opened_at) for past in pasts]
    return sorted(copies, key=lambda copy: opened[copy[0]] + copy[1])


def _rooms(past: moving.Past, end: datetime, *, is_open: bool) -> list[moving.Room]:
    return moving.whole_year(past, end) if past.is_over and not is_open else moving.nearby(past)


# ---- Living -------------------------------------------------------------------------------------


def live_all(
    scripts: Sequence[Script], end: datetime, seed: str, told: Callable[[int], None]
) -> list[Lived]:
    """Live all scripts through in several processes; the lives in the order of the scripts."""
    connections.close_all()
    context = multiprocessing.get_context("fork")
    with context.Pool(HANDS, _begin_life, (end, seed)) as pool:
        found: list[Lived] = []
        for lived in pool.imap(_live, enumerate(scripts), chunksize=1):
            found.append(lived)
            told(1)
        pool.close()
        pool.join()
    return found


_life: Life
_seed: str


def _begin_life(end: datetime, seed: str) -> None:
    global _life, _seed
    with suppress(Exception):
        connection.close()
    _life, _seed = Life(end), seed


def _live(numbered: tuple[int, Script]) -> Lived:
    number, script = numbered
    return _life.live(script, Random(f"{_seed} life {number}"))
