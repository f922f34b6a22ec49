"""The database holds the rules of roles by itself, whoever writes."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import Error, IntegrityError, connection, transaction
from django.db.models import ProtectedError

from roles import audit
from roles.models import (
    ApiToken,
    AuditEntry,
    Calendar,
    CalendarRevision,
    Membership,
    Override,
    Person,
    Rotation,
    RotationMember,
    Schedule,
    ScheduleRevision,
    Team,
    Tier,
)
from roles.rosters import LayerSpec, publish_schedule
from tests.roles.conftest import CLOCK, NOW

pytestmark = pytest.mark.django_db


def refuses(act, match: str, error: type[Error] = IntegrityError) -> None:
    """Insist that the database refuses `act`, and go on in the test's transaction."""
    with pytest.raises(error, match=match), transaction.atomic():
        act()


def test_user_names_are_unique_in_any_case(person):
    person("Ada")
    refuses(lambda: person("ada"), "username_any_case")
    assert Person.objects.get_by_natural_key("ADA").username == "Ada"


def test_addresses_are_unique_in_any_case_but_may_be_missing(person):
    person("ada", email="Ada@example.org")
    refuses(lambda: person("bob", email="ada@EXAMPLE.org"), "email_any_case")
    person("bob")
    person("cat")


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"username": "a b"}, "username_plain"),
        ({"username": "ada", "name": ""}, "has_name"),
        ({"username": "ada", "kind": "robot"}, "kind_known"),
        ({"username": "ada", "zone": ""}, "has_zone"),
    ],
)
def test_a_malformed_account_is_refused(fields, constraint):
    row = Person(**{"name": "Ada", **fields})
    refuses(lambda: Person.objects.bulk_create([row]), constraint)


def test_creating_accounts_asks_for_a_user_name():
    with pytest.raises(ValueError, match="user name"):
        Person.objects.create_user("")
    root = Person.objects.create_superuser("root", name="Root", password="secret-enough")
    assert root.is_staff
    assert root.is_superuser
    assert root.check_password("secret-enough")
    assert not Person.objects.create_user("ada").has_usable_password()


@pytest.mark.parametrize(
    ("kind", "rank"), [("ladder", None), ("lane", 1), ("ladder", -1), ("shelf", 1)]
)
def test_a_tier_has_a_rank_exactly_when_it_is_a_rung(kind, rank):
    refuses(
        lambda: Tier.objects.create(slug="x", name="X", kind=kind, rank=rank), "roles_tier_rank"
    )


def test_two_tiers_never_share_a_rank():
    Tier.objects.create(slug="l1", name="L1", kind="ladder", rank=1)
    refuses(lambda: Tier.objects.create(slug="x", name="X", kind="ladder", rank=1), "rank")


def test_there_is_one_service_desk_at_most(team):
    Team.objects.filter(pk=team.pk).update(is_service_desk=True)
    second = {"tier": team.tier, "calendar": team.calendar, "is_service_desk": True}
    refuses(lambda: Team.objects.create(slug="b", name="B", **second), "one_service_desk")


def test_nobody_is_in_a_team_twice(team, lead):
    refuses(lambda: Membership.objects.create(team=team, person=lead), "membership_once")


# ---- Calendars ---------------------------------------------------------------------------------


def revision(calendar: Calendar, **fields) -> CalendarRevision:
    values = {"number": 1, "zone": "UTC", "spans": [[0, 540, 1020]], "days_off": ["2026-12-25"]}
    return CalendarRevision.objects.create(calendar=calendar, **{**values, **fields})


@pytest.mark.parametrize(
    "fields",
    [
        {"zone": ""},
        {"spans": {}},
        {"spans": [1]},
        {"spans": [[0, 540]]},
        {"spans": [[0, "540", 1020]]},
        {"spans": [[7, 540, 1020]]},
        {"spans": [[0, 1440, 1500]]},
        {"spans": [[0, 540, 540]]},
        {"spans": [[0, 540, 2881]]},
        {"spans": [[0, 540, 1020], [0, 1]]},
        {"days_off": "2026-12-25"},
        {"days_off": ["25.12.2026"]},
        {"days_off": [20261225]},
    ],
)
def test_malformed_hours_are_refused(team, fields):
    refuses(lambda: revision(team.calendar, **fields), "roles_calendarrevision")


def test_a_calendar_revision_never_changes_and_never_goes(team):
    row = revision(team.calendar)
    rows = CalendarRevision.objects.filter(pk=row.pk)
    refuses(lambda: rows.update(zone="Europe/Berlin"), "is history: UPDATE is refused")
    refuses(rows.delete, "is history: DELETE is refused")
    refuses(lambda: revision(team.calendar), "number_once")


# ---- On call -----------------------------------------------------------------------------------


@pytest.fixture
def schedule(team) -> Schedule:
    return Schedule.objects.create(team=team, name="Network on call", zone="Europe/Berlin")


def override(schedule: Schedule, person: Person, start: int, end: int) -> Override:
    during = (NOW + timedelta(hours=start), NOW + timedelta(hours=end))
    return Override.objects.create(schedule=schedule, person=person, during=during)


def test_overrides_of_one_schedule_never_overlap(schedule, lead, person):
    override(schedule, lead, 0, 4)
    refuses(lambda: override(schedule, lead, 3, 6), "override_no_overlap")
    refuses(lambda: override(schedule, person("bob"), 1, 2), "override_no_overlap")
    override(schedule, lead, 4, 6)


def test_overrides_of_two_schedules_may_overlap(schedule, team, lead):
    other = Team.objects.create(slug="b", name="B", tier=team.tier, calendar=team.calendar)
    second = Schedule.objects.create(team=other, name="B on call", zone="UTC")
    override(schedule, lead, 0, 4)
    override(second, lead, 0, 4)


def test_an_override_has_two_ends_and_a_length(schedule, lead):
    refuses(lambda: override(schedule, lead, 1, 1), "override_has_ends")
    endless = Override(schedule=schedule, person=lead, during=(NOW, None))
    refuses(lambda: Override.objects.bulk_create([endless]), "override_has_ends")


@pytest.mark.parametrize(
    "wrong",
    [
        {"handover_weekday": 7},
        {"shift_days": 0},
        {"shift_days": None},
        {"shift_hours": 8},
        {"zone": ""},
        {"restrictions": [[0, 540]]},
    ],
)
def test_a_rotation_that_cannot_turn_is_refused(schedule, wrong):
    holds = ScheduleRevision.objects.create(schedule=schedule, number=1, valid_from=NOW)
    values = {"name": "A", "starts_on": date(2026, 1, 5), "handover_time": time(9), "zone": "UTC"}
    values |= {"shift_days": 7, **wrong}
    refuses(lambda: Rotation.objects.create(revision=holds, **values), "roles_rotation")


def test_a_schedule_revision_its_layers_and_their_people_never_change(schedule, lead):
    weekly = LayerSpec(
        name="Weekly",
        people=[lead],
        starts_on=NOW.date(),
        handover_time=time(9),
        shift_days=7,
    )
    publish_schedule(schedule=schedule, layers=[weekly], clock=CLOCK)
    for model in (ScheduleRevision, Rotation, RotationMember):
        rows = model.objects.order_by()
        refuses(lambda rows=rows: rows.update(id=1000), "is history: UPDATE is refused")
        refuses(lambda rows=rows: rows._raw_delete("default"), "is history: DELETE is refused")


# ---- Tokens and the audit ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong", [{"scopes": []}, {"scopes": ["everything"]}, {"digest": "the secret itself"}]
)
def test_a_token_row_holds_a_digest_and_known_scopes(person, wrong):
    values = {"prefix": "abc", "digest": "0" * 64, "scopes": ["tickets:read"], **wrong}
    refuses(
        lambda: ApiToken.objects.create(person=person("ada"), name="x", **values),
        "roles_apitoken",
    )


def test_the_audit_cannot_be_changed_deleted_or_emptied(team):
    entry = audit.record(actor=None, action="team.changed", subject=team, clock=CLOCK)
    rows = AuditEntry.objects.filter(pk=entry.pk)
    refuses(lambda: rows.update(action="nothing"), "is history: UPDATE is refused")
    refuses(rows.delete, "is history: DELETE is refused")

    def truncate() -> None:
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE roles_auditentry")

    refuses(truncate, "is history: TRUNCATE is refused")
    assert rows.get().action == "team.changed"


def test_somebody_who_acted_is_never_deleted(person, team):
    ada, bob = person("ada"), person("bob")
    audit.record(actor=ada, action="team.changed", subject=team, clock=CLOCK)
    refuses(ada.delete, "make the account inactive")
    bob.delete()
    assert not Person.objects.filter(username="bob").exists()


def test_somebody_on_a_rota_or_heading_a_team_is_never_deleted(schedule, lead, person):
    override(schedule, lead, 0, 1)
    with pytest.raises(ProtectedError):
        lead.delete()


def test_the_audit_keeps_no_secret(person):
    ada = person("ada")
    changes = {"password": "hunter2", "email": ["", "a@example.org"], "at": datetime.now(UTC)}
    entry = audit.record(actor=None, action="x", subject=ada, changes=changes, clock=CLOCK)
    entry.refresh_from_db()
    assert entry.changes["password"] == "***"
    assert entry.changes["email"] == ["", "a@example.org"]
    assert audit.differences({"password": "a"}, {"password": "b"}) == {"password": ["***", "***"]}
