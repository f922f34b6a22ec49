"""An incident history becomes tickets with a complete past; bad rows are named, nobody is told."""

import csv
from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from api.importers.figures import log_figures
from api.importers.servicenow import read, zone_of
from escalation.models import Clock, Run, Target
from notifications.models import Message
from roles.models import Person, Team
from tests.api.history_file import row, wild, write
from tests.story import Story, notify, unacknowledged
from tickets.models import Ticket

pytestmark = pytest.mark.django_db

Import = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path) -> Import:
    """Import these rows; returns what the command printed."""

    def run(*rows: list[str], **options: object) -> str:
        out = StringIO()
        path = write(tmp_path / "export.csv.gz", rows)
        options.setdefault("rejects", tmp_path / "rejects.csv")
        call_command("import_history", "servicenow", str(path), stdout=out, **options)
        return out.getvalue()

    return run


def utc(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2016, 3, day, hour, minute, tzinfo=UTC)


def told(ticket: Ticket, *left_out: str) -> list[tuple[str, datetime]]:
    rows = ticket.events.order_by("seq").exclude(kind__in=left_out or ["targeted"])
    return list(rows.values_list("kind", "at"))


def rejects(tmp_path: Path) -> list[list[str]]:
    with (tmp_path / "rejects.csv").open(newline="") as text:
        return list(csv.reader(text))[1:]


def verify() -> None:
    call_command("verify_timeline", stdout=StringIO())
    call_command("verify_clocks", stdout=StringIO())


def at(hour: int, minute: int = 0, day: int = 1) -> str:
    return f"{day}/3/2016 {hour:02}:{minute:02}"


LIFE = [
    row(),
    row(incident_state="Active", sys_mod_count=1, sys_updated_at=at(9, 30), assigned_to="R 1"),
    row(
        incident_state="Active",
        sys_mod_count=2,
        sys_updated_at=at(10),
        assignment_group="Group 2",
        priority="1 - Critical",
        impact="1 - High",
        urgency="1 - High",
    ),
    row(
        incident_state="Awaiting User Info",
        sys_mod_count=3,
        sys_updated_at=at(10, 30),
        assignment_group="Group 2",
        assigned_to="R 2",
        priority="1 - Critical",
        impact="1 - High",
        urgency="1 - High",
    ),
    row(
        incident_state="Resolved",
        sys_mod_count=4,
        sys_updated_at=at(12),
        assignment_group="Group 2",
        priority="1 - Critical",
        impact="1 - High",
        urgency="1 - High",
    ),
    row(
        incident_state="Closed",
        sys_mod_count=5,
        sys_updated_at=at(12, day=6),
        assignment_group="Group 2",
        priority="1 - Critical",
        impact="1 - High",
        urgency="1 - High",
        made_sla="false",
    ),
]


def test_a_history_becomes_a_ticket_with_its_whole_past(run: Import):
    printed = run(*LIFE)
    ticket = Ticket.objects.get(external_ref="servicenow:INC0000001")
    assert "6 rows, 1 incidents, SHA-256 " in printed
    assert "1 new, 0 here before" in printed
    assert (ticket.origin, ticket.status, ticket.priority) == ("imported", "closed", 1)
    assert (ticket.opened_at, ticket.resolved_at) == (utc(1, 9), utc(1, 12))
    assert (ticket.handover_count, ticket.entry, ticket.team.name) == (1, 2, "Group 2")
    assert ticket.resolution_code == "code 6"
    assert told(ticket) == [
        ("opened", utc(1, 9)),
        ("moved", utc(1, 9)),
        ("taken", utc(1, 9, 30)),
        ("prioritised", utc(1, 10)),
        ("moved", utc(1, 10)),
        ("taken", utc(1, 10, 30)),
        ("pended", utc(1, 10, 30)),
        ("resolved", utc(1, 12)),
        ("closed", utc(6, 12)),
    ]
    verify()


def test_clocks_follow_from_the_imported_past(run: Import):
    run(*LIFE)
    clocks = {(row.kind, row.cycle): row for row in Clock.objects.all()}
    assert set(clocks) == {("resolution", 1), ("acceptance", 1), ("acceptance", 2)}
    resolution = clocks["resolution", 1]
    assert (resolution.target_s, resolution.elapsed_s) == (4 * 3600, 1.5 * 3600)
    assert resolution.breached_at is None
    assert clocks["acceptance", 1].stopped_at == utc(1, 9, 30)
    assert clocks["acceptance", 2].elapsed_s == 30 * 60
    assert clocks["acceptance", 2].breached_at == utc(1, 10, 15)


def test_nobody_is_told_and_nothing_imported_can_be_reached(run: Import):
    story = Story()
    story.policy("standard", unacknowledged(5, "Tell", notify("on_call", "team", "lead")))
    run(*LIFE[:3])
    story.forward(days=1)
    assert not Message.objects.exists()
    assert not Run.objects.exists()
    people = Person.objects.filter(username__startswith="servicenow-")
    assert people.count() == 5
    assert not people.filter(is_active=True).exists()
    assert not people.exclude(email="").exists()
    assert not any(person.has_usable_password() for person in people)
    assert not Team.objects.filter(name__startswith="Group", is_active=True).exists()


def test_a_second_import_changes_nothing(run: Import):
    rows = wild(30, seed=1)
    assert "30 new, 0 here before" in run(*rows)
    before = list(Ticket.objects.order_by("pk").values_list("pk", "last_hash"))
    people = Person.objects.count()
    assert "0 new, 30 here before" in run(*rows)
    assert list(Ticket.objects.order_by("pk").values_list("pk", "last_hash")) == before
    assert (Person.objects.count(), Team.objects.count()) == (people, 3)


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_whatever_order_the_states_come_in_the_result_is_legal(run: Import, seed: int):
    assert "120 new" in run(*wild(120, seed=seed))
    verify()


def test_an_incident_first_seen_as_resolved_was_open_from_its_opening(run: Import):
    run(
        row(incident_state="Resolved", sys_mod_count=3, sys_updated_at=at(12, 30)),
        row(incident_state="Closed", sys_mod_count=4, sys_updated_at=at(12, day=6)),
    )
    ticket = Ticket.objects.get()
    assert told(ticket) == [
        ("opened", utc(1, 9)),
        ("moved", utc(1, 9)),
        ("resolved", utc(1, 12)),
        ("closed", utc(6, 12)),
    ]
    (clock,) = Clock.objects.all()
    assert (clock.kind, clock.elapsed_s) == ("resolution", 3 * 3600)


def test_what_was_filled_in_backwards_does_nothing_before_its_time(run: Import):
    run(
        row(),
        row(incident_state="Resolved", sys_mod_count=1, sys_updated_at=at(10)),
        row(incident_state="Active", sys_mod_count=2, sys_updated_at=at(11)),
    )
    ticket = Ticket.objects.get()
    assert (ticket.status, ticket.resolution_code) == ("in_progress", "")
    assert ("resolved", utc(1, 10)) in told(ticket)
    assert (ticket.closed_at, ticket.reopen_count) == (None, 1)


def test_a_closing_that_was_taken_back_is_no_closing(run: Import):
    run(
        row(),
        row(incident_state="Closed", sys_mod_count=1, sys_updated_at=at(10)),
        row(incident_state="Active", sys_mod_count=2, sys_updated_at=at(11)),
        row(incident_state="Closed", sys_mod_count=3, sys_updated_at=at(13)),
    )
    ticket = Ticket.objects.get()
    kinds = [kind for kind, _ in told(ticket)]
    assert kinds == ["opened", "moved", "resolved", "reopened", "taken", "resolved", "closed"]
    assert ticket.reopen_count == 1


def test_an_unknown_state_leaves_the_one_before_and_is_noted(run: Import, tmp_path: Path):
    run(LIFE[0], LIFE[1], row(incident_state="-100", sys_mod_count=2, sys_updated_at=at(10)))
    assert Ticket.objects.get().status == "in_progress"
    ((line, number, reason),) = rejects(tmp_path)
    assert (line, number) == ("4", "INC0000001")
    assert reason == "unknown state -100; the state before it was kept"


def test_a_priority_against_the_matrix_is_kept_as_set_by_hand(run: Import):
    run(row(impact="3 - Low", urgency="3 - Low", priority="4 - Low"))
    ticket = Ticket.objects.get()
    assert (ticket.priority, ticket.priority_override) == (4, 4)


def test_an_incident_without_a_group_waits_for_one(run: Import):
    run(
        row(number="INC0000009"),
        row(assignment_group="?"),
        row(assignment_group="?", incident_state="Active", sys_mod_count=1, sys_updated_at=at(10)),
    )
    ticket = Ticket.objects.get(external_ref="servicenow:INC0000001")
    assert (ticket.status, ticket.team, ticket.entry) == ("new", None, 0)
    assert not ticket.clocks.exists()


def test_times_are_read_in_the_zone_that_was_named(run: Import):
    summer = {"opened_at": "1/7/2016 09:00", "sys_updated_at": "1/7/2016 09:05", "closed_at": "?"}
    run(row(**summer), zone="Europe/Berlin")
    assert Ticket.objects.get().opened_at == datetime(2016, 7, 1, 7, 0, tzinfo=UTC)
    assert zone_of("+02:00").utcoffset(None).total_seconds() == 7200


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ({"number": "0000045"}, "number '0000045' is no incident number such as INC0000045"),
        ({"impact": "2 - "}, "impact '2 -' is not of the form 2 - Medium"),
        ({"priority": "7 - None"}, "priority '7 - None' is not of the form 2 - Medium"),
        ({"opened_at": "31/2/2016 09:00"}, "opened_at '31/2/2016 09:00' is no date"),
        ({"sys_updated_at": "?"}, "sys_updated_at '' is no date"),
        ({"closed_at": "28/2/2016 09:00"}, "closed before it was opened"),
        ({"sys_mod_count": "x"}, "sys_mod_count 'x' is no number"),
        ({"assignment_group": "G" * 101}, "assignment_group is longer than 100 characters"),
        ({"caller_id": "a\x00b"}, "caller_id has a NUL character"),
    ],
)
def test_a_damaged_row_is_left_out_and_named(
    run: Import, tmp_path: Path, damage: dict[str, str], reason: str
):
    printed = run(LIFE[0], row(**{"sys_mod_count": 1, **damage}))
    assert "1 rows left out" in printed
    ((line, _, said),) = rejects(tmp_path)
    assert line == "3"
    assert said.startswith(reason)
    assert Ticket.objects.count() == 1


def test_a_row_with_too_few_columns_is_left_out(run: Import, tmp_path: Path):
    run(LIFE[0], LIFE[1][:12])
    assert rejects(tmp_path) == [["3", "INC0000001", "12 columns instead of 36"]]


def test_a_file_of_another_shape_is_refused(tmp_path: Path):
    path = tmp_path / "other.csv"
    path.write_text("name,age\nAnn,4\n")
    with pytest.raises(CommandError, match="no incident history: no column number"):
        call_command("import_history", "servicenow", str(path))
    cut = write(tmp_path / "cut.csv.gz", LIFE)
    cut.write_bytes(cut.read_bytes()[:-20])
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import_history", "servicenow", str(cut))
    with pytest.raises(CommandError, match="no known time zone"):
        call_command("import_history", "servicenow", str(cut), zone="Mars/Olympus")
    assert not Ticket.objects.exists()


def test_groups_work_where_one_says_and_the_most_common_first_group_on_l1(
    run: Import, tmp_path: Path
):
    story = Story()
    tiers = tmp_path / "tiers.csv"
    tiers.write_text("Group 3,l3\n")
    run(
        row(),
        row(number="INC0000002"),
        row(number="INC0000003", assignment_group="Group 2"),
        row(number="INC0000004", assignment_group="Group 3"),
        tiers=tiers,
    )
    found = dict(Team.objects.filter(name__contains="Group").values_list("name", "tier__slug"))
    assert found == {"Group 70": "l1", "Group 2": "l2", "Group 3": "l3"}
    assert Ticket.objects.filter(owner_team__name="Group 70").count() == 4
    assert story.desk.tier.slug == "l1"


def test_the_sites_own_targets_and_calendar_are_used(run: Import):
    story = Story()
    story.target("resolution", minutes=150, calendar=None)
    printed = run(*LIFE, calendar="office")
    assert "example targets" not in printed
    assert Target.objects.count() == 1
    (clock,) = Clock.objects.all()
    assert (clock.target_s, clock.calendar) == (9000, story.office.current)
    with pytest.raises(CommandError, match="no calendar 'nowhere'"):
        run(*LIFE, calendar="nowhere")


def test_figures_of_the_log_are_counted_as_its_readers_count_them(tmp_path: Path):
    rows = [
        row(),
        row(sys_mod_count=1, assignment_group="Group 2", sys_updated_at=at(10)),
        row(sys_mod_count=2, assignment_group="?", sys_updated_at=at(11)),
        row(sys_mod_count=3, sys_updated_at=at(12), reopen_count=1, made_sla="false"),
    ]
    export = read(write(tmp_path / "f.csv.gz", rows), UTC)
    line = log_figures(export.incidents.values()).lines[3]
    assert (line.incidents, line.moves, line.moved, line.ping_pong) == (1, 2, 1, 1)
    assert line.reopened == 1


@pytest.mark.needs_history
def test_the_recorded_log_imports_whole_and_true(history: Path, tmp_path: Path):
    out = StringIO()
    rejected = tmp_path / "rejects.csv"
    call_command(
        "import_history", "servicenow", str(history), limit=500, rejects=rejected, stdout=out
    )
    assert "102582 rows, 17442 incidents" in out.getvalue()
    assert "500 new" in out.getvalue()
    verify()
