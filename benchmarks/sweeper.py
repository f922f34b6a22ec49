"""A process that sweeps at a word: says "ready", waits for a line, sweeps, and tells as JSON.

Sweeps until nothing is due, or `--times` times whatever is due; with the database's clock, or at
`--at`, for which the database is asked for the time all the same.
"""

import json
import resource
import sys
import time
from argparse import ArgumentParser
from datetime import datetime
from pathlib import Path

import django

django.setup()

from escalation.engine import run_sweep  # noqa: E402  (needs the settings)
from roles.instants import database_now  # noqa: E402  (needs the settings)


def memory_kb() -> int:
    """What this process holds in memory now."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1])


def main() -> None:
    parser = ArgumentParser()
    parser.add_argument("--times", type=int, default=0)
    parser.add_argument("--at")
    options = parser.parse_args()
    at = datetime.fromisoformat(options.at) if options.at else None

    def clock() -> datetime:
        now = database_now()
        return at or now

    clock()
    print("ready", flush=True)
    for _line in sys.stdin:
        begun = time.time()
        fired, took = 0, []
        while True:
            started = time.perf_counter()
            done = run_sweep(clock=clock, most_s=3600.0)
            took.append(time.perf_counter() - started)
            fired += done
            if len(took) >= options.times and not done:
                break
        told = {
            "fired": fired,
            "begun": begun,
            "ended": time.time(),
            "took_s": took,
            "memory_kb": memory_kb(),
            "most_memory_kb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        }
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
