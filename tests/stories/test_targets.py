"""Whom each target of a step means, for the ticket at hand and at that moment."""

import pytest

from escalation.models import Firing
from roles.models import Duty, DutyAssignment
from tests.story import Story, move, notify, page, unacknowledged
from tickets.assignment import assign, watch


@pytest.mark.parametrize(
    ("target", "names"),
    [
        ("on_call", ["ann"]),
        ("on_call:platform", ["dora"]),
        ("team", ["ann", "bob"]),
        ("team:apps", ["cleo"]),
        ("lead", ["lena"]),
        ("lead:apps", ["lena"]),
        ("manager", ["mona"]),
        ("manager:platform", ["mona"]),
        ("assignee", ["bob"]),
        ("owner", ["lena"]),
        ("watchers", ["cleo", "dora"]),
        ("duty:incident-manager", ["ivan"]),
        ("person:zoe", ["zoe"]),
    ],
)
def test_a_target_reaches_the_people_whom_it_means(
    story: Story, target: str, names: list[str]
) -> None:
    story.policy("p", unacknowledged(5, "Page", page(target)))
    DutyAssignment.objects.create(
        duty=Duty.objects.create(slug="helper", name="Helper"), person=story.stranger
    )
    ticket = story.open()
    assign(ticket=ticket, actor=story.lead, assignee=story.colleague, clock=story.clock)
    for person in (story.engineer, story.expert):
        watch(ticket=ticket, actor=person, clock=story.clock)
    story.phone.new()
    story.forward(minutes=5)
    story.phone.rang(*((name, "page") for name in names))
    told = Firing.objects.get().explain["told"]
    assert [item["name"].lower() for item in told] == names


def test_the_requester_is_told_in_words_of_their_own(story: Story) -> None:
    story.policy("p", unacknowledged(5, "Tell", notify("requester")))
    story.open()
    story.phone.new()
    story.forward(minutes=5)
    story.phone.rang(("rita", "informed"))


def test_the_tree_of_authority_is_climbed_rung_by_rung(story: Story) -> None:
    executive = Duty.objects.create(slug="executive", name="Executive")
    DutyAssignment.objects.create(duty=executive, person=story.stranger)
    rungs = ("lead", "manager", "duty:incident-manager", "duty:executive")
    story.policy(
        "p",
        *(
            unacknowledged(5 * (n + 1), f"Rung {n}", {"do": "involve", "to": [rung]})
            for n, rung in enumerate(rungs)
        ),
    )
    ticket = story.open()
    story.phone.new()
    reached = []
    for _ in rungs:
        story.forward(minutes=5)
        reached += [name for name, _ in story.phone.new()]
    assert reached == ["lena", "mona", "ivan", "zoe"]
    assert story.fresh(ticket).team == story.desk, "authority is called, and the work stays"
    assert ticket.escalations.filter(type="hierarchical").count() == 4


def test_a_move_in_the_same_step_makes_on_call_mean_the_receiver(story: Story) -> None:
    story.policy("p", unacknowledged(5, "To L3", move("team:platform"), page("on_call")))
    ticket = story.open()
    story.phone.ignore("received", "escalated")
    story.forward(minutes=5)
    assert story.fresh(ticket).team == story.platform
    story.phone.rang(("dora", "page"))
