"""The bill says where late time went, to the microsecond, and in words."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escalation.bill import Bill, Names, Place, bill_of, place_words, stays
from escalation.billing import late_words, split_words
from escalation.clock import Fact
from escalation.handover import escalate
from escalation.models import Clock
from escalation.tape import replay
from roles.worktime import ALWAYS, running_seconds
from tests.escalation.test_clock import (
    SPECS,
    aim,
    born,
    fact,
    legal_timeline,
    minute,
    moves,
    office,
)
from tickets.assignment import take
from tickets.lifecycle import pend, resolve

NAMES = Names(teams={10: "Service Desk", 11: "Database Administration"}, vendors={3: "Hosting"})


def bill(told: list[Fact], at: float, kind: str = "resolution") -> Bill:
    (cycle,) = [item for item in replay(told, SPECS.__getitem__) if item.kind == kind]
    return bill_of(cycle, ALWAYS, stays(told), minute(at))


def test_late_time_is_split_by_where_the_ticket_was() -> None:
    told = [
        *born(resolution=3),
        fact(5, status="in_progress"),
        fact(8, "escalated", status="waiting_for_support", entry=2, team_id=11),
        aim(8, resolution=3),
        fact(35, status="in_progress"),
        Fact(minute(40), "vendor_engaged", {"status": "pending_vendor"}, about={"vendor": 3}),
        fact(50, status="in_progress"),
        fact(55, status="resolved"),
    ]
    # Ten minutes are allowed, and this target stands still while others have to act.
    found = bill(told, 90)
    assert split_words(found.late, NAMES) == (
        "25 min in Database Administration's queue, 10 min with Database Administration"
    )
    assert found.late_s == 35 * 60
    assert split_words(found.whole, NAMES) == (
        "27 min in Database Administration's queue, 10 min with Database Administration,"
        " 5 min in Service Desk's queue, 3 min with Service Desk"
    )
    assert found.whole_s == 45 * 60


def test_a_target_that_runs_on_bills_the_vendor_and_the_requester_too() -> None:
    told = [
        *born(resolution=2),
        fact(5, status="in_progress"),
        Fact(minute(10), "vendor_engaged", {"status": "pending_vendor"}, about={"vendor": 3}),
        fact(150, status="in_progress"),
        fact(150, status="pending_requester"),
        fact(170, status="in_progress"),
    ]
    found = bill(told, 175)
    assert split_words(found.late, NAMES) == (
        "30 min with Hosting, 20 min waiting for the requester, 5 min with Service Desk"
    )


def test_a_clock_in_time_has_nothing_to_pay() -> None:
    found = bill(born(resolution=1), 30)
    assert (found.late, found.late_s, found.whole_s) == ((), 0, 1800)


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (Place("queue", 10), "in Service Desk's queue"),
        (Place("team", 99), "with a team"),
        (Place("vendor"), "with the vendor"),
        (Place("change"), "waiting for a change"),
        (Place("unrouted"), "before any team had it"),
        (Place("after"), "after it was solved"),
    ],
)
def test_each_place_has_words(place: Place, words: str) -> None:
    assert place_words(place, NAMES) == words


@given(moves, st.integers(0, 20_000))
def test_the_shares_sum_exactly_to_the_lateness_and_to_what_has_elapsed(
    wanted: list[tuple[float, str, int]], later: int
) -> None:
    told = legal_timeline(wanted)
    as_of: datetime = told[-1].at + timedelta(minutes=later)
    for calendar in (ALWAYS, office):
        for cycle in replay(told, SPECS.__getitem__):
            end = cycle.stopped_at or as_of
            elapsed_s = running_seconds(calendar, cycle.started_at, end, cycle.pauses)
            found = bill_of(cycle, calendar, stays(told), as_of)
            elapsed_us = round(elapsed_s * 1_000_000)
            assert sum(share.us for share in found.whole) == elapsed_us
            late_us = max(0, elapsed_us - cycle.target_s * 1_000_000)
            assert sum(share.us for share in found.late) == late_us


def test_the_bill_of_a_ticket_is_read_in_few_queries(story, django_assert_max_num_queries) -> None:
    story.target("resolution", 10, pauses=())
    ticket = story.open()
    story.forward(minutes=35)
    escalate(
        ticket=ticket, actor=story.agent, reason_code="skill", reason="Deep", clock=story.clock
    )
    take(ticket=ticket, actor=story.engineer, clock=story.clock)
    story.forward(minutes=5)
    act = {"ticket": ticket, "actor": story.engineer, "clock": story.clock}
    pend(**act, status="pending_vendor", reason="Parts")
    story.forward(minutes=10)
    resolve(**act, code="fixed", text="Done")
    clocks = list(Clock.objects.all())
    with django_assert_max_num_queries(3):
        (words,) = late_words(clocks, story.now).values()
    assert words == "40 min late: 25 min in Desk's queue, 10 min with the vendor, 5 min with Apps"
    with django_assert_max_num_queries(0):
        assert late_words([], story.now) == {}
