"""Problems: repeats gathered under one, diagnosed, their workaround passed on, solved with them."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from django.db import connection, transaction

from escalation.engine import climb
from roles.instants import TimeSource
from roles.refusals import Conflict, Forbidden, Invalid
from tests.story import Story, notify, unacknowledged
from tickets import timeline
from tickets.alike import Repeat
from tickets.assignment import take
from tickets.lifecycle import resolve
from tickets.links import link
from tickets.models import Problem, Straggler, Ticket, TicketLink, TimelineEvent
from tickets.problems import children_of, diagnose, publish_workaround, resolve_problem
from tickets.repeats import Gathering, Joined, open_or_join_problem
from tickets.restriction import restrict


def problem_of(story: Story, *children, **about):  # type: ignore[no-untyped-def]
    given = {"kind": "problem", "subject": "Why?", "team": story.desk, "actor": story.agent}
    problem = story.open(**{**given, **about})
    for child in children:
        link(
            ticket=child, other=problem, relation="caused_by", actor=story.agent, clock=story.clock
        )
    story.phone.new()
    return problem


def taken(story: Story, person, **about):  # type: ignore[no-untyped-def]
    ticket = story.open(**about)
    take(ticket=ticket, actor=person, clock=story.clock)
    story.phone.new()
    return ticket


def events(ticket, kind):  # type: ignore[no-untyped-def]
    return list(TimelineEvent.objects.filter(ticket=ticket, kind=kind).order_by("seq"))


def known(story: Story, problem, **more):  # type: ignore[no-untyped-def]
    given = {"cause": "A leak", "workaround": "Restart it", "is_known_error": True, **more}
    return diagnose(ticket=problem, actor=story.agent, clock=story.clock, **given)


# ---- What is known -------------------------------------------------------------------------------


def test_a_diagnosis_tells_nobody(story) -> None:
    problem = problem_of(story, taken(story, story.agent))
    row = known(story, problem)
    story.phone.was_silent()
    assert (row.is_known_error, row.diagnosed_by, row.published_at) == (True, story.agent, None)
    (event,) = events(problem, "diagnosed")
    assert event.facts == {"known_error": True, "has_workaround": True}
    assert event.body.text == "Cause: A leak\n\nWorkaround: Restart it"


def test_a_known_error_has_a_cause_and_only_problems_are_diagnosed(story) -> None:
    problem = problem_of(story)
    with pytest.raises(Invalid):
        known(story, problem, cause=" ")
    with pytest.raises(Invalid):
        known(story, problem, cause="", workaround="", is_known_error=False)
    with pytest.raises(Invalid):
        known(story, story.open())
    for person in (story.requester, story.stranger, story.engineer):
        with pytest.raises(Forbidden):
            diagnose(ticket=problem, actor=person, cause="x", clock=story.clock)


def test_a_workaround_reaches_those_at_work_on_the_open_children(story) -> None:
    mine, theirs = taken(story, story.agent), taken(story, story.colleague)
    queued = story.open()
    problem = problem_of(story, mine, theirs, queued)
    known(story, problem)
    publish_workaround(ticket=problem, actor=story.agent, clock=story.clock)
    story.phone.rang(("bob", "workaround"))
    for child in (mine, theirs, queued):
        (note,) = events(child, "commented")
        assert (note.body.text, note.is_public) == ("Restart it", False)
        assert note.facts["workaround_of"] == problem.key


def test_requesters_get_words_only_if_told_to(story) -> None:
    child = taken(story, story.colleague)
    problem = problem_of(story, child)
    known(story, problem)
    publish_workaround(ticket=problem, actor=story.agent, to_requesters=True, clock=story.clock)
    story.phone.rang(("bob", "workaround"), ("rita", "replied"))
    (note,) = events(child, "commented")
    assert note.is_public


def test_there_must_be_a_workaround_to_publish_and_another_one_is_unpublished(story) -> None:
    problem = problem_of(story)
    known(story, problem, workaround="")
    with pytest.raises(Conflict):
        publish_workaround(ticket=problem, actor=story.agent, clock=story.clock)
    known(story, problem)
    publish_workaround(ticket=problem, actor=story.agent, clock=story.clock)
    assert Problem.objects.get().published_at == story.now
    known(story, problem, workaround="Restart it twice")
    assert Problem.objects.get().published_at is None


def test_a_problem_is_resolved_with_those_children_that_one_may_resolve(story) -> None:
    mine = taken(story, story.agent)
    theirs = story.open(team=story.apps)
    take(ticket=theirs, actor=story.engineer, clock=story.clock)
    problem = problem_of(story, mine, theirs)
    solved = resolve_problem(
        ticket=problem, actor=story.agent, code="fixed", text="Mended", with_children=True,
        clock=story.clock,
    )  # fmt: skip
    assert ([t.pk for t in solved.resolved], [t.pk for t in solved.left]) == (
        [mine.pk], [theirs.pk],
    )  # fmt: skip
    assert story.fresh(mine).status == story.fresh(problem).status == "resolved"
    assert story.fresh(theirs).status == "in_progress"
    assert ("cleo", "workaround") in story.phone.new()
    assert [child.pk for child in children_of(problem)] == [theirs.pk]


def test_children_stay_open_unless_one_asks_for_them(story) -> None:
    mine = taken(story, story.colleague)
    problem = problem_of(story, mine)
    resolve_problem(
        ticket=problem, actor=story.agent, code="fixed", text="Mended", clock=story.clock
    )
    assert story.fresh(mine).status == "in_progress"


def test_a_child_that_has_become_restricted_is_none_any_more(story) -> None:
    mine, secret = taken(story, story.agent), taken(story, story.agent)
    problem = problem_of(story, mine, secret)
    known(story, problem)
    restrict(ticket=secret, actor=None, reason="A leak", clock=story.clock)
    seen = story.fresh(secret).last_seq
    assert [child.pk for child in children_of(problem)] == [mine.pk]
    told = publish_workaround(ticket=problem, actor=story.agent, clock=story.clock)
    solved = resolve_problem(
        ticket=problem, actor=story.agent, code="fixed", text="Mended", with_children=True,
        clock=story.clock,
    )  # fmt: skip
    assert [child.pk for child in (*told, *solved.resolved)] == [mine.pk, mine.pk]
    assert solved.left == []
    assert story.fresh(secret).last_seq == seen


def test_a_problem_that_has_become_restricted_tells_its_open_children_nothing(story) -> None:
    mine = taken(story, story.agent)
    problem = problem_of(story, mine)
    restrict(
        ticket=problem, actor=story.agent, reason="A leak", cleared=[story.agent], clock=story.clock
    )
    problem = story.fresh(problem)
    assert children_of(problem) == []
    assert joined(story, mine).problem != problem


# ---- Repeats -------------------------------------------------------------------------------------


def joined(story: Story, ticket, same="service", actor=None):  # type: ignore[no-untyped-def]
    return open_or_join_problem(ticket=ticket, same=same, actor=actor, clock=story.clock)


def test_the_first_repeat_opens_a_problem_with_the_owner_of_the_service(story) -> None:
    ticket = story.open()
    story.phone.new()
    found = joined(story, ticket)
    assert found.is_new
    problem = story.fresh(found.problem)
    assert (problem.kind, problem.team, problem.service) == ("problem", story.platform, story.mail)
    assert TicketLink.objects.get().relation == "caused_by"
    assert events(ticket, "linked")[0].facts["other"] == problem.key
    assert events(problem, "linked")[0].facts["other"] == ticket.key
    assert [child.pk for child in children_of(problem)] == [ticket.pk]
    story.phone.was_silent()


def test_later_repeats_join_it_and_doing_it_again_changes_nothing(story) -> None:
    first = joined(story, story.open())
    ticket = story.open()
    second = joined(story, ticket)
    again = joined(story, ticket, same="requester")
    assert first.problem == second.problem == again.problem
    assert (second.is_new, again.is_linked_now) == (False, False)
    assert TicketLink.objects.count() == 2


def test_each_thing_in_common_has_a_problem_of_its_own(story) -> None:
    by_service = joined(story, story.open()).problem
    by_person = joined(story, story.open(), same="requester").problem
    by_asset = joined(story, story.open(asset="printer 7"), same="asset").problem
    assert len({by_service.pk, by_person.pk, by_asset.pk}) == 3
    assert joined(story, story.open(asset=" Printer 7"), same="asset").problem == by_asset
    assert joined(story, story.open()).problem == by_service


def test_a_problem_opened_by_hand_is_joined_and_a_solved_one_is_not(story) -> None:
    by_hand = problem_of(story)
    assert joined(story, story.open()).problem == by_hand
    resolve_problem(
        ticket=by_hand, actor=story.agent, code="fixed", text="Mended", clock=story.clock
    )
    assert joined(story, story.open()).is_new


def test_what_has_nothing_in_common_or_is_restricted_is_refused(story) -> None:
    with pytest.raises(Invalid):
        joined(story, story.open(), same="asset")
    with pytest.raises(Invalid):
        joined(story, story.open(service=None))
    with pytest.raises(Invalid):
        joined(story, story.open(), same="weather")
    with pytest.raises(Invalid):
        joined(story, story.open(kind="security", restricted=True))
    with pytest.raises(Forbidden):
        joined(story, story.open(), actor=story.requester)
    assert not Ticket.objects.filter(kind="problem").exists()


def gathered(repeats: list[Repeat], clock: TimeSource) -> dict[int, Joined]:
    gathering = Gathering(repeats, clock=clock)
    found = {each.ticket.pk: gathering.join(each) for each in repeats}
    gathering.record()
    return found


def test_what_a_repeat_repeats_comes_under_the_problem_with_it(story) -> None:
    long_ago = story.open()
    story.forward(days=8)
    first, secret, solved, elsewhere = (story.open() for _ in range(4))
    at_hand = story.open()
    restrict(ticket=secret, actor=story.agent, reason="A leak", clock=story.clock)
    take(ticket=solved, actor=story.agent, clock=story.clock)
    resolve(ticket=solved, actor=story.agent, code="fixed", text="Done", clock=story.clock)
    other = problem_of(story, elsewhere, service=None)
    ticket, later = story.open(), story.open()
    story.phone.new()
    with transaction.atomic():
        locked = timeline.lock(ticket.pk)
        repeat = Repeat(locked, "requester", window_s=7 * 86_400, beside=[at_hand])
        found = gathered([repeat], clock=story.clock)[ticket.pk]
    assert (found.is_new, found.fellows) == (True, 1)
    assert [child.pk for child in children_of(found.problem)] == [first.pk, ticket.pk]
    assert [child.pk for child in children_of(other)] == [elsewhere.pk]
    assert events(first, "linked")[0].facts["other"] == found.problem.key
    assert {e.facts["other"] for e in events(found.problem, "linked")} == {first.key, ticket.key}
    assert not any(events(each, "linked") for each in (long_ago, secret, solved, at_hand, later))
    story.phone.was_silent()


def test_many_join_at_once(story) -> None:
    tickets = [story.open() for _ in range(3)] + [story.open(asset="a")]
    with transaction.atomic():
        locked = timeline.lock_many([ticket.pk for ticket in tickets])
        repeats = [Repeat(ticket) for ticket in locked.values()]
        repeats[-1] = Repeat(repeats[-1].ticket, "asset")
        found = gathered(repeats, clock=story.clock)
    assert len({each.problem.pk for each in found.values()}) == 2
    assert sum(each.is_new for each in found.values()) == 2


def test_a_repeat_and_its_problem_in_one_batch_spoil_nothing(story) -> None:
    gather = unacknowledged(5, "Gather", {"do": "open_problem"})
    repeats = [{"fact": "kind", "is": "incident"}]
    story.policy("gather", gather, conditions=repeats)
    story.policy("lead", unacknowledged(5, "Lead", notify("lead")), position=20)
    problem, ticket = problem_of(story), story.open()
    story.sleep(minutes=6)
    assert climb(clock=story.clock)
    assert climb(clock=story.clock)
    assert (story.fired(ticket), story.fired(problem)) == (["Gather"], ["Lead"])
    assert [child.pk for child in children_of(problem)] == [ticket.pk]


@contextmanager
def somebody_writing_to(ticket: Ticket) -> Iterator[None]:
    """Meanwhile another connection holds the ticket, and writes nothing after all."""
    with closing(connection.copy()) as other, other.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT 1 FROM tickets_ticket WHERE id = %s FOR NO KEY UPDATE", [ticket.pk])
        yield
        cursor.execute("ROLLBACK")


def test_a_repeat_that_somebody_writes_to_follows_under_the_problem_by_itself(live_db) -> None:
    story = Story()
    earlier, ticket = story.open(), story.open()
    with somebody_writing_to(earlier), transaction.atomic():
        repeat = Repeat(timeline.lock(ticket.pk), window_s=86_400)
        found = gathered([repeat], clock=story.clock)[ticket.pk]
    assert [child.pk for child in children_of(found.problem)] == [ticket.pk]
    with somebody_writing_to(earlier):
        story.sweep()
    assert not events(earlier, "linked")
    story.sweep()
    assert [child.pk for child in children_of(found.problem)] == [earlier.pk, ticket.pk]
    assert [event.facts["other"] for event in events(earlier, "linked")] == [found.problem.key]
    assert not Straggler.objects.exists()
    story.sweep()
    assert len(events(found.problem, "linked")) == 2


def test_what_is_at_hand_in_a_batch_follows_once_it_is_written(story) -> None:
    at_hand, solved, ticket = story.open(), story.open(), story.open()
    with transaction.atomic():
        locked = timeline.lock_many([each.pk for each in (at_hand, solved, ticket)])
        beside = list(locked.values())
        repeat = Repeat(locked[ticket.pk], window_s=86_400, beside=beside)
        problem = gathered([repeat], clock=story.clock)[ticket.pk].problem
    assert [child.pk for child in children_of(problem)] == [ticket.pk]
    take(ticket=solved, actor=story.agent, clock=story.clock)
    resolve(ticket=solved, actor=story.agent, code="fixed", text="Done", clock=story.clock)
    story.sweep()
    assert [child.pk for child in children_of(problem)] == [at_hand.pk, ticket.pk]
    assert not Straggler.objects.exists()
