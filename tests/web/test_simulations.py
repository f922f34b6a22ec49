"""Simulations in the browser: asked for, watched, stopped, read as a chart and as a table."""

import re
from datetime import timedelta
from xml.etree import ElementTree

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import escape

from escalation.models import Policy
from escalation.policies import draft_policy
from insights.models import Simulation
from insights.simulation.asking import run_waiting
from tests.web.stage import STEPS
from tickets.models import Ticket
from web.charts import columns, rows

STANDARD = "/policies/standard/simulate"


@pytest.fixture
def draft(stage):
    policy = Policy.objects.get(slug="standard")
    draft_policy(policy=policy, conditions=[], steps=[{**STEPS[0], "delay_s": 60}, *STEPS[1:]])


def window() -> dict[str, str]:
    today = timezone.localdate()
    return {"since": str(today - timedelta(days=2)), "until": str(today + timedelta(days=2))}


def test_a_simulation_is_asked_for_watched_and_read(stage, draft, sign_in):
    client = sign_in(stage.mara)
    assert "as if the draft were in force" in client.get(STANDARD).content.decode()
    answer = client.post(STANDARD, window())
    simulation = Simulation.objects.get()
    assert (answer.status_code, answer.url) == (302, f"/simulations/{simulation.pk}")
    waiting = client.get(answer.url).content.decode()
    assert "<progress" in waiting
    assert "Stop" in waiting
    live = client.get(answer.url, headers={"HX-Request": "true"})
    assert (live.status_code, b"<html" in live.content) == (200, False)
    assert run_waiting() == 1
    assert client.get(answer.url, headers={"HX-Request": "true"})["HX-Refresh"] == "true"
    page = client.get(answer.url)
    body = page.content.decode()
    assert "People would have acted otherwise" in body
    assert body.count('class="chart-wide"') == body.count('class="chart-narrow"') == 1
    shown = page.context["shown"]
    assert [tile.name for tile in shown.tiles] == ["Pages", "Nights disturbed", "Warned of in time"]
    for heat, world in zip(shown.heats, Simulation.objects.get().report["worlds"], strict=True):
        assert heat.total == world["pages"] > 0
        counts = [[count for count, _level in cells] for _day, cells, _sum in heat.days]
        assert counts == world["pages_by_hour"]
        darkest = max(level for _day, cells, _sum in heat.days for _count, level in cells)
        assert darkest in range(1, 6)
        hours = "".join(f'<td class="heat-sum">{count}</td>' for count in heat.hours)
        assert hours in body
    steps = dict(shown.steps)
    assert steps["Standard: Pass to the next tier"][0] > 0
    for title, counts in shown.steps:
        cells = "".join(rf'<td class="number">{count}</td>' for count in counts)
        assert f'<th scope="row">{escape(title)}</th>{cells}' in body


def test_restricted_tickets_are_in_no_figure(stage, draft, sign_in):
    sign_in(stage.mara).post(STANDARD, window())
    run_waiting()
    simulation = Simulation.objects.get()
    open_ones = Ticket.objects.filter(restricted=False).count()
    assert simulation.total == open_ones < Ticket.objects.count()
    assert {world["tickets"] for world in simulation.report["worlds"]} == {open_ones}


def test_the_page_of_a_finished_one_asks_little_of_the_database(stage, draft, sign_in):
    client = sign_in(stage.mara)
    client.post(STANDARD, window())
    run_waiting()
    with CaptureQueriesContext(connection) as taken:
        client.get(f"/simulations/{Simulation.objects.get().pk}")
    assert len(taken) <= 8


def test_one_that_waits_is_stopped(stage, sign_in):
    client = sign_in(stage.mara)
    client.post(STANDARD, window())
    simulation = Simulation.objects.get()
    assert simulation.policy is None, "without a draft today's policies are played alone"
    told = client.post(f"/simulations/{simulation.pk}/stop", follow=True).content.decode()
    assert "Stopped." in told
    assert run_waiting() == 0
    told = client.post(f"/simulations/{simulation.pk}/stop", follow=True).content.decode()
    assert "It had ended already." in told


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"since": "2026-02-01", "until": "2026-01-01"},
        {"since": "1900-01-01", "until": "2026-01-01"},
        {"since": "yesterday", "until": "today"},
    ],
)
def test_a_window_that_will_not_do_is_refused_in_place(stage, sign_in, wrong):
    answer = sign_in(stage.mara).post(STANDARD, wrong)
    assert answer.status_code == 422
    assert "field-error" in answer.content.decode()
    assert not Simulation.objects.exists()


def test_who_may_see_no_dashboard_reads_no_simulation(stage, sign_in):
    sign_in(stage.mara).post(STANDARD, window())
    address = f"/simulations/{Simulation.objects.get().pk}"
    assert sign_in(stage.nora).get(address).status_code == 200  # a lead sees figures
    assert "Stop" not in sign_in(stage.nora).get(address).content.decode()
    assert sign_in(stage.nora).post(f"{address}/stop").status_code == 302
    assert Simulation.objects.get().ended_at is None
    assert sign_in(stage.omar).get(address).status_code == 403
    assert sign_in(stage.ada).get(address).status_code == 404


# ---- Charts --------------------------------------------------------------------------------------


@pytest.mark.parametrize("draw", [columns, rows])
def test_a_chart_brings_no_style_no_script_and_says_its_figures(draw):
    picture = draw({"today": [3, 0], "<b>draft": [5, 1]}, ["Page & call", "B"], name="What <it> is")
    for forbidden in ("<style", "<script", "style=", "onload", "<b>", "<!--", "http://pygal"):
        assert forbidden not in picture
    root = ElementTree.fromstring(picture)
    assert (root.get("role"), root.get("aria-label")) == ("img", "What <it> is")
    said = [each.text for each in root.iter("{http://www.w3.org/2000/svg}title")]
    assert "Page & call, today: 3" in said
    assert "B, <b>draft: 1" in said
    bars = [each for each in root.iter() if "rect reactive" in (each.get("class") or "")]
    assert len(bars) == 4
    assert not re.search(r"#[0-9a-fA-F]{3,6}", picture), "colours come from the tokens alone"


def test_a_chart_of_nothing_is_still_a_picture():
    assert "<svg" in columns({"today": [0] * 24}, [str(hour) for hour in range(24)], name="None")
