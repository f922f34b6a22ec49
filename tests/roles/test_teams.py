"""Belonging to a team and holding a duty change what somebody may do, and are written down."""

import pickle
from datetime import UTC, date, datetime

import pytest

from roles.calendars import publish_calendar, work_calendar
from roles.instants import database_now, fixed
from roles.models import AuditEntry, CalendarRevision, Duty, Membership, Person
from roles.people import (
    deactivate,
    forget_roles,
    reactivate,
    require,
    roles_of,
    take_roles,
    with_holdings,
)
from roles.refusals import Conflict, Forbidden, Invalid
from roles.teams import (
    add_member,
    assign_duty,
    relations_to,
    remove_member,
    set_heads,
    withdraw_duty,
)
from tests.roles.conftest import CLOCK, NOW

pytestmark = pytest.mark.django_db


def acts() -> list[str]:
    return list(AuditEntry.objects.order_by("id").values_list("action", flat=True))


def test_everybody_may_ask_and_a_service_account_is_none_of_them(person):
    assert roles_of(person("ann")) == {"requester"}
    assert roles_of(person("bot", kind="service")) == {"service"}


def test_places_and_duties_give_roles(person, team):
    ann = person("ann")
    add_member(team=team, person=ann, role="lead", clock=CLOCK)
    duty = Duty.objects.create(slug="incident-manager", name="Incident manager")
    assign_duty(duty=duty, person=ann, clock=CLOCK)
    assert roles_of(ann) == {"requester", "agent", "lead", "incident_manager"}
    withdraw_duty(duty=duty, person=ann, clock=CLOCK)
    remove_member(team=team, person=ann, clock=CLOCK)
    assert roles_of(ann) == {"requester"}
    assert acts() == ["member.added", "duty.assigned", "duty.withdrawn", "member.removed"]


def test_roles_take_one_query_per_person(lead, django_assert_num_queries):
    again = Person.objects.get(pk=lead.pk)
    with django_assert_num_queries(1):
        assert roles_of(again) == roles_of(again)


def test_whoever_is_read_with_what_they_hold_has_the_same_roles(
    person, team, django_assert_num_queries
):
    ann, ben, eve, bot = person("ann"), person("ben"), person("eve"), person("bot", kind="service")
    add_member(team=team, person=ann, clock=CLOCK)
    set_heads(team=team, lead=eve, manager=ben, clock=CLOCK)
    duty = Duty.objects.create(slug="incident-manager", name="Incident manager")
    assign_duty(duty=duty, person=ann, clock=CLOCK)
    gone = person("gone", is_active=False)
    root = Person.objects.create_superuser("root")
    with django_assert_num_queries(1):
        read = {each.pk: each for each in with_holdings(Person.objects.all())}
        for each in read.values():
            take_roles(each)
    for each in (ann, ben, eve, bot, gone, root):
        forget_roles(each)
        assert read[each.pk]._roles == roles_of(each), each


def test_the_named_heads_of_a_team_belong_to_it_without_a_membership(person, team):
    ann, ben = person("ann"), person("ben")
    set_heads(team=team, lead=ann, manager=ben, clock=CLOCK)
    assert roles_of(ann) == {"requester", "agent", "lead"}
    assert relations_to(ann, team) == {"own_team", "lead_of_team"}
    assert relations_to(ben, team) == {"own_team", "manager_of_team"}
    assert relations_to(None, team) == frozenset()


def test_a_superuser_is_an_administrator_and_an_inactive_one_is_nothing(admin):
    root = Person.objects.create_superuser("root")
    assert "administrator" in roles_of(root)
    deactivate(person=root, actor=admin, clock=CLOCK)
    assert roles_of(root) == frozenset()
    with pytest.raises(Forbidden):
        require(root, "admin")
    reactivate(person=root, actor=admin, clock=CLOCK)
    require(root, "admin")


def test_administrators_cannot_lock_themselves_out(admin):
    with pytest.raises(Conflict):
        deactivate(person=admin, actor=admin, clock=CLOCK)


def test_a_lead_adds_members_but_makes_nobody_lead(person, team, lead):
    ann = person("ann")
    add_member(team=team, person=ann, actor=lead, clock=CLOCK)
    with pytest.raises(Forbidden):
        add_member(team=team, person=ann, role="manager", actor=lead, clock=CLOCK)
    with pytest.raises(Forbidden):
        add_member(team=team, person=person("ben"), actor=ann, clock=CLOCK)
    assert Membership.objects.get(team=team, person=ann).role == "member"


def test_adding_twice_changes_the_role_only(person, team):
    ann = person("ann")
    add_member(team=team, person=ann, clock=CLOCK)
    add_member(team=team, person=ann, clock=CLOCK)
    add_member(team=team, person=ann, role="manager", clock=CLOCK)
    assert acts() == ["member.added", "member.changed"]
    assert Membership.objects.get().role == "manager"


def test_bad_members_are_refused(person, team):
    ann = person("ann")
    with pytest.raises(Invalid, match="role"):
        add_member(team=team, person=ann, role="captain", clock=CLOCK)
    with pytest.raises(Conflict):
        remove_member(team=team, person=ann, clock=CLOCK)
    deactivate(person=ann, clock=CLOCK)
    with pytest.raises(Invalid):
        add_member(team=team, person=ann, clock=CLOCK)


def test_duties_are_the_administrators_to_give(person, lead, admin):
    duty = Duty.objects.create(slug="ciso", name="CISO")
    ann = person("ann")
    with pytest.raises(Forbidden):
        assign_duty(duty=duty, person=ann, actor=lead, clock=CLOCK)
    assign_duty(duty=duty, person=ann, actor=admin, clock=CLOCK)
    with pytest.raises(Conflict):
        withdraw_duty(duty=duty, person=lead, actor=admin, clock=CLOCK)
    entry = AuditEntry.objects.filter(action="duty.assigned").latest("id")
    assert (entry.actor_id, entry.subject, entry.at) == (admin.pk, "CISO", NOW)
    assert entry.changes == {"person": "ann"}


# ---- Calendars ---------------------------------------------------------------------------------

OFFICE = [[day, 540, 1020] for day in range(5)]


def publish(team, **fields) -> CalendarRevision:
    values = {"zone": "Europe/Berlin", "spans": OFFICE, "clock": CLOCK}
    return publish_calendar(calendar=team.calendar, **{**values, **fields})


def test_publishing_makes_the_next_revision_current(team, admin):
    first = publish(team, actor=admin)
    second = publish(team, days_off=[date(2026, 11, 2)], actor=admin)
    team.calendar.refresh_from_db()
    assert (first.number, second.number) == (1, 2)
    assert team.calendar.current == second
    assert second.created_by == admin
    nine_to_five = NOW.replace(hour=0), NOW.replace(hour=23)
    assert work_calendar(first.pk).measure(*nine_to_five) == 8 * 3600
    assert work_calendar(second.pk).measure(*nine_to_five) == 0


def test_publishing_the_same_hours_again_makes_nothing(team):
    first = publish(team)
    assert publish(team, spans=[*reversed(OFFICE), OFFICE[0]]) == first
    assert acts() == ["calendar.published"]


def test_the_working_time_of_a_revision_is_kept(team, django_assert_num_queries):
    row = publish(team)
    kept = work_calendar(row.pk)
    with django_assert_num_queries(0):
        assert work_calendar(row.pk) is kept


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"zone": ""}, "zone"),
        ({"spans": [[0, 540]]}, "spans"),
        ({"spans": [[0, 1020, 540]]}, "spans"),
        ({"spans": [[0, 540.5, 1020]]}, "spans"),
        ({"spans": [540]}, "spans"),
        ({"spans": [[0, n, n + 1] for n in range(201)]}, "spans"),
        ({"days_off": ["25.12.2026"]}, "days_off"),
        ({"days_off": [5]}, "days_off"),
    ],
)
def test_bad_hours_name_their_field_and_publish_nothing(team, fields, field):
    with pytest.raises(Invalid) as refusal:
        publish(team, **fields)
    assert set(refusal.value.fields) == {field}
    assert not CalendarRevision.objects.exists()


def test_only_administrators_publish_calendars(team, lead):
    with pytest.raises(Forbidden):
        publish(team, actor=lead)


# ---- Clocks and refusals -----------------------------------------------------------------------


def test_the_databases_clock_goes_on_within_a_transaction():
    first = database_now()
    assert first.tzinfo is not None
    assert database_now() > first


def test_a_fixed_clock_stands_still_and_knows_its_zone():
    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert fixed(at)() == at
    with pytest.raises(ValueError, match="zone"):
        fixed(datetime(2026, 1, 1))


def test_a_refusal_says_what_and_why_and_survives_a_queue():
    refusal = Invalid("bad", "That is wrong.", {"name": "Too long."})
    again = pickle.loads(pickle.dumps(refusal))
    assert (type(again), again.code, str(again)) == (Invalid, "bad", "That is wrong.")
    assert again.fields == {"name": "Too long."}
