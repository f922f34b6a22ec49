"""The model of two engines, two senders, an agent, crashes and zombies, searched exhaustively.

It says whether the *design* holds: row lock, firing key, session end and lease fence. Whether the
code does what the design says is for the tests beside this one. Needs the model checker `spin` and
a C compiler; where they are missing the tests say so.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

MODEL = Path(__file__).parents[1] / "model" / "climb.pml"

pytestmark = pytest.mark.skipif(
    not (shutil.which("spin") and shutil.which("cc")),
    reason="needs the model checker: Debian packages spin, gcc and libc6-dev",
)


def faults_found(folder: Path, *, without: tuple[str, ...] = (), claim: str = "") -> int:
    """How many faults the checker finds in the model, with the named defences taken away.

    With a claim it follows all fair and endless behaviours, without one all assertions.
    """
    defines = [f"-D{name}" for name in without]
    subprocess.run(
        ["spin", "-a", *defines, str(MODEL)], cwd=folder, check=True, capture_output=True
    )
    kind = [] if claim else ["-DSAFETY", "-DNOCLAIM"]
    subprocess.run(["cc", "-O2", "-w", *kind, "-o", "pan", "pan.c"], cwd=folder, check=True)
    aim = ["-a", "-f", "-N", claim] if claim else []
    done = subprocess.run(
        ["./pan", "-m100000", *aim], cwd=folder, check=True, capture_output=True, text=True
    )
    assert "search depth too small" not in done.stdout
    told = re.search(r"errors: (\d+)", done.stdout)
    assert told is not None, done.stdout
    return int(told[1])


def test_no_crash_and_no_zombie_fires_twice_or_after_an_acknowledgement(tmp_path):
    assert faults_found(tmp_path) == 0


@pytest.mark.parametrize("claim", ["decided", "delivered"])
def test_what_is_due_is_decided_and_its_message_ends(tmp_path, claim):
    assert faults_found(tmp_path, claim=claim) == 0


@pytest.mark.parametrize(
    "defence", ["NO_ROW_LOCK", "NO_SESSION_END", "NO_ACK_LOCK", "NO_LEASE_FENCE"]
)
def test_each_defence_is_needed(tmp_path, defence):
    assert faults_found(tmp_path, without=(defence,)) > 0


def test_a_lease_that_is_never_taken_over_leaves_a_message_half_sent(tmp_path):
    assert faults_found(tmp_path, without=("NO_RECLAIM",), claim="delivered") > 0


def test_the_firing_key_alone_keeps_a_second_firing_out(tmp_path):
    fallen = ("NO_AGENT", "NO_ROW_LOCK", "NO_SESSION_END")
    assert faults_found(tmp_path, without=fallen) == 0
    assert faults_found(tmp_path, without=(*fallen, "NO_UNIQUE_KEY")) > 0
