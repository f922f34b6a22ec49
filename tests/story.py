"""A small service organisation whose days can be told: people, teams, a clock to turn, a phone.

A story is a test that reads as prose. `forward()` lets time pass and the engine act at every
moment at which something is due; the phone fails on a message that nobody expected.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import F, Min, Q

from escalation.engine import tick
from escalation.models import Clock, Firing, Policy, Run, Target
from escalation.policies import draft_policy, publish_policy
from escalation.promises import publish_target
from notifications.models import Message
from roles.calendars import publish_calendar
from roles.instants import TimeSource, fixed
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
from roles.people import forget_roles
from roles.rosters import LayerSpec, publish_schedule, set_schedule
from tickets.models import Route, Service, Ticket
from tickets.opening import open_ticket

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PENDING = ("pending_requester", "pending_vendor", "pending_change")


class Phone:
    """Everybody's phone: what rang, for whom, since one last looked."""

    def __init__(self, clock: TimeSource) -> None:
        self._clock = clock
        self._seen: set[int] = set()
        self._ignored: set[str] = set()

    def ignore(self, *kinds: str) -> None:
        """Let messages of these kinds pass without a word."""
        self._ignored |= set(kinds)

    def new(self) -> list[tuple[str, str]]:
        """(user name, kind) of each message since the last look, sorted.

        What is kept for later rings when its time comes, or never.
        """
        due = Q(not_before=None) | Q(not_before__lte=self._clock())
        rows = Message.objects.filter(due).exclude(pk__in=self._seen).select_related("recipient")
        found = []
        for message in rows.exclude(state="withdrawn", finished_at__lt=F("not_before")):
            self._seen.add(message.pk)
            if message.kind not in self._ignored:
                found.append((message.recipient.username, message.kind))
        return sorted(found)

    def rang(self, *expected: tuple[str, str]) -> None:
        """Exactly these messages went out since the last look."""
        assert self.new() == sorted(expected)

    def was_silent(self) -> None:
        """Nothing went out since the last look."""
        assert self.new() == []


class Story:
    """The standing cast and the clock."""

    def __init__(self, start: datetime = MONDAY) -> None:
        self.now = start
        self.phone = Phone(self.clock)
        self.always = self._calendar("always", "UTC", [(day, 0, 1440) for day in range(7)])
        self.office = self._calendar(
            "office", "Europe/Berlin", [(day, 9 * 60, 17 * 60) for day in range(5)]
        )
        self._tiers()
        self._people()
        self._teams()

    # ---- time ----

    def clock(self) -> datetime:
        """The story's time: what every writing function is given."""
        return self.now

    def forward(
        self, *, minutes: float = 0, hours: float = 0, seconds: float = 0, days: float = 0
    ) -> None:
        """Let time pass; the engine acts at each moment at which something is due on the way."""
        goal = self.now + timedelta(minutes=minutes, hours=hours, seconds=seconds, days=days)
        looks = 0
        while (moment := self._next_moment()) is not None and moment <= goal:
            looks = looks + 1 if moment <= self.now else 0
            assert looks < 50, f"What is due at {moment} is never carried out; see the log."
            self.now = max(self.now, moment)
            self.sweep()
        self.now = goal
        self.sweep()

    def sleep(self, **span: float) -> None:
        """Let time pass while the engine is down."""
        self.now += timedelta(**span)

    def sweep(self) -> None:
        """Tick until nothing is due any more."""
        while tick(clock=self.clock).more:
            pass

    def _next_moment(self) -> datetime | None:
        step = Run.objects.filter(state="active").aggregate(at=Min("next_at"))["at"]
        running = Clock.objects.filter(state="running", noted_breach=False)
        due = running.aggregate(at=Min("due_at"))["at"]
        return min(filter(None, (step, due)), default=None)

    # ---- the cast ----

    def _calendar(self, slug: str, zone: str, spans: Sequence[tuple[int, int, int]]) -> Calendar:
        calendar = Calendar.objects.create(slug=slug, name=slug.title())
        publish_calendar(
            calendar=calendar, zone=zone, spans=spans, days_off=[], actor=None, clock=self.clock
        )
        calendar.refresh_from_db()
        return calendar

    def _tiers(self) -> None:
        ladder = [("l0", 0), ("l1", 1), ("l2", 2), ("l3", 3)]
        self.tiers = {
            slug: Tier.objects.create(slug=slug, name=slug.upper(), kind="ladder", rank=rank)
            for slug, rank in ladder
        }
        self.tiers["l4"] = Tier.objects.create(
            slug="l4", name="Vendor", kind="ladder", rank=4, is_vendor=True
        )
        for slug in ("incident-management", "security"):
            self.tiers[slug] = Tier.objects.create(slug=slug, name=slug.title(), kind="lane")

    def person(self, username: str, **fields: Any) -> Person:
        """One more person, with a mail address."""
        return Person.objects.create(
            username=username, name=username.title(), email=f"{username}@example.org", **fields
        )

    def _people(self) -> None:
        self.company = Organisation.objects.create(name="Acme", slug="acme")
        self.requester = self.person("rita", organisation=self.company)
        self.agent = self.person("ann")
        self.colleague = self.person("bob")
        self.engineer = self.person("cleo")
        self.expert = self.person("dora")
        self.lead = self.person("lena")
        self.manager = self.person("mona")
        self.incident_manager = self.person("ivan")
        self.analyst = self.person("sasha")
        self.stranger = self.person("zoe")
        self.admin = self.person("root", is_superuser=True, is_staff=True)
        duty = Duty.objects.create(slug="incident-manager", name="Incident manager")
        DutyAssignment.objects.create(duty=duty, person=self.incident_manager)

    def _teams(self) -> None:
        self.desk = self.team("desk", "l1", [self.agent, self.colleague], is_service_desk=True)
        self.apps = self.team("apps", "l2", [self.engineer])
        self.platform = self.team("platform", "l3", [self.expert])
        self.incidents = self.team("incidents", "incident-management", [self.incident_manager])
        self.soc = self.team("soc", "security", [self.analyst])
        for team in (self.desk, self.apps, self.platform):
            team.lead, team.manager = self.lead, self.manager
            team.save()
        self.mail = Service.objects.create(slug="mail", name="Mail", owner_team=self.platform)
        Route.objects.create(service=self.mail, tier=self.tiers["l2"], team=self.apps)
        Route.objects.create(service=self.mail, tier=self.tiers["l3"], team=self.platform)
        Route.objects.create(tier=self.tiers["security"], team=self.soc)

    def team(self, slug: str, tier: str, people: Sequence[Person], **fields: Any) -> Team:
        """A team with its people, the first of whom is on call all the time."""
        fields.setdefault("calendar", self.always)
        team = Team.objects.create(slug=slug, name=slug.title(), tier=self.tiers[tier], **fields)
        for person in people:
            Membership.objects.create(team=team, person=person)
            forget_roles(person)
        self.put_on_call(team, people[:1], valid_from=LONG_AGO)
        return team

    def put_on_call(
        self, team: Team, people: Sequence[Person], *, valid_from: datetime | None = None
    ) -> None:
        """From now on these people take weekly turns on call; nobody, when none are named."""
        schedule = set_schedule(team=team, zone="UTC", clock=self.clock)
        weekly = LayerSpec(
            name="Weekly",
            people=people,
            starts_on=date(2026, 1, 5),
            handover_time=time(9),
            shift_days=7,
        )
        publish_schedule(
            schedule=schedule,
            layers=[weekly] if people else [],
            valid_from=valid_from,
            clock=self.clock,
        )

    # ---- configuration ----

    def target(self, clock: str, minutes: float, **narrowed: Any) -> Target:
        """A target in wall time that stands still while anything is pending."""
        number = Target.objects.count() + 1
        target = Target.objects.create(slug=f"t{number}", name=f"T{number}", position=number)
        narrowed.setdefault("calendar", self.always)
        narrowed.setdefault("pauses", PENDING)
        publish_target(
            target=target,
            clock_kind=clock,
            seconds=round(minutes * 60),
            clock=self.clock,
            **narrowed,
        )
        return target

    def policy(self, slug: str, *steps: Mapping[str, Any], **about: Any) -> Policy:
        """A published policy; conditions, repeats, mode and position by keyword."""
        own = {name: about.pop(name) for name in ("mode", "position") if name in about}
        policy, _ = Policy.objects.get_or_create(
            slug=slug, defaults={"name": slug.title(), "position": 10, **own}
        )
        about.setdefault("conditions", [])
        draft_policy(policy=policy, steps=steps, clock=self.clock, **about)
        publish_policy(policy=policy, clock=self.clock)
        return policy

    def policy_row(self, slug: str) -> Policy:
        """A policy as it stands in the database now."""
        return Policy.objects.select_related("current").get(slug=slug)

    # ---- tickets ----

    def open(self, **fields: Any) -> Ticket:
        """A ticket from the requester, by himself, about mail."""
        fields.setdefault("subject", "Mail does not arrive")
        fields.setdefault("requester", self.requester)
        fields.setdefault("actor", fields["requester"])
        fields.setdefault("service", self.mail)
        fields.setdefault("clock", self.clock)
        return open_ticket(**fields)

    def fresh(self, ticket: Ticket) -> Ticket:
        """The ticket as it stands in the database now."""
        return Ticket.objects.select_related("team", "assignee").get(pk=ticket.pk)

    def fired(self, ticket: Ticket) -> list[str]:
        """The names of the steps that fired, oldest first, others with their outcome."""
        rows = Firing.objects.filter(ticket=ticket).order_by("pk").select_related("step")
        return [
            row.step.name if row.outcome == "fired" else f"{row.step.name} ({row.outcome})"
            for row in rows
        ]

    def at(self, moment: datetime) -> Any:
        """A clock that stands still, for one act."""
        return fixed(moment)


def unacknowledged(minutes: float, name: str, *actions: Mapping[str, Any], **more: Any) -> dict:
    """A step for a ticket that nobody acknowledges, in wall time."""
    return {
        "name": name,
        "trigger": "unacknowledged",
        "delay_s": round(minutes * 60),
        "basis": "wall",
        "actions": list(actions),
        **more,
    }


def percent(clock: str, share: int, name: str, *actions: Mapping[str, Any]) -> dict[str, Any]:
    """A step at a percentage of a clock."""
    return {
        "name": name,
        "trigger": "clock_percent",
        "clock": clock,
        "percent": share,
        "actions": list(actions),
    }


def notify(*targets: str) -> dict[str, Any]:
    return {"do": "notify", "to": list(targets)}


def page(*targets: str) -> dict[str, Any]:
    return {"do": "page", "to": list(targets)}


def involve(*targets: str) -> dict[str, Any]:
    return {"do": "involve", "to": list(targets)}


def move(goal: str = "next_tier") -> dict[str, Any]:
    return {"do": "move", "to": goal}


def walk(story: Story, minutes: int) -> Iterator[int]:
    """Minute by minute."""
    for minute in range(1, minutes + 1):
        story.forward(minutes=1)
        yield minute
