"""A small site that was counted by hand: five tickets on one Monday morning."""

from collections.abc import Callable
from datetime import date, timedelta

from escalation.handover import escalate, hand_back
from insights.figures.answers import Told
from insights.figures.sums import Question
from roles.models import Person
from tests.story import Story, page, unacknowledged
from tickets.assignment import take
from tickets.feedback import rate
from tickets.incidents import declare_major
from tickets.lifecycle import chase, pend, reopen, resolve
from tickets.models import Ticket

MARCH = Question(date(2026, 3, 1), date(2026, 4, 1))


def pass_up(story: Story, ticket: Ticket, actor: Person, **more: object) -> None:
    escalate(
        ticket=ticket,
        actor=actor,
        reason_code="skill",
        reason="Too deep",
        clock=story.clock,
        **more,
    )


def solve(story: Story, ticket: Ticket, actor: Person) -> None:
    resolve(ticket=ticket, actor=actor, code="fixed", text="Restarted.", clock=story.clock)


def live(story: Story, between: Callable[[], object] = lambda: None) -> dict[str, Ticket]:
    """Five tickets on Monday 2 March, from 9:00; every length of time below is counted from here.

    easy: taken after 10 min, solved after 30 by the desk; marked 5.
    deep: taken after 20, escalated after 30 to apps, accepted 15 min later, solved at 90; marked 2.
    tossed: escalated at 10, handed back at 20, escalated again at 30 to apps, taken at 40, asked
    back, and still open; chased once.
    found: by a monitor, taken at 5, solved at 65 (its target is 60 min), reopened at 70.
    silent: nobody touches it; the desk's colleague is paged.
    """
    story.target("resolution", 60)
    story.target("acceptance", 30)
    story.policy("any", unacknowledged(45, "Page", page("on_call")))
    tickets = {name: story.open(category=None) for name in ("easy", "deep", "tossed", "silent")}
    tickets["found"] = story.open(
        source="monitor", began_at=story.now - timedelta(minutes=4), detected_at=story.now
    )
    plot = [
        (5, lambda: take(ticket=tickets["found"], actor=story.agent, clock=story.clock)),
        (10, lambda: take(ticket=tickets["easy"], actor=story.agent, clock=story.clock)),
        (10, lambda: take(ticket=tickets["tossed"], actor=story.agent, clock=story.clock)),
        (10, lambda: pass_up(story, tickets["tossed"], story.agent)),
        (20, lambda: take(ticket=tickets["deep"], actor=story.agent, clock=story.clock)),
        (20, lambda: _give_back(story, tickets["tossed"])),
        (30, lambda: solve(story, tickets["easy"], story.agent)),
        (30, lambda: pass_up(story, tickets["deep"], story.agent)),
        (30, lambda: pass_up(story, tickets["tossed"], story.agent)),
        (40, lambda: take(ticket=tickets["tossed"], actor=story.engineer, clock=story.clock)),
        (45, lambda: take(ticket=tickets["deep"], actor=story.engineer, clock=story.clock)),
        (50, lambda: _ask(story, tickets["tossed"])),
        (65, lambda: solve(story, tickets["found"], story.agent)),
        (70, lambda: _reopen(story, tickets["found"])),
        (80, lambda: _chase(story, tickets["tossed"])),
        (90, lambda: solve(story, tickets["deep"], story.engineer)),
        (95, lambda: _rate(story, tickets["easy"], 5)),
        (95, lambda: _rate(story, tickets["deep"], 2)),
        (100, lambda: _declare(story, tickets["found"])),
    ]
    begun = story.now
    for minute, act in plot:
        story.forward(seconds=(begun + timedelta(minutes=minute) - story.now).total_seconds())
        act()
        between()
    return tickets


def _give_back(story: Story, ticket: Ticket) -> None:
    words = {"reason_code": "incomplete", "reason": "Which server?"}
    hand_back(ticket=ticket, actor=story.engineer, clock=story.clock, **words)


def _ask(story: Story, ticket: Ticket) -> None:
    words = {"status": "pending_requester", "reason": "Which one?"}
    pend(ticket=ticket, actor=story.engineer, clock=story.clock, **words)


def _reopen(story: Story, ticket: Ticket) -> None:
    reopen(ticket=ticket, actor=story.requester, reason="It is back", clock=story.clock)


def _chase(story: Story, ticket: Ticket) -> None:
    chase(ticket=ticket, actor=story.requester, text="Any news?", clock=story.clock)


def _rate(story: Story, ticket: Ticket, score: int) -> None:
    rate(ticket=ticket, actor=story.requester, score=score, clock=story.clock)


def _declare(story: Story, ticket: Ticket) -> None:
    declare_major(
        ticket=ticket, actor=story.incident_manager, reason="Everybody", clock=story.clock
    )


def value(told: dict[str, Told], slug: str) -> float | None:
    found = [
        tile.value for board in told.values() for tile in board.tiles if tile.figure.slug == slug
    ]
    return found[0]


def split(told: dict[str, Told], slug: str, by: str) -> dict[str, float | None]:
    panels = [each for board in told.values() for each in board.splits]
    found = next(each for each in panels if each.panel.figure == slug and each.panel.by == by)
    return {row.label: row.value for row in found.rows}


def second(told: dict[str, Told], slug: str, by: str) -> dict[str, float | None]:
    panels = [each for board in told.values() for each in board.splits]
    found = next(each for each in panels if each.panel.figure == slug and each.panel.by == by)
    return {row.label: row.second for row in found.rows}
