"""A batch written with one statement leaves the very rows that single writes would leave."""

import random
import re
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from escalation import engine, handover, keeping
from escalation.engine import climb, run_sweep
from escalation.models import Clock, Escalation, Firing, Run
from escalation.reactions import heal
from escalation.runs import steps_of
from escalation.scene import Configuration
from escalation.sleeping import sleepers_of
from escalation.verify import check_all as check_clocks
from notifications.models import Message
from roles import ledger
from roles.models import Person
from roles.written import Written
from tests.story import Story, involve, move, notify, page, percent, unacknowledged
from tickets import assignment, lifecycle
from tickets.models import Service, Ticket, TimelineEvent
from tickets.repeats import ACCOUNT, lock_number
from tickets.verify import check_all as check_timelines

MODELS = (Ticket, Run, Clock, Firing, Escalation, TimelineEvent, Message)
KNOWN = Written(lambda pk: Ticket.objects.filter(pk=pk).values_list("chase_count"), pk=int)
HOT = ("run", "firing", "clock", "escalation")
OWN_ID = frozenset({"id", "firing_id", "hash", "last_hash", "canonical", "cause", "key", "salt"})


def watch_for_trouble(story: Story) -> None:
    """A policy beside the main one for each kind of step that a move may wake, or may not."""
    watching: dict[str, dict[str, Any]] = {
        "returned": {"trigger": "ping_pong", "count": 1},
        "passed": {"trigger": "handed_over", "count": 2},
        "again": {"trigger": "reopened", "count": 1},
        "asked": {"trigger": "chased", "count": 1},
        "mute": {"trigger": "silent", "delay_s": 600, "basis": "wall"},
        "first": {"trigger": "since_start", "delay_s": 1200, "basis": "wall"},
        "lying": {"trigger": "in_status", "status": "waiting_for_support", "delay_s": 900},
        "accepting": {"trigger": "clock_percent", "clock": "acceptance", "percent": 60},
        "outside": {"trigger": "clock_percent", "clock": "vendor_fix", "percent": 60},
    }
    for slug, step in watching.items():
        story.policy(slug, {"name": slug, "actions": [notify("lead")], **step}, mode="beside")


class Undone(Exception):
    """Ends a transaction that was only looked at."""


def busy_site(seed: int, tickets: int = 14) -> Story:
    """Tickets in many states, for each of which some step, or several, are due by now."""
    rng = random.Random(seed)
    story = Story()
    story.phone.ignore("received", "escalated", "resolved", "waiting", "replied")
    story.target("first_response", 30)
    story.target("resolution", 60)
    story.target("acceptance", 7)
    story.policy(
        "climb",
        unacknowledged(0, "Page", page("on_call")),
        unacknowledged(5, "Lead", notify("lead", "requester")),
        unacknowledged(10, "Up", move(), page("on_call")),
        unacknowledged(15, "Manager", involve("manager"), page("duty:incident-manager")),
        percent("resolution", 20, "Fifth", notify("assignee")),
        percent("acceptance", 50, "Half", {"do": "raise_priority", "to": 2}, notify("lead")),
        repeat_limit=1,
        repeat_after_s=120,
    )
    story.policy("beside", percent("resolution", 30, "Beside", involve("manager")), mode="beside")
    watch_for_trouble(story)
    for number in range(tickets):
        ticket = story.open(subject=f"Number {number}")
        story.now += timedelta(seconds=rng.randrange(1, 90))
        if rng.random() < 0.5:
            engine.climb(clock=story.clock)
        if rng.random() < 0.3:
            assignment.take(ticket=ticket, actor=story.agent, clock=story.clock)
            if rng.random() < 0.6:
                lifecycle.pend(
                    ticket=ticket,
                    actor=story.agent,
                    status="pending_requester",
                    reason="Which one?",
                    clock=story.clock,
                )
        elif rng.random() < 0.2:
            handover.escalate(
                ticket=ticket,
                actor=story.agent,
                reason_code="skill",
                reason="Too deep.",
                clock=story.clock,
            )
    story.now += timedelta(minutes=rng.choice([4, 9, 13, 21, 40]))
    return story


def rows() -> dict[str, list[dict[str, Any]]]:
    """All rows but for numbers that follow from the order of writing."""
    found = {}
    for model in MODELS:
        listed = []
        for row in model._default_manager.order_by("pk").values():
            kept = {name: value for name, value in row.items() if name not in OWN_ID}
            if model is TimelineEvent:
                kept["facts"] = {
                    name: value
                    for name, value in model(**row).facts.items()
                    if name not in ("firing", "escalation")
                }
            listed.append(kept)
        found[model.__name__] = sorted(listed, key=repr)
    return found


def climbed(story: Story, *, is_gathered: bool) -> dict[str, list[dict[str, Any]]]:
    """The rows that looks leave until nothing is due, seen and then undone."""
    seen: dict[str, list[dict[str, Any]]] = {}
    with pytest.raises(Undone), transaction.atomic():
        while climb(clock=story.clock, is_gathered=is_gathered):
            pass
        seen = rows()
        assert not [f for part in check_timelines() for f in part.findings]
        assert not [f for part in check_clocks() for f in part.findings]
        raise Undone
    return seen


@pytest.mark.parametrize("seed", range(8))
def test_a_gathered_batch_leaves_the_rows_that_single_writes_leave(db, seed: int) -> None:
    story = busy_site(seed)
    singly = climbed(story, is_gathered=False)
    gathered = climbed(story, is_gathered=True)
    assert len(gathered["Firing"]) > Firing.objects.count()
    for name, listed in singly.items():
        assert gathered[name] == listed, name


@pytest.mark.parametrize("seed", [3, 5])
def test_after_a_batch_there_is_nothing_to_heal(db, seed: int) -> None:
    story = busy_site(seed)
    climb(clock=story.clock)
    before = rows()
    heal(Ticket.objects.values_list("pk", flat=True), clock=story.clock)
    assert rows() == before


def asleep(ticket: Ticket) -> set[str]:
    """The policies whose climbs sleep through the next move of a ticket."""
    revisions = {row.current.pk: row for row in keeping.published() if row.current}
    steps = steps_of(revisions)
    (group,) = sleepers_of([ticket], [row.current for row in revisions.values()], steps)
    return {row.slug for pk, row in revisions.items() if pk in group.revision_ids}


def test_climbs_sleep_through_a_move_that_has_nothing_to_do_with_them(story) -> None:
    story.policy("p", unacknowledged(5, "Up", move(), page("on_call")))
    watch_for_trouble(story)
    ticket = story.open()
    unconcerned = {"again", "asked", "mute", "first", "outside"}
    assert asleep(ticket) == unconcerned | {"returned", "passed"}
    ticket.handover_count = 1
    assert asleep(ticket) == unconcerned


def test_climbs_that_sleep_follow_their_ticket_into_the_next_team(story) -> None:
    story.policy("p", unacknowledged(5, "Up", move(), page("on_call")))
    watch_for_trouble(story)
    ticket = story.open()
    story.now += timedelta(minutes=6)
    climb(clock=story.clock)
    ticket.refresh_from_db()
    assert ticket.entry == 2
    places = Run.objects.filter(ticket=ticket).values_list("entry", "waiting_since")
    assert list(places) == [(2, ticket.entered_at)] * 10


def test_a_hundred_due_steps_cost_a_fixed_number_of_statements(story) -> None:
    story.target("resolution", 60)
    story.target("acceptance", 20)
    story.policy("p", unacknowledged(5, "Up", move(), page("on_call")))
    for number in range(12):
        story.open(subject=f"Number {number}")
    story.now += timedelta(minutes=6)
    few = [run.pk for run in Run.objects.order_by("pk")[:2]]
    counts = []
    for ids in (few, None):
        with CaptureQueriesContext(
            connection,
        ) as seen:
            deeds = climb(clock=story.clock, run_ids=ids)
        counts.append(len(seen))
    assert len(deeds) == 10
    assert counts[1] <= counts[0] + 1
    assert counts[1] <= 40


def test_a_pass_reads_the_set_up_again_only_once_it_has_changed(story) -> None:
    story.policy("p", unacknowledged(5, "Up", move(), page("on_call")))
    Configuration()
    with CaptureQueriesContext(connection) as asked:
        known = Configuration()
        known.read_all()
    assert len(asked) == 1
    assert "roles_edition" in asked[0]["sql"]
    Service.objects.filter(pk=story.mail.pk).update(name="Letters")
    assert Configuration().services[story.mail.pk].name == "Letters"
    assert known.services[story.mail.pk].name == story.mail.name


def test_whoever_is_switched_off_is_not_paged_by_the_next_pass(story) -> None:
    story.policy("p", unacknowledged(5, "Up", page("lead")), unacknowledged(9, "On", page("lead")))
    ticket = story.open()
    story.now += timedelta(minutes=6)
    run_sweep(clock=story.clock, is_forked=False)
    lead = ticket.team.lead
    Person.objects.filter(pk=lead.pk).update(is_active=False)
    story.now += timedelta(minutes=6)
    run_sweep(clock=story.clock, is_forked=False)
    told = [firing.explain["told"] for firing in Firing.objects.order_by("pk")]
    assert [item["person"] for item in told[0]] == [lead.pk]
    assert lead.pk not in [item["person"] for item in told[1]]


def test_a_run_that_somebody_else_has_evaluated_is_not_overwritten(story) -> None:
    story.policy("p", unacknowledged(5, "Up", move()))
    ticket = story.open()
    run = Run.objects.get(ticket=ticket)
    with pytest.raises(ledger.Stale), transaction.atomic(), ledger.keeping() as book:
        book.fence(Run, "epoch", {run.pk: run.epoch + 1})
        run.rung = 9
        ledger.update_rows(Run, [run], ["rung"])
    run.refresh_from_db()
    assert run.rung == 0


def test_nobody_reads_past_an_open_ledger(story) -> None:
    ticket = story.open()
    with transaction.atomic(), ledger.keeping():
        ticket.chase_count = 7
        ledger.update_rows(Ticket, [ticket], ["chase_count"])
        assert Ticket.objects.get(pk=ticket.pk).chase_count == 7
        ticket.chase_count = 8
        ledger.update_rows(Ticket, [ticket], ["chase_count"])
        # Nor by a statement that was prepared, whose name says nothing of its tables.
        assert KNOWN.first(pk=ticket.pk) == (8,)
        ticket.chase_count = 9
        ledger.update_rows(Ticket, [ticket], ["chase_count"])
        assert KNOWN.first(pk=ticket.pk) == (9,)


def test_what_a_savepoint_takes_back_is_not_written(story) -> None:
    ticket = story.open()
    with transaction.atomic(), ledger.keeping(), pytest.raises(Undone), transaction.atomic():
        ticket.chase_count = 7
        ledger.update_rows(Ticket, [ticket], ["chase_count"])
        raise Undone
    assert Ticket.objects.get(pk=ticket.pk).chase_count == 0


def test_batches_that_gather_repeats_ask_for_their_locks_in_one_order(story) -> None:
    shop = Service.objects.create(slug="shop", name="Shop", owner_team=story.platform)
    story.policy("p", unacknowledged(5, "Gather", {"do": "open_problem"}))
    mails = story.open(impact=1), story.open(impact=3)
    shops = story.open(service=shop, impact=3), story.open(service=shop, impact=1)
    story.now += timedelta(minutes=6)

    def locks(*tickets: Ticket) -> list[str]:
        runs = Run.objects.filter(ticket__in=[ticket.pk for ticket in tickets])
        with CaptureQueriesContext(connection) as seen, pytest.raises(Undone), transaction.atomic():
            deeds = climb(clock=story.clock, run_ids=[run.pk for run in runs])
            assert len(deeds) == 2
            raise Undone
        (asked,) = [each["sql"] for each in seen if "pg_try_advisory_xact_lock" in each["sql"]]
        return re.findall(r"\d{9,}", asked)

    one, other = locks(mails[0], shops[0]), locks(mails[1], shops[1])
    assert len(one) == 3  # the two problems, and the account that opens the very first
    assert one == other


@pytest.mark.parametrize("what", ["service:{}", ACCOUNT])
def test_a_batch_does_not_wait_for_a_problem_that_somebody_else_is_opening(
    story, what: str
) -> None:
    story.policy("p", unacknowledged(5, "Gather", {"do": "open_problem"}))
    story.policy("q", unacknowledged(5, "Lead", notify("lead")), mode="beside")
    ticket = story.open()
    story.now += timedelta(minutes=6)
    about = what.format(ticket.service_id)
    with closing(connection.copy()) as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [lock_number(about)])
        assert [deed.due.step.name for deed in climb(clock=story.clock)] == ["Lead"]
        assert climb(clock=story.clock) == []
    assert [deed.due.step.name for deed in climb(clock=story.clock)] == ["Gather"]


def test_a_hundred_repeats_cost_few_more_statements_than_ten(story) -> None:
    story.policy(
        "p",
        {
            "name": "Gather", "trigger": "repeated", "count": 1, "window_s": 86_400,
            "same": "service", "actions": [{"do": "open_problem"}],
        },
        mode="beside",
    )  # fmt: skip

    def statements(count: int) -> int:
        tickets = [story.open(subject=f"Number {number}") for number in range(count)]
        due = Run.objects.filter(ticket__in=[ticket.pk for ticket in tickets])
        with CaptureQueriesContext(connection) as seen, pytest.raises(Undone), transaction.atomic():
            climb(clock=story.clock, run_ids=[run.pk for run in due])
            told = TimelineEvent.objects.filter(kind="linked", ticket__in=tickets)
            assert told.count() >= count - 1
            raise Undone
        return len(seen)

    few = statements(10)
    assert statements(100) <= few + 5


def test_a_reader_whom_waiting_rows_do_not_concern_may_read_past_a_ledger(story) -> None:
    ticket = story.open()
    with transaction.atomic(), ledger.keeping():
        ticket.chase_count = 7
        ledger.update_rows(Ticket, [ticket], ["chase_count"])
        with ledger.reading_past(Ticket):
            assert Ticket.objects.get(pk=ticket.pk).chase_count == 0
        assert Ticket.objects.get(pk=ticket.pk).chase_count == 7


def test_a_batch_is_written_once_though_somebody_works_on_one_of_its_tickets(
    story, settings
) -> None:
    settings.KEEP_PLANS = False  # so that each statement is seen in its own words
    story.target("resolution", 10)
    story.policy(
        "p",
        unacknowledged(5, "Up", move(), page("on_call")),
        percent("resolution", 50, "Raise", {"do": "raise_priority", "to": 2}),
    )
    story.open()
    worked_on = story.open()
    assignment.take(ticket=worked_on, actor=story.agent, clock=story.clock)
    story.now += timedelta(minutes=6)
    with CaptureQueriesContext(connection) as seen:
        steps = {deed.due.step.name for deed in climb(clock=story.clock)}
    assert steps == {"Up", "Raise"}
    assert len([each for each in seen if each["sql"].startswith("WITH w0 AS")]) == 1


def test_a_batch_is_written_once_though_a_step_asks_how_often_a_ticket_came_back(
    story, settings
) -> None:
    settings.KEEP_PLANS = False  # so that each statement is seen in its own words
    story.policy("p", unacknowledged(30, "Up", move(), page("on_call")))
    step = {"trigger": "ping_pong", "count": 2, "name": "Again", "actions": [notify("lead")]}
    story.policy("beside", step, mode="beside")
    ticket = story.open()
    handover.escalate(
        ticket=ticket,
        actor=story.agent,
        reason_code="skill",
        reason="Too deep.",
        clock=story.clock,
    )
    handover.hand_back(
        ticket=ticket,
        actor=story.engineer,
        reason_code="solvable",
        reason="Not so deep.",
        clock=story.clock,
    )
    story.now += timedelta(minutes=31)
    with CaptureQueriesContext(connection) as seen:
        assert [deed.due.step.name for deed in climb(clock=story.clock)] == ["Up"]
    assert len([each for each in seen if each["sql"].startswith("WITH w0 AS")]) == 1


def test_keys_of_what_a_batch_writes_are_checked_with_the_statement(db) -> None:
    written = ["tickets_timelineevent", *(f"escalation_{name}" for name in HOT)]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'f'"
            " AND condeferrable AND conrelid = ANY(%s::text[]::regclass[])"
            " AND confrelid = ANY(%s::text[]::regclass[])",
            [written, ["tickets_ticket", "escalation_run", "escalation_firing"]],
        )
        assert cursor.fetchall() == []
