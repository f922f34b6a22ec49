"""What is measured of one ticket: each a pure function from its story to facts with a day."""

from collections.abc import Iterator
from dataclasses import replace

from escalation.clock import (
    ACCEPTANCE,
    HANDED_BACK,
    MET,
    MOVED,
    PER_ENGAGEMENT,
    PER_ENTRY,
    TIME_IN_TEAM,
    TO_REQUESTER,
)
from insights.figures import aftermath
from insights.figures.fact import MEASURES, Fact, day_of, measure, seconds_between
from insights.figures.story import ClockFact, Stay, Story
from tickets import states

__all__ = ["MEASURES", "Fact", "aftermath", "facts_of"]

# ---- What comes in, and where it goes ------------------------------------------------------------


@measure
def opened(story: Story) -> Iterator[Fact]:
    """Each ticket, on the day it was opened, with its first team; the sort is its source."""
    yield Fact(day_of(story.about.opened_at), story.first_team, tag=story.about.source)


def _hops(story: Story) -> list[tuple[Stay, Stay]]:
    """Each move from one team to another: whence and whither."""
    pairs = zip(story.stays, story.stays[1:], strict=False)
    return [(came, went) for came, went in pairs if came.team != went.team]


@measure
def escalated(story: Story) -> Iterator[Fact]:
    """A ticket that was escalated to another team at least once, on the day it was opened."""
    first = next((stay for stay in story.stays if stay.how == "escalated"), None)
    if first is not None:
        yield Fact(day_of(story.about.opened_at), story.first_team, tag=first.reason)


@measure
def handed_over(story: Story) -> Iterator[Fact]:
    """A ticket that another team than its first had at some time, on the day it was opened."""
    if _hops(story):
        yield Fact(day_of(story.about.opened_at), story.first_team)


@measure
def returned(story: Story) -> Iterator[Fact]:
    """A ticket that came back to a team that had it before, on the day it was opened."""
    teams = [stay.team for stay in story.stays[:1]] + [went.team for _, went in _hops(story)]
    if len(teams) > len(set(teams)):
        yield Fact(day_of(story.about.opened_at), story.first_team)


@measure
def hop(story: Story) -> Iterator[Fact]:
    """Each move between two teams, from `team` to `other`; `total` is 1 where it came back."""
    seen = {story.first_team}
    for came, went in _hops(story):
        is_back = went.team in seen
        seen.add(went.team)
        yield Fact(day_of(went.since), came.team, went.team, tag=went.how, total=int(is_back))


@measure
def escalation(story: Story) -> Iterator[Fact]:
    """Each escalation from `team` to `other`; the sort is its reason."""
    for came, went in _hops(story):
        if went.how == "escalated":
            yield Fact(day_of(went.since), came.team, went.team, tag=went.reason)


@measure
def handed_back(story: Story) -> Iterator[Fact]:
    """Each hand-back of what `team` had sent to `other`; the sort is the reason."""
    for came, went in _hops(story):
        if went.how == "handed_back":
            yield Fact(day_of(went.since), went.team, came.team, tag=went.reason)


@measure
def accepted(story: Story) -> Iterator[Fact]:
    """How long what was handed over to `team` by `other` waited until somebody touched it."""
    for came, went in _hops(story):
        if went.touched_at is not None and went.how != "handed_back":
            yield Fact(
                day_of(went.touched_at),
                went.team,
                came.team,
                total=seconds_between(went.since, went.touched_at),
                work=story.working(went.since, went.touched_at, "acceptance"),
            )


@measure
def detour(story: Story) -> Iterator[Fact]:
    """The hops of a solved ticket beyond the shortest way, which is one hop, or none.

    None where the team that solved it is the one that it came to first.
    """
    if story.solved_last_at is not None and story.stays:
        shortest = int(story.last_solver != story.first_team)
        beyond = len(_hops(story)) - shortest
        yield Fact(day_of(story.solved_last_at), story.last_solver, total=max(0, beyond))


# ---- How it went -------------------------------------------------------------------------------


@measure
def incident(story: Story) -> Iterator[Fact]:
    """Each incident; `total` is 1 where a monitor found it before anybody asked."""
    if story.is_unplanned:
        is_found = story.about.source == "monitor"
        yield Fact(day_of(story.about.opened_at), story.first_team, total=int(is_found))


@measure
def detected(story: Story) -> Iterator[Fact]:
    """How long an incident went on until it was detected; only where both times are known."""
    began, found = story.about.began_at, story.about.detected_at
    if story.is_unplanned and began is not None and found is not None:
        yield Fact(
            day_of(found),
            story.first_team,
            total=seconds_between(began, found),
            work=story.working(began, found),
        )


@measure
def touched(story: Story) -> Iterator[Fact]:
    """How long an incident waited from its opening until somebody acknowledged or took it."""
    if story.is_unplanned and story.touched_at is not None:
        began = story.about.opened_at
        yield Fact(
            day_of(story.touched_at),
            story.touched_by_team,
            total=seconds_between(began, story.touched_at),
            work=story.working(began, story.touched_at, "acceptance"),
        )


@measure
def restored(story: Story) -> Iterator[Fact]:
    """How long an incident took from its opening to the solution that stands."""
    at = story.solved_last_at
    if story.is_unplanned and at is not None and not _is_open(story):
        began = story.about.opened_at
        yield Fact(
            day_of(at),
            story.last_solver,
            total=seconds_between(began, at),
            work=story.working(began, at),
        )


@measure
def policy_touched(story: Story) -> Iterator[Fact]:
    """The same as `touched`, with the policy (`other`) under which it was then."""
    at = story.touched_at or story.about.opened_at
    yield from (replace(fact, other=story.policy_at(at)) for fact in touched(story))


@measure
def policy_restored(story: Story) -> Iterator[Fact]:
    """The same as `restored`, with the policy (`other`) under which it was then."""
    at = story.solved_last_at or story.about.opened_at
    yield from (replace(fact, other=story.policy_at(at)) for fact in restored(story))


@measure
def policy_step(story: Story) -> Iterator[Fact]:
    """Each step of a policy (`other`) that was carried out, and the team that had the ticket."""
    for at, policy in story.steps:
        yield Fact(day_of(at), story.team_at(at), policy)


def _is_open(story: Story) -> bool:
    return story.about.status in states.OPEN


@measure
def major(story: Story) -> Iterator[Fact]:
    """Each time that a ticket was declared a major incident."""
    for at in story.majors_at:
        yield Fact(day_of(at), story.team_at(at))


@measure
def solved(story: Story) -> Iterator[Fact]:
    """Each ticket on the day it was first solved, with the team that did; duplicates are none."""
    if story.solved_at is not None and not story.about.merged:
        yield Fact(day_of(story.solved_at), story.solver)


@measure
def reopened(story: Story) -> Iterator[Fact]:
    """A solved ticket that was reopened at least once, on the day it was first solved."""
    if story.reopened_at and story.solved_at is not None and not story.about.merged:
        yield Fact(day_of(story.solved_at), story.solver)


@measure
def first_contact(story: Story) -> Iterator[Fact]:
    """Solved by its first team alone, without asking back, and not reopened."""
    if story.solved_at is None or story.about.merged or not story.stays:
        return
    if not (_hops(story) or story.asked_back or story.reopened_at):
        yield Fact(day_of(story.solved_at), story.solver)


@measure
def article(story: Story) -> Iterator[Fact]:
    """A solved ticket for which an article was used, on the day it was first solved."""
    if story.article_used and story.solved_at is not None and not story.about.merged:
        yield Fact(day_of(story.solved_at), story.solver)


@measure
def backlog(story: Story) -> Iterator[Fact]:
    """A ticket that is open now, with its present team; `total` is when it was opened."""
    if _is_open(story):
        at = story.about.opened_at
        team = story.stays[-1].team if story.stays else 0
        yield Fact(day_of(at), team, total=int(at.timestamp()))


# ---- What was promised ---------------------------------------------------------------------------


def _judged(story: Story, clock: ClockFact) -> Fact | None:
    """A promise that was kept or missed: `total` is 1 for a missed one."""
    if clock.breached_at is not None:
        team = clock.team or story.team_at(clock.breached_at)
        return Fact(day_of(clock.breached_at), team, clock.vendor, clock.kind, total=1)
    kept = {MET, MOVED, HANDED_BACK} if clock.kind == TIME_IN_TEAM else {MET}
    if clock.stopped_at is None or clock.ended_as not in kept:
        return None
    team = clock.team or story.team_at(clock.stopped_at)
    return Fact(day_of(clock.stopped_at), team, clock.vendor, clock.kind)


def _promises(story: Story, kinds: frozenset[str], *, to_vendors: bool) -> Iterator[Fact]:
    for clock in story.clocks:
        found = _judged(story, clock) if clock.kind in kinds else None
        if found is not None:
            other = found.other if to_vendors else 0
            yield Fact(found.day, found.team, other, found.tag, total=found.total)


@measure
def sla(story: Story) -> Iterator[Fact]:
    """Each promise to whoever asked, kept or missed (`total` 1); the sort is the clock."""
    yield from _promises(story, TO_REQUESTER, to_vendors=False)


@measure
def ola(story: Story) -> Iterator[Fact]:
    """Each promise between teams, kept or missed (`total` 1); the sort is the clock."""
    yield from _promises(story, PER_ENTRY | {ACCEPTANCE}, to_vendors=False)


@measure
def contract(story: Story) -> Iterator[Fact]:
    """Each promise of a vendor (`other`), kept or missed (`total` 1); the sort is the clock."""
    yield from _promises(story, PER_ENGAGEMENT, to_vendors=True)


@measure
def late(story: Story) -> Iterator[Fact]:
    """Where the time beyond a promise to the requester went by; the sort is the sort of place.

    `team` is the team in whose queue or hands it was, `other` the vendor; `total` in seconds.
    """
    for clock in story.clocks:
        if clock.kind not in TO_REQUESTER or clock.bill is None or clock.stopped_at is None:
            continue
        for share in clock.bill.late:
            of = share.place.of or 0
            is_vendor = share.place.kind == "vendor"
            yield Fact(
                day_of(clock.stopped_at),
                0 if is_vendor else of,
                of if is_vendor else 0,
                share.place.kind,
                total=round(share.seconds),
            )


def facts_of(story: Story) -> Iterator[tuple[str, Fact]]:
    """Every fact of one ticket, by measure."""
    for name, function in MEASURES.items():
        for fact in function(story):
            yield name, fact
