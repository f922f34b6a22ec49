"""Reviews: drafted, edited, given actions, signed by quality, opened again with a reason."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final

from insights.reviews.drafting import draft_of
from insights.reviews.models import SECTIONS, Review, ReviewAction
from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.people import roles_of
from roles.refusals import Conflict, Forbidden, Invalid
from tickets import states
from tickets.acting import acting, fitting, required
from tickets.models import EventKind, Ticket

SIGNED_WITHIN: Final = timedelta(days=5)
"""So soon after the draft a review is to be signed."""
LONGEST: Final = 20_000
ACTION_MAX: Final = 500
OVER: Final = (states.RESOLVED, states.CLOSED)
MAY: Final = "comment_internal"
"""Whoever may write a note on the ticket may work on its review."""


def draft_review(
    *, ticket: Ticket, actor: Person, clock: TimeSource = database_now, via: str = "web"
) -> Review:
    """Begin the review of a solved ticket, drafted from its timeline; the one that there is.

    Raises Forbidden, and Conflict while the ticket is not solved.
    """
    with acting(ticket, actor=actor, action=MAY, clock=clock, via=via) as act:
        if act.ticket.status not in OVER:
            raise Conflict("not_solved", f"{act.ticket.key} is not solved yet.")
        held = Review.objects.filter(ticket=act.ticket.pk).first()
        if held is not None:
            return held
        made = Review.objects.create(
            ticket=act.ticket,
            **draft_of(act.ticket),
            drafted_at=act.now,
            drafted_by=actor,
            due_at=act.now + SIGNED_WITHIN,
            changed_at=act.now,
        )
        act.record(EventKind.REVIEWED, facts={"state": "drafted"})
        return made


def edit_review(
    *,
    review: Review,
    actor: Person,
    sections: Mapping[str, str],
    version: int,
    clock: TimeSource = database_now,
    via: str = "web",
) -> Review:
    """Keep other words of the sections given.

    Raises Conflict when it is signed, or somebody has edited it since `version`.
    """
    with acting(review.ticket, actor=actor, action=MAY, clock=clock, via=via) as act:
        return _keep(_open(review), sections, version, act.now)


def add_action(
    *,
    review: Review,
    actor: Person,
    text: str,
    owner: Person,
    due_on: date,
    clock: TimeSource = database_now,
    via: str = "web",
) -> ReviewAction:
    """Agree on something to do; the owner is reminded. Raises Invalid, by field, and Conflict.

    Whoever cannot see the ticket cannot own one of its actions.
    """
    with acting(review.ticket, actor=actor, action=MAY, clock=clock, via=via) as act:
        held = _open(review)
        if due_on < act.now.date():
            raise Invalid("past", "The day is past.", {"due_on": "Choose a day to come."})
        if not Ticket.objects.visible_to(owner).filter(pk=held.ticket_id).exists():
            trouble = {"owner": "This person cannot see the ticket."}
            raise Invalid("cannot_see", "Choose somebody else.", trouble)
        return ReviewAction.objects.create(
            review=held,
            text=required(text, "text", ACTION_MAX),
            owner=owner,
            due_on=due_on,
            added_at=act.now,
        )


def finish_action(
    *, action: ReviewAction, actor: Person, clock: TimeSource = database_now, via: str = "web"
) -> ReviewAction:
    """Say that it is done, be the review signed or not; again, that changes nothing."""
    ticket = action.review.ticket
    with acting(ticket, actor=actor, action=MAY, clock=clock, via=via) as act:
        held = ReviewAction.objects.select_for_update().get(pk=action.pk)
        if held.done_at is None:
            held.done_at, held.done_by = act.now, actor
            held.save(update_fields=["done_at", "done_by"])
        return held


def sign_review(
    *,
    review: Review,
    actor: Person,
    sections: Mapping[str, str] | None = None,
    version: int = 0,
    clock: TimeSource = database_now,
    via: str = "web",
) -> Review:
    """Sign it off, by a quality reviewer who did not draft it; nobody edits it from then on.

    With `sections` they are kept first, as `edit_review` does: who signs may have put in a word.
    Raises Forbidden for others, Invalid while the cause is not said, Conflict when it is signed.
    """
    with acting(review.ticket, actor=actor, action=MAY, clock=clock, via=via) as act:
        if "qa_reviewer" not in roles_of(actor):
            raise Forbidden("not_quality", "Reviews are signed by quality reviewers.")
        held = _open(review)
        if held.drafted_by_id == actor.pk:
            raise Forbidden("own_review", "Nobody signs a review of their own.")
        if sections is not None:
            held = _keep(held, sections, version, act.now)
        if not held.cause:
            trouble = {"cause": "Say the cause, or that it is not known."}
            raise Invalid("no_cause", "The cause is missing.", trouble)
        held.signed_at, held.signed_by = act.now, actor
        held.save(update_fields=["signed_at", "signed_by"])
        act.record(EventKind.REVIEWED, facts={"state": "signed"})
        return held


def _keep(held: Review, sections: Mapping[str, str], version: int, now: datetime) -> Review:
    """The review with these words. Raises Conflict when somebody was faster, and Invalid."""
    if held.version != version:
        raise Conflict("edited", "Somebody has edited this review meanwhile: look again.")
    for name, text in sections.items():
        if name not in SECTIONS:
            raise Invalid("unknown_section", "There is no such section.")
        setattr(held, name, fitting(text.strip(), name, LONGEST))
    held.version, held.changed_at = held.version + 1, now
    held.save(update_fields=[*sections, "version", "changed_at"])
    return held


def _open(review: Review) -> Review:
    """The review's present row. Raises Conflict when it is signed."""
    held = Review.objects.select_for_update(of=("self",)).get(pk=review.pk)
    if held.signed_at is not None:
        raise Conflict("signed", "This review is signed: nothing in it changes any more.")
    return held
