"""Each kind of clock begins, ends, repeats and stands still where its promise says."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from escalation.clock import Cycle, Fact, TargetSpec, read
from escalation.tape import replay
from roles.worktime import ALWAYS
from tests.escalation.test_clock import HOUR, LENIENT, aim, born, fact, minute

SPECS = {1: HOUR, 2: LENIENT, 4: TargetSpec(seconds=1800, pauses=frozenset(), first_s=900)}


def cycles(*facts: Fact) -> Mapping[tuple[str, int], Cycle]:
    return {(cycle.kind, cycle.number): cycle for cycle in replay(facts, SPECS.__getitem__)}


def told(at: float, kind: str, **about: Any) -> Fact:
    return Fact(at=minute(at), kind=kind, changed={}, about=about)


def reply(at: float, **more: Any) -> Fact:
    return fact(at, "commented", is_public=True, by_agent=True, **more)


def solve(at: float) -> Fact:
    return fact(at, "resolved", status="resolved", is_public=True, by_agent=True)


def reopen(at: float, entry: int) -> Fact:
    return fact(at, "reopened", status="waiting_for_support", entry=entry, is_public=True)


def span(cycle: Cycle) -> tuple[float, float | None, str]:
    """Minutes after nine of start and end, and how it ended."""
    start, end = cycle.started_at, cycle.stopped_at
    minutes = (end - minute(0)).total_seconds() / 60 if end else None
    return (start - minute(0)).total_seconds() / 60, minutes, cycle.ended_as


def spans(kind: str, *facts: Fact) -> list[tuple[float, float | None, str]]:
    found = cycles(*facts)
    return [span(found[key]) for key in sorted(found) if key[0] == kind]


# ---- Next update -------------------------------------------------------------------------------


def test_the_next_update_is_owed_from_the_first_answer_on_and_met_by_each_further_one() -> None:
    facts = [*born(first_response=2, next_update=1), reply(30), reply(70), reply(75)]
    assert spans("next_update", *facts) == [(30, 70, "met"), (70, 75, "met"), (75, None, "")]
    assert spans("first_response", *facts) == [(0, 30, "met")]


def test_an_internal_note_or_the_requesters_word_is_no_update() -> None:
    facts = [
        *born(next_update=1),
        reply(5),
        fact(10, "commented", by_agent=True),
        fact(20, "commented", is_public=True),
    ]
    assert spans("next_update", *facts) == [(5, None, "")]


def test_the_solution_is_the_last_update_and_a_reopening_owes_a_fresh_one() -> None:
    facts = [*born(next_update=1), reply(10), solve(40)]
    assert spans("next_update", *facts) == [(10, 40, "met")]
    facts += [reopen(90, 2), aim(90, next_update=1)]
    assert spans("next_update", *facts) == [(10, 40, "met"), (90, None, "")]
    closed = [*facts[:-2], fact(90, "closed", status="closed")]
    assert spans("next_update", *closed) == [(10, 40, "met")]


def test_no_update_is_owed_before_a_person_has_answered_even_after_a_reopening() -> None:
    facts = [
        *born(first_response=2, next_update=1),
        fact(10, "resolved", status="resolved"),
        reopen(20, 2),
        aim(20, first_response=2, next_update=1),
    ]
    assert spans("next_update", *facts) == []
    # The machine's solution answered nobody: the same promise goes on, solved time left out.
    first = cycles(*facts)["first_response", 1]
    assert (first.state, first.pauses) == ("running", ((minute(10), minute(20)),))
    assert spans("next_update", *facts, reply(25)) == [(25, None, "")]


def test_cancelling_owes_no_update_any_more() -> None:
    facts = [*born(next_update=1), reply(10), fact(20, "cancelled", status="cancelled")]
    assert spans("next_update", *facts, reply(30)) == [(10, 20, "cancelled")]


# ---- Time in a team ----------------------------------------------------------------------------


def test_the_time_in_a_team_is_counted_anew_in_each_and_ends_where_the_ticket_leaves() -> None:
    facts = [
        *born(time_in_team=1),
        fact(10, status="in_progress"),
        fact(25, "escalated", status="waiting_for_support", entry=2, team_id=11),
        aim(25, time_in_team=1),
        fact(40, "handed_back", entry=3, team_id=10),
        aim(40, time_in_team=1),
        solve(50),
    ]
    assert spans("time_in_team", *facts) == [
        (0, 25, "moved"),
        (25, 40, "handed_back"),
        (40, 50, "met"),
    ]
    assert [cycles(*facts)["time_in_team", n].team_id for n in (1, 2, 3)] == [10, 11, 10]


def test_a_reopening_is_a_fresh_entry_into_the_same_team() -> None:
    facts = [*born(time_in_team=1), solve(30), reopen(50, 2), aim(50, time_in_team=1)]
    assert spans("time_in_team", *facts) == [(0, 30, "met"), (50, None, "")]


def test_the_entry_is_judged_by_the_targets_of_the_team_entered_alone() -> None:
    facts = [*born(acceptance=1, time_in_team=1), fact(25, "escalated", entry=2, team_id=11)]
    assert {key[1] for key in cycles(*facts)} == {1}
    without = [*facts, aim(25, resolution=1)]
    assert ("acceptance", 2) not in cycles(*without)


# ---- Vendors -----------------------------------------------------------------------------------

ENGAGED = [
    *born(resolution=1),
    fact(5, status="in_progress"),
    told(10, "vendor_engaged", vendor=3, engagement=8),
    aim(10, resolution=1, vendor_response=2, vendor_fix=2),
    fact(10, status="pending_vendor"),
]


def test_a_vendors_clocks_run_on_while_the_customers_waits_for_it() -> None:
    found = cycles(*ENGAGED)
    assert found["resolution", 1].state == "paused"
    assert {found[kind, 1].state for kind in ("vendor_response", "vendor_fix")} == {"running"}


def test_an_answer_ends_the_response_and_a_delivery_the_fix() -> None:
    facts = [*ENGAGED, told(20, "vendor_responded"), told(60, "vendor_delivered")]
    assert spans("vendor_response", *facts) == [(10, 20, "met")]
    assert spans("vendor_fix", *facts) == [(10, 60, "met")]


def test_a_delivery_without_a_word_before_is_the_answer_too() -> None:
    assert spans("vendor_response", *ENGAGED, told(60, "vendor_delivered")) == [(10, 60, "met")]


def test_releasing_a_vendor_cancels_what_it_still_owed_only() -> None:
    facts = [*ENGAGED, told(20, "vendor_responded"), told(30, "vendor_released")]
    assert spans("vendor_response", *facts) == [(10, 20, "met")]
    assert spans("vendor_fix", *facts) == [(10, 30, "cancelled")]


def test_each_engagement_has_cycles_of_its_own() -> None:
    facts = [
        *ENGAGED,
        told(20, "vendor_delivered"),
        told(20, "vendor_released"),
        told(90, "vendor_engaged", vendor=4, engagement=9),
        aim(90, resolution=1, vendor_fix=1),
    ]
    assert spans("vendor_fix", *facts) == [(10, 20, "met"), (90, None, "")]
    assert spans("vendor_response", *facts) == [(10, 20, "met")]


def test_a_solution_takes_the_vendors_time_off_and_a_reopening_gives_it_back() -> None:
    facts = [*ENGAGED, solve(30)]
    assert spans("vendor_fix", *facts) == [(10, 30, "cancelled")]
    facts += [reopen(50, 2), aim(50, resolution=1, vendor_fix=2)]
    fix = cycles(*facts)["vendor_fix", 1]
    assert (span(fix), fix.pauses) == ((10, None, ""), ((minute(30), minute(50)),))


# ---- Stakeholders of a major -------------------------------------------------------------------


def major(*facts: Fact) -> list[Fact]:
    return [
        *born(resolution=1),
        told(10, "major_declared"),
        aim(10, resolution=1, stakeholder_update=4),
        *facts,
    ]


def test_the_first_word_is_due_sooner_than_the_next_ones() -> None:
    facts = major(told(20, "major_updated"), told(45, "major_updated"))
    found = cycles(*facts)
    assert spans("stakeholder_update", *facts) == [(10, 20, "met"), (20, 45, "met"), (45, None, "")]
    lengths = [found["stakeholder_update", n].target_s for n in (1, 2, 3)]
    assert lengths == [900, 1800, 1800]


@pytest.mark.parametrize(
    ("ending", "how"),
    [
        (told(30, "major_demoted"), "cancelled"),
        (solve(30), "met"),
        (fact(30, "cancelled", status="cancelled"), "cancelled"),
    ],
)
def test_a_major_that_is_over_owes_no_word(ending: Fact, how: str) -> None:
    facts = major(ending, told(40, "major_updated"))
    assert spans("stakeholder_update", *facts) == [(10, 30, how)]


def test_a_reopened_major_owes_a_first_word_again() -> None:
    facts = major(solve(30), reopen(60, 2), aim(60, resolution=1, stakeholder_update=4))
    found = cycles(*facts)["stakeholder_update", 2]
    assert (span(found), found.target_s) == ((60, None, ""), 900)


def test_nobody_is_owed_an_update_of_an_ordinary_ticket() -> None:
    facts = [*born(stakeholder_update=4), told(5, "major_updated")]
    assert spans("stakeholder_update", *facts) == []


# ---- What the law wants ------------------------------------------------------------------------


def owed(**about: Any) -> list[Fact]:
    return [
        *born(resolution=1),
        told(30, "notice_owed", **about),
        aim(30, resolution=1, regulatory=2),
    ]


def test_a_notice_is_owed_from_the_awareness_on() -> None:
    facts = owed(since=minute(-20).isoformat())
    assert spans("regulatory", *facts) == [(-20, None, "")]
    assert spans("regulatory", *facts, told(60, "notice_given")) == [(-20, 60, "met")]
    assert spans("regulatory", *owed(since=minute(99).isoformat())) == [(30, None, "")]


def test_a_notice_is_owed_even_when_the_case_is_solved_closed_or_merged() -> None:
    facts = owed()
    for ending in (
        [solve(40)],
        [solve(40), fact(50, "closed", status="closed")],
        [fact(40, "merged", status="resolved")],
    ):
        assert spans("regulatory", *facts, *ending) == [(30, None, "")]
    late = read(cycles(*facts, solve(40))["regulatory", 1], ALWAYS, minute(200))
    assert late.breached_at == minute(150)
    assert spans("regulatory", *facts, fact(40, "cancelled", status="cancelled")) == [
        (30, 40, "cancelled")
    ]


def test_a_notice_may_come_to_be_owed_after_the_solution_without_waking_other_clocks() -> None:
    facts = [
        *born(resolution=1),
        solve(20),
        told(30, "notice_owed"),
        aim(30, resolution=2, regulatory=2),
    ]
    found = cycles(*facts)
    assert span(found["resolution", 1]) == (0, 20, "met")
    assert found["resolution", 1].target_id == 1, "what is solved is not aimed anew"
    assert found["regulatory", 1].state == "running"


def test_a_second_word_that_it_is_owed_changes_nothing_while_it_is() -> None:
    again = [told(50, "notice_owed"), aim(50, resolution=1, regulatory=2)]
    assert spans("regulatory", *owed(), *again) == [(30, None, "")]
    after = [told(40, "notice_given"), *again]
    assert spans("regulatory", *owed(), *after) == [(30, 40, "met"), (50, None, "")]


def test_two_authorities_are_owed_two_notices_at_once() -> None:
    facts = [
        *owed(notice=1),
        told(50, "notice_owed", notice=2),
        aim(50, resolution=1, regulatory=2),
        told(70, "notice_given", notice=2),
    ]
    assert spans("regulatory", *facts) == [(30, None, ""), (50, 70, "met")]
    assert spans("regulatory", *facts, told(80, "notice_given", notice=1))[0] == (30, 80, "met")


# ---- Merging, and targets that come and go -----------------------------------------------------


def test_a_duplicate_that_ends_by_merging_has_its_clocks_cancelled() -> None:
    facts = [*born(resolution=1, first_response=1), fact(20, "merged", status="resolved")]
    assert {cycle.ended_as for cycle in cycles(*facts).values()} == {"cancelled"}
    survivor = [*born(resolution=1), told(20, "merged")]
    assert spans("resolution", *survivor) == [(0, None, "")]


def test_a_target_that_comes_late_counts_from_what_opened_the_clock() -> None:
    facts = [*born(resolution=1), reply(10), aim(30, resolution=1, next_update=1)]
    assert spans("next_update", *facts) == [(10, None, "")]


def test_only_a_first_word_has_the_first_words_time() -> None:
    spec = {1: replace(HOUR, first_s=60)}
    found = replay(born(resolution=1, acceptance=1), spec.__getitem__)
    assert {cycle.target_s for cycle in found} == {3600}
