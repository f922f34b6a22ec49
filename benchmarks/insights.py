"""The dashboards at 20,000 and 200,000 tickets: server time of each, and of what stands behind.

`make bench NAME=insights`, or with ARGS="--quick" for small sizes. The last line is JSON.
"""

import json
import os
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from benchmarks import stage
from benchmarks.machine import pace

Figures = dict[str, float]
Took = dict[str, list[float]]
"""Milliseconds of requests, by what was asked for."""
OPEN_SHARE = 10
"""One ticket in so many is open."""


def sizes(options: Namespace) -> dict[str, int]:
    """How many tickets, how often each page is asked for in a turn, and the turns."""
    if options.quick:
        return {"small": 1000, "large": 5000, "rounds": 3, "turns": 2}
    return {"small": 20_000, "large": 200_000, "rounds": 4, "turns": 3}


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--tickets", type=int, help="tickets of the large site (200,000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--home", type=Path, default=stage.ROOT / ".cache" / "bench")
    options = parser.parse_args()
    size = sizes(options) | ({"large": options.tickets} if options.tickets else {})
    os.environ["STATIC_ROOT"] = str(options.home / "static")
    stage.start(options.home)
    from django.conf import settings

    settings.ALLOWED_HOSTS.append("testserver")
    static = "django.contrib.staticfiles.storage.StaticFilesStorage"
    settings.STORAGES["staticfiles"]["BACKEND"] = static
    figures = measure(options, size) | pace()
    print(f"\nsizes {size}, seed {options.seed}")
    for name, value in figures.items():
        print(f"  {name:34} {value:12.3f}")
    print(json.dumps({"name": "insights", "figures": figures}))


def measure(options: Namespace, size: dict[str, int]) -> Figures:
    """All figures: both sites are filled first and then asked in turns, for the ratio.

    So whatever else the machine does meanwhile falls on both.
    """
    from config.scale import database

    figures: Figures = {}
    took: dict[str, Took] = {}
    with ExitStack() as stack:
        ends = {}
        for name in ("small", "large"):
            count = size[name]
            held, opened = f"bench_insights_{name}", count // OPEN_SHARE
            ends[name] = stage.template(
                held, opened=opened, closed=count - opened, seed=options.seed
            )
            stack.enter_context(stage.cloned(held, f"{stage.CLONE}_{name}"))
            figures |= count_all(name)
        for turn in range(size["turns"]):
            for name in ("small", "large"):
                database.lead_to(f"{stage.CLONE}_{name}")
                for key, values in measure_pages(size["rounds"], ends[name]).items():
                    took.setdefault(name, {}).setdefault(key, []).extend(values)
            print(f"turn {turn + 1} of {size['turns']}", flush=True)
        figures |= shown(took["large"]) | measure_risk(options.seed)
        small = shown(took["small"])
    figures |= {f"small_{key}": value for key, value in small.items()}
    for key in ("dashboard", "drill", "now"):
        figures[f"{key}_large_to_small"] = figures[f"{key}_p50_ms"] / small[f"{key}_p50_ms"]
    return figures


def count_all(name: str) -> Figures:
    """Count the whole site, then the news of some tickets; what that took, and what there is."""
    from django.db.models import F

    from insights.figures.folding import fold_all
    from insights.figures.models import DayTotal, Folded, FoldMark, Point
    from insights.figures.upkeep import rebuild
    from tickets.models import Ticket, TimelineEvent

    begun = time.perf_counter()
    rebuild()
    whole = time.perf_counter() - begun
    stage.analyse()
    # As in a site that runs: all was compared an hour ago at most, and the mark is near the end.
    FoldMark.objects.update(swept_at=F("noted_at"))
    newest = list(Ticket.objects.order_by("-pk").values_list("pk", flat=True)[:200])
    first = TimelineEvent.objects.filter(ticket__in=newest).order_by("pk").values("pk")[:1]
    FoldMark.objects.update(settled=first)
    Folded.objects.filter(pk__in=newest).update(seq=0)
    begun = time.perf_counter()
    news = fold_all()
    some = time.perf_counter() - begun
    found = {
        "tickets": Ticket.objects.count(),
        "events": TimelineEvent.objects.count(),
        "facts": Point.objects.count(),
        "sums": DayTotal.objects.count(),
        "rebuild_s": whole,
        "counted_anew_ms_per_ticket": 1000 * some / max(news, 1),
    }
    print(f"{name}: " + ", ".join(f"{key} {value:.1f}" for key, value in found.items()), flush=True)
    return found


def measure_pages(rounds: int, end: datetime) -> Took:
    """Server time of each dashboard, plain, narrowed and over a year, and of what is behind."""
    from django.test import Client

    from insights.figures.boards import BOARDS
    from roles.models import Person
    from roles.people import is_allowed

    staff = Person.objects.filter(is_active=True, memberships__isnull=False).distinct()
    reader = next(person for person in staff if is_allowed(person, "see_dashboard"))
    client = Client()
    client.force_login(reader)
    last = end.date()
    month = f"since={last - timedelta(days=27)}&until={last}"
    year = f"since={last - timedelta(days=364)}&until={last}"
    plain = {"now": "/figures"}
    plain |= {board.slug: f"/figures/{board.slug}?{month}" for board in BOARDS}
    narrowed = [f"{url}&{words}" for url in list(plain.values())[1:] for words in NARROWED]
    long = [f"/figures/{board.slug}?{year}" for board in BOARDS]
    behind = [f"/figures/of/{slug}?{month}" for slug in BEHIND]
    took = {name: times(client, [url], rounds) for name, url in plain.items()}
    took["others"] = times(client, [*narrowed, *long], max(1, rounds // 2))
    took["drill"] = times(client, [*behind, f"/figures/of/missed?{month}&service=e-mail"], rounds)
    return took


def shown(took: Took) -> Figures:
    """What all those times come to."""
    drill = took["drill"]
    pages = {name: values for name, values in took.items() if name != "drill"}
    every = [value for values in pages.values() for value in values]
    found = {
        "dashboard_p50_ms": percentile(every, 50),
        "dashboard_p95_ms": percentile(every, 95),
        "drill_p50_ms": percentile(drill, 50),
        "drill_p95_ms": percentile(drill, 95),
    }
    named = {name: percentile(values, 50) for name, values in pages.items() if name != "others"}
    found |= {f"{name}_p50_ms": value for name, value in named.items()}
    found["slowest_dashboard_p50_ms"] = max(named.values())
    return found


def measure_risk(seed: int) -> Figures:
    """Learning from the site's past, and one estimate: of a batch, and of a single ticket.

    A whole ticket each time: its opening is read, said, explained, and stored. Each batch counts
    anew what is open; a single one goes by a count that is some seconds old, as in the task.
    """
    from insights.risk.backlog import estimable
    from insights.risk.estimating import estimate, oracle_of
    from insights.risk.training import train

    version = train()
    found = {"train_s": version.took_s, "train_tickets": float(version.cases)}
    print(
        f"learned of {version.cases}, {version.positives} of them bad: {version.why_not or 'used'}"
    )
    if not version.is_used:
        version = version_for_price(seed)
    ids = list(estimable().order_by("-pk").values_list("pk", flat=True)[:1000])
    estimate(ids[:20])
    spent = 0.0
    for place in range(0, len(ids), 200):
        oracle_of(version.pk).backlog.forget()
        begun = time.perf_counter()
        estimate(ids[place : place + 200])
        spent += time.perf_counter() - begun
    found["score_ms_per_ticket"] = spent * 1000 / len(ids)
    alone = []
    for pk in ids[:50]:
        begun = time.perf_counter()
        estimate([pk])
        alone.append((time.perf_counter() - begun) * 1000)
    return found | {"score_alone_p50_ms": percentile(alone, 50)}


def version_for_price(seed: int) -> Any:
    """A version that is used although the site refused it: for the price alone, never for truth.

    On a made-up site the newest tickets are copies of a few lives that are still open, of which
    nothing can be proved. So it learns from tickets of its whole past, drawn by chance: as many,
    and as many trees. What it says of anybody means nothing, and it is gone with the site.
    """
    from insights.models import RiskModel
    from insights.risk import own
    from insights.risk.learning import learn, stored_judge
    from insights.risk.memory import Memory, kept
    from insights.risk.progress import grow_progress
    from insights.risk.trees import stored
    from insights.risk.walking import walk
    from roles.instants import database_now

    now = database_now()
    every = list(own.learnable(now).order_by("pk").values_list("pk", flat=True))
    cases = own.cases_of(Random(seed).sample(every, min(own.MOST, len(every))))
    memory = Memory()
    rows = walk(cases, memory, learn_until=now)
    judge = learn(cases, rows, at=now)
    if judge is None:
        raise SystemExit("The site's past teaches nothing at all: no price of an estimate.")
    progress = grow_progress(cases, rows, judge, at=now)
    trees = sum(len(forest.trees) for forest in judge.forests)
    trees += len(progress.trees) if progress else 0
    print(
        f"FOR THE PRICE ONLY: a version that was never tried is used, of {len(cases)} tickets of"
        f" the whole past, {len(memory.seen)} values, {trees} trees; its estimates mean nothing."
    )
    return RiskModel.objects.create(
        trained_at=now,
        cases=len(cases),
        positives=sum(bool(case.ended_badly) for case in cases),
        skill=1e-9,  # The database lets no version be used that was not better than its rate.
        is_used=True,
        learned={
            "memory": kept(memory),
            "judge": stored_judge(judge),
            "progress": stored(progress) if progress else None,
        },
    )


NARROWED = ("team=service-desk", "service=e-mail&priority=3")
BEHIND = ("missed", "escalation-rate", "mttr", "solved", "backlog", "pages", "documentation")


def times(client: Any, urls: Sequence[str], rounds: int) -> list[float]:
    """Milliseconds of each request; the first round warms up and is not counted."""
    took = []
    for number in range(rounds + 1):
        for url in urls:
            begun = time.perf_counter()
            answer = client.get(url, headers={"accept-encoding": "gzip"})
            if answer.status_code != 200:
                raise SystemExit(f"{url} answered {answer.status_code}")
            if number:
                took.append((time.perf_counter() - begun) * 1000)
    return took


def percentile(values: Sequence[float], share: int) -> float:
    """The value below which that share of them lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * share // 100)]


if __name__ == "__main__":
    main()
