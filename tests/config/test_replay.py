"""A replay in its short form, with servers and workers of its own; and the script that it plays."""

import os
import re
import subprocess
import sys
from datetime import UTC
from pathlib import Path

import pytest

from api.importers.servicenow import read
from config.replay.script import Deed, choose, desk_of, scaled, write_script
from config.replay.verdict import Verdict
from roles.models import Person
from tests.api.history_file import row, write

ROOT = Path(__file__).resolve().parents[2]


def incidents(tmp_path: Path, *rows: list[str]) -> list[list]:
    export = read(write(tmp_path / "export.csv.gz", rows), UTC)
    return sorted(export.incidents.values(), key=lambda rows: rows[0].opened_at)


def at(hour: int, minute: int = 0) -> str:
    return f"1/3/2016 {hour:02}:{minute:02}"


def test_the_log_becomes_acts_at_its_own_pace_compressed(tmp_path: Path):
    found = incidents(
        tmp_path,
        row(),
        row(incident_state="Active", sys_mod_count=1, sys_updated_at=at(9, 10)),
        row(
            incident_state="Awaiting Vendor",
            sys_mod_count=2,
            sys_updated_at=at(9, 20),
            assignment_group="Group 2",
        ),
        row(sys_mod_count=3, sys_updated_at=at(9, 30), incident_state="Awaiting Vendor"),
        row(incident_state="Closed", sys_mod_count=4, sys_updated_at=at(20)),
    )
    acts = write_script(found, speed=60, most_wait_s=30, end_s=1000)
    assert [(act.at_s, act.deed, act.group) for act in acts] == [
        (0, Deed.OPEN, "Group 70"),
        (10, Deed.TAKE, "Group 70"),
        (20, Deed.MOVE, "Group 70"),
        (20, Deed.TAKE, "Group 2"),
        (20, Deed.HOLD, "Group 2"),
        (30, Deed.MOVE, "Group 2"),
        (30, Deed.TAKE, "Group 70"),
        (30, Deed.HOLD, "Group 70"),
        (60, Deed.RESOLVE, "Group 70"),
        (60, Deed.CLOSE, "Group 70"),
    ]
    cut = write_script(found, speed=60, most_wait_s=30, end_s=25)
    assert [act.at_s for act in cut] == [0, 10, 20, 20, 20]


def test_the_first_stretch_that_is_dense_enough_is_played(tmp_path: Path):
    days = [1, 5, 9, 10, 11, 20]
    found = incidents(
        tmp_path,
        *(
            row(number=f"INC{day:07}", opened_at=f"{day}/3/2016 09:00", closed_at="?")
            for day in days
        ),
    )
    numbers = [rows[0].number[-2:] for rows in choose(found, 3, 3 * 86400)]
    assert numbers == ["09", "10", "11"]
    assert [rows[0].number[-2:] for rows in choose(found, 3, 60)] == ["09", "10", "11"]
    assert len(choose(found, 100, 60)) == 6
    assert desk_of(found) == "Group 70"


def test_no_delay_is_compressed_below_two_seconds():
    assert [scaled(minutes, 600) for minutes in (1, 20, 60)] == [2, 2, 6]


def test_percentiles_are_those_of_the_firings():
    verdict = Verdict([n / 100 for n in range(1, 101)], {}, {}, {}, 0)
    assert [verdict.percentile(share) for share in (0.5, 0.99, 1)] == [0.5, 0.99, 1.0]


def test_a_replay_refuses_a_site_in_use(live_db, tmp_path: Path):
    Person.objects.create(username="ann", name="Ann")
    done = play(write(tmp_path / "x.csv.gz", [row()]), "--inside", home=tmp_path)
    assert "This site is in use" in done.stderr
    assert done.returncode == 1
    assert Person.objects.count() == 1


def play(file: Path, *options: str, home: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", "replay", str(file), *options]
    return subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(home)},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )


@pytest.mark.needs_history
def test_twenty_incidents_climb_live_and_nothing_is_lost_or_doubled(history: Path):
    home = Path(os.environ["TIERLINE_HOME"])
    done = play(history, "--incidents", "20", "--speed", "3000", "--minutes", "0.4", home=home)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Lost: 0. Double: 0." in done.stdout
    fired = re.search(r"Lateness of (\d+) firings", done.stdout)
    assert fired is not None
    assert int(fired[1]) >= 10
    assert not list(home.glob("tierline-scratch-*"))
