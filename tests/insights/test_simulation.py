"""A policy tried on the past: the same decisions as live, told of honestly, and nothing kept."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command

from escalation.models import Firing, PolicyRevision, Run
from escalation.runs import prospect_of, steps_of
from insights.simulation.cast import Company, Rehearsal
from insights.simulation.figures import by_name, lines, night_of
from insights.simulation.recorded import own_history
from insights.simulation.running import simulate
from insights.simulation.world import changed_world, present_world
from notifications.models import Message
from roles.models import Membership, Person, Team
from tests.story import MONDAY, Story, involve, move, notify, page, percent, unacknowledged
from tickets import assignment, lifecycle, triage
from tickets.models import TimelineEvent


def played(story: Story, *worlds) -> dict:
    cases = own_history(MONDAY - timedelta(days=1), story.now)
    return simulate(
        worlds or [present_world()],
        cases,
        since=MONDAY - timedelta(days=1),
        until=story.now,
        history="own",
    )


def world_of(report: dict, name: str = "current") -> dict:
    return by_name(report)[name]


def busy_day(story: Story) -> None:
    """Tickets that wait, are taken, put off, raised, solved and opened again."""
    by = {"actor": story.colleague, "clock": story.clock}
    waiting = story.open(subject="Nobody takes it")
    story.forward(minutes=12)
    taken = story.open(subject="Taken and put off")
    story.forward(minutes=7)
    assignment.take(ticket=taken, **by)
    lifecycle.pend(ticket=taken, status="pending_requester", reason="Which one?", **by)
    story.forward(minutes=40)
    assignment.unacknowledge(ticket=taken, **by)
    lifecycle.resume(ticket=taken, **by)
    triage.set_urgency_impact(ticket=taken, impact=1, urgency=1, reason="Worse", **by)
    story.forward(minutes=25)
    lifecycle.resolve(ticket=waiting, code="fixed", text="Done", **by)
    story.forward(minutes=30)
    lifecycle.reopen(ticket=waiting, reason="Not done", **by)
    story.forward(hours=3)


def test_the_past_played_again_fires_what_was_fired_live(story):
    story.target("resolution", 60, priority=1)
    story.target("resolution", 240)
    story.policy(
        "main",
        unacknowledged(5, "Page", page("on_call")),
        unacknowledged(15, "Lead", notify("lead")),
        unacknowledged(30, "Manager", involve("manager")),
        percent("resolution", 50, "Half", notify("lead")),
        percent("resolution", 100, "Late", page("duty:incident-manager")),
        repeat_limit=1,
    )
    story.policy(
        "urgent",
        unacknowledged(2, "Urgent", page("on_call")),
        conditions=[{"fact": "priority", "is": [1]}],
        position=5,
    )
    busy_day(story)
    world = played_as_lived(story)
    assert world["pages"] == Message.objects.filter(kind="page").count()


def played_as_lived(story: Story) -> dict:
    """The world of today's policies, which fires in the past what they really fired."""
    live = Counter(Firing.objects.values_list("step__name", "outcome"))
    world = world_of(played(story))
    again = {row["step"]: row["firings"] for row in world["steps"]}
    assert again == Counter(name for name, outcome in live.elements() if outcome != "skipped")
    assert world["firings"]["skipped"] == sum(n for key, n in live.items() if key[1] == "skipped")
    return world


def test_a_policy_that_an_answer_ends_is_ended_by_the_answer_of_the_past(story):
    story.policy(
        "p",
        unacknowledged(5, "Page", page("on_call")),
        unacknowledged(30, "Lead", notify("lead")),
        stop_on=["first_response"],
    )
    ticket = story.open()
    story.forward(minutes=10)
    lifecycle.comment(
        ticket=ticket, text="We look at it.", public=True, actor=story.agent, clock=story.clock
    )
    story.forward(hours=1)
    assert [row["step"] for row in played_as_lived(story)["steps"]] == ["Page"]


def test_silence_is_counted_from_what_we_did_before_the_climb_and_not_from_machines(story):
    silent = {"name": "Silent", "trigger": "silent", "delay_s": 3600, "basis": "wall"}
    urgent = [{"fact": "priority", "is": [1]}]
    story.policy("p", {**silent, "actions": [notify("lead")]}, conditions=urgent)
    ticket = story.open()
    by = {"actor": story.colleague, "clock": story.clock}
    assignment.take(ticket=ticket, **by)
    story.forward(minutes=10)
    robot = story.person("robot", kind=Person.Kind.SERVICE)
    Membership.objects.create(team=story.desk, person=robot)
    triage.set_urgency_impact(
        ticket=ticket, impact=1, urgency=1, reason="Alert", actor=robot, clock=story.clock
    )
    story.forward(minutes=55)
    assert [row["step"] for row in played_as_lived(story)["steps"]] == ["Silent"]


def test_repeats_of_the_past_are_the_repeats_that_were_told_of_live(story):
    step = {"name": "Third", "trigger": "repeated", "count": 3, "window_s": 7 * 86_400}
    story.policy("p", {**step, "same": "requester", "actions": [notify("lead")]})
    tickets = []
    for _ in range(4):
        tickets.append(story.open())
        story.forward(hours=5)
    for ticket in tickets:
        by = {"actor": story.colleague, "clock": story.clock}
        lifecycle.comment(ticket=ticket, text="We look at it.", public=False, **by)
    story.forward(hours=1)
    assert played_as_lived(story)["steps"] == [{"policy": "P", "step": "Third", "firings": 2}]


def test_a_page_is_counted_for_its_person_hour_and_night(story):
    story.policy("p", unacknowledged(30, "Page", page("on_call")))
    story.forward(hours=12.25)  # 21:15
    story.open()
    story.open()
    story.forward(hours=1)
    story.forward(hours=2)
    story.open()
    story.forward(hours=14)
    world = world_of(played(story))
    assert world["pages"] == 3
    assert world["pages_by_hour"][0][21] == 2
    assert world["pages_by_hour"][1][0] == 1
    assert [(row["name"], row["pages"], row["nights_disturbed"]) for row in world["people"]] == [
        ("Ann", 3, 1)
    ]


@pytest.mark.parametrize(
    ("local", "night"),
    [
        (datetime(2026, 3, 2, 21, 59, tzinfo=UTC), ""),
        (datetime(2026, 3, 2, 22, 0, tzinfo=UTC), "2026-03-02"),
        (datetime(2026, 3, 3, 0, 30, tzinfo=UTC), "2026-03-02"),
        (datetime(2026, 3, 3, 6, 59, tzinfo=UTC), "2026-03-02"),
        (datetime(2026, 3, 3, 7, 0, tzinfo=UTC), ""),
    ],
)
def test_a_night_belongs_to_the_evening_on_which_it_began(local, night):
    assert night_of(local) == night


def test_a_breach_was_warned_of_if_somebody_was_told_before_it(story):
    story.target("resolution", 60)
    story.policy("none", unacknowledged(600, "Never", notify("lead")))
    story.open()
    story.forward(hours=2)
    draft = changed_world(
        "draft",
        lambda: story.policy("none", percent("resolution", 50, "Half", notify("lead"))),
    )
    worlds = by_name(played(story, present_world(), draft))
    assert worlds["current"]["breaches"]["resolution"] == {
        "missed": 1,
        "warned_before": 0,
        "median_lead_s": None,
    }
    assert worlds["draft"]["breaches"]["resolution"] == {
        "missed": 1,
        "warned_before": 1,
        "median_lead_s": 1800,
    }


def test_a_draft_that_is_played_is_not_kept_and_nobody_is_told(story):
    policy = story.policy("p", unacknowledged(5, "Page", page("on_call")))
    story.open()
    story.forward(hours=1)
    before = (PolicyRevision.objects.count(), Message.objects.count(), Firing.objects.count())
    events = TimelineEvent.objects.count()
    draft = changed_world(
        "draft", lambda: story.policy("p", unacknowledged(1, "Sooner", page("lead")))
    )
    report = played(story, draft)
    assert world_of(report, "draft")["pages"] == 1
    assert (
        PolicyRevision.objects.count(),
        Message.objects.count(),
        Firing.objects.count(),
    ) == before
    assert TimelineEvent.objects.count() == events
    policy.refresh_from_db()
    assert policy.current.number == 1


def test_a_step_that_is_played_explains_itself_to_nobody(story):
    """Words cost more than the decision, and no figure is made of them."""
    company = Company(MONDAY, story.now + timedelta(days=1))
    rehearsal = Rehearsal(company)
    story.policy("p", unacknowledged(5, "Page", page("on_call")))
    ticket = story.open()
    run = Run.objects.get(ticket=ticket)
    steps = steps_of([run.revision_id])[run.revision_id]
    prospect = prospect_of(run, ticket, steps, {}, {})
    rehearsal.go_to(story.now + timedelta(minutes=5))
    fired = rehearsal.fire(prospect, prospect.coming[0])
    skipped = rehearsal.skip(prospect, prospect.coming[0], "for a reason")
    assert fired.found["page"].ids == [story.agent.pk]
    assert [deed.firing.explain or deed.lines for deed in (fired, skipped)] == [[], []]


def test_the_same_past_gives_the_same_report(story):
    story.target("resolution", 60)
    story.policy("p", unacknowledged(5, "Page", page("on_call")), involve_later())
    busy_day(story)
    first, second = played(story), played(story)
    assert json.dumps(first) == json.dumps(second)
    assert lines(first) == lines(second)


def involve_later() -> dict:
    return unacknowledged(9, "Manager", involve("manager"))


def move_later() -> dict:
    return unacknowledged(20, "Up", move())


def test_a_move_is_counted_and_history_stays_where_it_was(story):
    story.policy("none", unacknowledged(6000, "Never", notify("lead")))
    story.open()
    story.forward(hours=2)
    draft = changed_world("draft", lambda: story.policy("none", move_later()))
    world = world_of(played(story, draft), "draft")
    assert world["moves"] == 1
    assert list(world["tiers"]) == ["l1"]


def test_a_team_without_a_schedule_is_given_a_stand_in_and_the_report_says_so(story):
    helpers = Team.objects.create(
        slug="helpers", name="Helpers", tier=story.tiers["l1"], calendar=story.always
    )
    story.policy("p", unacknowledged(5, "Page", page("on_call")))
    story.open(service=None, team=helpers, actor=None)
    story.forward(hours=1)
    report = played(story)
    assert report["stand_ins"] == ["Helpers"]
    assert [row["name"] for row in world_of(report)["people"]] == ["On call, Helpers"]


def test_the_command_wants_something_to_play(story):
    with pytest.raises(CommandError, match="Name a --policy"):
        call_command("simulate")


def test_a_policy_file_with_mistakes_is_refused_with_its_lines(story, tmp_path):
    path = tmp_path / "policy.yaml"
    path.write_text("version: 1\npolicies:\n  p:\n    nonsense: 1\n", encoding="utf-8")
    with pytest.raises(CommandError, match=r"policy\.yaml:4: policies\.p\.nonsense"):
        call_command("simulate", policy=path)
