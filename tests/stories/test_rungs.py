"""The rungs of a climb: in the order in which they wait, whatever order they are written in."""

from escalation.calling import call_step
from escalation.models import Firing, Run
from tests.story import Story, move, notify, page, unacknowledged
from tickets.assignment import acknowledge, unacknowledge


def upside_down(story: Story, **about: int) -> None:
    """A ladder of which the last rung is written first."""
    story.policy(
        "p",
        unacknowledged(30, "Manager", notify("manager")),
        unacknowledged(10, "Page", page("on_call")),
        unacknowledged(20, "Lead", notify("lead")),
        **about,
    )


def test_a_new_round_has_every_rung_whatever_their_order(story: Story) -> None:
    upside_down(story, repeat_limit=1, repeat_after_s=600)
    ticket = story.open()
    story.forward(minutes=65)
    assert story.fired(ticket) == ["Page", "Lead", "Manager"] * 2


def test_a_climb_resumes_at_the_rung_that_waits_longest_whatever_their_order(story: Story) -> None:
    upside_down(story)
    ticket = story.open()
    story.forward(minutes=20)
    acknowledge(ticket=ticket, actor=story.agent, clock=story.clock)
    unacknowledge(ticket=ticket, actor=story.agent, clock=story.clock)
    story.forward(minutes=11)
    assert story.fired(ticket) == ["Page", "Lead", "Lead", "Manager"]


def test_a_called_rung_is_followed_by_those_that_wait_longer(story: Story) -> None:
    upside_down(story)
    ticket = story.open()
    call_step(
        ticket=ticket,
        run=Run.objects.get(),
        position=3,
        actor=story.agent,
        reason="Now",
        clock=story.clock,
    )
    story.forward(minutes=11)
    assert story.fired(ticket) == ["Lead", "Manager"]


def test_the_top_of_the_ladder_tells_the_fallback_if_the_last_rung_is_written_first(
    story: Story,
) -> None:
    story.policy("p", unacknowledged(30, "Up", move()), unacknowledged(20, "Page", page("on_call")))
    ticket = story.open(service=None, team=story.platform)
    story.phone.ignore("received")
    story.forward(minutes=30)
    assert story.fired(ticket) == ["Page", "Up (empty)"]
    story.phone.rang(("dora", "page"), ("ivan", "page"))


def test_the_rung_above_an_empty_move_goes_at_once_or_the_fallback_is_told(story: Story) -> None:
    story.policy(
        "p",
        unacknowledged(10, "Up", {"do": "raise_priority", "to": 3}, move()),
        unacknowledged(40, "Manager", notify("manager")),
    )
    ticket = story.open(service=None, team=story.platform)
    story.phone.ignore("received")
    story.forward(minutes=10)
    assert story.fired(ticket) == ["Up"]
    story.phone.rang(("ivan", "page"))
    story.forward(minutes=30)
    story.phone.rang(("mona", "notify"))


def test_a_rung_above_that_must_wait_for_its_hours_leaves_the_word_to_the_fallback(
    story: Story,
) -> None:
    hours = {"from": "18:00", "until": "20:00", "zone": "UTC", "otherwise": "hold"}
    story.policy(
        "p",
        unacknowledged(10, "Up", move()),
        unacknowledged(40, "Manager", notify("manager"), gates=hours),
    )
    ticket = story.open(service=None, team=story.platform)
    story.phone.ignore("received")
    story.forward(minutes=40)
    assert story.fired(ticket) == ["Up (empty)"]
    story.phone.rang(("ivan", "page"))


def test_what_follows_a_move_reaches_the_team_that_has_the_ticket_already(story: Story) -> None:
    story.policy("p", unacknowledged(10, "To apps", move("team:apps"), page("on_call")))
    ticket = story.open(team=story.apps)
    story.phone.ignore("received")
    story.forward(minutes=10)
    assert story.fired(ticket) == ["To apps"]
    story.phone.rang(("cleo", "page"))


def told(ticket: object, name: str) -> str:
    row = Firing.objects.filter(ticket=ticket, step__name=name).order_by("pk").last()
    return " ".join(row.explain["text"])


def test_a_rung_that_did_not_wait_for_its_delay_says_why(story: Story) -> None:
    story.policy(
        "p",
        unacknowledged(5, "Up", move()),
        unacknowledged(30, "Lead", notify("lead")),
        repeat_limit=1,
        repeat_after_s=600,
    )
    ticket = story.open(service=None, team=story.platform)
    story.forward(minutes=5)
    assert "“Up” below it came to nobody, so that it went at once." in told(ticket, "Lead")
    story.forward(minutes=10)
    assert "Round 2 of the ladder, which began 10 min after the last." in told(ticket, "Up")


def test_a_rung_that_goes_when_an_acknowledgement_lapses_says_so(story: Story) -> None:
    upside_down(story)
    ticket = story.open()
    story.forward(minutes=20)
    assert "went on from" not in told(ticket, "Lead")
    acknowledge(ticket=ticket, actor=story.agent, clock=story.clock)
    unacknowledge(ticket=ticket, actor=story.agent, clock=story.clock)
    story.forward(minutes=11)
    assert "The climb went on from “Lead”; delays count from there." in told(ticket, "Manager")
