"""Similar tickets: by words and letters, solved ones first, and never one that must stay hidden."""

import pytest

from insights.similar import alike, similar_to, solvers, trigrams
from tests.story import Story
from tickets.assignment import move, take
from tickets.lifecycle import resolve
from tickets.models import Ticket


def solved(story: Story, subject: str, *, by=None) -> Ticket:
    ticket = story.open(subject=subject)
    agent = story.agent
    if by is not None:
        move(ticket=ticket, actor=story.incident_manager, to_team=by, clock=story.clock)
        agent = story.engineer
    ticket = take(ticket=story.fresh(ticket), actor=agent, clock=story.clock)
    return resolve(
        ticket=ticket, actor=agent, code="fixed", text="Cleared the print queue", clock=story.clock
    )


def test_what_solved_a_similar_ticket_and_which_tier_is_told(story: Story) -> None:
    before = solved(story, "Printer on floor 3 jammed", by=story.apps)
    story.open(subject="Printer on floor 4 jams")
    story.open(subject="Payroll report is empty")
    fresh = story.open(subject="Printer jammed on floor 2")
    found = similar_to(fresh, story.agent)
    assert [each.ticket.subject for each in found] == [before.subject, "Printer on floor 4 jams"]
    assert (found[0].how, found[0].solver) == ("Cleared the print queue", story.apps)
    assert (found[1].how, found[1].solver) == ("", None)
    assert solvers(found) == [(story.apps, 1)]


ALIKE = {
    "Printer jam on floor 3": "Printers are jamming",
    "Druckerstau im dritten Stock": "Drucker staut Papier",
    "Cannot log in to payroll": "Logging into payroll fails",
    "VPN disconnects every hour": "VPN disconnecting hourly",
    "Rechnung wird doppelt gebucht": "Rechnungen doppelt verbucht",
    "Invoices were sent twice": "Invoice sent twice",
}


def test_other_endings_and_compounds_are_found_too(story: Story) -> None:
    past = {subject: story.open(subject=subject).pk for subject in ALIKE}
    for subject, asked in ALIKE.items():
        fresh = story.open(subject=asked, requester=story.stranger)
        found = similar_to(fresh, story.agent)
        assert past[subject] == found[0].ticket.pk, asked


@pytest.mark.parametrize(
    ("asked", "others", "same"),
    [
        (
            "Search is slow in the shop",
            ["Invoice mails stay in the outbox", "The calendar shows the last week"],
            "The shop is slow",
        ),
        (
            "Die Kasse ist seit heute nicht erreichbar",
            ["Der Drucker ist nicht da", "Die Tür für das Lager ist zu"],
            "Kasse nicht erreichbar",
        ),
    ],
)
def test_words_that_stand_everywhere_make_no_ticket_similar(story: Story, asked, others, same):
    """Solved ones come first: those that have nothing but "the" in common would be on top."""
    for other in others:
        solved(story, other)
    there = story.open(subject=same)
    fresh = story.open(subject=asked, requester=story.stranger)
    assert [each.ticket.pk for each in similar_to(fresh, story.agent)] == [there.pk]


def test_a_subject_of_such_words_alone_is_looked_for_all_the_same(story: Story) -> None:
    there = story.open(subject="Was ist das?")
    fresh = story.open(subject="Was ist das", requester=story.stranger)
    assert [each.ticket.pk for each in similar_to(fresh, story.agent)] == [there.pk]


def test_the_same_trouble_of_the_same_requester_is_marked_as_a_repeat(story: Story) -> None:
    first = story.open(subject="Printer jammed")
    again = story.open(subject="Printer jammed again")
    other = story.open(subject="Printer jammed too", requester=story.stranger)
    marked = {each.ticket.pk: each.is_repeat for each in similar_to(again, story.agent)}
    assert marked == {first.pk: True, other.pk: False}
    story.sleep(days=31)
    late = story.open(subject="Printer jammed once more")
    assert not any(each.is_repeat for each in similar_to(late, story.agent))


def test_a_case_is_similar_for_cleared_readers_only(story: Story) -> None:
    story.open(
        subject="Printer jammed by malware",
        kind="security",
        restricted=True,
        requester=story.analyst,
        service=None,
    )
    fresh = story.open(subject="Printer jammed")
    assert similar_to(fresh, story.agent) == []
    assert [each.ticket.restricted for each in similar_to(fresh, story.analyst)] == [True]


def test_it_asks_the_same_few_questions_however_many_there_are(
    story: Story, django_assert_max_num_queries
) -> None:
    for number in range(8):
        solved(story, f"Printer {number} jammed")
    fresh = story.open(subject="Printer jammed")
    with django_assert_max_num_queries(6):
        assert len(similar_to(fresh, story.agent)) == 6


def test_nearness_is_the_share_of_common_trigrams() -> None:
    assert alike(trigrams("cat"), trigrams("cat")) == 1.0
    assert trigrams("cat") == {"  c", " ca", "cat", "at "}
    assert alike(trigrams("cat"), trigrams("")) == 0.0
    assert 0 < alike(trigrams("jammed"), trigrams("jams")) < 1
