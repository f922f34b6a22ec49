"""Rules of a team: how members are told who have written none of their own."""

from datetime import timedelta

import pytest

from notifications import ways
from notifications.models import Message
from notifications.teamrules import set_team_rules
from roles.models import AuditEntry, Calendar, Membership, Person, Team, Tier
from roles.people import forget_roles
from roles.refusals import Forbidden, Invalid
from tests.notifications.conftest import letter, person, post
from tests.notifications.test_spreading import CLOCK, proved, provider, rows

__all__ = ["provider"]
LADDER = [("sms", 0), ("email", 120)]


def team_of(*people: Person, name: str = "desk") -> Team:
    tier, _ = Tier.objects.get_or_create(slug="l1", name="L1", kind="ladder", rank=1)
    calendar, _ = Calendar.objects.get_or_create(slug="always", name="Always")
    team = Team.objects.create(slug=name, name=name, tier=tier, calendar=calendar)
    for each in people:
        Membership.objects.create(team=team, person=each)
    return team


def ruled(team: Team, rules=LADDER, urgency: str = "high", actor: Person | None = None):
    return set_team_rules(actor=actor, team=team, urgency=urgency, rules=rules, clock=CLOCK)


def test_who_wrote_nothing_down_is_paged_as_the_team_says(ann, provider):
    proved(ann, "sms", "+491701234567")
    ruled(team_of(ann))
    post(letter(ann, urgency="high"), letter(ann, cause="event:2"))
    assert sorted(rows()) == [("ann", "email", 0), ("ann", "email", 120), ("ann", "sms", 0)]


def test_ones_own_rules_go_first_for_each_urgency(ann, provider):
    proved(ann, "sms", "+491701234567")
    ways.set_rules(actor=ann, urgency="high", rules=[("email", 0)], clock=CLOCK)
    team = team_of(ann)
    ruled(team)
    ruled(team, [("sms", 0)], "low")
    post(letter(ann, urgency="high"), letter(ann, cause="event:2"))
    assert sorted(rows()) == [("ann", "email", 0), ("ann", "sms", 0)]


def test_a_rule_without_a_proved_address_is_left_out_and_the_first_word_still_comes_at_once(
    ann, provider
):
    bob = person("bob")
    ruled(team_of(ann, bob))
    post(letter(ann, urgency="high"), letter(bob, urgency="high"))
    assert sorted(rows()) == [("ann", "email", 0), ("bob", "email", 0)]


def test_of_several_teams_the_soonest_counts(ann, provider):
    proved(ann, "sms", "+491701234567")
    ruled(team_of(ann), [("email", 0), ("sms", 600)])
    ruled(team_of(ann, name="apps"), [("email", 0), ("sms", 60)])
    post(letter(ann, urgency="high"))
    assert sorted(rows()) == [("ann", "email", 0), ("ann", "sms", 60)]


def test_whoever_takes_pages_takes_them_by_their_own_teams_rules(ann, provider):
    bob = person("bob")
    proved(bob, "sms", "+491701234567")
    ruled(team_of(bob))
    until = CLOCK() + timedelta(hours=2)
    ways.go_away(actor=ann, until=until, taker=bob, clock=CLOCK)
    Message.objects.all().delete()
    post(letter(ann, urgency="high"))
    assert sorted(rows()) == [("bob", "email", 120), ("bob", "sms", 0)]


def test_rules_that_would_not_work_are_refused_and_only_heads_write_them(ann, provider):
    team = team_of(ann)
    for rules in ([("fax", 0)], [("email", 0), ("email", 60)], [("email", 3601)]):
        with pytest.raises(Invalid):
            ruled(team, rules)
    with pytest.raises(Forbidden):
        ruled(team, actor=ann)
    Membership.objects.filter(person=ann).update(role="lead")
    forget_roles(ann)
    ruled(team, actor=ann)
    ruled(team, [], actor=ann)
    assert not team.contact_rules.exists()
    assert AuditEntry.objects.filter(action="team.rules").count() == 2
