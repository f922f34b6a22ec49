"""Two people exchange shifts, or one gives one away, once both have agreed."""

import pytest

from roles.instants import fixed
from roles.models import AuditEntry, Override
from roles.oncall import final_shifts
from roles.people import deactivate
from roles.refusals import Conflict, Forbidden, Invalid
from roles.rosters import set_schedule
from roles.rotation import Shift
from roles.swaps import accept_swap, decline_swap, offer_swap, withdraw_swap
from roles.teams import add_member
from tests.roles.conftest import CLOCK, NOW
from tests.roles.roster import DAY, HOUR, publish, weekly

pytestmark = pytest.mark.django_db
TODAY = (NOW + HOUR, NOW + 5 * HOUR)
NEXT_WEEK = (NOW + 8 * DAY, NOW + 9 * DAY)


@pytest.fixture
def cast(person, team):
    people = [person(name) for name in ("ann", "ben", "cat")]
    for each in people:
        add_member(team=team, person=each, clock=CLOCK)
    return people


@pytest.fixture
def schedule(team, cast):
    """Ann this week, Ben the next."""
    made = set_schedule(team=team, zone="UTC", clock=CLOCK)
    publish(made, weekly(cast[:2]))
    return made


def offer(schedule, giver, taker, **fields):
    values = {"during": TODAY, "clock": CLOCK, "actor": giver, **fields}
    return offer_swap(schedule=schedule, giver=giver, taker=taker, **values)


def test_an_exchange_changes_nothing_before_the_other_accepts_and_then_both_ways(
    schedule, team, cast
):
    ann, ben, _ = cast
    before = final_shifts(team, NOW, NOW + 10 * DAY)
    swap = offer(schedule, ann, ben, in_return=NEXT_WEEK, reason="Dentist")
    assert final_shifts(team, NOW, NOW + 10 * DAY) == before
    accept_swap(swap=swap, actor=ben, clock=CLOCK)
    found = final_shifts(team, NOW, NOW + 10 * DAY)
    assert Shift(ben.pk, *TODAY) in found
    assert Shift(ann.pk, *NEXT_WEEK) in found
    assert [row.swap for row in Override.objects.all()] == [swap, swap]
    acts = AuditEntry.objects.filter(action__startswith="swap.").order_by("id")
    assert [(row.action, row.actor_id) for row in acts] == [
        ("swap.requested", ann.pk),
        ("swap.accepted", ben.pk),
    ]


def test_a_shift_may_be_given_away_and_given_on(schedule, team, cast):
    ann, ben, cat = cast
    accept_swap(swap=offer(schedule, ann, ben), actor=ben, clock=CLOCK)
    part = (TODAY[0] + HOUR, TODAY[1] - HOUR)
    accept_swap(swap=offer(schedule, ben, cat, during=part), actor=cat, clock=CLOCK)
    assert final_shifts(team, *TODAY) == [
        Shift(ben.pk, TODAY[0], part[0]),
        Shift(cat.pk, *part),
        Shift(ben.pk, part[1], TODAY[1]),
    ]


def test_only_the_other_answers_and_only_the_giver_withdraws(schedule, cast, lead):
    ann, ben, cat = cast
    swap = offer(schedule, ann, ben)
    for actor in (ann, cat):
        with pytest.raises(Forbidden):
            accept_swap(swap=swap, actor=actor, clock=CLOCK)
    with pytest.raises(Forbidden):
        withdraw_swap(swap=swap, actor=ben, clock=CLOCK)
    decline_swap(swap=swap, actor=ben, clock=CLOCK)
    with pytest.raises(Conflict, match="declined"):
        accept_swap(swap=swap, actor=ben, clock=CLOCK)
    withdraw_swap(swap=offer(schedule, ann, ben), actor=ann, clock=CLOCK)
    accept_swap(swap=offer(schedule, ann, ben), actor=lead, clock=CLOCK)


def test_nobody_offers_the_hours_of_others(schedule, cast):
    ann, ben, cat = cast
    with pytest.raises(Forbidden):
        offer(schedule, ann, ben, actor=cat)
    with pytest.raises(Conflict, match="does not serve"):
        offer(schedule, cat, ben)
    with pytest.raises(Conflict, match="does not serve"):
        offer(schedule, ann, ben, in_return=TODAY)


def test_an_offer_that_no_longer_fits_is_not_accepted(schedule, cast):
    ann, ben, cat = cast
    first, second = offer(schedule, ann, ben), offer(schedule, ann, cat)
    accept_swap(swap=first, actor=ben, clock=CLOCK)
    with pytest.raises(Conflict, match="does not serve"):
        accept_swap(swap=second, actor=cat, clock=CLOCK)
    late = offer(schedule, ann, cat, during=(NOW + DAY, NOW + 2 * DAY))
    with pytest.raises(Conflict, match="have begun"):
        accept_swap(swap=late, actor=cat, clock=fixed(NOW + DAY + HOUR))


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"during": (NOW - HOUR, NOW + HOUR)}, "during"),
        ({"during": (NOW + HOUR, NOW + HOUR)}, "during"),
        ({"in_return": (NOW.replace(tzinfo=None), NOW)}, "in_return"),
        ({"reason": "x" * 501}, "reason"),
    ],
)
def test_a_bad_swap_names_its_field(schedule, cast, fields, field):
    with pytest.raises(Invalid) as refusal:
        offer(schedule, *cast[:2], **fields)
    assert set(refusal.value.fields) == {field}


def test_a_swap_needs_two_people_who_are_here(schedule, cast):
    ann, ben, _ = cast
    with pytest.raises(Invalid):
        offer(schedule, ann, ann)
    deactivate(person=ben, clock=CLOCK)
    with pytest.raises(Invalid):
        offer(schedule, ann, ben)
