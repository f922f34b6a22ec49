"""The command: what it prints, how it exits, and that a bad file changes nothing."""

import io

import pytest
from django.core.management import CommandError, call_command

from roles.models import AuditEntry, Tier

FILE = "version: 1\ntiers:\n  l5: {name: Makers, kind: ladder, rank: 5}\n"


@pytest.fixture
def file(tmp_path):
    def write(text: str) -> str:
        path = tmp_path / "site.yaml"
        path.write_text(text)
        return str(path)

    return write


def run(*words: str) -> str:
    out = io.StringIO()
    call_command("config", *words, stdout=out)
    return out.getvalue()


def test_a_plan_exits_2_when_something_would_change_and_0_when_nothing(story, file, capsys):
    name = file(FILE)
    with pytest.raises(SystemExit) as left:
        run("plan", name)
    assert left.value.code == 2
    assert not Tier.objects.filter(slug="l5").exists()
    assert "+ tiers.l5" in run("apply", name, "--as", "root", "--reason", "More makers")
    assert AuditEntry.objects.get(action="configuration.applied").reason == "More makers"
    assert run("plan", name).startswith("Nothing to change")


def test_an_export_is_written_into_a_file_or_shown(story, tmp_path):
    path = tmp_path / "out.yaml"
    run("export", str(path))
    assert run("export", "-") == path.read_text()
    assert run("plan", str(path)).startswith("Nothing to change")
    assert "policies:" not in run("export", "-", "--only", "tiers")


def test_a_bad_file_names_file_line_path_and_reason(story, file):
    name = file(FILE.replace("rank: 5", "rang: 5"))
    told = io.StringIO()
    with pytest.raises(CommandError, match="nothing was changed") as refused:
        call_command("config", "apply", name, stderr=told)
    assert refused.value.returncode == 1
    assert told.getvalue().strip() == (
        f'{name}:3: tiers.l5.rang: Unknown key "rang". Did you mean "rank"?'
    )


def test_a_file_or_person_that_is_not_there_is_said(story, file, tmp_path):
    with pytest.raises(CommandError, match="cannot be read"):
        run("plan", str(tmp_path / "none.yaml"))
    with pytest.raises(CommandError, match="no active person nobody"):
        run("plan", file(FILE), "--as", "nobody")
    with pytest.raises(CommandError, match="Nothing was changed"):
        run("apply", file(FILE), "--as", "ann")
