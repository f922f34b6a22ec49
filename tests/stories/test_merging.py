"""Two tickets about one thing become one, and nobody who asked is lost on the way."""

import pytest

from escalation.models import Clock, Run
from roles.refusals import Conflict, Forbidden, Invalid
from tests.story import Story, page, unacknowledged
from tickets.assignment import take, watch
from tickets.lifecycle import cancel, comment, pend, resolve
from tickets.links import link
from tickets.merging import merge
from tickets.models import Ticket, TicketLink, TimelineEvent, Watcher
from tickets.verify import check_all


def pair(story: Story) -> tuple[Ticket, Ticket]:
    """A duplicate by somebody else, and the ticket that stays."""
    kept = story.open()
    gone = story.open(requester=story.person("carl"))
    return gone, kept


def test_the_duplicate_closes_and_the_survivor_goes_on_untouched(story: Story) -> None:
    story.target("resolution", 240)
    story.target("acceptance", 30)
    story.policy("p", unacknowledged(10, "Page", page("on_call")))
    gone, kept = pair(story)
    story.forward(minutes=5)
    before = list(Clock.objects.filter(ticket=kept).order_by("pk").values())
    run_before = Run.objects.filter(ticket=kept).values().get()
    merge(ticket=gone, into=kept, actor=story.agent, reason="Same outage", clock=story.clock)
    fresh = story.fresh(gone)
    assert (fresh.status, fresh.resolution_code, fresh.merged_into_id) == (
        "closed",
        "duplicate",
        kept.pk,
    )
    assert Run.objects.get(ticket=gone).state == "stopped"
    after = list(Clock.objects.filter(ticket=kept).order_by("pk").values())
    still = ("kind", "cycle", "started_at", "stopped_at", "due_at", "target_id", "pauses", "state")
    assert [[row[n] for n in still] for row in after] == [[row[n] for n in still] for row in before]
    run_after = Run.objects.filter(ticket=kept).values().get()
    assert run_after["next_at"] == run_before["next_at"]
    assert TicketLink.objects.filter(source=gone, target=kept, relation="duplicate_of").exists()
    assert [finding for checked in check_all() for finding in checked.findings] == []


def test_the_clocks_of_a_duplicate_are_cancelled_not_met(story: Story) -> None:
    for kind in ("first_response", "resolution", "acceptance"):
        story.target(kind, 240)
    gone, kept = pair(story)
    merge(ticket=gone, into=kept, actor=story.agent, reason="Same outage", clock=story.clock)
    ended = Clock.objects.filter(ticket=gone).values_list("kind", "state", "ended_as")
    assert {(state, how) for _, state, how in ended} == {("cancelled", "cancelled")}
    assert ended.count() == 3


def test_its_people_watch_the_survivor_and_the_requester_is_told(story: Story) -> None:
    gone, kept = pair(story)
    watch(ticket=gone, actor=story.engineer, clock=story.clock)
    story.phone.new()
    merge(ticket=gone, into=kept, actor=story.agent, reason="Same outage", clock=story.clock)
    story.phone.rang(("carl", "merged"))
    watching = Watcher.objects.filter(ticket=kept).values_list("person__username", flat=True)
    assert sorted(watching) == ["carl", "cleo"]
    assert Ticket.objects.visible_to(gone.requester).filter(pk=kept.pk).exists()


def test_what_is_said_on_a_merged_ticket_is_said_on_the_survivor(story: Story) -> None:
    gone, kept = pair(story)
    comment(ticket=gone, actor=story.agent, text="We look", public=True, clock=story.clock)
    merge(ticket=gone, into=kept, actor=story.agent, reason="Same outage", clock=story.clock)
    merged = story.fresh(gone)
    said_on = comment(
        ticket=merged, actor=gone.requester, text="Still gone", public=True, clock=story.clock
    )
    assert said_on.pk == kept.pk
    event = TimelineEvent.objects.get(ticket=kept, kind="commented")
    assert (event.body.text, event.facts["said_on"]) == ("Still gone", gone.key)
    assert TimelineEvent.objects.filter(ticket=gone, kind="commented").count() == 1


def test_a_pending_and_a_resolved_duplicate_close_by_the_legal_way(story: Story) -> None:
    kept = story.open()
    waiting, solved = story.open(), story.open()
    take(ticket=waiting, actor=story.agent, clock=story.clock)
    pend(
        ticket=waiting,
        actor=story.agent,
        status="pending_requester",
        reason="Which?",
        clock=story.clock,
    )
    resolve(ticket=solved, actor=None, code="fixed", text="Done", clock=story.clock)
    for gone in (waiting, solved):
        merge(ticket=gone, into=kept, actor=story.agent, reason="Same", clock=story.clock)
        assert story.fresh(gone).status == "closed"


def test_what_makes_no_sense_is_refused_and_changes_nothing(story: Story) -> None:
    gone, kept = pair(story)
    child, over = story.open(), story.open()
    case = story.open(kind="security", restricted=True, service=None, actor=None)
    link(ticket=child, other=gone, relation="child_of", actor=story.agent, clock=story.clock)
    cancel(ticket=over, actor=None, reason="Never mind", clock=story.clock)
    before = TimelineEvent.objects.count()
    for one, other, refusal in (
        (gone, gone, Invalid),
        (gone, case, Invalid),
        (case, gone, Invalid),
        (gone, over, Conflict),
        (over, gone, Conflict),
        (gone, child, Conflict),
    ):
        with pytest.raises(refusal):
            merge(ticket=one, into=other, actor=None, reason="Same", clock=story.clock)
    with pytest.raises(Forbidden):
        merge(ticket=gone, into=kept, actor=story.engineer, reason="Same", clock=story.clock)
    with pytest.raises(Forbidden):
        merge(ticket=gone, into=kept, actor=story.requester, reason="Same", clock=story.clock)
    assert TimelineEvent.objects.count() == before


def test_of_a_case_only_the_cleared_go_over(story: Story) -> None:
    first = story.open(kind="security", restricted=True, service=None)
    second = story.open(
        kind="security", restricted=True, service=None, requester=story.person("carl")
    )
    take(ticket=second, actor=story.analyst, clock=story.clock)
    merge(ticket=second, into=first, actor=story.analyst, reason="One thief", clock=story.clock)
    assert not Watcher.objects.filter(ticket=first).exists()
    assert not Ticket.objects.visible_to(second.requester).filter(pk=first.pk).exists()


def test_chains_of_merges_end_at_the_last_survivor(story: Story) -> None:
    first, second, third = story.open(), story.open(), story.open()
    merge(ticket=first, into=second, actor=story.agent, reason="Same", clock=story.clock)
    merge(ticket=second, into=third, actor=story.agent, reason="Same", clock=story.clock)
    said_on = comment(
        ticket=story.fresh(first), actor=story.agent, text="Hm", public=False, clock=story.clock
    )
    assert said_on.pk == third.pk
