"""An import that is killed in the middle leaves whole incidents, and goes on where it was."""

import os
import signal
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path

from django.core.management import call_command

from tests.api.history_file import row, write
from tickets.models import Ticket

ROOT = Path(__file__).resolve().parents[2]


def verify() -> None:
    call_command("verify_timeline", stdout=StringIO())
    call_command("verify_clocks", stdout=StringIO())


def test_an_import_that_was_killed_goes_on_where_it_was(live_db, tmp_path: Path):
    rows = [
        row(**({"number": f"INC{n:07}", **change}))
        for n in range(4000)
        for change in ({}, {"sys_mod_count": 1, "incident_state": "Active"})
    ]
    path = write(tmp_path / "long.csv.gz", rows)
    command = [sys.executable, "manage.py", "import_history", "servicenow", str(path)]
    command += ["--rejects", str(tmp_path / "rejects.csv")]
    first = subprocess.Popen(
        command, cwd=ROOT, env=os.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while Ticket.objects.count() < 1000 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    reached = Ticket.objects.count()
    assert 1000 <= reached < 4000
    assert reached % 500 == 0
    verify()

    again = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, check=False)
    assert again.returncode == 0, again.stderr.decode()
    assert f"{4000 - reached} new, {reached} here before".encode() in again.stdout
    assert Ticket.objects.count() == 4000
    verify()
