"""Who is on call follows rotation, overrides and who is really there."""

import pytest

from roles.models import Duty, Override, Schedule, Team
from roles.oncall import duty_on_call, final_shifts, holders, on_call
from roles.overrides import add_override, remove_override
from roles.people import deactivate
from roles.refusals import Conflict, Forbidden, Invalid
from roles.rosters import set_schedule
from roles.teams import assign_duty
from tests.roles.conftest import CLOCK, NOW
from tests.roles.roster import DAY, HOUR, publish, weekly

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann(person):
    return person("ann")


@pytest.fixture
def ben(person):
    return person("ben")


@pytest.fixture
def schedule(team, ann, ben) -> Schedule:
    """Ann this week and Ben the next, handing over on Mondays at 09:00 in Berlin."""
    made = set_schedule(team=team, zone="Europe/Berlin", clock=CLOCK)
    publish(made, weekly([ann, ben]), valid_from=NOW - 30 * DAY)
    return made


def stand_in(schedule, person, **fields) -> Override:
    values = {"start": NOW, "end": NOW + HOUR, "clock": CLOCK}
    return add_override(schedule=schedule, person=person, **{**values, **fields})


def test_the_rotation_says_who_is_on_call(schedule, team, ann, ben):
    assert on_call([team.pk], NOW) == {team.pk: [ann.pk]}
    assert on_call([team.pk], NOW + 7 * DAY) == {team.pk: [ben.pk]}


def test_an_override_wins_for_as_long_as_it_lasts(schedule, team, ann, ben):
    stand_in(schedule, ben)
    assert on_call([team.pk], NOW)[team.pk] == [ben.pk]
    assert on_call([team.pk], NOW + HOUR)[team.pk] == [ann.pk]


def test_a_removed_override_gives_the_time_back(schedule, team, ann, ben):
    remove_override(override=stand_in(schedule, ben), clock=CLOCK)
    assert on_call([team.pk], NOW)[team.pk] == [ann.pk]


def test_inactive_people_are_left_out_and_leave_a_gap(schedule, team, ann, ben):
    deactivate(person=ann, clock=CLOCK)
    assert on_call([team.pk], NOW) == {team.pk: []}
    assert final_shifts(team, NOW, NOW + 14 * DAY)[0].person_id == ben.pk
    assert final_shifts(team, NOW, NOW + 14 * DAY)[0].start > NOW


def test_when_the_stand_in_has_left_the_rotation_serves(schedule, team, ann, ben):
    stand_in(schedule, ben)
    deactivate(person=ben, clock=CLOCK)
    assert on_call([team.pk], NOW)[team.pk] == [ann.pk]


def test_a_higher_rotation_wins(schedule, team, ann, ben):
    publish(schedule, weekly([ann, ben]), weekly([ben], name="Above"))
    assert on_call([team.pk], NOW)[team.pk] == [ben.pk]
    publish(schedule, weekly([ann, ben]))
    assert on_call([team.pk], NOW)[team.pk] == [ann.pk]


def test_before_the_start_and_without_a_schedule_nobody_is_on_call(schedule, team):
    other = Team.objects.create(slug="b", name="B", tier=team.tier, calendar=team.calendar)
    assert on_call([team.pk, other.pk], NOW - 7 * DAY) == {team.pk: [], other.pk: []}


def test_many_teams_take_three_queries(schedule, team, ann, ben, django_assert_max_num_queries):
    ids = [team.pk]
    for number in range(20):
        other = Team.objects.create(
            slug=f"t{number}", name=f"T{number}", tier=team.tier, calendar=team.calendar
        )
        publish(set_schedule(team=other, zone="UTC", clock=CLOCK), weekly([ben, ann]))
        ids.append(other.pk)
    with django_assert_max_num_queries(3):
        found = on_call(ids, NOW)
    assert len(found) == 21
    assert all(found.values())


def test_final_shifts_agree_with_who_is_on_call_at_every_hour(schedule, team, ann, ben):
    stand_in(schedule, ben, start=NOW + 5 * HOUR, end=NOW + 9 * HOUR)
    listed = final_shifts(team, NOW, NOW + 15 * DAY)
    for hour in range(15 * 24):
        moment = NOW + hour * HOUR
        covering = [s.person_id for s in listed if s.start <= moment < s.end]
        assert covering == on_call([team.pk], moment)[team.pk]


def test_a_backward_range_has_no_shifts(schedule, team):
    with pytest.raises(ValueError, match="before it starts"):
        final_shifts(team, NOW, NOW - HOUR)


def test_duty_holders_on_call_come_first_and_else_all(schedule, ann, ben, person):
    duty = Duty.objects.create(slug="incident-manager", name="Incident manager")
    cat = person("cat")
    for holder in (ben, cat):
        assign_duty(duty=duty, person=holder, clock=CLOCK)
    assert holders("incident-manager") == [ben.pk, cat.pk]
    assert duty_on_call("incident-manager", NOW) == [ben.pk, cat.pk]
    assert duty_on_call("incident-manager", NOW + 7 * DAY) == [ben.pk]
    deactivate(person=ben, clock=CLOCK)
    assert holders("incident-manager") == [cat.pk]
    assert holders("no-such-duty") == []


# ---- What is refused ---------------------------------------------------------------------------


def test_overlapping_overrides_are_a_conflict_and_change_nothing(schedule, ann, ben):
    stand_in(schedule, ben)
    with pytest.raises(Conflict) as refusal:
        stand_in(schedule, ann, start=NOW + HOUR / 2, end=NOW + 2 * HOUR)
    assert refusal.value.code == "override_overlaps"
    assert Override.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"end": NOW}, "end"),
        ({"start": NOW.replace(tzinfo=None)}, "start"),
        ({"reason": "x" * 501}, "reason"),
    ],
)
def test_a_bad_override_names_its_field(schedule, ben, fields, field):
    with pytest.raises(Invalid) as refusal:
        stand_in(schedule, ben, **fields)
    assert set(refusal.value.fields) == {field}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"people": []}, "people"),
        ({"name": ""}, "name"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"shift_days": 0}, "shift_days"),
        ({"shift_days": None}, "shift_days"),
        ({"shift_hours": 8}, "shift_days"),
        ({"shift_days": None, "shift_hours": 3000}, "shift_hours"),
        ({"handover_weekday": 7}, "handover_weekday"),
        ({"restrictions": [(0, 60, 30)]}, "restrictions"),
    ],
)
def test_a_bad_layer_names_its_field(schedule, ben, fields, field):
    values = {"people": [ben], **fields}
    with pytest.raises(Invalid) as refusal:
        publish(schedule, weekly([ben]), weekly(values.pop("people"), **values))
    assert set(refusal.value.fields) == {f"layers.2.{field}"}


def test_inactive_people_get_no_shifts(schedule, ben):
    deactivate(person=ben, clock=CLOCK)
    with pytest.raises(Invalid):
        publish(schedule, weekly([ben]))
    with pytest.raises(Invalid):
        stand_in(schedule, ben)


def test_an_unknown_zone_is_refused(team):
    with pytest.raises(Invalid, match="zone"):
        set_schedule(team=team, zone="Mars/Olympus", clock=CLOCK)


def test_only_heads_of_the_team_and_administrators_write_its_roster(schedule, lead, admin, ann):
    with pytest.raises(Forbidden):
        stand_in(schedule, ann, actor=ann)
    stand_in(schedule, ann, actor=lead)
    stand_in(schedule, ann, actor=admin, start=NOW + HOUR, end=NOW + 2 * HOUR)
