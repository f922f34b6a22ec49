"""Schedules keep their history, say where nobody serves, and never break each other."""

from datetime import timedelta

import pytest
from django.db import connection

from roles.instants import fixed
from roles.models import AuditEntry, Override, Rotation, Schedule, ScheduleRevision, Team
from roles.oncall import (
    broken_layers,
    coming_gaps,
    final_shifts,
    gaps,
    next_shift,
    on_call,
    shifts_of,
)
from roles.overrides import add_override, remove_override
from roles.people import deactivate
from roles.refusals import Conflict, Forbidden, Invalid
from roles.rosters import layers_of, set_schedule
from roles.rotation import Shift
from roles.teams import add_member
from tests.roles.conftest import CLOCK, NOW
from tests.roles.roster import DAY, HOUR, publish, weekly

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann(person, team):
    ann = person("ann")
    add_member(team=team, person=ann, clock=CLOCK)
    return ann


@pytest.fixture
def ben(person, team):
    ben = person("ben")
    add_member(team=team, person=ben, clock=CLOCK)
    return ben


@pytest.fixture
def schedule(team) -> Schedule:
    return set_schedule(team=team, zone="UTC", clock=CLOCK)


def another(team, slug) -> Schedule:
    row = Team.objects.create(slug=slug, name=slug, tier=team.tier, calendar=team.calendar)
    return set_schedule(team=row, zone="UTC", clock=CLOCK)


# ---- History -----------------------------------------------------------------------------------


def test_the_past_keeps_the_layers_of_its_time(schedule, team, ann, ben):
    publish(schedule, weekly([ann]), valid_from=NOW - 30 * DAY)
    publish(schedule, weekly([ben]), clock=fixed(NOW + 2 * DAY))
    assert on_call([team.pk], NOW + DAY)[team.pk] == [ann.pk]
    assert on_call([team.pk], NOW + 2 * DAY)[team.pk] == [ben.pk]
    assert final_shifts(team, NOW, NOW + 4 * DAY) == [
        Shift(ann.pk, NOW, NOW + 2 * DAY),
        Shift(ben.pk, NOW + 2 * DAY, NOW + 4 * DAY),
    ]


def test_hours_that_new_layers_leave_open_are_not_filled_by_the_old_ones(schedule, team, ann, ben):
    publish(schedule, weekly([ann]), valid_from=NOW - 30 * DAY)
    publish(schedule, weekly([ben], restrictions=[(6, 0, 1440)]), clock=fixed(NOW + DAY))
    assert on_call([team.pk], NOW + 2 * DAY)[team.pk] == []
    publish(schedule, clock=fixed(NOW + 3 * DAY))
    assert on_call([team.pk], NOW + 3 * DAY)[team.pk] == []
    assert final_shifts(team, NOW + DAY, NOW + 5 * DAY) == []
    assert on_call([team.pk], NOW)[team.pk] == [ann.pk]


def test_what_is_planned_holds_from_its_day_until_something_later_is_decided(
    schedule, team, ann, ben
):
    publish(schedule, weekly([ann]))
    publish(schedule, weekly([ben]), valid_from=NOW + 5 * DAY)
    assert on_call([team.pk], NOW + 6 * DAY)[team.pk] == [ben.pk]
    publish(schedule, weekly([ann, ann]), clock=fixed(NOW + DAY))
    assert on_call([team.pk], NOW + 6 * DAY)[team.pk] == [ann.pk]


def test_publishing_the_same_again_changes_nothing(schedule, ann, ben):
    layer = weekly([ann, ben], restrictions=[(0, 540, 1020)], zone="Europe/Berlin")
    first = publish(schedule, layer)
    assert publish(schedule, layer, clock=fixed(NOW + DAY)) == first
    assert publish(schedule, *layers_of(first), clock=fixed(NOW + DAY)) == first
    assert AuditEntry.objects.filter(action="schedule.published").count() == 1


def test_the_past_is_not_written_anew(schedule, ann, ben):
    publish(schedule, weekly([ann]))
    with pytest.raises(Invalid) as refusal:
        publish(schedule, weekly([ben]), valid_from=NOW - DAY)
    assert set(refusal.value.fields) == {"valid_from"}


def test_whoever_left_was_on_call_before_and_is_so_no_more(schedule, team, ann):
    publish(schedule, weekly([ann]))
    deactivate(person=ann, clock=fixed(NOW + 2 * DAY))
    assert on_call([team.pk], NOW + DAY)[team.pk] == [ann.pk]
    assert on_call([team.pk], NOW + 2 * DAY)[team.pk] == []
    assert final_shifts(team, NOW, NOW + 9 * DAY) == [Shift(ann.pk, NOW, NOW + 2 * DAY)]


def test_what_was_served_of_an_override_stays(schedule, team, ann, ben):
    publish(schedule, weekly([ann]))
    override = add_override(
        schedule=schedule, person=ben, start=NOW, end=NOW + 4 * HOUR, clock=CLOCK
    )
    remove_override(override=override, clock=fixed(NOW + HOUR))
    assert on_call([team.pk], NOW)[team.pk] == [ben.pk]
    assert on_call([team.pk], NOW + HOUR)[team.pk] == [ann.pk]
    with pytest.raises(Conflict, match="is over"):
        remove_override(override=override, clock=fixed(NOW + 2 * HOUR))


def test_an_override_never_reaches_into_the_past(schedule, ann):
    made = add_override(schedule=schedule, person=ann, start=NOW - DAY, end=NOW + DAY, clock=CLOCK)
    assert Override.objects.get(pk=made.pk).during.lower == NOW
    with pytest.raises(Invalid) as refusal:
        add_override(schedule=schedule, person=ann, start=NOW - DAY, end=NOW, clock=CLOCK)
    assert set(refusal.value.fields) == {"end"}


# ---- Gaps --------------------------------------------------------------------------------------


def test_gaps_are_where_no_layer_serves(schedule, team, ann):
    publish(schedule, weekly([ann], restrictions=[(d, 0, 1080) for d in range(7)]))
    found = gaps(team, NOW, NOW + DAY)
    evening = NOW.replace(hour=18)
    assert [(gap.start, gap.end) for gap in found] == [(evening, NOW.replace(hour=0) + DAY)]
    served_next = next_shift(team, evening)
    assert (served_next.person_id, served_next.start) == (ann.pk, found[0].end)


def test_the_next_shift_is_the_one_that_serves_or_the_first_to_come(schedule, team, ann):
    publish(schedule, weekly([ann], starts_on=(NOW + 40 * DAY).date()))
    assert next_shift(team, NOW).start == (NOW + 40 * DAY).replace(hour=9)
    assert next_shift(team, NOW + 41 * DAY).start == NOW + 41 * DAY
    assert next_shift(Team(pk=0), NOW) is None


def test_coming_gaps_leave_out_teams_that_want_nobody_on_call(schedule, team, ann):
    publish(schedule, weekly([ann], starts_on=(NOW + 3 * DAY).date()))
    another(team, "never-published")
    publish(another(team, "retired"))
    idle = another(team, "idle")
    publish(idle, weekly([ann], restrictions=[(6, 0, 1440)]))
    Team.objects.filter(slug="idle").update(is_active=False)
    [gap] = coming_gaps(timedelta(days=14), NOW)
    assert (gap.team_id, gap.start) == (team.pk, NOW)
    assert gap.end == (NOW + 3 * DAY).replace(hour=9)


def test_coming_gaps_and_rosters_of_many_teams_take_few_queries(
    schedule, team, ann, ben, django_assert_max_num_queries
):
    for number in range(12):
        publish(another(team, f"t{number}"), weekly([ann, ben]))
    with django_assert_max_num_queries(5):
        assert coming_gaps(timedelta(days=14), NOW) == []
    with django_assert_max_num_queries(5):
        assert len(shifts_of(ann, NOW, NOW + 20 * DAY)) == 12


# ---- Broken layers -----------------------------------------------------------------------------


def corrupt(sql: str, *values) -> None:
    """Change history behind the database's back, as a damaged restore might."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(sql, values)
        cursor.execute("SET session_replication_role = DEFAULT")


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("DELETE FROM roles_rotationmember WHERE rotation_id = %s", "nobody is in this layer"),
        ("UPDATE roles_rotation SET zone = 'Mars/Olympus' WHERE id = %s", "is not known here"),
    ],
)
def test_a_broken_layer_is_a_gap_of_its_own_team_only_and_is_reported(
    schedule, team, ann, ben, caplog, sql, why
):
    other = another(team, "healthy")
    publish(other, weekly([ben]))
    publish(schedule, weekly([ann]))
    corrupt(sql, Rotation.objects.get(revision__schedule=schedule).pk)
    assert on_call([team.pk, other.team_id], NOW) == {team.pk: [], other.team_id: [ben.pk]}
    assert why in caplog.text
    assert why in broken_layers([team.pk, other.team_id], NOW)[team.pk][0]
    [gap] = coming_gaps(timedelta(days=2), NOW)
    assert gap.team_id == team.pk
    assert why in gap.why


def test_below_a_broken_layer_the_next_one_serves(schedule, team, ann, ben):
    publish(schedule, weekly([ann]), weekly([ben], name="Above"))
    corrupt(
        "DELETE FROM roles_rotationmember WHERE rotation_id = %s",
        Rotation.objects.get(name="Above").pk,
    )
    assert on_call([team.pk], NOW)[team.pk] == [ann.pk]


# ---- Who may -----------------------------------------------------------------------------------


def test_a_member_puts_in_and_takes_out_themself_and_nobody_else(schedule, ann, ben, person):
    span = {"schedule": schedule, "start": NOW, "end": NOW + HOUR, "clock": CLOCK}
    with pytest.raises(Forbidden):
        add_override(person=ben, actor=ann, **span)
    with pytest.raises(Forbidden):
        add_override(person=(stranger := person("zoe")), actor=stranger, **span)
    own = add_override(person=ann, actor=ann, **span)
    with pytest.raises(Forbidden):
        remove_override(override=own, actor=ben, clock=CLOCK)
    remove_override(override=own, actor=ann, clock=CLOCK)


def test_only_heads_and_administrators_publish_layers(schedule, lead, admin, ann, ben):
    with pytest.raises(Forbidden):
        publish(schedule, weekly([ann]), actor=ann)
    publish(schedule, weekly([ann]), actor=lead)
    publish(schedule, weekly([ben]), actor=admin)
    assert ScheduleRevision.objects.count() == 2
