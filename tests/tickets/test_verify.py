"""A row of a timeline that was touched is named; what was not touched is left in peace."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from roles.instants import fixed
from tests.story import Story
from tickets import lifecycle
from tickets.assignment import take
from tickets.models import Ticket
from tickets.triage import set_urgency_impact
from tickets.verify import check

pytestmark = pytest.mark.django_db

OTHER_TEXT = """replace(canonical, '"via":"', '"via":"un')"""
REWRITTEN = f"canonical = {OTHER_TEXT}, hash = encode(sha256({OTHER_TEXT}::bytea), 'hex')"
EVENT = "UPDATE tickets_timelineevent SET {} WHERE ticket_id = %s AND seq = %s"


@pytest.fixture
def ticket(story: Story) -> Ticket:
    """A ticket with a life: opened, moved, taken, discussed, raised, held, solved, reopened."""
    ticket = story.open(description="No mail since nine")
    act = {"ticket": ticket, "actor": story.agent, "clock": story.clock}
    take(**act)
    lifecycle.comment(**act, text="Looking at it", public=True)
    set_urgency_impact(**act, impact=1, urgency=1, reason="All of us")
    lifecycle.pend(**act, status="pending_requester", reason="Which mailbox?")
    story.forward(minutes=5)
    lifecycle.resume(**act)
    lifecycle.resolve(**act, code="fixed", text="Restarted")
    lifecycle.reopen(ticket=ticket, actor=story.requester, reason="No", clock=story.clock)
    return story.fresh(ticket)


def findings(*tickets: Ticket) -> list[tuple[int | None, str]]:
    return [(found.seq, found.problem) for found in check([item.pk for item in tickets]).findings]


def tamper(statement: str, *values: object) -> None:
    """What an intruder with the database owner's rights could do."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(statement, values)
        assert cursor.rowcount == 1
        cursor.execute("SET session_replication_role = DEFAULT")


def test_an_honest_timeline_has_nothing_to_find(ticket: Ticket):
    checked = check([ticket.pk])
    assert checked.findings == []
    assert (checked.tickets, checked.rows) == (1, ticket.last_seq)


def test_a_climbed_ticket_holds_too(story: Story):
    story.target("resolution", minutes=30)
    story.policy("standard", {**NOTIFY, "trigger": "unacknowledged", "delay_s": 60})
    ticket = story.open()
    story.forward(hours=1)
    assert findings(ticket) == []


NOTIFY = {
    "name": "Tell",
    "actions": [{"do": "notify", "to": ["on_call"]}, {"do": "move", "to": "next_tier"}],
}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("canonical = replace(canonical, 'web', 'api')", "does not have the hash"),
        ("canonical = 'nonsense'", "cannot be read"),
        ("hash = repeat('0', 64)", "does not have the hash"),
        ("kind = 'closed'", "column kind says 'closed'"),
        ("actor_id = 99", "column actor says 99"),
        ("at = at - interval '1 hour'", "column at says"),
        ("is_public = NOT is_public", "column public says"),
    ],
)
def test_a_changed_column_is_named_by_ticket_and_sequence(
    ticket: Ticket, change: str, problem: str
):
    tamper(EVENT.format(change), ticket.pk, 4)
    found = findings(ticket)
    assert found[0][0] == 4
    assert problem in " ".join(text for _, text in found)
    assert {seq for seq, _ in found} <= {4, None}


def test_a_row_rewritten_with_a_fitting_hash_is_given_away_by_its_successor(ticket: Ticket):
    tamper(EVENT.format(REWRITTEN), ticket.pk, 4)
    assert findings(ticket) == [(4, "is not what the next event was chained to")]


def test_the_last_row_rewritten_is_given_away_by_the_ticket(ticket: Ticket):
    tamper(EVENT.format(REWRITTEN), ticket.pk, ticket.last_seq)
    assert [seq for seq, _ in findings(ticket)] == [ticket.last_seq]


def test_a_removed_row_is_named(ticket: Ticket):
    gone = ticket.events.get(kind="taken")
    tamper("DELETE FROM tickets_timelineevent WHERE id = %s", gone.pk)
    assert findings(ticket) == [(gone.seq, "is missing")]


def test_a_cut_tail_is_named(ticket: Ticket):
    tamper(
        "DELETE FROM tickets_timelineevent WHERE ticket_id = %s AND seq = %s",
        ticket.pk,
        ticket.last_seq,
    )
    assert findings(ticket)[0] == (ticket.last_seq, "is missing")


def test_changed_words_are_named_and_erased_words_are_no_fault(ticket: Ticket):
    comment = ticket.events.get(kind="commented")
    tamper("UPDATE tickets_eventbody SET text = 'Never said' WHERE event_id = %s", comment.pk)
    assert findings(ticket) == [(comment.seq, "the words are not those that were written")]
    comment.body.delete()
    assert findings(ticket) == []


def test_words_put_under_a_wordless_event_are_named(ticket: Ticket):
    taken = ticket.events.get(kind="taken")
    tamper("INSERT INTO tickets_eventbody VALUES (%s, 'salt', 'words')", taken.pk)
    assert findings(ticket) == [(taken.seq, "has words, though it was written without")]


def test_a_ticket_changed_behind_its_timeline_is_named(ticket: Ticket):
    Ticket.objects.filter(pk=ticket.pk).update(priority=5)
    ((seq, problem),) = findings(ticket)
    assert seq is None
    assert problem == "column priority is 5, the timeline says 1"


def test_only_the_touched_ticket_is_named(story: Story, ticket: Ticket):
    other = story.open(clock=fixed(story.now))
    tamper(EVENT.format("kind = 'closed'"), ticket.pk, 2)
    found = check([other.pk, ticket.pk]).findings
    assert {finding.ticket for finding in found} == {ticket.key}


def test_the_command_prints_each_finding_and_ends_with_an_error(ticket: Ticket):
    out = StringIO()
    call_command("verify_timeline", stdout=out)
    assert "1 tickets" in out.getvalue()
    tamper(EVENT.format("actor_id = 99"), ticket.pk, 3)
    out = StringIO()
    with pytest.raises(CommandError, match="1 findings"):
        call_command("verify_timeline", stdout=out)
    assert f"{ticket.key}#3: column actor says 99" in out.getvalue()
