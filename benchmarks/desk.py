"""The desk at 100,000 open tickets: queue, search, ticket, 200 live pages, and the first view.

`make bench NAME=desk`, or with ARGS="--quick" for small sizes. The last line is JSON.
"""

import asyncio
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import stage
from benchmarks.machine import pace
from benchmarks.watcher import LAG_LIMIT_S, Watcher

Figures = dict[str, Any]
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
QUEUE = (
    *("view=mine", "view=team", "view=breach", "view=escalated", "view=unassigned", "view=major"),
    *(
        "view=watched",
        "view=all",
        "view=all&priority=2",
        "view=all&sort=opened",
        "view=team&tier=l1",
    ),
)
SEARCH = (
    *("disk", "timeout login", '"cannot print"', "is:breached printer", "team:desk vpn"),
    *("status:pending mail", "priority:1", "requester:a", "opened:<2d -printer", "INC-0001"),
    *("4711", "zzznothing", "is:vip is:unassigned", "assignee:me", "backup failed"),
)
READY_S = 60.0


def sizes(options: Namespace) -> dict[str, int]:
    """How many of what; small with --quick."""
    if options.quick:
        return {"small": 300, "large": 2000, "rounds": 3, "watchers": 40, "commits": 3}
    return {"small": 1000, "large": 100_000, "rounds": 20, "watchers": 200, "commits": 8}


# ---- Server time ---------------------------------------------------------------------------------


def measure_pages(rounds: int, seed: int) -> Figures:
    """Server time of queue, search and ticket pages, for agents of several teams, in turn."""
    people = _agents(6)
    clients = [_client(person) for person in people]
    queue = _times(clients, [f"/?{query}" for query in QUEUE], rounds)
    search = _times(clients, [f"/?view=all&q={_quoted(text)}" for text in SEARCH], rounds)
    ticket = _times(clients, _long_tickets(8), rounds)
    return {
        "queue_p50_ms": _percentile(queue, 50),
        "queue_p95_ms": _percentile(queue, 95),
        "queue_queries": max(_queries(clients[0], f"/?{query}") for query in QUEUE),
        "search_p50_ms": _percentile(search, 50),
        "search_p95_ms": _percentile(search, 95),
        "ticket_p50_ms": _percentile(ticket, 50),
        "ticket_p95_ms": _percentile(ticket, 95),
    }


def _agents(count: int) -> list[Any]:
    from django.db.models import Count

    from roles.models import Person

    staff = Person.objects.filter(is_active=True, memberships__isnull=False)
    return list(staff.annotate(load=Count("assigned_tickets")).order_by("-load", "pk")[:count])


def _client(person: Any) -> Any:
    from django.test import Client

    client = Client()
    client.force_login(person)
    return client


def _long_tickets(count: int) -> list[str]:
    from tickets.models import Ticket

    rows = Ticket.objects.filter(restricted=False).order_by("-last_seq")[:count]
    return [f"/tickets/{row.key}" for row in rows]


def _quoted(text: str) -> str:
    from urllib.parse import quote_plus

    return quote_plus(text)


def _times(clients: Sequence[Any], urls: Sequence[str], rounds: int) -> list[float]:
    """Milliseconds of each request; the first round warms up and is not counted."""
    took = []
    for number in range(rounds + 1):
        for place, url in enumerate(urls):
            client = clients[(number + place) % len(clients)]
            begun = time.perf_counter()
            answer = client.get(url, headers={"accept-encoding": "gzip"})
            if answer.status_code not in (200, 302):
                raise SystemExit(f"{url} answered {answer.status_code}")
            if number:
                took.append((time.perf_counter() - begun) * 1000)
    return took


def _queries(client: Any, url: str) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as taken:
        client.get(url)
    return len(taken)


def _percentile(values: Sequence[float], share: int) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * share // 100)]


# ---- A running web process -----------------------------------------------------------------------


@contextmanager
def web_process(home: Path) -> Iterator[tuple[str, int]]:
    """The product's own web process on the database that Django leads to; address and pid."""
    from django.db import connection

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    env = dict(os.environ)
    env["DATABASE_URL"] = stage.url_of(home, connection.settings_dict["NAME"])
    env |= {"PORT": str(port), "PUBLIC_URL": address}
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "uvicorn", "config.asgi:application", "--port", str(port)),
            *("--timeout-graceful-shutdown", "1", "--no-access-log", "--log-level", "warning"),
        ],
        cwd=stage.ROOT,
        env=env,
    )
    try:
        wait_for(port)
        yield address, server.pid
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(15)


def wait_for(port: int) -> None:
    """Back when somebody listens there."""
    ends = time.monotonic() + 40
    while time.monotonic() < ends:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit("the web process did not answer")


def _session_of(person: Any) -> str:
    return str(_client(person).cookies["sessionid"].value)


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# ---- Live pages ----------------------------------------------------------------------------------


def measure_live(address: str, pid: int, watchers: int, commits: int) -> Figures:
    """From each commit until every watching page knows of it, by this machine's one clock.

    A page without an answer within LAG_LIMIT_S, or without any, counts as that, and as missed.
    """
    people = _crowd(watchers)
    sessions = [_session_of(person) for person in people]
    views = ["view=all", "view=team", "view=mine", "view=breach", "view=unassigned"]
    port = int(address.rpartition(":")[2])
    pages = [Watcher(port, session, views[n % 5]) for n, session in enumerate(sessions)]
    lags: list[float] = []
    spent: list[float] = []
    told = 0

    async def run() -> None:
        nonlocal told
        listening = [asyncio.create_task(page.listen()) for page in pages]
        # Each has heard the first hint, "everything", and has been answered; nobody asks any more.
        waits = [asyncio.wait_for(page.seen.wait(), READY_S) for page in pages]
        await asyncio.gather(*waits, return_exceptions=True)
        await asyncio.sleep(2)
        for number in range(commits):
            before, begun = _cpu_s(pid), time.perf_counter()
            for page in pages:
                page.expect(begun)
            committed = await asyncio.to_thread(_touch, number)
            waits = [asyncio.wait_for(page.seen.wait(), LAG_LIMIT_S) for page in pages]
            await asyncio.gather(*waits, return_exceptions=True)
            lags.extend(page.lag_s(committed) for page in pages)
            told += sum(page.was_told for page in pages)
            spent.append(_cpu_s(pid) - before)
            await asyncio.sleep(2)
        for task in listening:
            task.cancel()

    asyncio.run(run())
    return {
        "live_lag_p50_ms": _percentile(lags, 50) * 1000,
        "live_lag_p95_ms": _percentile(lags, 95) * 1000,
        "live_lag_max_ms": max(lags) * 1000,
        "live_missed": sum(lag >= LAG_LIMIT_S for lag in lags),
        "live_told": told,
        "live_cpu_s_per_commit": statistics.median(spent),
        "live_pages": len(pages),
    }


def _crowd(count: int) -> list[Any]:
    """So many agents: the site's own, and as many new colleagues in its teams as are missing."""
    from roles.models import Membership, Person, Team

    staff = list(Person.objects.filter(is_active=True, memberships__isnull=False).distinct())
    teams = list(Team.objects.filter(is_active=True))
    for number in range(len(staff), count):
        person = Person.objects.create(username=f"watcher{number}", name=f"Watcher {number}")
        team = teams[number % len(teams)]
        Membership.objects.create(team=team, person=person, role="member")
        staff.append(person)
    return staff[:count]


def _touch(number: int) -> float:
    """One act that shows on the first page of all open tickets; when its commit was done."""
    from django.db import connection
    from django.db.models import F

    from tickets.models import Ticket
    from tickets.triage import override_priority

    first = F("next_due_at").asc(nulls_last=True)
    shown = Ticket.objects.open().filter(restricted=False, priority__gte=3).order_by(first, "pk")
    ticket = shown[number % 20]
    other = 4 if ticket.priority == 3 else 3
    override_priority(ticket=ticket, actor=None, priority=other, reason="Looked at again.")
    committed = time.perf_counter()
    connection.close()
    return committed


# ---- A browser -----------------------------------------------------------------------------------

VITALS = """() => new Promise((done) => {
  let lcp = 0, cls = 0;
  new PerformanceObserver((list) => list.getEntries().forEach((e) => { lcp = e.startTime; }))
    .observe({ type: "largest-contentful-paint", buffered: true });
  new PerformanceObserver((list) => list.getEntries().forEach((e) => { cls += e.value; }))
    .observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done({ lcp, cls }), 1500);
})"""


def measure_browser(address: str, session: str) -> Figures:
    """Kilobytes of the first view and of the next, and how fast and steadily the page stands."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.add_cookies([{"name": "sessionid", "value": session, "url": address}])
        page = context.new_page()
        received = [0.0]
        wire = context.new_cdp_session(page)
        wire.send("Network.enable")

        def count(event: dict[str, Any]) -> None:
            received[0] += event["encodedDataLength"]

        wire.on("Network.loadingFinished", count)
        found: Figures = {}
        for name in ("first", "next"):
            received[0] = 0
            page.goto(f"{address}/?view=all", wait_until="load")
            vitals = page.evaluate(VITALS)
            found[f"{name}_view_kb"] = received[0] / 1000
            found[f"{name}_lcp_ms"], found[f"{name}_cls"] = vitals["lcp"], vitals["cls"]
        browser.close()
    return found


# ---- All of it -----------------------------------------------------------------------------------


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--open", type=int, help="open tickets of the large site (100,000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--home", type=Path, default=stage.ROOT / ".cache" / "bench")
    options = parser.parse_args()
    size = sizes(options) | ({"large": options.open} if options.open else {})
    os.environ["STATIC_ROOT"] = str(options.home / "static")
    stage.start(options.home)
    command = [sys.executable, "manage.py", "collectstatic", "--noinput", "-v", "0"]
    subprocess.run(command, cwd=stage.ROOT, check=True)
    figures = measure(options, size) | pace()
    print(f"\nsizes {size}, seed {options.seed}")
    for name, value in figures.items():
        print(f"  {name:28} {value:10.3f}")
    print(json.dumps({"name": "desk", "figures": figures}))


def measure(options: Namespace, size: dict[str, int]) -> Figures:
    """All figures; the small site first, for the ratio."""
    from django.conf import settings

    from config.serving import settle
    from config.warming import warm_up

    settings.ALLOWED_HOSTS.append("testserver")
    warm_up()
    settle()  # as the product's own web processes do before they listen
    figures: Figures = {}
    for name, count in (("small", size["small"]), ("large", size["large"])):
        held = f"bench_desk_{name}"
        stage.template(held, opened=count, closed=count // 4, seed=options.seed)
        with stage.cloned(held):
            stage.analyse()
            pages = _say(name, lambda: measure_pages(size["rounds"], options.seed))
            if name == "small":
                figures["queue_small_p50_ms"] = pages["queue_p50_ms"]
                continue
            figures |= pages
            figures |= measure_running(options.home, size)
    figures["queue_large_to_small"] = figures["queue_p50_ms"] / figures["queue_small_p50_ms"]
    return figures


def measure_running(home: Path, size: dict[str, int]) -> Figures:
    """What needs a running web process: the browser's figures, and the live pages'."""
    with web_process(home) as (address, pid):
        session = _session_of(_agents(1)[0])
        found = _say("browser", lambda: measure_browser(address, session))
        watchers, commits = size["watchers"], size["commits"]
        return found | _say("live", lambda: measure_live(address, pid, watchers, commits))


def _say(name: str, measure_part: Callable[[], Figures]) -> Figures:
    found = measure_part()
    print(f"{name}: " + ", ".join(f"{key} {value:.2f}" for key, value in found.items()), flush=True)
    return found


if __name__ == "__main__":
    main()
