"""Changes and problems are planned, decided on and solved from the admin, by the same rules."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from roles.models import Duty, DutyAssignment, Person
from roles.people import forget_roles
from tests.story import Story
from tickets.links import link
from tickets.models import Change, Problem, Ticket

pytestmark = pytest.mark.django_db
PLAN = {"plan": "Swap the disk", "test": "Read it back", "back_out": "Put the old one in"}
WINDOW = dict.fromkeys(("window_from_0", "window_from_1", "window_until_0", "window_until_1"), "")


@pytest.fixture
def door() -> Callable[[Person], Client]:
    def sign_in(person: Person) -> Client:
        duty, _ = Duty.objects.get_or_create(slug="qa-reviewer", defaults={"name": "QA"})
        DutyAssignment.objects.create(duty=duty, person=person)
        forget_roles(person)
        Person.objects.filter(pk=person.pk).update(is_staff=True)
        client = Client()
        client.force_login(Person.objects.get(pk=person.pk))
        return client

    return sign_in


@pytest.fixture
def manager(story: Story) -> Person:
    duty = Duty.objects.create(slug="change-manager", name="Change manager")
    rosa = story.person("rosa")
    DutyAssignment.objects.create(duty=duty, person=rosa)
    forget_roles(rosa)
    return rosa


def address(model: str, act: str = "changelist", *args: object) -> str:
    return reverse(f"admin:tickets_{model}_{act}", args=args)


def press(client: Client, model: str, action: str, pk: int, words: str = "") -> str:
    form = {"action": action, "_selected_action": [pk], "words": words}
    return client.post(address(model), form, follow=True).content.decode()


def test_a_change_is_planned_approved_and_ended_on_its_pages(story, door, manager) -> None:
    ticket = story.open(kind="change", actor=story.agent)
    agent, decider = door(story.agent), door(manager)
    form = {"key": ticket.key.lower(), **PLAN, **WINDOW}
    assert agent.post(address("change", "add"), form).status_code == 302
    change = Change.objects.get(ticket=ticket)
    assert (change.state, change.author, change.plan) == ("draft", story.agent, PLAN["plan"])
    assert "Done for 1" in press(agent, "change", "submit", change.pk)
    assert f"{ticket.key}: You may not" in press(agent, "change", "approve", change.pk)
    assert "required" in press(decider, "change", "reject", change.pk)
    assert "Done for 1" in press(decider, "change", "approve", change.pk, "Go on")
    assert "Done for 1" in press(agent, "change", "implemented", change.pk, "Reads well")
    change.refresh_from_db()
    assert change.state == "implemented"
    kinds = ticket.events.order_by("seq").values_list("kind", flat=True)
    assert [kind for kind in kinds if kind.startswith("change_")][-1] == "change_ended"


def test_a_plan_is_changed_in_place_and_takes_an_approval_back(story, door, manager) -> None:
    ticket = story.open(kind="change", actor=story.agent)
    agent, decider = door(story.agent), door(manager)
    agent.post(address("change", "add"), {"key": ticket.key, **PLAN, **WINDOW})
    change = Change.objects.get(ticket=ticket)
    press(agent, "change", "submit", change.pk)
    press(decider, "change", "approve", change.pk)
    page = address("change", "change", change.pk)
    assert ticket.key in agent.get(page).content.decode()
    agent.post(page, {**PLAN, **WINDOW, "plan": "Swap both disks"})
    change.refresh_from_db()
    assert (change.plan, change.state) == ("Swap both disks", "draft")


@pytest.mark.parametrize("model", ["change", "problem"])
def test_a_key_that_is_none_is_said_at_its_field_with_all_that_was_typed(
    story, door, model
) -> None:
    typed = {"change": PLAN | WINDOW, "problem": {"cause": "Swap the disk", "workaround": ""}}
    form = {"key": "INC-424242", **typed[model]}
    answer = door(story.agent).post(address(model, "add"), form)
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "No ticket that you can see has this key." in text
    assert "Swap the disk" in text
    assert "INC-424242" in text


def test_a_problem_is_diagnosed_passed_on_and_solved_with_its_children(story, door) -> None:
    problem = story.open(kind="problem", subject="Why?", team=story.desk, actor=story.agent)
    children = [story.open(), story.open()]
    for child in children:
        link(
            ticket=child, other=problem, relation="caused_by", actor=story.agent, clock=story.clock
        )
    agent = door(story.agent)
    form = {"key": problem.key, "cause": "A leak", "workaround": "Restart", "is_known_error": "on"}
    assert agent.post(address("problem", "add"), form).status_code == 302
    row = Problem.objects.get(ticket=problem)
    assert (row.cause, row.is_known_error, row.diagnosed_by) == ("A leak", True, story.agent)
    shown = agent.get(address("problem", "change", row.pk)).content.decode()
    assert f"{problem.key}: problem" in shown
    assert "Done for 1" in press(agent, "problem", "publish", row.pk)
    assert children[0].events.filter(kind="commented").exists()
    assert "required" in press(agent, "problem", "resolve_with_children", row.pk)
    assert "Done for 1" in press(agent, "problem", "resolve_with_children", row.pk, "Mended")
    statuses = Ticket.objects.filter(pk__in=[problem.pk, *(child.pk for child in children)])
    assert set(statuses.values_list("status", flat=True)) == {"resolved"}


def test_a_problem_solved_alone_says_how_many_children_are_left(story, door) -> None:
    problem = story.open(kind="problem", subject="Why?", team=story.desk, actor=story.agent)
    child = story.open()
    link(ticket=child, other=problem, relation="caused_by", actor=story.agent, clock=story.clock)
    agent = door(story.agent)
    agent.post(address("problem", "add"), {"key": problem.key, "cause": "A leak"})
    row = Problem.objects.get(ticket=problem)
    assert "1 open children are left" in press(agent, "problem", "resolve", row.pk, "Mended")
    assert story.fresh(child).is_open


@pytest.mark.parametrize("model", ["change", "problem", "changewait"])
def test_a_restricted_case_is_on_no_list_of_theirs_for_others(story, door, model) -> None:
    kind = "problem" if model == "problem" else "change"
    ticket = story.open(kind=kind, actor=story.agent, team=story.desk)
    agent = door(story.agent)
    form = {"key": ticket.key, **PLAN, **WINDOW, "cause": "A leak"}
    if model != "changewait":
        agent.post(address(model, "add"), form)
        assert ticket.key in agent.get(address(model)).content.decode()
    Ticket.objects.filter(pk=ticket.pk).update(restricted=True)
    assert ticket.key not in agent.get(address(model)).content.decode()
    if model != "changewait":
        refused = agent.post(address(model, "add"), form)
        assert "No ticket that you can see has this key." in refused.content.decode()
