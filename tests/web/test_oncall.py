"""On call in the browser: who is, until when; calendars; standing in; swapping; own shifts."""

import re
from datetime import date, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from roles.instants import database_now
from roles.models import Person, Team
from roles.oncall import final_shifts
from roles.overrides import add_override
from roles.rosters import LayerSpec, publish_schedule, set_schedule
from tests.web.rosters import daily, later, queries, text
from tests.web.stage import Stage
from web.shifts import COLUMNS, board

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def stage(bare_stage: Stage) -> Stage:
    return bare_stage


# ---- Who is on call now --------------------------------------------------------------------------


def test_the_page_says_until_when_and_who_is_next(stage, sign_in):
    team = stage.teams["support"]
    daily(team, stage.nora, stage.teo)
    now = database_now()
    present, following = final_shifts(team, now, now + timedelta(days=2))[:2]
    row = sign_in(stage.ines).get("/on-call").context["rows"]
    serving = next(each for each in row if each.team == team)
    assert (serving.person.pk, serving.until) == (present.person_id, present.end)
    assert (serving.next_person.pk, serving.next_at) == (following.person_id, following.start)


def test_a_team_with_nobody_on_call_is_called_a_gap_in_words(stage, sign_in):
    Person.objects.filter(pk=stage.sam.pk).update(is_active=False, left_at=database_now())
    told = text(sign_in(stage.ines), "/on-call")
    assert "1 team has nobody on call" in told
    assert re.search(r"Security Operations\s+nobody", told)


def test_a_team_without_a_schedule_is_no_gap(stage, sign_in):
    Team.objects.create(
        slug="new",
        name="New team",
        tier=stage.teams["desk"].tier,
        calendar=stage.teams["desk"].calendar,
    )
    told = text(sign_in(stage.ines), "/on-call")
    assert re.search(r"New team\s+no schedule", told)
    assert "nobody on call" not in told


def test_the_page_costs_the_same_whatever_the_number_of_teams(stage, sign_in):
    client = sign_in(stage.ines)
    few = queries(client, "/on-call")
    for number in range(5):
        team = Team.objects.create(
            slug=f"more-{number}",
            name=f"More {number}",
            tier=stage.teams["desk"].tier,
            calendar=stage.teams["desk"].calendar,
            lead=stage.ines,
        )
        daily(team, stage.ines, stage.omar)
    assert queries(client, "/on-call") == few <= 12


@pytest.mark.parametrize(
    "address",
    [
        "/on-call",
        "/on-call/mine",
        "/on-call/team/desk",
        "/on-call/team/desk/stand-in",
        "/on-call/team/desk/swap",
    ],
)
def test_whoever_only_asks_for_help_finds_nothing_there(stage, sign_in, address):
    assert sign_in(stage.ada).get(address).status_code == 404
    assert Client().get(address).status_code == 302


def test_a_team_that_is_gone_has_no_calendar(stage, sign_in):
    client = sign_in(stage.ines)
    Team.objects.filter(slug="soc").update(is_active=False)
    for slug in ("soc", "nowhere"):
        assert client.get(f"/on-call/team/{slug}").status_code == 404


# ---- The calendar --------------------------------------------------------------------------------


def shown(team: Team, first: date, reader: Person, *, weeks: int = 1, zone=BERLIN):
    return board(team, first=first, weeks=weeks, zone=zone, reader=reader, now=database_now())


@pytest.mark.parametrize(("monday", "sunday_hours"), [((2026, 3, 23), 23), ((2026, 10, 19), 25)])
def test_the_day_of_a_clock_change_is_shorter_or_longer(stage, monday, sunday_hours):
    daily(stage.teams["support"], stage.nora, stage.teo, zone="Europe/Berlin")
    team = Team.objects.get(slug="support")
    days = shown(team, date(*monday), stage.nora).days
    assert [day.hours for day in days] == [24] * 6 + [sunday_hours]
    assert days[-1].clocks_change
    for day in days:
        assert day.pieces[0].start.astimezone(BERLIN).time() == time(0)
        assert sum((p.end - p.start for p in day.pieces), timedelta()) == timedelta(hours=day.hours)
        assert sum(piece.span for piece in day.pieces) == COLUMNS
    for earlier, day in pairwise(days):
        assert earlier.pieces[-1].end == day.pieces[0].start


def test_the_hand_over_stays_at_its_local_time_after_the_clocks_change(stage, sign_in):
    team = stage.teams["support"]
    publish_schedule(
        schedule=set_schedule(team=team, zone="Europe/Berlin"),
        layers=[
            LayerSpec(
                name="Daily",
                people=[stage.nora, stage.teo],
                starts_on=date(2026, 1, 1),
                handover_time=time(8),
                shift_days=1,
            )
        ],
    )
    Person.objects.filter(pk=stage.ines.pk).update(zone="Europe/Berlin")
    client = sign_in(Person.objects.get(pk=stage.ines.pk))
    year = database_now().year + 1
    sunday = max(date(year, 3, day) for day in range(25, 32) if date(year, 3, day).weekday() == 6)
    told = text(client, f"/on-call/team/support?from={sunday - timedelta(days=1)}")
    assert "clocks change, 23 h" in told
    assert told.count("08:00\u201324:00") == 7
    assert told.count("00:00\u201308:00") == 7


def test_stand_ins_and_swaps_are_marked_and_gaps_are_said(stage, sign_in):
    team = stage.teams["support"]
    start = later(30)
    add_override(
        schedule=team.schedule, person=stage.nora, start=start, end=start + timedelta(hours=3)
    )
    found = shown(team, start.date(), stage.nora, zone=ZoneInfo("UTC"))
    marked = [piece for day in found.days for piece in day.pieces if piece.mark]
    assert {piece.mark for piece in marked} == {"override"}
    assert marked[0].begins == start
    assert marked[-1].ends == start + timedelta(hours=3)
    Person.objects.filter(pk=stage.teo.pk).update(is_active=False, left_at=database_now())
    told = text(sign_in(stage.ines), f"/on-call/team/support?zone=utc&from={start.date()}")
    assert "stands in" in told
    assert "Nobody" in told
    assert "with nobody on call:" in told


def test_a_calendar_shows_the_readers_own_zone_and_others_on_request(stage, sign_in):
    client = sign_in(stage.ines)  # Berlin; the schedule is kept in UTC
    assert client.get("/on-call/team/support").context["board"].zone == BERLIN
    assert client.get("/on-call/team/support?zone=team").context["board"].zone == ZoneInfo("UTC")
    assert client.get("/on-call/team/support?zone=moon").context["board"].zone == BERLIN


def test_four_weeks_cost_what_one_costs(stage, sign_in):
    daily(stage.teams["support"], stage.nora, stage.teo)
    client = sign_in(stage.ines)
    one = queries(client, "/on-call/team/support")
    assert queries(client, "/on-call/team/support?weeks=4") == one <= 26
    assert len(client.get("/on-call/team/support?weeks=4").context["board"].days) == 28


@pytest.mark.parametrize("odd", ["9999-01-01", "0001-01-01", "never", "2026-02-30", "%00"])
def test_a_day_that_makes_no_sense_means_this_week(stage, sign_in, odd):
    found = sign_in(stage.ines).get(f"/on-call/team/desk?from={odd}").context["board"]
    assert found.first.weekday() == 0
    assert any(day.is_today for day in found.days)
