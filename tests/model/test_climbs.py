"""Random lives of tickets: the engine and a reference that counts minutes must never disagree.

`HYPOTHESIS_PROFILE=nightly` takes 50,000 steps, the usual profile 2,000; TIERLINE_STEPS takes as
many as it says, and TIERLINE_SEED repeats a run. A crash before the commit is what it is for the
database, a transaction rolled back; that a killed process leaves just that behind is shown in
tests/faults with real processes.
"""

import logging
import os
import random
from collections import Counter
from datetime import timedelta
from typing import Any

from django.db import transaction
from hypothesis import seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from escalation import engine, handover
from escalation import verify as clock_check
from escalation.models import Escalation, Firing
from escalation.sla import Targets
from notifications import leases
from notifications.channels.registry import CHANNELS
from notifications.delivery import deliver_batch
from notifications.models import Message
from notifications.sending import addresses_of, outgoing
from roles.models import Membership, Person
from tests.model.reference import FIRED, LADDER, PENDING, TIERS, Case, Ladder
from tests.notifications.conftest import mailbox as mailbox  # noqa: PLC0414 (a fixture lent)
from tests.notifications.mailbox import Mailbox
from tests.story import MONDAY, Story, move, notify, page, percent, unacknowledged
from tickets import assignment, lifecycle, triage
from tickets import verify as timeline_check
from tickets.models import Ticket, TimelineEvent

STEPS = {"ci": 2_000, "nightly": 50_000}
LENGTH = 50
ROUNDS = 5
NORMAL, URGENT = 120, 60
LEASE = timedelta(seconds=leases.LEASE_S + 1)

ACTIONS = {
    "Page": (page("on_call"),),
    "Lead": (notify("lead"),),
    "Up": (move(), page("on_call")),
    "Manager": (page("duty:incident-manager"),),
    "Half": (notify("lead"),),
    "Late": (notify("manager"),),
}
ONE = st.integers(0, 2)
WORKERS = ("bob", "eve", "finn")
"""Who acts in each tier: colleagues of those on call."""


def steps_of(ladder: Ladder) -> list[dict[str, Any]]:
    """The ladder as a policy is written."""
    return [
        *(unacknowledged(rung.after, rung.name, *ACTIONS[rung.name]) for rung in ladder.rungs),
        *(percent("resolution", share, name, *ACTIONS[name]) for name, share in ladder.percents),
    ]


class Lives(RuleBasedStateMachine):
    """Three tickets at most, everything that may befall them, and the reference beside each."""

    box: Mailbox
    story: Story
    taken = 0
    fired = 0

    def __init__(self) -> None:
        super().__init__()
        self._frame = transaction.atomic()
        # As the test's own transaction: what insists on an outermost one may run within it.
        self._frame._from_testcase = True  # type: ignore[attr-defined]
        self._frame.__enter__()
        self.story.now = MONDAY
        self.cases: list[Case] = []
        self.tickets: list[Ticket] = []
        self.workers = list(Person.objects.filter(username__in=WORKERS).order_by("username"))
        self.on_call = [self.story.agent.pk, self.story.engineer.pk, self.story.expert.pk]
        self.on_call_gone = False
        self.ladder = LADDER
        self.interrupted: Counter[str] = Counter()
        self.box.mails.clear()

    def teardown(self) -> None:
        try:
            self._verify()
        finally:
            type(self).fired += Firing.objects.count()
            transaction.set_rollback(True)
            self._frame.__exit__(None, None, None)

    def _verify(self) -> None:
        """At the end of a life its chain and its clocks are what its timeline says."""
        ids = [ticket.pk for ticket in self.tickets]
        assert list(timeline_check.check(ids).findings) == []
        keys = {ticket.pk: ticket.key for ticket in self.tickets}
        assert list(clock_check.check(keys, Targets()).findings) == []

    @initialize()
    def begin(self) -> None:
        self.open()

    def _publish(self) -> None:
        self.story.policy("ladder", *steps_of(self.ladder))

    def _pair(self, which: int) -> tuple[Case, Ticket]:
        index = which % len(self.cases)
        return self.cases[index], self.story.fresh(self.tickets[index])

    def _act(self, ticket: Ticket, case: Case) -> dict[str, Any]:
        type(self).taken += 1
        return {"ticket": ticket, "actor": self.workers[case.team], "clock": self.story.clock}

    # ---- people ----

    @precondition(lambda self: len(self.cases) < 3)
    @rule()
    def open(self) -> None:
        type(self).taken += 1
        self.tickets.append(self.story.open())
        self.cases.append(Case(self.ladder, self._minute()))

    def _minute(self) -> int:
        return round(self.story.now.timestamp() / 60)

    @rule(which=ONE)
    def take(self, which: int) -> None:
        case, ticket = self._pair(which)
        if case.status in ("waiting", "working"):
            assignment.take(**self._act(ticket, case))
            case.take()

    @rule(which=ONE)
    def assign(self, which: int) -> None:
        case, ticket = self._pair(which)
        if case.status in ("waiting", "working"):
            given = self._act(ticket, case) | {"actor": self.story.incident_manager}
            assignment.assign(**given, assignee=self.workers[case.team])
            case.assign()

    @rule(which=ONE)
    def acknowledge(self, which: int) -> None:
        case, ticket = self._pair(which)
        if case.is_open:
            assignment.acknowledge(**self._act(ticket, case))
            case.acknowledge()
            queued = Message.objects.filter(topic=ticket.topic, kind="page", state="queued")
            assert not queued.exists()

    @rule(which=ONE)
    def unacknowledge(self, which: int) -> None:
        case, ticket = self._pair(which)
        if case.is_open and case.acknowledged:
            assignment.unacknowledge(**self._act(ticket, case))
            case.unacknowledge()

    @rule(which=ONE, status=st.sampled_from(["pending_requester", "pending_vendor"]))
    def pend(self, which: int, status: str) -> None:
        case, ticket = self._pair(which)
        if case.status == "working":
            lifecycle.pend(**self._act(ticket, case), status=status, reason="Waiting")
            case.pend()

    @rule(which=ONE)
    def resume(self, which: int) -> None:
        case, ticket = self._pair(which)
        if case.status == PENDING:
            lifecycle.resume(**self._act(ticket, case))
            case.resume()

    @rule(which=ONE, urgent=st.booleans())
    def reprioritise(self, which: int, urgent: bool) -> None:
        case, ticket = self._pair(which)
        if case.is_open:
            level = 1 if urgent else 3
            triage.set_urgency_impact(
                **self._act(ticket, case), impact=level, urgency=level, reason="Seen again"
            )
            case.aim(URGENT if urgent else NORMAL)

    @rule(which=ONE)
    def escalate(self, which: int) -> None:
        case, ticket = self._pair(which)
        if case.is_open and case.team < len(TIERS) - 1:
            handover.escalate(
                **self._act(ticket, case), reason_code=Escalation.Reason.SKILL, reason="Beyond us"
            )
            case.move_to(case.team + 1)

    @rule(which=ONE)
    def hand_back(self, which: int) -> None:
        case, ticket = self._pair(which)
        if case.may_hand_back:
            handover.hand_back(
                **self._act(ticket, case), reason_code="solvable", reason="You can solve it"
            )
            case.hand_back()

    @rule(which=ONE)
    def resolve(self, which: int) -> None:
        case, ticket = self._pair(which)
        if case.is_open:
            lifecycle.resolve(**self._act(ticket, case), code="fixed", text="Done")
            case.resolve()

    @rule(which=ONE)
    def reopen(self, which: int) -> None:
        case, ticket = self._pair(which)
        if not case.is_open:
            lifecycle.reopen(**self._act(ticket, case), reason="Not done")
            case.reopen(self.ladder)

    # ---- the office ----

    @rule()
    def edit_the_policy(self) -> None:
        type(self).taken += 1
        self.ladder = LADDER.slower() if self.ladder == LADDER else LADDER
        self._publish()

    @rule(gone=st.booleans())
    def change_the_roster(self, gone: bool) -> None:
        """Whoever is on call leaves, or comes back: nobody else is on call then."""
        type(self).taken += 1
        Person.objects.filter(pk__in=self.on_call).update(is_active=not gone)
        self.on_call_gone = gone

    # ---- time and faults ----

    @rule(minutes=st.integers(5, 45))
    def sleep(self, minutes: int) -> None:
        """Time passes while no engine runs."""
        type(self).taken += 1
        self.story.sleep(minutes=minutes)
        for case in self.cases:
            for _ in range(minutes):
                case.pass_minute()

    @rule(minutes=st.integers(3, 12))
    def watch(self, minutes: int) -> None:
        """Time passes, and the engine looks every minute."""
        type(self).taken += 1
        for _ in range(minutes):
            self.story.sleep(minutes=1)
            for case in self.cases:
                case.pass_minute()
            self._look()

    @rule(hours=st.integers(1, 3))
    def come_back_later(self, hours: int) -> None:
        """The engine was down for hours, and catches up."""
        self.sleep(60 * hours)
        self._sweep()

    @rule()
    def sweep_twice(self) -> None:
        type(self).taken += 1
        self._sweep()
        count = Firing.objects.count()
        self.story.sweep()
        assert Firing.objects.count() == count

    @rule()
    def crash_before_the_commit(self) -> None:
        type(self).taken += 1
        with transaction.atomic():
            engine.tick(clock=self.story.clock)
            transaction.set_rollback(True)

    def _look(self) -> None:
        """A pass as a worker makes it: a glance, and whatever that finds."""
        engine.run_sweep(clock=self.story.clock)
        self._expect()

    def _sweep(self) -> None:
        self.story.sweep()
        self._expect()

    def _expect(self) -> None:
        for case in self.cases:
            case.sweep(nobody_on_call=self.on_call_gone)

    @rule()
    def deliver(self) -> None:
        type(self).taken += 1
        deliver_batch(clock=self.story.clock)

    @rule()
    def fail_to_deliver(self) -> None:
        """The server asks every recipient to come again."""
        type(self).taken += 1
        for address in Person.objects.values_list("email", flat=True):
            self.box.greylisted[address] = 1
        deliver_batch(clock=self.story.clock)
        self.box.greylisted.clear()

    @rule(after_the_send=st.booleans())
    def kill_a_sender(self, after_the_send: bool) -> None:
        """One dies between its claim and its mark; another takes over when the lease is out."""
        type(self).taken += 1
        claims = leases.claim(1, self.story.now)
        for message in leases.held(claims).values():
            self.interrupted[message.key] += 1
            if after_the_send:
                address = addresses_of([message])[message.pk]
                CHANNELS["email"].send(outgoing(message, self.story.now), address, 5.0)

    # ---- what must hold after every step ----

    @invariant()
    def the_engine_agrees_with_the_reference(self) -> None:
        logs: dict[int, list[tuple[str, str]]] = {ticket.pk: [] for ticket in self.tickets}
        rows = Firing.objects.order_by("pk").values_list("ticket_id", "step__name", "outcome")
        for ticket_id, name, outcome in rows:
            logs[ticket_id].append((name, outcome))
        now = Ticket.objects.select_related("team").in_bulk(list(logs))
        for case, ticket in zip(self.cases, self.tickets, strict=True):
            assert logs[ticket.pk] == case.log
            stored = now[ticket.pk]
            assert stored.team.slug == TIERS[case.team]
            assert stored.entry == case.entry
            assert stored.is_acknowledged == case.acknowledged

    @invariant()
    def a_firing_its_event_and_its_messages_stand_together(self) -> None:
        fired = Firing.objects.filter(outcome=FIRED).values_list("pk", "explain")
        told = {(f"firing:{pk}", item["person"]) for pk, why in fired for item in why["told"]}
        causes = [f"firing:{pk}" for pk, _ in fired]
        written = Message.objects.filter(cause__in=causes)
        assert set(written.values_list("cause", "recipient_id")) == told
        told_of = TimelineEvent.objects.filter(kind__in=["fired", "skipped"])
        counted = Counter(event.facts["firing"] for event in told_of)
        assert counted == Counter(Firing.objects.values_list("pk", flat=True))

    @invariant()
    def nothing_is_sent_more_often_than_it_was_interrupted(self) -> None:
        sent = Counter(str(mail["X-Tierline-Key"]) for mail in self.box.mails)
        for key, times in sent.items():
            assert times <= 1 + self.interrupted[key]


def make_site() -> Story:
    """The site on which all lives are lived; each is taken back at its end."""
    story = Story()
    for team, name in zip((story.desk, story.apps, story.platform), WORKERS, strict=True):
        person = story.colleague if name == "bob" else story.person(name)
        Membership.objects.get_or_create(team=team, person=person)
    story.target("resolution", URGENT, priority=1)
    story.target("resolution", NORMAL)
    story.policy("ladder", *steps_of(LADDER))
    return story


def test_the_engine_and_the_reference_live_the_same_lives(db, mailbox, capsys) -> None:
    chosen = int(os.environ.get("TIERLINE_SEED") or random.SystemRandom().randrange(2**32))
    usual = STEPS[os.environ.get("HYPOTHESIS_PROFILE", "ci")]
    wanted = int(os.environ.get("TIERLINE_STEPS") or usual)
    site = {"box": mailbox, "story": make_site(), "taken": 0, "fired": 0}
    machine = type("Told", (Lives,), site)
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    print(f"TIERLINE_SEED={chosen}")
    # Not every draw is an act, some find nothing to do: lives are added until enough was done.
    for part in range(ROUNDS):
        lives = wanted * 8 // (5 * LENGTH) if part == 0 else wanted // (4 * LENGTH)
        plan = settings(max_examples=lives, stateful_step_count=LENGTH, deadline=None)
        run_state_machine_as_test(seed(chosen + part)(machine), settings=plan)
        if machine.taken >= wanted:
            break
    # Lives in which nothing happens would prove nothing.
    assert machine.taken >= wanted
    assert machine.fired >= wanted / 20
    with capsys.disabled():
        print(f" TIERLINE_SEED={chosen}: {machine.taken} steps, {machine.fired} firings", end="")
