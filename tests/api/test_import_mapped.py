"""Histories of JSM, and of any file with a mapping, become tickets with their past."""

import csv
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from roles.models import Organisation
from tickets.models import Ticket

pytestmark = pytest.mark.django_db
HEADER = ["Issue key", "Summary", "Status", "Priority", "Created", "Updated", "Resolved"]
HEADER += ["Assignee", "Reporter", "Project name", "Issue Type"]


def sheet(path: Path, header: Sequence[str], *rows: Sequence[str]) -> Path:
    with path.open("w", newline="") as text:
        csv.writer(text).writerows([header, *rows])
    return path


def run(product: str, path: Path, **options: object) -> str:
    out = StringIO()
    options.setdefault("rejects", path.with_suffix(".rejects"))
    call_command("import_history", product, str(path), stdout=out, **options)
    for check in ("verify_timeline", "verify_clocks"):
        call_command(check, stdout=StringIO())
    return out.getvalue()


def told(ticket: Ticket) -> list[tuple[str, str]]:
    rows = ticket.events.order_by("seq").exclude(kind="targeted").values_list("kind", "at")
    return [(kind, at.strftime("%d %H:%M")) for kind, at in rows]


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type]


def test_a_jsm_sheet_tells_what_must_have_happened(tmp_path):
    done = ["SD-1", "Printer", "Done", "High", "02/Mar/26 9:00 AM", "03/Mar/26 10:00 AM"]
    done += ["02/Mar/26 11:30 AM", "Ann", "Rita", "Service Desk", "Incident"]
    waits = ["SD-2", "Mail", "Waiting for customer", "Low", "2026-03-02 09:00", "2026-03-02 10:00"]
    waits += ["", "Ann", "Rita", "Service Desk", "Service Request"]
    path = sheet(tmp_path / "jsm.csv", HEADER, done, waits)
    assert "2 new, 0 here before" in run("jsm", path, zone="Europe/Berlin")
    first = Ticket.objects.get(external_ref="jsm:SD-1")
    assert (first.subject, first.priority, first.status) == ("Printer", 2, "closed")
    assert (first.opened_at, first.resolved_at) == (utc(2026, 3, 2, 8), utc(2026, 3, 2, 10, 30))
    assert (first.team.name, first.organisation.name) == ("Service Desk", "JSM history")
    second = Ticket.objects.get(external_ref="jsm:SD-2")
    assert (second.status, second.priority) == ("pending_requester", 4)
    assert "0 new, 2 here before" in run("jsm", path, zone="Europe/Berlin")
    assert Organisation.objects.get().slug == "jsm"


def change(at: str, **changed: tuple[str, str]) -> dict:
    items = [
        {"field": name, "fromString": before, "toString": after}
        for name, (before, after) in changed.items()
    ]
    return {"created": at, "author": {"displayName": "Ann"}, "items": items}


def test_the_change_log_of_jsm_is_lived_through(tmp_path):
    issue = {
        "key": "SD-7",
        "fields": {
            "summary": "Disk full",
            "status": {"name": "Closed"},
            "priority": {"name": "High"},
            "created": "2026-03-02T09:00:00.000+0100",
            "updated": "2026-03-02T12:00:00.000+0100",
            "resolutiondate": "2026-03-02T11:00:00.000+0100",
            "reporter": {"displayName": "Rita"},
            "project": {"name": "Service Desk"},
            "issuetype": {"name": "Incident"},
            "customfield_10010": {"value": "Storage"},
        },
        "changelog": {
            "histories": [
                change("2026-03-02T12:00:00.000+0100", status=("Resolved", "Closed")),
                change("2026-03-02T11:00:00.000+0100", status=("In Progress", "Resolved")),
                change(
                    "2026-03-02T10:00:00.000+0100",
                    status=("Waiting for support", "In Progress"),
                    priority=("Low", "High"),
                ),
            ]
        },
    }
    path = tmp_path / "search.json"
    path.write_text(json.dumps([{"issues": [issue]}]))
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text("columns: {group: customfield_10010}")
    run("jsm", path, mapping=mapping)
    ticket = Ticket.objects.get(external_ref="jsm:SD-7")
    assert told(ticket) == [
        ("opened", "02 08:00"),
        ("moved", "02 08:00"),
        ("prioritised", "02 09:00"),
        ("taken", "02 09:00"),
        ("resolved", "02 10:00"),
        ("closed", "02 11:00"),
    ]
    assert (ticket.team.name, ticket.priority) == ("Storage", 2)


MAPPING = """
columns:
  number: Ticket
  opened_at: Made
  updated_at: At
  state: How
  group: Queue
  priority: Weight
states: {open: waiting, busy: in_progress, fixed: resolved}
priorities: {heavy: 1}
dates: "%d.%m.%Y um %H:%M"
"""


def test_any_sheet_is_read_by_its_mapping(tmp_path):
    header = ["At", "Ticket", "Made", "How", "Queue", "Weight"]
    made = "02.03.2026 um 08:00"
    path = sheet(
        tmp_path / "own.csv",
        header,
        [made, "T 1", made, "open", "Desk", "heavy"],
        ["02.03.2026 um 09:00", "T 1", made, "busy", "Desk", "heavy"],
        ["02.03.2026 um 10:00", "T 1", made, "odd", "Apps", "heavy"],
        ["02.03.2026 um 11:00", "T 1", made, "fixed", "Apps", "heavy"],
        ["soon", "T 2", made, "open", "Desk", ""],
        ["", "", made, "open", "Desk", ""],
    )
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(MAPPING)
    printed = run("csv", path, mapping=mapping)
    assert "2 rows left out, 1 with an unknown state" in printed
    ticket = Ticket.objects.get()
    assert (ticket.external_ref, ticket.priority) == ("csv:T 1", 1)
    assert (ticket.status, ticket.team.name, ticket.handover_count) == ("resolved", "Apps", 1)


@pytest.mark.parametrize(
    ("mapping", "trouble"),
    [
        (None, "Say with --mapping"),
        ("[]", "must be a mapping"),
        ("columns: {number: A}", "name the columns of opened_at"),
        ("columns: {number: A, opened_at: B, size: C}", "no fields: size"),
        ("columns: {number: A, opened_at: B}\nstates: {x: gone}", "x is none of"),
        ("columns: {number: A, opened_at: B}\npriorities: {x: 9}", "1 to 5, not 9"),
        ("columns: {number: A, opened_at: B}\ncolours: {}", "unknown: colours"),
        ("columns: {number: A, opened_at: Z}", "no column 'Z'"),
        ("columns: [", "cannot be read"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused_in_a_sentence(tmp_path, mapping, trouble):
    path = sheet(tmp_path / "own.csv", ["A", "B"], ["1", "2026-03-02 08:00"])
    options: dict[str, object] = {}
    if mapping is not None:
        options["mapping"] = tmp_path / "mapping.yaml"
        options["mapping"].write_text(mapping)
    with pytest.raises(CommandError, match=trouble):
        run("csv", path, **options)
    assert not Ticket.objects.exists()


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"issues": 5}', "\x00"])
def test_what_is_no_export_of_jsm_is_refused(tmp_path, content):
    path = tmp_path / "jsm.json"
    path.write_text(content)
    with pytest.raises(CommandError):
        run("jsm", path)
