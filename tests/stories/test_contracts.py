"""A team says what it needs before it takes work; urgent work goes first and owes it."""

import pytest
from django.db import IntegrityError, transaction

from escalation.contracts import complete_handover, set_contract
from escalation.edges import measure_edges
from escalation.handover import accept, escalate, hand_back
from escalation.models import Escalation, HandoverContract
from notifications.models import Message
from roles.models import AuditEntry
from roles.refusals import Conflict, Forbidden, Invalid
from tests.story import Story, move, unacknowledged
from tickets.models import EventBody, Ticket

NEEDS = [
    {"slug": "tried", "name": "What was tried"},
    {"slug": "logs", "name": "Logs of the failing call"},
    {"slug": "workaround", "name": "Workaround", "required": False},
]


@pytest.fixture
def contracted(story: Story) -> Story:
    set_contract(to_team=story.apps, needs=NEEDS, clock=story.clock)
    return story


def pass_up(story: Story, ticket: Ticket, **given: object) -> Escalation:
    given.setdefault("actor", story.agent)
    return escalate(ticket=ticket, reason_code="skill", reason="Stuck", clock=story.clock, **given)


def test_work_without_what_the_receiver_needs_is_refused_field_by_field(contracted: Story) -> None:
    ticket = contracted.open()
    with pytest.raises(Invalid) as refused:
        pass_up(contracted, ticket, tried="Restarted it")
    assert set(refused.value.fields) == {"logs"}
    assert contracted.fresh(ticket).team == contracted.desk


def test_with_the_answers_it_goes_and_the_receiver_reads_them(contracted: Story) -> None:
    ticket = contracted.open()
    record = pass_up(
        contracted,
        ticket,
        tried="Restarted it",
        answers={"logs": " 500 at 09:00 ", "workaround": ""},
    )
    assert record.answers == {"tried": "Restarted it", "logs": "500 at 09:00"}
    assert (record.owed, record.owed_at) == ([], None)
    body = Message.objects.get(recipient=contracted.engineer).body
    assert "Logs of the failing call: 500 at 09:00" in body


def test_urgent_work_goes_at_once_and_owes_what_it_skipped(contracted: Story) -> None:
    ticket = contracted.open(impact=1, urgency=1)
    record = pass_up(contracted, ticket, urgent=True, tried="Restarted it")
    assert contracted.fresh(ticket).team == contracted.apps
    assert [item["slug"] for item in record.owed] == ["logs"]
    contracted.forward(minutes=5)
    paid = complete_handover(
        ticket=ticket, actor=contracted.agent, answers={"logs": "here"}, clock=contracted.clock
    )
    assert (paid.owed, paid.settled_at, paid.answers["logs"]) == ([], contracted.now, "here")
    note = ticket.events.filter(kind="commented").get()
    assert not note.is_public
    assert EventBody.objects.get(event=note).text == "Logs of the failing call: here"


def test_work_that_is_not_urgent_owes_nothing_and_waits_for_its_answers(contracted: Story) -> None:
    ticket = contracted.open(impact=2, urgency=3)
    with pytest.raises(Invalid):
        pass_up(contracted, ticket, urgent=True)


def test_a_debt_is_paid_once_and_only_with_what_is_owed(contracted: Story) -> None:
    ticket = contracted.open(impact=1, urgency=1)
    pass_up(contracted, ticket, urgent=True)
    pay = {"ticket": ticket, "actor": contracted.agent, "clock": contracted.clock}
    with pytest.raises(Invalid):
        complete_handover(answers={"shoe-size": "44"}, **pay)
    with pytest.raises(Invalid):
        complete_handover(answers={"logs": "  "}, **pay)
    with pytest.raises(Forbidden):
        complete_handover(answers={"logs": "x"}, **{**pay, "actor": contracted.requester})
    half = complete_handover(answers={"logs": "x"}, **pay)
    assert [item["slug"] for item in half.owed] == ["tried"]
    assert half.settled_at is None
    complete_handover(answers={"tried": "y"}, **pay)
    with pytest.raises(Conflict, match="Nothing is owed"):
        complete_handover(answers={"tried": "z"}, **pay)


def test_what_a_policy_moves_owes_what_nobody_was_there_to_give(contracted: Story) -> None:
    contracted.policy("up", unacknowledged(10, "Move up", move()))
    contracted.open()
    contracted.forward(minutes=10)
    record = Escalation.objects.get()
    assert [item["slug"] for item in record.owed] == ["tried", "logs"]
    assert record.owed_at == record.opened_at


def test_the_contract_of_the_exact_edge_goes_first_and_may_ask_for_nothing(
    contracted: Story,
) -> None:
    set_contract(
        from_team=contracted.desk, to_team=contracted.apps, needs=[], clock=contracted.clock
    )
    assert pass_up(contracted, contracted.open()).owed == []
    other = contracted.open(team=contracted.platform)
    with pytest.raises(Invalid):
        pass_up(contracted, other, actor=contracted.expert, to_team=contracted.apps)


def test_a_contract_that_is_switched_off_asks_for_nothing(contracted: Story) -> None:
    HandoverContract.objects.update(is_active=False)
    assert pass_up(contracted, contracted.open()).owed == []


def test_an_answer_that_nobody_asked_for_is_named(contracted: Story) -> None:
    with pytest.raises(Invalid) as refused:
        pass_up(contracted, contracted.open(), answers={"lunch": "x"})
    assert set(refused.value.fields) == {"lunch"}


@pytest.mark.parametrize(
    ("needs", "path"),
    [
        ([{"slug": "", "name": "x"}], "needs.1.slug"),
        ([{"slug": "a", "name": "x"}, {"slug": "a", "name": "y"}], "needs.2.slug"),
        ([{"slug": "a", "name": " "}], "needs.1.name"),
        ([{"slug": "a", "name": "x", "required": "no"}], "needs.1.required"),
    ],
)
def test_a_wrong_contract_is_refused_by_path(story: Story, needs: list, path: str) -> None:
    with pytest.raises(Invalid) as refused:
        set_contract(to_team=story.apps, needs=needs, clock=story.clock)
    assert set(refused.value.fields) == {path}
    assert not HandoverContract.objects.exists()


def test_only_those_who_manage_policies_write_contracts_and_it_is_audited(story: Story) -> None:
    with pytest.raises(Forbidden):
        set_contract(to_team=story.apps, needs=NEEDS, actor=story.agent, clock=story.clock)
    set_contract(to_team=story.apps, needs=NEEDS, actor=story.admin, clock=story.clock)
    assert AuditEntry.objects.get(action="contract.set").actor_id == story.admin.pk


def test_the_database_holds_one_contract_per_edge_and_dates_every_debt(contracted: Story) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        HandoverContract.objects.create(from_team=None, to_team=contracted.apps)
    record = pass_up(contracted, contracted.open(impact=1, urgency=1), urgent=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        Escalation.objects.filter(pk=record.pk).update(owed_at=None)


def test_hand_overs_are_measured_by_edge_and_never_by_person(contracted: Story) -> None:
    first, second, third = (contracted.open(impact=1, urgency=1) for _ in range(3))
    for ticket in (first, second, third):
        pass_up(contracted, ticket, urgent=True)
    contracted.forward(minutes=4)
    accept(ticket=first, actor=contracted.engineer, clock=contracted.clock)
    contracted.forward(minutes=2)
    accept(ticket=second, actor=contracted.engineer, clock=contracted.clock)
    hand_back(
        ticket=third,
        actor=contracted.engineer,
        reason_code="incomplete",
        reason="No logs",
        clock=contracted.clock,
    )
    contracted.forward(minutes=1)
    (edge,) = measure_edges(until=contracted.now)
    assert (edge.from_team, edge.to_team, edge.passed, edge.accepted) == ("Desk", "Apps", 3, 2)
    assert edge.median_accept_s == 300
    assert edge.handed_back == {"incomplete": 1}
    assert (edge.skipped, edge.owing) == (3, 3)


def test_an_edge_on_which_nothing_was_accepted_is_not_measured(contracted: Story) -> None:
    pass_up(contracted, contracted.open(impact=1, urgency=1), urgent=True)
    contracted.forward(minutes=1)
    assert measure_edges(until=contracted.now)[0].median_accept_s is None
