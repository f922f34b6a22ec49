"""Furnishes an empty scratch site for a replay: the log's groups with people, targets, policies."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from django.db import transaction

from api.importers.servicenow import Row
from config.replay.script import desk_of, scaled
from escalation.models import Policy, Target
from escalation.policies import draft_policy, publish_policy
from escalation.promises import publish_target
from roles.calendars import publish_calendar
from roles.models import (
    Calendar,
    Duty,
    DutyAssignment,
    Membership,
    Person,
    Team,
    Tier,
)
from roles.rosters import LayerSpec, publish_schedule, set_schedule
from tickets import states
from tickets.models import Route

AROUND_THE_CLOCK: Final = [(day, 0, 1440) for day in range(7)]
AGENTS: Final = 2
HOUR: Final = 60

TARGETS: Final = {1: (4, 0.5), 2: (8, 1), 3: (24, 4), 4: (72, 8), 5: (120, 24)}
"""Hours to resolution and to acceptance by priority, before they are scaled."""

Step = dict[str, Any]


@dataclass(frozen=True)
class Cast:
    """Who plays: teams by the log's groups, agents by team, callers by name."""

    desk: Team
    teams: Mapping[str, Team]
    agents: Mapping[int, Sequence[Person]]
    callers: Mapping[str, Person]


@transaction.atomic
def furnish(incidents: Sequence[Sequence[Row]], speed: float) -> Cast:
    """Make everything that the play needs; every delay and target is scaled by `speed`."""
    calendar = Calendar.objects.create(slug="always", name="Always")
    publish_calendar(calendar=calendar, zone="UTC", spans=AROUND_THE_CLOCK)
    tiers = {
        f"l{rank}": Tier.objects.create(slug=f"l{rank}", name=f"L{rank}", kind="ladder", rank=rank)
        for rank in (1, 2, 3)
    }
    lane = Tier.objects.create(slug="incident-management", name="Incident management", kind="lane")
    builder = _Builder(calendar)
    desk_group = desk_of(incidents)
    groups = sorted({row.group for rows in incidents for row in rows if row.group} | {desk_group})
    teams = {
        group: builder.team(group, tiers["l1" if group == desk_group else "l2"]) for group in groups
    }
    builder.team("Experts", tiers["l3"])
    managers = builder.team("Incident managers", lane)
    duty = Duty.objects.create(slug="incident-manager", name="Incident manager")
    for person in builder.agents[managers.pk]:
        DutyAssignment.objects.create(duty=duty, person=person)
    desk = teams[desk_group]
    Team.objects.filter(pk=desk.pk).update(is_service_desk=True)
    _route(incidents, desk_group, teams, tiers["l2"])
    _promise(calendar, speed)
    _publish("outage", _outage(speed), [{"fact": "priority", "is": [1, 2]}], 1)
    _publish("standard", _standard(speed), [], 2)
    names = sorted({row.caller or "Unknown caller" for rows in incidents for row in rows})
    callers = {name: builder.person(name) for name in names}
    return Cast(desk=desk, teams=teams, agents=builder.agents, callers=callers)


class _Builder:
    """Makes teams with people who are on call at all hours and have a mailbox."""

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar
        self._number = 0
        self.agents: dict[int, list[Person]] = {}

    def person(self, name: str) -> Person:
        self._number += 1
        username = f"player-{self._number}"
        return Person.objects.create(
            username=username, name=name, email=f"{username}@replay.example"
        )

    def team(self, name: str, tier: Tier) -> Team:
        self._number += 1
        lead, manager = self.person(f"Lead of {name}"), self.person(f"Manager of {name}")
        team = Team.objects.create(
            slug=f"team-{self._number}",
            name=name,
            tier=tier,
            calendar=self._calendar,
            lead=lead,
            manager=manager,
        )
        people = [self.person(f"Agent {n} of {name}") for n in range(1, AGENTS + 1)]
        for person in people:
            Membership.objects.create(team=team, person=person)
        long_past = datetime.now(UTC) - timedelta(days=30)
        weekly = LayerSpec(
            name="Weekly",
            people=people,
            starts_on=long_past.date(),
            handover_time=time(0),
            shift_days=7,
        )
        schedule = set_schedule(team=team, zone="UTC", name=name)
        publish_schedule(schedule=schedule, layers=[weekly], valid_from=long_past)
        self.agents[team.pk] = people
        return team


def _route(
    incidents: Sequence[Sequence[Row]], desk: str, teams: Mapping[str, Team], tier: Tier
) -> None:
    """What climbs from the desk goes to the second-line group that sees most of these incidents."""
    seen = Counter(group for rows in incidents for group in {row.group for row in rows})
    ranked = sorted((-seen[group], group) for group in teams if group != desk)
    if ranked:
        Route.objects.create(tier=tier, team=teams[ranked[0][1]])


def _promise(calendar: Calendar, speed: float) -> None:
    for priority, hours in TARGETS.items():
        for kind, span_h in zip(("resolution", "acceptance"), hours, strict=True):
            target = Target.objects.create(
                slug=f"p{priority}-{kind}", name=f"P{priority} {kind}", position=priority
            )
            publish_target(
                target=target,
                clock_kind=kind,
                seconds=scaled(span_h * HOUR, speed),
                pauses=sorted(states.PENDING) if kind == "resolution" else (),
                calendar=calendar,
                priority=priority,
            )


def _outage(speed: float) -> list[Step]:
    page = {"do": "page", "to": ["on_call"]}
    up = {"do": "move", "to": "next_tier"}
    return [
        _waiting("Page the team", 20, speed, page),
        _waiting("Up one tier", 40, speed, up, page),
        _waiting("Up once more", 80, speed, up, page),
        _waiting(
            "Page the incident manager",
            120,
            speed,
            {"do": "page", "to": ["duty:incident-manager"]},
        ),
        _share("Resolution at 75%", 75, {"do": "notify", "to": ["lead"]}),
        _share("Resolution late", 100, {"do": "involve", "to": ["manager"]}),
    ]


def _standard(speed: float) -> list[Step]:
    tell = {"do": "notify", "to": ["on_call"]}
    up = {"do": "move", "to": "next_tier"}
    return [
        _waiting("Remind the team", HOUR, speed, tell),
        _waiting("Up one tier", 4 * HOUR, speed, up, tell),
        _waiting("Up once more", 10 * HOUR, speed, up, tell),
        _waiting("Tell the lead", 16 * HOUR, speed, {"do": "notify", "to": ["lead"]}),
        _share("Resolution at 75%", 75, {"do": "notify", "to": ["assignee", "lead"]}),
        _share("Resolution late", 100, {"do": "involve", "to": ["manager"]}),
    ]


def _waiting(name: str, minutes: float, speed: float, *actions: Step) -> Step:
    return {
        "name": name,
        "trigger": "unacknowledged",
        "delay_s": scaled(minutes, speed),
        "basis": "wall",
        "actions": list(actions),
    }


def _share(name: str, percent: int, *actions: Step) -> Step:
    return {
        "name": name,
        "trigger": "clock_percent",
        "clock": "resolution",
        "percent": percent,
        "actions": list(actions),
    }


def _publish(slug: str, steps: list[Step], conditions: list[Step], position: int) -> None:
    policy = Policy.objects.create(slug=slug, name=slug.title(), position=position)
    draft_policy(policy=policy, conditions=conditions, steps=steps)
    publish_policy(policy=policy)
