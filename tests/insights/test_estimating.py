"""Estimates of open tickets: made at opening and after events, acted on by policies only."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from escalation.models import TicketFact
from insights.models import Estimate, RiskModel
from insights.risk import growing, training
from insights.risk.backlog import KEPT, Backlog
from insights.risk.estimating import estimate, estimate_waiting
from insights.risk.memory import Memory
from insights.risk.own import own_cases
from insights.risk.walking import walk
from tests.insights.risky import FEW_TREES, learned_version
from tests.story import Story, notify
from tickets.assignment import take
from tickets.lifecycle import resolve
from tickets.models import Category, Ticket
from tickets.restriction import restrict

NET, CHAIR = "net", "chair"


@pytest.fixture
def story(story: Story, monkeypatch) -> Story:
    monkeypatch.setattr(growing, "SHAPE", FEW_TREES)
    story.target("resolution", 240)
    step = {"name": "Likely late", "trigger": "risk", "percent": 60, "actions": [notify("lead")]}
    story.policy("p", step)
    return story


@pytest.fixture
def categories(story) -> dict[str, Category]:
    return {
        slug: Category.objects.create(slug=slug, name=slug) for slug in ("net", "chair", "mail")
    }


def learned(story: Story, categories: dict[str, Category]) -> RiskModel:
    values = {slug: str(category.pk) for slug, category in categories.items()}
    return learned_version(values, at=story.now)


def risk_of(ticket: Ticket) -> float:
    return Estimate.objects.get(ticket=ticket.pk).probability


def test_tickets_are_estimated_and_a_policys_step_on_risk_goes_off(story, categories) -> None:
    learned(story, categories)
    bad = story.open(category=categories[NET])
    good = story.open(category=categories[CHAIR])
    story.phone.ignore("received")
    assert estimate_waiting(clock=story.clock) == 2
    assert risk_of(bad) > 0.6 > 0.3 > risk_of(good)
    assert TicketFact.objects.get(pk=bad.pk).risk == round(100 * risk_of(bad))
    story.forward(seconds=5)
    story.phone.rang(("lena", "notify"))
    assert story.fired(bad) == ["Likely late"]
    assert story.fired(good) == []
    reasons = Estimate.objects.get(ticket=bad.pk).reasons
    assert reasons[0]["of"] == "category"
    assert reasons[0]["share"] > 0.6


def test_after_an_event_it_is_estimated_anew_and_without_one_hourly(story, categories) -> None:
    learned(story, categories)
    ticket = story.open(category=categories[NET])
    estimate_waiting(clock=story.clock)
    assert estimate_waiting(clock=story.clock) == 0
    take(ticket=ticket, actor=story.agent, clock=story.clock)
    assert estimate_waiting(clock=story.clock) == 1
    assert Estimate.objects.get().seq == story.fresh(ticket).last_seq
    story.sleep(hours=2)
    assert estimate_waiting(clock=story.clock) == 1


def asked(story: Story, ids: list[int]) -> int:
    """How many statements the estimates of these tickets take."""
    with CaptureQueriesContext(connection) as statements:
        assert len(estimate(ids, clock=story.clock)) == len(ids)
    return len(statements)


def test_thirty_tickets_are_estimated_by_as_many_statements_as_ten(story, categories) -> None:
    learned(story, categories)
    of = [categories[slug] for slug in (NET, CHAIR)]
    ids = [story.open(category=of[number % 2]).pk for number in range(30)]
    ten = asked(story, ids[:10])
    assert asked(story, ids) <= ten
    assert asked(story, ids) <= 8, "Nothing has changed: no policy is asked to look"
    assert asked(story, ids[:1]) <= 8


def test_what_is_open_is_counted_once_for_all_who_are_estimated_meanwhile(
    story, django_assert_num_queries
) -> None:
    backlog, desk = Backlog(), ("team", str(story.desk.pk))
    story.open()
    with django_assert_num_queries(2):
        first = backlog.at(story.now)
        assert backlog.at(story.now + KEPT - timedelta(seconds=1)) is first
    story.open()
    assert first[desk] == (1, 1)
    assert backlog.at(story.now + KEPT)[desk] == (2, pytest.approx(2, abs=0.01))
    assert backlog.at(story.now + timedelta(days=2))[desk] == (2, pytest.approx(0.5, abs=0.01))
    assert backlog.at(story.now)[desk] == (2, pytest.approx(2)), "nothing of a later moment is said"


def test_what_comes_in_lately_is_in_use_what_it_was_in_learning(story, categories) -> None:
    """Solved or not: a memory that lived through the same days says the same."""
    for hours, slug in ((0, NET), (7, NET), (1, CHAIR), (30, NET), (2.4, CHAIR), (0.3, NET)):
        story.sleep(hours=hours)
        ticket = story.open(category=categories[slug])
    take(ticket=ticket, actor=story.agent, clock=story.clock)
    resolve(ticket=ticket, actor=story.agent, code="fixed", text="Done", clock=story.clock)
    story.sleep(hours=5)
    memory = Memory()
    walk(own_cases(story.now), memory)
    at_s = story.now.timestamp()
    used = Backlog().at(story.now)
    for key in (("category", str(categories[NET].pk)), ("team", str(story.desk.pk))):
        learned = memory.known(key)
        assert used[key] == (learned.open_now, pytest.approx(learned.arrivals(at_s), rel=1e-3))


def test_a_restricted_ticket_has_no_estimate_and_teaches_nobody(story, categories) -> None:
    learned(story, categories)
    ticket = story.open(category=categories[NET])
    estimate_waiting(clock=story.clock)
    assert [case.key for case in own_cases(story.now)] == [ticket.key]
    restrict(ticket=ticket, actor=story.incident_manager, reason="Leak", clock=story.clock)
    estimate_waiting(clock=story.clock)
    assert not Estimate.objects.exists()
    assert not TicketFact.objects.exists()
    assert own_cases(story.now) == []


def test_what_is_over_or_no_longer_trusted_loses_its_estimate(story, categories) -> None:
    learned(story, categories)
    solved, still = story.open(category=categories[NET]), story.open(category=categories[NET])
    estimate_waiting(clock=story.clock)
    ticket = take(ticket=solved, actor=story.agent, clock=story.clock)
    resolve(ticket=ticket, actor=story.agent, code="fixed", text="Done", clock=story.clock)
    estimate_waiting(clock=story.clock)
    assert list(Estimate.objects.values_list("ticket", flat=True)) == [still.pk]
    newer = training.train(clock=story.clock)
    assert not newer.is_used
    assert estimate_waiting(clock=story.clock) == 1
    assert not TicketFact.objects.exists()


def test_too_short_a_history_abstains_and_says_what_it_takes(story) -> None:
    story.open()
    model = training.train(clock=story.clock)
    assert (model.is_used, model.learned) == (False, {})
    assert (
        model.why_not
    ) == "It takes 500 tickets with a known end, 50 of them bad; there are 0 with 0."


def test_own_tickets_are_cases_that_end_badly_by_a_miss_or_the_next_tier(story) -> None:
    missed, fine = story.open(), story.open()
    ticket = take(ticket=fine, actor=story.agent, clock=story.clock)
    story.sleep(hours=1)
    resolve(ticket=ticket, actor=story.agent, code="fixed", text="Done", clock=story.clock)
    before = {case.key: case for case in own_cases(story.now)}
    assert before[missed.key].ended_badly is None
    story.forward(hours=5)
    after = {case.key: case for case in own_cases(story.now)}
    assert after[missed.key].ended_badly is True
    assert after[missed.key].known_at < story.now
    assert after[fine.key].ended_badly is False
    assert after[fine.key].facts["team"] == str(story.desk.pk)
    assert after[fine.key].facts["service"] == str(story.mail.pk)
