"""Figures of a small site that was counted by hand: one test for each figure's number."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.db import transaction

from insights.figures.answers import span, tell_board
from insights.figures.behind import Narrower, facts_behind
from insights.figures.boards import BOARD_BY_SLUG, BOARDS
from insights.figures.figure import COUNT
from insights.figures.folding import fold_all
from insights.figures.models import Point
from insights.figures.registry import BY_SLUG, FIGURES
from insights.figures.sums import Question
from roles.models import Team
from tests.insights.small_site import MARCH, live, second, split, value
from tests.story import Story
from web.figures.asking import asked_of


@pytest.fixture(scope="module")
def site(django_db_setup, django_db_blocker):
    """The small site, lived through once for all tests that only read it."""
    with django_db_blocker.unblock(), transaction.atomic():
        story = Story()
        tickets = live(story)
        fold_all(clock=story.clock)
        told = {board.slug: tell_board(board, MARCH, None, now=story.now) for board in BOARDS}
        yield story, tickets, told
        transaction.set_rollback(True)


BY_HAND = {
    # Resolution in 60 min: easy kept; deep (90), found (65) and silent missed; tossed waits.
    "sla": 1 / 4,
    "missed": 3,
    # Acceptance in 30 min: easy, deep twice, tossed twice and once more handed back, found: kept;
    # silent missed, and found, reopened at 70, again at 100.
    "ola": 7 / 9,
    "vendors": None,
    # deep is 30 min late, with apps; found is open again and silent open still.
    "late": 1800,
    "escalation-rate": 2 / 5,
    "handed-over": 2 / 5,
    "ping-pong": 1 / 5,
    "hand-backs": 1 / 3,
    "detours": 0,
    # deep 15 min, tossed 10 the second time; the first time nobody of apps touched it.
    "acceptance": 750,
    "mttd": 240,
    # easy 10, tossed 10, deep 20, found 5.
    "mtta": 675,
    # easy 30, deep 90; found is open again.
    "mttr": 3600,
    "majors": 1,
    "solved": 3,
    # Of the five, all opened in March.
    "resolution-rate": 3 / 5,
    "reopened": 1 / 3,
    # easy; deep was handed over, found reopened.
    "first-contact": 1 / 3,
    "proactive": 1 / 5,
    "pages": 1,
    "night-pages": 0,
    "nights": 0,
    "backlog": 3,
    # All three were opened at 9:00, and it is 10:40 now.
    "age": 6000,
    "csat": 1 / 2,
    "mark": 3.5,
    "answers": 2 / 3,
    "receivers": None,
    "senders": None,
    "complaints": 3,
    # Of six fields: easy and deep three each, found five.
    "documentation": 11 / 18,
    "contracts": None,
    "articles": 0,
}


@pytest.mark.parametrize("slug", BY_HAND)
def test_each_figure_is_what_was_counted_by_hand(site, slug):
    assert value(site[2], slug) == pytest.approx(BY_HAND[slug])


def test_no_figure_is_left_uncounted():
    split_only = {"returns", "reasons", "hand-back-reasons", "flow", "missing"}
    split_only |= {"policy-mtta", "policy-mttr", "policy-steps"}
    assert set(BY_HAND) | split_only == {figure.slug for figure in FIGURES}


def test_splits_are_what_was_counted_by_hand(site):
    told = site[2]
    assert split(told, "sla", "sort") == {"Resolution": 1 / 4}
    assert split(told, "late", "tier") == {"L2": 1800}
    assert split(told, "late", "sort") == {"Being worked on": 1800}
    assert split(told, "ola", "team") == {"Desk": 5 / 7, "Apps": 1}
    assert split(told, "flow", "edge") == {"Desk → Apps": 3, "Apps → Desk": 1}
    assert split(told, "hand-backs", "edge") == {"Desk → Apps": 1 / 3, "Apps → Desk": None}
    # Nothing was escalated from apps to the desk, but the one move that way came back.
    assert second(told, "hand-backs", "edge") == {"Desk → Apps": 1 / 3, "Apps → Desk": 1}
    assert split(told, "reasons", "sort") == {"Needs other skill": 3}
    assert split(told, "hand-back-reasons", "sort") == {"Information is missing": 1}
    # All were under the one policy that there is; silent alone was paged by it.
    assert split(told, "policy-mttr", "policy") == {"Any": 3600}
    assert second(told, "policy-mttr", "policy") == {"Any": 675}
    assert split(told, "policy-steps", "policy") == {"Any": 1}
    assert split(told, "first-contact", "team") == {"Desk": 1 / 2, "Apps": 0}
    assert second(told, "first-contact", "team") == {"Desk": 1 / 2, "Apps": 0}
    assert split(told, "backlog", "team") == {"Desk": 2, "Apps": 1}
    assert split(told, "csat", "team") == {"Desk": 1, "Apps": 0}
    assert split(told, "complaints", "team") == {"Apps": 2, "Desk": 1}
    assert split(told, "missing", "sort") == {
        "Category": 3,
        "When it began": 2,
        "When it was detected": 2,
    }


def test_filters_narrow_every_figure_to_the_same_as_the_facts_say(site):
    story = site[0]
    found = tell_board(
        BOARD_BY_SLUG["escalations"], replace(MARCH, team=story.desk.pk), None, now=story.now
    )
    assert value({"": found}, "escalation-rate") == 2 / 5
    both = replace(MARCH, team=story.desk.pk, service=story.mail.pk, priority=5)
    found = tell_board(BOARD_BY_SLUG["escalations"], both, None, now=story.now)
    assert split({"": found}, "escalation-rate", "service") == {"Mail": 2 / 5}
    nothing = tell_board(
        BOARD_BY_SLUG["escalations"], replace(MARCH, priority=1), None, now=story.now
    )
    assert {tile.value for tile in nothing.tiles} == {None}


def test_a_period_is_compared_with_one_in_which_something_was_counted(site):
    """From none at all to three is no worsening: the site was not in use."""
    story, _, told = site
    tiles = told["service-levels"].tiles
    assert {tile.before for tile in tiles} == {None}
    later = replace(MARCH, since=MARCH.until, until=MARCH.until + span(MARCH))
    found = tell_board(BOARD_BY_SLUG["service-levels"], later, None, now=story.now)
    befores = {tile.figure.slug: tile.before for tile in found.tiles}
    assert befores["missed"] == BY_HAND["missed"]
    assert befores["sla"] == BY_HAND["sla"]


def test_what_stands_behind_a_figure_are_the_tickets_that_make_it(site):
    story, tickets, _ = site
    reader = story.manager
    cases = {
        "missed": {"deep", "found", "silent"},
        "escalation-rate": {"deep", "tossed"},
        "reopened": {"found"},
        "backlog": {"found", "silent", "tossed"},
    }
    for slug, names in cases.items():
        facts = facts_behind(BY_SLUG[slug], MARCH, Narrower(), reader)
        assert {fact.ticket_id for fact in facts} == {tickets[name].pk for name in names}, slug
    back = facts_behind(BY_SLUG["flow"], MARCH, Narrower(to="desk"), reader)
    assert {fact.ticket_id for fact in back} == {tickets["tossed"].pk}


def behind(story: Story, slug: str, said: Mapping[str, str], period: Question = MARCH) -> int:
    """How many facts stand behind a number, asked as its address does."""
    days = {"since": f"{period.since}", "until": f"{period.until - timedelta(days=1)}"}
    asked = asked_of({**days, **said}, story.now)
    return facts_behind(BY_SLUG[slug], asked.question, asked.narrower, story.manager).count()


def test_every_week_is_told_of_and_its_way_keeps_within_the_period(site):
    """The site began on a Monday; the period on the Wednesday after leaves that Monday out."""
    story = site[0]
    board = BOARD_BY_SLUG["service-levels"]
    now = story.now + timedelta(days=16)
    weeks = tell_board(board, replace(MARCH, until=date(2026, 3, 19)), None, now=now).splits[0].rows
    assert [row.week.day for row in weeks] == [2, 9, 16]
    assert [(row.value, row.second) for row in weeks] == [(1 / 4, 3), (None, 0), (None, 0)]
    assert weeks[-1].drill == {"since": "2026-03-16", "until": "2026-03-18"}
    assert behind(story, "missed", weeks[0].drill) == BY_HAND["missed"]
    cut = replace(MARCH, since=date(2026, 3, 1), until=date(2026, 3, 3))
    (week,) = tell_board(board, cut, None, now=now).splits[0].rows
    assert week.drill == {"since": "2026-03-02", "until": "2026-03-02"}
    later = replace(MARCH, since=date(2026, 3, 3))
    assert tell_board(board, later, None, now=now).splits[0].rows == []


def test_behind_each_number_of_a_split_stand_as_many_facts_as_it_counts(site):
    """Counts alone: of shares and means the facts are those that the page says are listed."""
    story, _, told = site
    seen = 0
    for board in told.values():
        for each in board.splits:
            for row in each.rows:
                for figure, number in ((each.figure, row.value), (each.second, row.second)):
                    if figure is not None and figure.unit == COUNT and figure.slug != "nights":
                        assert behind(story, figure.slug, row.drill) == number, (each.panel, row)
                        seen += 1
    assert seen > 20


def test_a_time_of_no_length_is_behind_its_mean(site):
    story, tickets, _ = site
    with transaction.atomic():
        Point.objects.filter(ticket=tickets["found"].pk, measure="detected").update(total=0)
        assert behind(story, "mttd", {}) == 1
        transaction.set_rollback(True)


def test_no_address_asks_for_the_pages_of_one_person(site):
    """A team whose number is that of a person is no way to that person's pages."""
    story = site[0]
    (call,) = Point.objects.filter(measure="page")
    assert behind(story, "pages", {}) == 1
    with transaction.atomic():
        Point.objects.filter(pk=call.pk).update(other=Team.objects.get(slug="desk").pk)
        assert behind(story, "pages", {"to": "desk"}) == 0
        transaction.set_rollback(True)
