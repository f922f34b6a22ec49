"""A major incident is decided by one person, led by named ones, and its stakeholders hear of it."""

import pytest

from escalation.models import Clock, Run
from roles.models import Duty, DutyAssignment
from roles.people import forget_roles
from roles.refusals import Conflict, Forbidden, Invalid
from tests.story import Story, page, unacknowledged
from tickets import stakeholders
from tickets.assignment import watch
from tickets.incidents import (
    accept_major,
    attach_child,
    children_of_open_majors,
    declare_major,
    demote_major,
    detach_child,
    post_update,
    propose_major,
    reject_major,
    resolve_major,
)
from tickets.lifecycle import cancel, reopen, resolve
from tickets.merging import merge
from tickets.models import Major, Ticket, TicketLink, TimelineEvent
from tickets.restriction import restrict
from tickets.staffing import staff_major


def major(story: Story, **fields) -> Ticket:
    """A ticket declared by the incident manager, its first letters read."""
    ticket = story.open(**fields)
    declare_major(
        ticket=ticket, actor=story.incident_manager, reason="All is down", clock=story.clock
    )
    story.phone.new()
    return story.fresh(ticket)


def kinds(ticket: Ticket) -> list[str]:
    return list(
        TimelineEvent.objects.filter(ticket=ticket.pk)
        .exclude(kind__in=["targeted", "run_started", "run_stopped", "run_held", "run_released"])
        .order_by("seq")
        .values_list("kind", flat=True)
    )


def test_a_proposal_calls_the_incident_manager_who_decides(story: Story) -> None:
    ticket = story.open()
    story.phone.new()
    propose_major(ticket=ticket, actor=story.agent, reason="Nobody gets mail", clock=story.clock)
    story.phone.rang(("ivan", "major_proposed"))
    assert not story.fresh(ticket).is_major
    accept_major(ticket=ticket, actor=story.incident_manager, severity=1, clock=story.clock)
    story.phone.rang(("rita", "major_declared"))
    record = Major.objects.get(ticket=ticket)
    assert (record.state, record.severity, record.manager) == (
        "accepted",
        1,
        story.incident_manager,
    )
    assert story.fresh(ticket).is_major
    assert kinds(ticket) == ["opened", "moved", "major_proposed", "major_declared"]


def test_a_policy_may_propose_and_nobody_is_named_as_proposer(story: Story) -> None:
    record = propose_major(
        ticket=story.open(), actor=None, reason="Ten tickets in an hour", clock=story.clock
    )
    assert record.proposer is None


def test_a_rejection_has_a_reason_and_the_proposer_hears_it(story: Story) -> None:
    ticket = story.open()
    propose_major(ticket=ticket, actor=story.agent, reason="Slow", clock=story.clock)
    with pytest.raises(Invalid):
        reject_major(ticket=ticket, actor=story.incident_manager, reason=" ", clock=story.clock)
    story.phone.new()
    reject_major(ticket=ticket, actor=story.incident_manager, reason="One desk", clock=story.clock)
    story.phone.rang(("ann", "major_rejected"))
    propose_major(ticket=ticket, actor=story.agent, reason="Now all desks", clock=story.clock)
    assert Major.objects.get(ticket=ticket).state == "proposed"


def test_nothing_is_proposed_twice_nor_decided_unasked(story: Story) -> None:
    ticket = story.open()
    with pytest.raises(Conflict):
        accept_major(ticket=ticket, actor=story.incident_manager, clock=story.clock)
    propose_major(ticket=ticket, actor=story.agent, reason="Slow", clock=story.clock)
    with pytest.raises(Conflict):
        propose_major(ticket=ticket, actor=story.agent, reason="Slow", clock=story.clock)


def test_who_may_not_is_refused(story: Story) -> None:
    ticket = story.open()
    with pytest.raises(Forbidden):
        propose_major(ticket=ticket, actor=story.requester, reason="Mine", clock=story.clock)
    with pytest.raises(Forbidden):
        propose_major(ticket=ticket, actor=story.engineer, reason="Not ours", clock=story.clock)
    propose_major(ticket=ticket, actor=story.agent, reason="Slow", clock=story.clock)
    for person in (story.agent, story.lead, story.requester, story.admin):
        with pytest.raises(Forbidden):
            accept_major(ticket=ticket, actor=person, clock=story.clock)
        with pytest.raises(Forbidden):
            reject_major(ticket=ticket, actor=person, reason="No", clock=story.clock)
    accept_major(ticket=ticket, actor=story.incident_manager, clock=story.clock)
    child = story.open()
    for act in (
        lambda: post_update(ticket=ticket, actor=story.agent, text="Hm", clock=story.clock),
        lambda: demote_major(ticket=ticket, actor=story.agent, reason="No", clock=story.clock),
        lambda: attach_child(ticket=ticket, child=child, actor=story.agent, clock=story.clock),
        lambda: staff_major(ticket=ticket, actor=story.agent, people={}, clock=story.clock),
        lambda: resolve_major(
            ticket=ticket, actor=story.agent, code="fixed", text="Done", clock=story.clock
        ),
    ):
        with pytest.raises(Forbidden):
            act()


def test_roles_go_to_people_who_may_do_what_they_ask_and_each_is_told(story: Story) -> None:
    ticket = major(story)
    duty = Duty.objects.create(slug="communication-coordinator", name="Communication")
    with pytest.raises(Invalid) as refused:
        staff_major(
            ticket=ticket,
            actor=story.incident_manager,
            people={"coordinator": story.agent, "scribe": story.requester, "manager": None},
            clock=story.clock,
        )
    assert set(refused.value.fields) == {"coordinator", "scribe", "manager"}
    DutyAssignment.objects.create(duty=duty, person=story.colleague)
    forget_roles(story.colleague)
    staff_major(
        ticket=ticket,
        actor=story.incident_manager,
        people={"coordinator": story.colleague, "technical_lead": story.expert},
        bridge_url="https://bridge.example.org/42",
        clock=story.clock,
    )
    story.phone.rang(("bob", "major_role"), ("dora", "major_role"))
    staff_major(
        ticket=ticket,
        actor=story.incident_manager,
        people={"technical_lead": story.engineer},
        clock=story.clock,
    )
    story.phone.rang(("cleo", "major_role"))
    with pytest.raises(Invalid):
        staff_major(
            ticket=ticket,
            actor=story.incident_manager,
            people={},
            bridge_url="javascript:alert(1)",
            clock=story.clock,
        )
    post_update(ticket=ticket, actor=story.colleague, text="Still on it", clock=story.clock)


def test_an_update_reaches_everybody_or_the_service_alone_and_promises_the_next(
    story: Story,
) -> None:
    ticket, child = major(story), story.open(requester=story.person("carl"))
    attach_child(ticket=ticket, child=child, actor=story.incident_manager, clock=story.clock)
    watch(ticket=ticket, actor=story.engineer, clock=story.clock)
    story.phone.new()
    update = {"ticket": ticket, "actor": story.incident_manager, "clock": story.clock}
    post_update(text="Still working on it", **update)
    story.phone.rang(
        ("carl", "major_updated"), ("cleo", "major_updated"), ("rita", "major_updated")
    )
    post_update(text="Suspect the pooler", audience="inside", next_in_min=15, **update)
    story.phone.rang(("cleo", "major_updated"))
    record = Major.objects.get(ticket=ticket)
    assert (record.next_update_at - story.now).total_seconds() == 15 * 60
    told = TimelineEvent.objects.filter(ticket=ticket, kind="major_updated").order_by("seq")
    assert [event.is_public for event in told] == [True, False]


def test_children_are_told_and_known_as_long_as_the_major_goes_on(story: Story) -> None:
    ticket, child = major(story), story.open(requester=story.person("carl"))
    story.phone.new()
    attach_child(ticket=ticket, child=child, actor=story.incident_manager, clock=story.clock)
    story.phone.rang(("carl", "attached"))
    assert kinds(ticket)[-1] == kinds(child)[-1] == "linked"
    assert children_of_open_majors([ticket.pk, child.pk]) == {child.pk}
    with pytest.raises(Conflict):
        attach_child(ticket=ticket, child=child, actor=story.incident_manager, clock=story.clock)
    detach_child(ticket=ticket, child=child, actor=story.incident_manager, clock=story.clock)
    assert children_of_open_majors([child.pk]) == set()
    attach_child(ticket=ticket, child=child, actor=story.incident_manager, clock=story.clock)
    demote_major(
        ticket=ticket, actor=story.incident_manager, reason="One site only", clock=story.clock
    )
    assert children_of_open_majors([child.pk]) == set()
    assert not story.fresh(ticket).is_major
    assert kinds(ticket)[-1] == "major_demoted"


def test_resolving_takes_the_children_along_and_names_those_that_cannot(story: Story) -> None:
    ticket = major(story)
    children = [story.open(requester=story.person(name)) for name in ("carl", "dina", "emil")]
    for child in children:
        attach_child(ticket=ticket, child=child, actor=story.incident_manager, clock=story.clock)
    cancel(ticket=children[2], actor=None, reason="Asked twice", clock=story.clock)
    story.phone.new()
    outcome = resolve_major(
        ticket=ticket,
        actor=story.incident_manager,
        code="fixed",
        text="Pooler restarted",
        clock=story.clock,
    )
    assert [each.pk for each in outcome.children] == [children[0].pk, children[1].pk]
    assert outcome.left == {}
    for each in (ticket, *children[:2]):
        fresh = story.fresh(each)
        assert (fresh.status, fresh.resolution_code) == ("resolved", "fixed")
        assert kinds(each)[-1] == "resolved"
    assert Major.objects.get(ticket=ticket).state == "resolved"
    told = story.phone.new()
    assert ("carl", "resolved") in told
    assert ("carl", "major_resolved") in told
    with pytest.raises(Conflict):
        post_update(ticket=ticket, actor=story.incident_manager, text="Hm", clock=story.clock)


def test_the_record_follows_its_ticket_through_any_door(story: Story) -> None:
    ticket = major(story)
    resolve(ticket=ticket, actor=None, code="fixed", text="Done", clock=story.clock)
    assert Major.objects.get(ticket=ticket).state == "resolved"
    story.phone.rang(("ivan", "major_resolved"), ("rita", "resolved"))
    reopen(ticket=ticket, actor=story.requester, reason="Not at all", clock=story.clock)
    assert Major.objects.get(ticket=ticket).state == "accepted"
    assert story.fresh(ticket).is_major
    cancel(ticket=ticket, actor=None, reason="Drill", clock=story.clock)
    assert Major.objects.get(ticket=ticket).state == "resolved"


def test_a_major_is_neither_restricted_nor_merged_away_nor_a_case_proposed(story: Story) -> None:
    ticket, other = major(story), story.open()
    with pytest.raises(Conflict):
        restrict(ticket=ticket, actor=story.incident_manager, reason="Theft", clock=story.clock)
    with pytest.raises(Conflict):
        merge(
            ticket=ticket,
            into=other,
            actor=story.incident_manager,
            reason="Same",
            clock=story.clock,
        )
    case = story.open(kind="security", restricted=True, service=None)
    with pytest.raises(Conflict):
        propose_major(ticket=case, actor=None, reason="Many", clock=story.clock)


def test_a_declared_major_is_matched_anew_by_policies(story: Story) -> None:
    story.policy(
        "major",
        unacknowledged(1, "Call", page("duty:incident-manager")),
        conditions=[{"fact": "major", "is": True}],
        position=1,
    )
    story.policy("plain", unacknowledged(60, "Page", page("on_call")), position=2)
    ticket = story.open()
    names = Run.objects.filter(ticket=ticket, state="active").values_list("policy__slug", flat=True)
    assert list(names.all()) == ["plain"]
    declare_major(ticket=ticket, actor=story.incident_manager, reason="Down", clock=story.clock)
    assert list(names.all()) == ["major"]
    demote_major(ticket=ticket, actor=story.incident_manager, reason="Up", clock=story.clock)
    assert list(names.all()) == ["plain"]


def test_the_policies_of_children_are_held_until_the_major_is_over(story: Story) -> None:
    story.policy("p", unacknowledged(10, "Page", page("on_call")))
    ticket, child, late = major(story), story.open(), story.open()
    attach_child(ticket=ticket, child=child, actor=story.incident_manager, clock=story.clock)
    story.forward(minutes=30)
    assert story.fired(child) == []
    assert story.fired(late) == ["Page"]
    resolve(ticket=ticket, actor=None, code="fixed", text="Done", clock=story.clock)
    story.forward(minutes=30)
    assert story.fired(child) == ["Page"]
    reopen(ticket=ticket, actor=story.requester, reason="Not at all", clock=story.clock)
    story.sweep()
    assert Run.objects.get(ticket=child, state="active").held == "major"
    restrict(ticket=child, actor=story.incident_manager, reason="Theft", clock=story.clock)
    assert Run.objects.get(ticket=child, state="active").held == ""


def test_a_restricted_child_of_old_is_no_child_any_more(story: Story) -> None:
    ticket, child = major(story), story.open()
    attach_child(ticket=ticket, child=child, actor=story.incident_manager, clock=story.clock)
    restrict(ticket=child, actor=story.incident_manager, reason="Theft", clock=story.clock)
    assert children_of_open_majors([child.pk]) == set()
    assert stakeholders.children_of(ticket) == []
    assert TicketLink.objects.filter(source=child, target=ticket).exists()


def test_the_stakeholders_clock_runs_from_the_declaration_from_word_to_word(story: Story) -> None:
    story.target("stakeholder_update", 30)
    ticket = major(story)

    def running() -> list[float]:
        live = Clock.objects.filter(ticket=ticket, kind="stakeholder_update", state="running")
        return [(row.due_at - story.now).total_seconds() / 60 for row in live]

    assert running() == [30]
    story.forward(minutes=20)
    post_update(ticket=ticket, actor=story.incident_manager, text="Still on it", clock=story.clock)
    assert running() == [30]
    demote_major(ticket=ticket, actor=story.incident_manager, reason="Over", clock=story.clock)
    assert running() == []
