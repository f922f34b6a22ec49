"""Measures of what the work costs people, what they say of it, and what was written down."""

from collections.abc import Iterator
from typing import Final

from insights.figures.fact import Fact, day_of, measure
from insights.figures.story import Story

CONTENT: Final = 4
"""From this mark on somebody is content, up to 5."""

# ---- What it costs people, and what they say -----------------------------------------------------


@measure
def page(story: Story) -> Iterator[Fact]:
    """Each call to one person (`other`) for a ticket of `team`; the sort is day or night.

    Its day is the person's own; what comes before seven belongs to the night before.
    """
    for call in story.pages:
        tag = "night" if call.is_night else "day"
        yield Fact(call.day, story.team_at(call.at), call.person, tag)


@measure
def rated(story: Story) -> Iterator[Fact]:
    """The requester's mark in `total`; `work` is 1 for a content one; the sort is the mark."""
    if story.rated_at is not None:
        team = story.last_solver or story.team_at(story.rated_at)
        content = int(story.score >= CONTENT)
        yield Fact(
            day_of(story.rated_at), team, 0, str(story.score), total=story.score, work=content
        )


@measure
def complaint(story: Story) -> Iterator[Fact]:
    """Each time that somebody who asked was not content: asked after it, reopened it, said so."""
    for at in story.chased_at:
        yield Fact(day_of(at), story.team_at(at), tag="chased")
    for at in story.reopened_at:
        yield Fact(day_of(at), story.team_at(at), tag="reopened")
    if story.rated_at is not None and story.score < 3:
        yield Fact(day_of(story.rated_at), story.team_at(story.rated_at), tag="bad_mark")


def _words(story: Story, side: str, good: str) -> Iterator[Fact]:
    for (_, which), word in story.words.items():
        if which == side:
            is_good = int(word.verdict == good)
            yield Fact(day_of(word.at), word.sender, word.receiver, word.verdict, total=is_good)


@measure
def receiver_word(story: Story) -> Iterator[Fact]:
    """What the receiver said of an escalation; `total` is 1 for "right tier, nothing missing"."""
    yield from _words(story, "receiver", "right")


@measure
def sender_word(story: Story) -> Iterator[Fact]:
    """What the sender said of an escalation; `total` is 1 for "they helped"."""
    yield from _words(story, "sender", "helped")


# ---- What was written down -----------------------------------------------------------------------


def _fields(story: Story) -> dict[str, bool]:
    """The fields that a solved ticket should have, and whether each is filled."""
    about = story.about
    found = {
        "service": bool(about.service),
        "category": bool(about.category),
        "code": bool(about.resolution_code),
        "words": about.has_resolution,
    }
    if story.is_unplanned:
        found["began_at"] = about.began_at is not None
        found["detected_at"] = about.detected_at is not None
    return found


@measure
def documented(story: Story) -> Iterator[Fact]:
    """The required fields of a solved ticket (`n`), and how many are filled (`total`)."""
    if story.solved_at is not None and not story.about.merged:
        filled = _fields(story)
        yield Fact(day_of(story.solved_at), story.solver, n=len(filled), total=sum(filled.values()))


@measure
def undocumented(story: Story) -> Iterator[Fact]:
    """Each required field of a solved ticket that is empty; the sort is the field."""
    if story.solved_at is not None and not story.about.merged:
        for name, is_filled in _fields(story).items():
            if not is_filled:
                yield Fact(day_of(story.solved_at), story.solver, tag=name)


@measure
def handover_owed(story: Story) -> Iterator[Fact]:
    """Each hand-over under a contract; `total` is 1 where something of it is still owed."""
    for at, sender, receiver, is_owed in story.owed:
        yield Fact(day_of(at), sender, receiver, total=int(is_owed))
