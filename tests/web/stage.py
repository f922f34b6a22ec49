"""A small service to walk through: teams on three tiers, people, targets, one policy, tickets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from escalation.handover import escalate
from escalation.models import Policy, Target, TargetRevision
from escalation.policies import draft_policy, publish_policy
from roles.calendars import publish_calendar
from roles.instants import database_now, fixed
from roles.models import (
    Calendar,
    Duty,
    DutyAssignment,
    Membership,
    Organisation,
    Person,
    Team,
    Tier,
)
from roles.rosters import LayerSpec, publish_schedule, set_schedule
from tickets.assignment import take
from tickets.lifecycle import comment, pend, resolve
from tickets.models import Category, Service, Ticket
from tickets.opening import open_ticket

PASSWORD = "correct horse battery"
ROUND_THE_CLOCK = [(day, 0, 1440) for day in range(7)]


@dataclass
class Stage:
    """Who and what stands on it, by short names."""

    people: dict[str, Person] = field(default_factory=dict)
    teams: dict[str, Team] = field(default_factory=dict)
    tickets: dict[str, Ticket] = field(default_factory=dict)
    service: Service | None = None

    def __getattr__(self, name: str) -> Person:
        try:
            return self.__dict__["people"][name]
        except KeyError:
            raise AttributeError(name) from None


def set_stage() -> Stage:
    """An empty service: people and teams, on call and under targets, without a ticket."""
    stage = Stage()
    calendar = Calendar.objects.create(slug="always", name="Round the clock")
    publish_calendar(calendar=calendar, zone="UTC", spans=ROUND_THE_CLOCK)
    tiers = {
        slug: Tier.objects.create(slug=slug, kind=kind, **more)
        for slug, kind, more in (
            ("l1", "ladder", {"name": "L1 Service desk", "rank": 1, **GUIDANCE["l1"]}),
            ("l2", "ladder", {"name": "L2 Technical support", "rank": 2, **GUIDANCE["l2"]}),
            ("l3", "ladder", {"name": "L3 Engineering", "rank": 3, **GUIDANCE["l3"]}),
            ("security", "lane", {"name": "IT security"}),
        )
    }
    acme = Organisation.objects.create(slug="acme", name="Acme Retail")
    for name, more in PEOPLE.items():
        given = dict(more)
        if given.pop("acme", False):
            given["organisation"] = acme
        person = Person.objects.create_user(
            name, f"{name}@example.com", PASSWORD, name=given.pop("full"), **given
        )
        stage.people[name] = person
    for slug, (name, tier, members) in TEAMS.items():
        _team(stage, slug, name, tiers[tier], calendar, members)
    duty = Duty.objects.create(slug="incident-manager", name="Incident manager", **GUIDANCE["im"])
    DutyAssignment.objects.create(duty=duty, person=stage.people["mara"])
    stage.service = Service.objects.create(
        slug="checkout", name="Checkout", owner_team=stage.teams["platform"]
    )
    Category.objects.create(slug="performance", name="Performance")
    _promise(calendar)
    return stage


def _team(
    stage: Stage, slug: str, name: str, tier: Tier, calendar: Calendar, members: list[str]
) -> None:
    lead = stage.people[members[0]]
    team = Team.objects.create(
        slug=slug,
        name=name,
        tier=tier,
        calendar=calendar,
        lead=lead,
        is_service_desk=slug == "desk",
        responsibilities=f"{name}: keeps what it owns running.",
    )
    stage.teams[slug] = team
    for place, member in enumerate(members):
        role = "lead" if place == 0 else "member"
        Membership.objects.create(team=team, person=stage.people[member], role=role)
    weekly = LayerSpec(
        name="Weekly",
        people=[stage.people[members[-1]]],
        starts_on=date(2025, 1, 6),
        handover_time=time(8),
        shift_days=7,
    )
    publish_schedule(
        schedule=set_schedule(team=team, zone="UTC"),
        layers=[weekly],
        valid_from=datetime(2025, 1, 1, tzinfo=UTC),
    )


def _promise(calendar: Calendar) -> None:
    now = database_now()
    minutes = {"acceptance": 30, "first_response": 60, "resolution": 240}
    for position, (clock, allowed) in enumerate(minutes.items()):
        target = Target.objects.create(slug=clock, name=clock.capitalize(), position=position)
        revision = TargetRevision.objects.create(
            target=target,
            number=1,
            clock=clock,
            seconds=allowed * 60,
            calendar=calendar,
            pauses=["pending_requester"] if clock == "resolution" else [],
            created_at=now,
        )
        target.current = revision
        target.save(update_fields=["current"])
    policy = Policy.objects.create(slug="standard", name="Standard", position=1)
    draft_policy(policy=policy, conditions=[], steps=STEPS)
    publish_policy(policy=policy)


def fill_stage(stage: Stage) -> Stage:
    """The stage with a day's tickets on it, in every state that a page shows."""
    now = database_now()
    for slug, given in TICKETS.items():
        stage.tickets[slug] = _ticket(stage, now, given)
    _live(stage, now)
    return stage


def _ticket(stage: Stage, now: datetime, given: Mapping[str, object]) -> Ticket:
    more = dict(given)
    began = now - timedelta(minutes=int(str(more.pop("ago"))))
    asker = stage.people[str(more.pop("by"))]
    return open_ticket(requester=asker, actor=asker, clock=fixed(began), **more)


def _live(stage: Stage, now: datetime) -> None:
    """What the people do with them."""

    def ago(minutes: float):
        return fixed(now - timedelta(minutes=minutes))

    tickets, ines, omar = stage.tickets, stage.people["ines"], stage.people["omar"]
    slow = tickets["slow"]
    take(ticket=slow, actor=ines, clock=ago(36))
    comment(
        ticket=slow,
        actor=ines,
        public=True,
        clock=ago(34),
        text="Thank you, Ada. I see the delay too and am looking at the order service now.",
    )
    comment(
        ticket=slow,
        actor=ines,
        public=False,
        clock=ago(26),
        text="p95 of /orders went from 180 ms to 6 s at 09:40, after the index rebuild.\n"
        "Restarting the pool did not help. I have no rights on the database host.",
    )
    escalate(
        ticket=slow,
        actor=ines,
        reason_code="access",
        reason="Please look at the query plan on orders-db-2; I may not log in there.",
        tried="Restarted the connection pool, drained one node.",
        impact="All shops, about one order in three fails.",
        clock=ago(20),
    )
    take(ticket=tickets["vpn"], actor=omar, clock=ago(90))
    pend(
        ticket=tickets["vpn"],
        actor=omar,
        status="pending_requester",
        reason="Please send the exact words of the message that the client shows.",
        clock=ago(80),
    )
    take(ticket=tickets["report"], actor=ines, clock=ago(12))
    take(ticket=tickets["badge"], actor=ines, clock=ago(50))
    resolve(
        ticket=tickets["badge"],
        actor=ines,
        code="fixed",
        text="Your badge has been activated again; it had expired on Friday.",
        clock=ago(30),
    )


PEOPLE: dict[str, dict[str, object]] = {
    "ada": {"full": "Ada Park", "is_vip": True, "acme": True, "phone": "+49 30 5550110"},
    "bo": {"full": "Bo Lindqvist", "acme": True},
    "ines": {"full": "Ines Okafor", "zone": "Europe/Berlin"},
    "omar": {"full": "Omar Haddad"},
    "nora": {"full": "Nora Weiss", "phone": "+49 30 5550121"},
    "teo": {"full": "Teo Marin"},
    "petra": {"full": "Petra Novak"},
    "sam": {"full": "Sam Achebe"},
    "mara": {"full": "Mara Lindt", "phone": "+49 30 5550100"},
    "stranger": {"full": "Sid Stranger"},
}
TEAMS = {
    "desk": ("Service Desk", "l1", ["ines", "omar"]),
    "support": ("Application Support", "l2", ["nora", "teo"]),
    "platform": ("Platform Engineering", "l3", ["petra"]),
    "soc": ("Security Operations", "security", ["sam"]),
}
GUIDANCE = {
    "l1": {
        "responsibilities": "First answer to everybody who asks; solves what is known.",
        "hands_over": "What was tried, who is affected, the exact words of the error.",
        "escalates_to": "L2 when fifteen minutes have brought no way forward.",
    },
    "l2": {
        "responsibilities": "Diagnoses applications, networks and databases.",
        "hands_over": "Logs, the time it began, and how to repeat it.",
        "escalates_to": "L3 when the cause is in code or architecture.",
    },
    "l3": {"responsibilities": "Repairs what nobody else can."},
    "im": {
        "responsibilities": "Leads major incidents and decides who works on what.",
        "escalates_to": "The executive contact when the business must decide.",
    },
}
STEPS = [
    {
        "name": "Remind the team's people on call",
        "trigger": "unacknowledged",
        "delay_s": 900,
        "actions": [{"do": "page", "to": ["on_call"]}],
    },
    {
        "name": "Pass to the next tier",
        "trigger": "clock_percent",
        "clock": "resolution",
        "percent": 75,
        "actions": [{"do": "move", "to": "next_tier"}],
    },
    {
        "name": "Call the incident manager",
        "trigger": "clock_percent",
        "clock": "resolution",
        "percent": 100,
        "actions": [{"do": "page", "to": ["duty:incident-manager"]}],
    },
]
TICKETS: dict[str, dict[str, object]] = {
    "slow": {
        "by": "ada",
        "ago": 40,
        "subject": "Checkout is slow and one order in three fails",
        "description": "Since about 09:40 the last step takes ten seconds or ends with error 502.",
        "impact": 1,
        "urgency": 1,
    },
    "vpn": {"by": "bo", "ago": 100, "subject": "VPN drops every few minutes", "urgency": 2},
    "mail": {"by": "bo", "ago": 65, "subject": "Mail to suppliers is returned", "impact": 2},
    "report": {
        "by": "ada",
        "ago": 25,
        "subject": "Monthly report shows last month's figures",
        "kind": "incident",
    },
    "chair": {"by": "bo", "ago": 8, "subject": "A second screen for room 214", "kind": "request"},
    "payroll": {
        "by": "ada",
        "ago": 290,
        "subject": "Payroll export stops half way",
        "impact": 2,
        "urgency": 1,
    },
    "badge": {"by": "bo", "ago": 70, "subject": "Badge does not open the side door"},
    "case": {
        "by": "sam",
        "ago": 15,
        "subject": "Invoices sent from an account nobody knows",
        "kind": "security",
        "impact": 1,
        "urgency": 1,
        "restricted": True,
    },
}
