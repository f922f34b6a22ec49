"""A ticket's story as the figures read it: where it was, who touched it, when it was solved; pure.

Told by the timeline alone, but for what an event does not carry: when a fault began and was
detected, and which fields are filled.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from escalation.bill import Bill
from roles.worktime import ALWAYS, WorkCalendar

TOUCHING: Final = frozenset({"acknowledged", "taken", "accepted"})
PASSING: Final = frozenset({"moved", "escalated", "handed_back"})
HANDOVER_RATED: Final = "handover_rated"
UNPLANNED: Final = frozenset({"incident", "security"})


@dataclass(frozen=True, slots=True)
class Happening:
    """One event: when, what, and its facts; `facts["set"]` holds the fields that it set."""

    at: datetime
    kind: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def changed(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.facts.get("set") or {}
        return found


@dataclass(slots=True)
class Stay:
    """One entry of the ticket into a team, until it left or was over."""

    team: int
    since: datetime
    how: str
    sender: int = 0
    reason: str = ""
    touched_at: datetime | None = None
    until: datetime | None = None
    calendars: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ClockFact:
    """One cycle of a clock that is over or was missed; `bill` is that of a missed one."""

    kind: str
    team: int
    ended_as: str
    stopped_at: datetime | None
    breached_at: datetime | None
    vendor: int = 0
    bill: Bill | None = None


@dataclass(frozen=True, slots=True)
class PageFact:
    """One call to one person: on which day, or in the night after which day, of that person."""

    person: int
    at: datetime
    day: date
    is_night: bool


@dataclass(frozen=True, slots=True)
class Word:
    """What one side of an escalation from `sender` to `receiver` said of it."""

    at: datetime
    verdict: str
    sender: int
    receiver: int


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What the ticket itself says."""

    ticket_id: int
    kind: str = "incident"
    priority: int = 3
    source: str = "portal"
    service: int = 0
    category: int = 0
    restricted: bool = False
    status: str = "new"
    opened_at: datetime
    began_at: datetime | None = None
    detected_at: datetime | None = None
    resolution_code: str = ""
    has_resolution: bool = False
    merged: bool = False


@dataclass(slots=True, kw_only=True)
class Story:
    """All that the figures need of one ticket."""

    about: About
    stays: list[Stay] = field(default_factory=list)
    touched_at: datetime | None = None
    touched_by_team: int = 0
    solved_at: datetime | None = None
    solved_last_at: datetime | None = None
    solver: int = 0
    last_solver: int = 0
    reopened_at: list[datetime] = field(default_factory=list)
    chased_at: list[datetime] = field(default_factory=list)
    majors_at: list[datetime] = field(default_factory=list)
    asked_back: bool = False
    article_used: bool = False
    rated_at: datetime | None = None
    score: int = 0
    words: dict[tuple[int, str], "Word"] = field(default_factory=dict)
    """By escalation and side, what was said of it last, on the day of the first word."""
    clocks: Sequence[ClockFact] = ()
    pages: Sequence[PageFact] = ()
    owed: Sequence[tuple[datetime, int, int, bool]] = ()
    """Hand-overs under a contract: when, from which team, to which, whether something is owed."""
    climbs: Sequence[tuple[datetime, int]] = ()
    """The main policies that it was under, in order: from when on, and which."""
    steps: Sequence[tuple[datetime, int]] = ()
    """The steps of policies that were carried out: when, and of which policy."""
    calendars: Mapping[int, WorkCalendar] = field(default_factory=dict)

    @property
    def is_unplanned(self) -> bool:
        """Whether it is an incident, of security or not."""
        return self.about.kind in UNPLANNED

    @property
    def first_team(self) -> int:
        """The first team that had it; 0 for none."""
        return self.stays[0].team if self.stays else 0

    def team_at(self, at: datetime) -> int:
        """The team that had it then; the first one before it had any."""
        found = self.first_team
        for stay in self.stays:
            if stay.since <= at:
                found = stay.team
        return found

    def policy_at(self, at: datetime) -> int:
        """The main policy under which it was then; 0 for none."""
        return next((policy for since, policy in reversed(self.climbs) if since <= at), 0)

    def working(self, since: datetime, until: datetime, clock: str = "resolution") -> int:
        """Working seconds between two moments, in the hours of that kind of clock's target.

        They are those of the last team then that had such a target, of the first one for what was
        over before any had it; without any, every hour counts.
        """
        known: Mapping[str, int] = self.stays[0].calendars if self.stays else {}
        for stay in self.stays:
            if stay.since <= until and stay.calendars:
                known = stay.calendars
        number = known.get(clock) or next(iter(known.values()), 0)
        return round(self.calendars.get(number, ALWAYS).measure(since, until))


def tell(about: About, happenings: Iterable[Happening]) -> Story:
    """The story that these events, in order, tell; clocks, pages and contracts are put in after."""
    story = Story(about=about)
    team, status = 0, "new"
    for each in happenings:
        changed = each.changed
        came_from, team = team, changed.get("team_id") or team
        if "entry" in changed or (team != came_from and each.kind in PASSING):
            _enter(story, each, team, came_from)
        status = _follow_status(story, each, status)
        _note(story, each)
    return story


def _enter(story: Story, each: Happening, team: int, sender: int) -> None:
    if story.stays and story.stays[-1].until is None:
        story.stays[-1].until = each.at
    reason = str(each.facts.get("reason_code") or "")
    stay = Stay(team, each.at, each.kind, sender=sender if story.stays else 0, reason=reason)
    if story.stays:
        stay.calendars = story.stays[-1].calendars
    story.stays.append(stay)


def _follow_status(story: Story, each: Happening, before: str) -> str:
    status: str = each.changed.get("status", before)
    if each.kind in TOUCHING or (status == "in_progress" and status != before):
        _touch(story, each)
    if status == before:
        return status
    if status == "pending_requester":
        story.asked_back = True
    if status == "resolved":
        _solve(story, each.at)
    elif before == "resolved" and status == "waiting_for_support":
        story.reopened_at.append(each.at)
        if story.stays:
            story.stays[-1].until = None
    elif status == "cancelled" and story.stays:
        story.stays[-1].until = each.at
    return status


def _touch(story: Story, each: Happening) -> None:
    """Somebody of the team has seen it; in a handed-back ticket that is the sender's own team."""
    stay = story.stays[-1] if story.stays else None
    if stay is not None and stay.touched_at is None:
        stay.touched_at = each.at
    if story.touched_at is None:
        story.touched_at = each.at
        story.touched_by_team = stay.team if stay else 0


def _solve(story: Story, at: datetime) -> None:
    stay = story.stays[-1] if story.stays else None
    team = stay.team if stay else 0
    if story.solved_at is None:
        story.solved_at, story.solver = at, team
    story.solved_last_at, story.last_solver = at, team
    # A log that first shows a ticket as solved does not show who looked at it, or when.
    if story.touched_at == at:
        story.touched_at = None
    if stay is not None:
        stay.touched_at = None if stay.touched_at == at else stay.touched_at
        stay.until = at


def _note(story: Story, each: Happening) -> None:
    """What changes neither place nor status."""
    if each.kind == "targeted" and story.stays:
        targets = each.facts.get("targets") or {}
        found = {kind: chosen[1] for kind, chosen in targets.items() if chosen}
        story.stays[-1].calendars = found or story.stays[-1].calendars
    elif each.kind == "chased":
        story.chased_at.append(each.at)
    elif each.kind == "major_declared":
        story.majors_at.append(each.at)
    elif each.kind == "article_used":
        story.article_used = True
    elif each.kind == HANDOVER_RATED:
        _hear(story, each)
    elif each.kind == "rated":
        story.rated_at, story.score = story.rated_at or each.at, int(each.facts["score"])


def _hear(story: Story, each: Happening) -> None:
    passed = [stay for stay in story.stays if stay.how == "escalated" and stay.since <= each.at]
    if not passed:
        return
    key = (int(each.facts.get("escalation") or 0), str(each.facts.get("side")))
    before = story.words.get(key)
    at = before.at if before else each.at
    verdict = str(each.facts.get("verdict"))
    story.words[key] = Word(at, verdict, passed[-1].sender, passed[-1].team)
