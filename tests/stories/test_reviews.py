"""A review is drafted from what happened, edited, signed by quality, and its actions are done."""

import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from insights.reviews import sampling
from insights.reviews.exporting import document_of, markdown_of, pdf_of
from insights.reviews.keeping import (
    add_action,
    draft_review,
    edit_review,
    finish_action,
    sign_review,
)
from insights.reviews.models import Review, Sample
from insights.reviews.reminding import late_actions, late_reviews, remind
from insights.reviews.sampling import choose_samples, is_chosen, score_sample, waiting_samples
from roles.models import Duty, DutyAssignment, Person
from roles.people import forget_roles
from roles.refusals import Conflict, Forbidden, Invalid
from tests.story import Story
from tickets.assignment import take
from tickets.incidents import declare_major
from tickets.lifecycle import comment, confirm, resolve
from tickets.models import Ticket, TimelineEvent
from tickets.warroom import decide


@pytest.fixture
def quality(story: Story) -> Person:
    person = story.person("quinn")
    duty = Duty.objects.create(slug="qa-reviewer", name="QA reviewer")
    DutyAssignment.objects.create(duty=duty, person=person)
    forget_roles(person)
    return person


@pytest.fixture
def solved(story: Story) -> Ticket:
    story.target("resolution", 60)
    ticket = take(ticket=story.open(), actor=story.agent, clock=story.clock)
    story.forward(hours=2)
    return resolve(
        ticket=ticket, actor=story.agent, code="fixed", text="Restarted", clock=story.clock
    )


@pytest.fixture
def review(story: Story, solved: Ticket) -> Review:
    story.phone.ignore("received", "resolved")
    return draft_review(ticket=solved, actor=story.agent, clock=story.clock)


def say_the_cause(story: Story, review: Review) -> Review:
    return edit_review(
        review=review,
        actor=story.agent,
        sections={"cause": "A full disk"},
        version=1,
        clock=story.clock,
    )


def test_the_draft_tells_who_did_what_and_how_the_clocks_stood(
    story: Story, review: Review
) -> None:
    assert ": Moved to Desk\n" in review.story
    assert "Ann: Taken" in review.story
    assert "Ann: Resolved: Restarted" in review.story
    assert "Tierline: Target missed: Resolution" in review.story
    assert "2.0 h of 1.0 h, missed 2026-03-02 10:00 UTC" in review.summary
    again = draft_review(ticket=review.ticket, actor=story.colleague, clock=story.clock)
    assert again == review
    told = TimelineEvent.objects.filter(ticket=review.ticket, kind="reviewed")
    assert [event.facts for event in told] == [{"state": "drafted"}]


def test_the_draft_has_what_was_said_and_decided_in_the_chat(story: Story) -> None:
    ticket = take(ticket=story.open(), actor=story.agent, clock=story.clock)
    declare_major(
        ticket=ticket, actor=story.incident_manager, reason="Everybody", clock=story.clock
    )
    said = {"ticket": ticket, "clock": story.clock, "via": "chat"}
    comment(actor=story.agent, text="The disk is full.", public=False, **said)
    decide(actor=story.incident_manager, text="We fail over at nine.", **said)
    story.forward(hours=1)
    resolve(ticket=ticket, actor=story.agent, code="fixed", text="Freed", clock=story.clock)
    told = draft_review(ticket=ticket, actor=story.agent, clock=story.clock).story
    assert "Ann, in the chat: Commented: The disk is full." in told
    assert "in the chat: Decision kept: We fail over at nine." in told
    assert "Ann, in the chat: Resolved" not in told


def test_an_open_ticket_has_no_review_and_an_edit_never_overwrites_anothers(
    story: Story, review: Review
) -> None:
    with pytest.raises(Conflict, match="not solved"):
        draft_review(ticket=story.open(), actor=story.agent, clock=story.clock)
    say_the_cause(story, review)
    with pytest.raises(Conflict, match="meanwhile"):
        say_the_cause(story, review)
    with pytest.raises(Forbidden):
        edit_review(review=review, actor=story.requester, sections={}, version=2, clock=story.clock)


def test_only_quality_signs_not_its_own_draft_and_not_without_a_cause(
    story: Story, review: Review, quality: Person
) -> None:
    with pytest.raises(Forbidden, match="quality"):
        sign_review(review=review, actor=story.agent, clock=story.clock)
    with pytest.raises(Invalid, match="cause"):
        sign_review(review=review, actor=quality, clock=story.clock)
    say_the_cause(story, review)
    assert sign_review(review=review, actor=quality, clock=story.clock).signed_by == quality
    with pytest.raises(Conflict, match="signed"):
        edit_review(review=review, actor=story.agent, sections={}, version=2, clock=story.clock)
    Review.objects.update(signed_at=None, signed_by=None, drafted_by=quality)
    with pytest.raises(Forbidden, match="own"):
        sign_review(review=review, actor=quality, clock=story.clock)


def test_owners_are_reminded_of_actions_and_drafters_of_late_reviews(
    story: Story, review: Review
) -> None:
    day = story.now.date() + timedelta(days=3)
    action = add_action(
        review=review,
        actor=story.agent,
        text="Watch the disk",
        owner=story.engineer,
        due_on=day,
        clock=story.clock,
    )
    with pytest.raises(Invalid) as refused:
        add_action(
            review=review,
            actor=story.agent,
            text="No",
            owner=story.stranger,
            due_on=day - timedelta(days=9),
            clock=story.clock,
        )
    assert "due_on" in refused.value.fields
    story.phone.new()
    assert remind(clock=story.clock) == 0
    story.sleep(days=2)
    assert remind(clock=story.clock) == 1
    assert remind(clock=story.clock) == 0
    story.phone.rang(("cleo", "review_due"))
    story.sleep(days=4)
    assert list(late_actions(story.now)) == [action]
    assert list(late_reviews(story.now)) == [review]
    assert remind(clock=story.clock) == 2
    finish_action(action=action, actor=story.engineer, clock=story.clock)
    assert not late_actions(story.now).exists()


def test_it_is_exported_without_naming_a_case_that_the_reader_may_not_know(
    story: Story, review: Review, tmp_path: Path
) -> None:
    case = story.open(
        subject="Secret", kind="security", restricted=True, requester=story.analyst, service=None
    )
    Review.objects.update(cause=f"As in {case.key}, łódź")
    review.refresh_from_db()
    text = markdown_of(document_of(review, story.agent))
    assert case.key not in text
    assert text.startswith(f"# Review of {review.ticket.key}: Mail does not arrive")
    assert case.key in markdown_of(document_of(review, story.analyst))
    drawn = pdf_of(document_of(review, story.agent))
    assert drawn.startswith(b"%PDF-")
    if reader := shutil.which("pdftotext"):
        path = tmp_path / "review.pdf"
        path.write_bytes(drawn)
        told = subprocess.run([reader, str(path), "-"], capture_output=True, check=True).stdout
        assert "What happened" in told.decode()


def test_quality_looks_at_resolutions_that_a_rule_chooses_and_marks_them_once(
    story: Story, quality: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "ONE_IN", 2)
    closed = []
    for _ in range(3):
        ticket = take(ticket=story.open(), actor=story.agent, clock=story.clock)
        resolve(ticket=ticket, actor=story.agent, code="fixed", text="Ok", clock=story.clock)
        confirm(ticket=ticket, actor=story.requester, clock=story.clock)
        closed.append(ticket)
    count = sum(is_chosen(each.pk, each.opened_at.isoformat()) for each in closed)
    assert choose_samples(clock=story.clock) == count
    assert choose_samples(clock=story.clock) == 0
    sample = waiting_samples(quality).first() or Sample.objects.create(
        ticket=closed[0], chosen_at=story.now
    )
    marks = {"understood": 4, "told": 5, "documented": 3, "solved": 5}
    with pytest.raises(Forbidden):
        score_sample(sample=sample, actor=story.agent, scores=marks, clock=story.clock)
    with pytest.raises(Invalid):
        score_sample(sample=sample, actor=quality, scores={"told": 6}, clock=story.clock)
    score_sample(sample=sample, actor=quality, scores=marks, clock=story.clock)
    with pytest.raises(Conflict):
        score_sample(sample=sample, actor=quality, scores=marks, clock=story.clock)
    assert not waiting_samples(quality).filter(pk=sample.pk).exists()
