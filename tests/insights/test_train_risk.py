"""The command that tries risk on a recorded log."""

import io
import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from insights.risk import growing
from tests.api.history_file import row, write
from tests.insights.risky import FEW_TREES, past


def stamp(at: datetime) -> str:
    return f"{at.day}/{at.month}/{at.year} {at:%H:%M}"


def log(path: Path) -> Path:
    rows = []
    for number, case in enumerate(past(500)):
        over_at = case.over_at + timedelta(hours=1)
        same = {
            "number": f"INC{number:07}",
            "opened_at": stamp(case.opened_at),
            "category": case.facts["category"],
            "caller_id": case.facts["requester"],
            "resolved_at": stamp(case.over_at),
            "closed_at": stamp(over_at),
            "closed_code": "code 1",
        }
        rows.append(row(**same, sys_updated_at=stamp(case.opened_at)))
        told = {"incident_state": "Closed", "made_sla": "false" if case.ended_badly else "true"}
        rows.append(row(**same, **told, sys_mod_count=3, sys_updated_at=stamp(over_at)))
    return write(path, rows)


def test_a_log_is_tried_its_leaks_are_named_and_the_last_line_is_json(tmp_path, monkeypatch):
    monkeypatch.setattr(growing, "SHAPE", FEW_TREES)
    out = io.StringIO()
    call_command(
        "train_risk", history=log(tmp_path / "log.csv.gz"), evaluate=True, zone="UTC", stdout=out
    )
    *table, last = out.getvalue().strip().splitlines()
    figures = json.loads(last)
    assert list(figures) == ["auroc", "recall20", "brier", "base_rate", "positives"]
    assert figures["auroc"] > 0.7
    assert any(line.startswith("Left out: resolved_at ") for line in table)
    assert any("Milliseconds for one estimate" in line for line in table)


def test_a_file_is_only_ever_tried():
    with pytest.raises(CommandError, match="together"):
        call_command("train_risk", history=Path("x.csv"))
