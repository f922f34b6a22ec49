"""The command that plays a policy over the past: its table, its JSON, and what it leaves behind."""

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from escalation.models import Firing, PolicyRevision
from notifications.models import Message
from roles.models import Team
from tests.api.history_file import row, wild, write
from tests.story import Story, page, percent, unacknowledged
from tickets.models import Ticket

DRAFT = """version: 1
policies:
  p:
    name: P
    steps:
    - name: Sooner
      trigger: unacknowledged
      delay: 1 min
      actions:
      - {do: page, to: [lead]}
"""


@pytest.fixture
def story(story: Story) -> Story:
    story.target("resolution", 60)
    story.policy(
        "p",
        unacknowledged(5, "Page", page("on_call")),
        percent("resolution", 75, "Soon late", page("on_call")),
    )
    return story


def played(tmp_path: Path, **options: object) -> tuple[str, dict, str]:
    """What the command says, its report, and the bytes of it."""
    out, path = io.StringIO(), tmp_path / "report.json"
    call_command("simulate", json=path, stdout=out, **options)
    text = path.read_text(encoding="utf-8")
    return out.getvalue(), json.loads(text), text


def rows() -> list[int]:
    return [model.objects.count() for model in (Firing, Message, PolicyRevision, Ticket, Team)]


def test_a_file_is_played_beside_todays_policies_over_the_sites_own_past(story, tmp_path) -> None:
    for _ in range(3):
        story.open()
        story.forward(hours=2)
    draft = tmp_path / "draft.yaml"
    draft.write_text(DRAFT, encoding="utf-8")
    before = rows()
    said, report, text = played(
        tmp_path, policy=draft, baseline="current", until=story.now, history="own"
    )
    assert rows() == before
    current, changed = report["worlds"]
    assert (current["name"], changed["name"]) == ("current", "draft")
    assert (current["pages"], changed["pages"]) == (6, 3)
    assert current["breaches"]["resolution"] == {
        "missed": 3,
        "warned_before": 3,
        "median_lead_s": 3300,
    }
    assert current["tiers"]["l1"]["pages"] == 6
    assert [row["name"] for row in current["people"]] == ["Ann"]
    assert sum(sum(day) for day in current["pages_by_hour"]) == 6
    for words in ("Tickets played", "Nights disturbed", "resolution: warned before missed", "l1:"):
        assert words in said
    assert "People would have acted otherwise" in " ".join(said.split())
    again = played(tmp_path, policy=draft, baseline="current", until=story.now, history="own")
    assert again[2] == text


def test_logs_of_another_product_are_played_and_leave_nothing_behind(story, tmp_path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    quiet = [row(number="INC1000000", sys_updated_at="1/3/2016 18:00")]
    write(folder / "export.csv.gz", [*wild(12, seed=5), *quiet])
    before = rows()
    _, report, text = played(tmp_path, baseline="current", history=str(folder))
    assert rows() == before
    (world,) = report["worlds"]
    assert world["tickets"] == 13
    assert world["firings"]["fired"] > 0
    assert played(tmp_path, baseline="current", history=str(folder))[2] == text


def test_a_folder_without_logs_is_said(story, tmp_path) -> None:
    with pytest.raises(CommandError, match="has no log"):
        call_command("simulate", baseline="current", history=str(tmp_path))
