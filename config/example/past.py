"""The days before the example site's first start: ordinary tickets with a true history.

They are lived through in order, acts by domain functions and the engine in between, each at its
own time; only the messages are taken back, since nobody was there to be told.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Min

from config.example.hindsight import LOOKED_BACK, agree, finish, look_back, sign
from config.example.knowledge import say_how_it_was
from config.example.planned import PLANNED
from config.example.scenes import SCENES, Opening
from config.example.weeks import WEEKS
from escalation import handover
from escalation.engine import tick
from escalation.models import Clock, Run, Vendor
from escalation.vendors import engage, respond
from notifications.outbox import withdraw
from roles.instants import TimeSource, database_now
from roles.models import Person, Team
from tickets import (
    assignment,
    changes,
    feedback,
    incidents,
    lifecycle,
    links,
    notices,
    problems,
    staffing,
)
from tickets.models import Article, Category, Service, Ticket
from tickets.opening import open_ticket

ACTS: dict[str, Callable[..., Any]] = {
    "take": assignment.take,
    "acknowledge": assignment.acknowledge,
    "comment": lifecycle.comment,
    "pend": lifecycle.pend,
    "resolve": lifecycle.resolve,
    "confirm": lifecycle.confirm,
    "reopen": lifecycle.reopen,
    "rate": feedback.rate,
    "chase": lifecycle.chase,
    "escalate": handover.escalate,
    "hand_back": handover.hand_back,
    "declare_major": incidents.declare_major,
    "staff_major": staffing.staff_major,
    "attach_child": incidents.attach_child,
    "post_update": incidents.post_update,
    "owe_notice": notices.owe_notice,
    "engage": engage,
    "respond": respond,
    "plan_change": changes.plan_change,
    "submit_change": changes.submit_change,
    "approve_change": changes.approve_change,
    "link": links.link,
    "diagnose": problems.diagnose,
    "look_back": look_back,
    "agree": agree,
    "finish": finish,
    "sign": sign,
}
TAKEN_BACK = "The example's past: nobody was there to be told."


def live_through(*, clock: TimeSource = database_now) -> int:
    """Make the example's tickets on a site that has none; returns how many there are then."""
    with transaction.atomic():
        if not Ticket.objects.exists():
            _Past(clock()).live()
        return Ticket.objects.count()


class _Past:
    """A clock that runs from the first scene to now, and the people who act."""

    def __init__(self, end: datetime) -> None:
        self.end = end
        self.now = end
        self.people = {row.username: row for row in Person.objects.all()}
        self.teams = {row.slug: row for row in Team.objects.all()}
        self.services = {row.slug: row for row in Service.objects.all()}
        self.categories = {row.slug: row for row in Category.objects.all()}
        self.tickets: dict[str, Ticket] = {}

    def clock(self) -> datetime:
        return self.now

    def live(self) -> None:
        acts: list[tuple[float, int, str, Any]] = []
        for name, scene in (WEEKS | SCENES | PLANNED).items():
            acts.append((scene.opening.minutes_ago, len(acts), name, scene.opening))
            for act in (*scene.acts, *LOOKED_BACK.get(name, ())):
                acts.append((act.minutes_ago, len(acts), name, act))
        # Longest ago first; what happens at the same minute, in the order in which it is told.
        acts.sort(key=lambda row: (-row[0], row[1]))
        self.now = self.end - timedelta(minutes=acts[0][0])
        for minutes_ago, _, name, act in acts:
            self._forward(self.end - timedelta(minutes=minutes_ago))
            if isinstance(act, Opening):
                self._open(name, act)
            else:
                self._act(name, act)
        self._forward(self.end)
        if Article.objects.exists():
            say_how_it_was(clock=self.clock)
        # All tickets are of those days, also the problems that policies have opened by themselves.
        topics = [ticket.topic for ticket in Ticket.objects.all()]
        withdraw(topics=topics, reason=TAKEN_BACK, now=self.end)

    def _forward(self, goal: datetime) -> None:
        """Let the engine act at each moment at which something is due on the way."""
        while (moment := _next_moment()) is not None and moment <= goal:
            self.now = max(self.now, moment)
            tick(clock=self.clock)
        self.now = goal

    def _open(self, name: str, opening: Opening) -> None:
        self.tickets[name] = open_ticket(
            subject=opening.subject,
            description=opening.description,
            requester=self.people[opening.requester],
            actor=self.people[opening.by or opening.requester],
            kind=opening.kind,
            impact=opening.impact,
            urgency=opening.urgency,
            service=self.services.get(opening.service),
            category=self.categories.get(opening.category),
            source=opening.source,
            team=self.teams.get(opening.team),
            asset=opening.asset,
            restricted=opening.restricted,
            began_at=self.now - timedelta(minutes=opening.began_before),
            detected_at=self.now,
            clock=self.clock,
        )

    def _act(self, name: str, act: Any) -> None:
        given = dict(act.given)
        if "to_team" in given:
            given["to_team"] = self.teams[given["to_team"]]
        if "child" in given:
            given["child"] = self.tickets[given["child"]]
        if "people" in given:
            given["people"] = {role: self.people[who] for role, who in given["people"].items()}
        if "vendor" in given:
            given["vendor"] = Vendor.objects.get(slug=given["vendor"])
        for role in ("change", "other"):
            if role in given:
                given[role] = self.tickets[given[role]]
        if "wake_in_hours" in given:
            given["wake_at"] = self.now + timedelta(hours=given.pop("wake_in_hours"))
        actor = self.people[act.by]
        ACTS[act.act](ticket=self.tickets[name], actor=actor, clock=self.clock, **given)


def _next_moment() -> datetime | None:
    step = Run.objects.filter(state=Run.State.ACTIVE).aggregate(at=Min("next_at"))["at"]
    running = Clock.objects.filter(state=Clock.State.RUNNING, noted_breach=False)
    due = running.aggregate(at=Min("due_at"))["at"]
    return min(filter(None, (step, due)), default=None)
