"""Simulations asked for in the admin: queued, run, watched, stopped, and never lost."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from escalation.configuration.applying import export_site
from escalation.policies import draft_policy
from insights.models import Simulation
from insights.simulation.asking import ask, run_waiting, stop
from insights.simulation.pages import page_of
from roles.models import Duty, DutyAssignment
from roles.people import forget_roles
from roles.refusals import Conflict, Forbidden, Invalid
from tests.story import MONDAY, Story, page, unacknowledged


@pytest.fixture
def story(story: Story) -> Story:
    duty = Duty.objects.create(slug="administrator", name="Administrator")
    DutyAssignment.objects.create(duty=duty, person=story.admin)
    forget_roles(story.admin)
    story.policy("p", unacknowledged(5, "Page", page("on_call")))
    story.open()
    story.forward(hours=1)
    return story


def window(story: Story) -> dict:
    return {"since": MONDAY - timedelta(days=1), "until": story.now, "clock": story.clock}


def draft(story: Story):
    policy = story.policy("p", unacknowledged(5, "Page", page("on_call")))
    steps = [unacknowledged(2, "Sooner", page("lead"))]
    draft_policy(policy=policy, conditions=[], steps=steps, clock=story.clock)
    return policy


def test_a_draft_is_played_beside_todays_policies(story):
    asked = ask(policy=draft(story), actor=story.admin, **window(story))
    assert (asked.state, asked.total) == ("queued", 1)
    assert run_waiting(clock=story.clock) == 1
    asked.refresh_from_db()
    assert asked.state == "done"
    worlds = asked.report["worlds"]
    assert [world["steps"][0]["step"] for world in worlds] == ["Page", "Sooner"]
    assert run_waiting(clock=story.clock) == 0


def test_one_that_a_dying_worker_left_is_begun_anew_after_a_while(story):
    asked = ask(actor=story.admin, **window(story))
    Simulation.objects.filter(pk=asked.pk).update(state="running", heard_at=story.now)
    assert run_waiting(clock=story.clock) == 0
    story.sleep(minutes=3)
    assert run_waiting(clock=story.clock) == 1


def test_a_stopped_one_is_not_run(story):
    asked = ask(actor=story.admin, **window(story))
    assert stop(simulation=asked, actor=story.admin, clock=story.clock)
    assert run_waiting(clock=story.clock) == 0
    assert not stop(simulation=asked, actor=story.admin, clock=story.clock)


def test_what_cannot_be_played_is_refused_at_once(story):
    policy = story.policy("q", unacknowledged(5, "Page", page("on_call")))
    with pytest.raises(Conflict):
        ask(policy=policy, actor=story.admin, **window(story))
    with pytest.raises(Invalid, match="mistakes"):
        ask(file="version: 2", actor=story.admin, **window(story))
    with pytest.raises(Invalid, match="before it begins"):
        ask(actor=story.admin, since=story.now, until=story.now, clock=story.clock)
    with pytest.raises(Forbidden):
        ask(actor=story.agent, **window(story))


def test_the_admin_asks_shows_and_stops(story):
    client = Client()
    client.force_login(story.admin)
    add = reverse("admin:insights_simulation_add")
    assert client.get(add).status_code == 200
    sent = {
        "policy": draft(story).pk,
        "file": "",
        "since_0": "2026-03-01",
        "since_1": "00:00:00",
        "until_0": "2026-03-03",
        "until_1": "00:00:00",
    }
    assert client.post(add, sent).status_code == 302
    asked = Simulation.objects.get()
    page_of = reverse("admin:insights_simulation_change", args=[asked.pk])
    assert "Stop it" in client.get(page_of).content.decode()
    run_waiting(clock=story.clock)
    shown = client.get(page_of).content.decode()
    assert "People would have acted otherwise" in shown
    assert "Sooner" in shown
    assert "Stop it" not in shown
    sent["until_0"] = "2026-02-01"
    assert "ends before it begins" in client.post(add, sent).content.decode()
    assert "No target was missed" in shown
    again = ask(actor=story.admin, **window(story))
    there = reverse("admin:insights_simulation_change", args=[again.pk])
    assert client.post(there, {"_stop": "Stop it"}).status_code == 302
    again.refresh_from_db()
    assert again.state == "stopped"


def test_a_file_with_mistakes_is_shown_with_its_lines_and_what_was_typed_is_kept(story):
    client = Client()
    client.force_login(story.admin)
    add = reverse("admin:insights_simulation_add")
    wrong = "version: 1\npolicies:\n  p:\n    nonsense: 1\n"
    window = {"since_0": "2026-03-01", "since_1": "00:00", "until_0": "2026-03-03"}
    sent = {**window, "until_1": "00:00", "policy": "", "file": wrong}
    shown = client.post(add, sent).content.decode()
    assert "file:4: policies.p.nonsense: Unknown key" in shown
    assert "nonsense: 1" in shown
    upload = SimpleUploadedFile("night.yaml", wrong.encode(), "text/yaml")
    shown = client.post(add, {**sent, "file": "", "upload": upload}).content.decode()
    assert "night.yaml:4: policies.p.nonsense: Unknown key" in shown
    not_text = SimpleUploadedFile("night.yaml", b"\xff\xfe", "text/yaml")
    shown = client.post(add, {**sent, "file": "", "upload": not_text}).content.decode()
    assert "night.yaml is no text in UTF-8." in shown
    assert not Simulation.objects.exists()


def test_a_file_is_played_as_it_was_uploaded(story):
    client = Client()
    client.force_login(story.admin)
    add = reverse("admin:insights_simulation_add")
    listed = reverse("admin:insights_simulation_changelist")
    assert "Ask for the first one" in client.get(listed).content.decode()
    text = export_site(actor=story.admin)
    sent = {"since_0": "2026-03-01", "since_1": "00:00", "until_0": "2026-03-03"}
    sent |= {"until_1": "00:00", "policy": "", "file": ""}
    upload = SimpleUploadedFile("site.yaml", text.encode(), "text/yaml")
    assert client.post(add, {**sent, "upload": upload}).status_code == 302
    assert Simulation.objects.get().file == text
    assert "Ask for the first one" not in client.get(listed).content.decode()


def test_many_stand_ins_are_named_in_part():
    report = {"stand_ins": [f"Group {n:02}" for n in range(30)], "worlds": [], "label": ""}
    [note] = page_of(report).notes
    assert note.endswith("Group 07 and 22 more teams.")
