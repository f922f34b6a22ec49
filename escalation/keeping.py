"""Climbs kept true to their tickets: started, held, let go, superseded, stopped."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any

from escalation import rules, signs
from escalation.models import Policy, Run, StopOn
from escalation.runs import judge_anew, policy_facts
from tickets import states
from tickets.incidents import children_of_open_majors
from tickets.models import EventKind, Origin, Ticket
from tickets.timeline import Entry, instant_text

WRITTEN = (
    "state",
    "stopped_at",
    "stop_reason",
    "matched_on",
    "loop",
    "entry",
    "waiting_since",
    "frozen",
    "rung",
    "base_position",
    "round",
    "lead_s",
    "was_acknowledged",
    "heard_at",
    "heard_entry",
    "reached",
    "postponed",
    "held",
    "held_until",
    "held_because",
    "next_at",
    "next_step",
    "epoch",
)

STATE_OF = attrgetter(*(Run._meta.get_field(name).attname for name in WRITTEN))  # type: ignore[union-attr]
"""The columns of a run that keeping it true may change."""

IN_FORCE = (Run.State.ACTIVE, Run.State.DONE)
"""Runs that hold their policy's place: one that its own rule ended is not begun anew."""

IN_A_MAJOR = "part of a major incident"


@dataclass(slots=True)
class Kept:
    """What keeping the runs of some tickets true came to; nothing of it is saved yet."""

    fresh: list[Run] = field(default_factory=list)
    changed: list[Run] = field(default_factory=list)
    entries: dict[int, list[Entry]] = field(default_factory=dict)
    before: dict[int, tuple[Any, ...]] = field(default_factory=dict)

    def note(self, stored: Iterable[Run]) -> None:
        """Keep what these rows hold in the database at this moment."""
        self.before |= {run.id: STATE_OF(run) for run in stored}

    def differing(self, alive: Iterable[Run]) -> tuple[list[Run], list[str]]:
        """The runs of which any column is not what it was, and the columns that are not."""
        rows, names = [], set[str]()
        for run in alive:
            was, now = self.before[run.id], STATE_OF(run)
            if was != now:
                rows.append(run)
                names |= {name for name, a, b in zip(WRITTEN, was, now, strict=True) if a != b}
        return rows, sorted(names)

    def ask_again(self, ticket_ids: Collection[int]) -> None:
        """Let what the climbs of these tickets have put off be judged anew."""
        for run in self.changed:
            if run.postponed and run.ticket_id in ticket_ids:
                judge_anew(run)

    def tell(self, ticket: Ticket, kind: str, run: Run, **facts: Any) -> None:
        about = {"policy": run.policy.slug, "revision": run.revision_id, **facts}
        self.entries.setdefault(ticket.id, []).append(Entry(kind=kind, facts=about))


@dataclass(frozen=True, slots=True)
class Around:
    """What beside the tickets themselves decides on their runs."""

    policies: Sequence[Policy]
    in_majors: frozenset[int]
    answered: Mapping[int, datetime]
    at: datetime
    taken: Mapping[int, datetime] = field(default_factory=dict)


def keep_runs(
    tickets: Sequence[Ticket], active: Iterable[Run], at: datetime, around: Around | None = None
) -> Kept:
    """Start, stop, supersede or adjust the runs of locked tickets so that they fit their facts.

    `active` are the locked runs in force of these tickets. Idempotent. `around` is what
    `look_around` has found for them, where the caller has asked already.
    """
    kept = Kept()
    by_ticket: dict[int, list[Run]] = {}
    for run in active:
        by_ticket.setdefault(run.ticket_id, []).append(run)
    kept.note(run for mine in by_ticket.values() for run in mine)
    if around is None:
        around = look_around(
            tickets, (run for mine in by_ticket.values() for run in mine), published(), at
        )
    for ticket in tickets:
        mine = by_ticket.get(ticket.id, [])
        if not ticket.is_open or ticket.origin == Origin.IMPORTED or ticket.team is None:
            _end_all(kept, ticket, mine, at)
        else:
            _fit(kept, ticket, mine, around)
    return kept


def published() -> list[Policy]:
    """The policies in force, in the order in which they are tried."""
    rows = Policy.objects.filter(is_active=True, current__isnull=False)
    return list(rows.select_related("current").order_by("position", "id"))


def look_around(
    tickets: Sequence[Ticket], in_force: Iterable[Run], policies: Sequence[Policy], at: datetime
) -> Around:
    """What beside these tickets decides on their runs, of which `in_force` are all."""
    ends = [(run.ticket_id, run.revision.stop_on) for run in in_force]

    def asking(word: StopOn) -> list[int]:
        return sorted({pk for pk, stop_on in ends if word in stop_on})

    return Around(
        policies=policies,
        in_majors=frozenset(children_of_open_majors([ticket.id for ticket in tickets])),
        answered=signs.answered(asking(StopOn.FIRST_RESPONSE)),
        taken=signs.taken(asking(StopOn.TAKEN)),
        at=at,
    )


def fit(ticket: Ticket, mine: Sequence[Run], around: Around) -> Kept:
    """What becomes of the runs of one ticket as it is now; reads nothing and saves nothing.

    Imported tickets too: whether a policy is meant for one is the caller's to say.
    """
    kept = Kept()
    if ticket.is_open and ticket.team is not None:
        _fit(kept, ticket, mine, around)
    else:
        _end_all(kept, ticket, mine, around.at)
    return kept


def fits(run: Run, ticket: Ticket) -> bool:
    """Whether the facts under which a run was chosen still hold, and its ticket may have one."""
    may_run = ticket.is_open and ticket.origin != Origin.IMPORTED and ticket.team is not None
    return may_run and run.matched_on == policy_facts(ticket)


def _end_all(kept: Kept, ticket: Ticket, mine: Sequence[Run], at: datetime) -> None:
    reason = states.LABELS[ticket.status].lower()
    for run in mine:
        _end(kept, ticket, run, state=Run.State.STOPPED, reason=reason, at=at)


def _fit(kept: Kept, ticket: Ticket, mine: Sequence[Run], around: Around) -> None:
    facts = policy_facts(ticket)
    staying = [run for run in mine if run.matched_on == facts]
    asked_anew = [run for run in mine if run.matched_on != facts]
    if asked_anew or not staying:
        # A policy published meanwhile waits until the ticket's facts change.
        _match(kept, ticket, staying, asked_anew, around)
    for run in staying:
        _go_on(kept, ticket, run, around)


def _match(
    kept: Kept, ticket: Ticket, staying: list[Run], asked_anew: Sequence[Run], around: Around
) -> None:
    """Let the policies be asked anew; the runs that still fit are added to those that stay."""
    facts = policy_facts(ticket)
    fitting = [
        item
        for item in around.policies
        if item.current and rules.matches(item.current.conditions, facts)
    ]
    main = next((item for item in fitting if item.mode == Policy.Mode.MAIN), None)
    heir_of: Run | None = None
    for run in asked_anew:
        wanted = run.policy_id in {item.pk for item in fitting}
        if run.is_main and (main is None or run.policy_id != main.pk):
            wanted = False
        if wanted:
            run.matched_on = facts
            staying.append(run)
        else:
            if run.is_main:
                heir_of = run
            reason = _why_superseded(run, main, around.policies)
            _end(kept, ticket, run, state=Run.State.SUPERSEDED, reason=reason, at=around.at)
    _begin(kept, ticket, staying, _missing(fitting, main, staying), around, heir_of=heir_of)


def _why_superseded(run: Run, main: Policy | None, policies: Sequence[Policy]) -> str:
    if all(policy.pk != run.policy_id for policy in policies):
        return "the policy is switched off"
    if run.is_main and main is not None:
        return "another policy applies"
    return "its conditions do not hold any more"


def _missing(
    fitting: Sequence[Policy], main: Policy | None, staying: Sequence[Run]
) -> list[Policy]:
    """The fitting policies that have no run yet; of the main ones, only the first that fits."""
    held = {run.policy_id for run in staying}
    has_main = any(run.is_main for run in staying)
    return [
        policy
        for policy in fitting
        if policy.pk not in held
        and (policy.mode != Policy.Mode.MAIN or (policy is main and not has_main))
    ]


def _begin(
    kept: Kept,
    ticket: Ticket,
    staying: Sequence[Run],
    wanted: Sequence[Policy],
    around: Around,
    *,
    heir_of: Run | None,
) -> None:
    """Begin a climb under each policy; a snooze of the ticket holds the new ones too."""
    known = [*staying, *([heir_of] if heir_of else [])]
    snoozed = next((run for run in known if run.held == Run.Hold.SNOOZED), None)
    facts = policy_facts(ticket)
    for policy in wanted:
        is_main = policy.mode == Policy.Mode.MAIN
        run = _start(kept, ticket, policy, facts, around.at, heir_of=heir_of if is_main else None)
        if snoozed is not None:
            run.held, run.held_until = Run.Hold.SNOOZED, snoozed.held_until
            run.held_because = snoozed.held_because
        _hold(kept, ticket, run, around)


def _go_on(kept: Kept, ticket: Ticket, run: Run, around: Around) -> None:
    """A run that stays: ended by its own rule, held, let go, or fitted to the ticket."""
    kept.changed.append(run)
    if run.state == Run.State.DONE:
        return
    reason = _own_end(run, ticket, around)
    if reason:
        kept.changed.pop()
        _end(kept, ticket, run, state=Run.State.DONE, reason=reason, at=around.at)
        return
    _adjust(run, ticket, around.at)
    _hold(kept, ticket, run, around)


def _own_end(run: Run, ticket: Ticket, around: Around) -> str:
    """Why the run ends by its own rule, in words; empty while it goes on."""
    seen_at, answered_at = ticket.acknowledged_at, around.answered.get(ticket.id)
    taken_at = around.taken.get(ticket.id)
    is_seen = seen_at is not None and seen_at >= run.started_at
    holds = {
        StopOn.ACKNOWLEDGED: is_seen,
        # Whoever takes what somebody else has acknowledged leaves that acknowledgement as it is.
        StopOn.TAKEN: (taken_at is not None and taken_at >= run.started_at)
        or (
            is_seen
            and ticket.assignee_id is not None
            and ticket.assignee_id == ticket.acknowledged_by_id
        ),
        StopOn.FIRST_RESPONSE: answered_at is not None and answered_at >= run.started_at,
        StopOn.MOVED: run.entry != ticket.entry,
    }
    met = next((StopOn(word) for word in run.revision.stop_on if holds[StopOn(word)]), None)
    return met.label.lower() if met else ""


def _hold(kept: Kept, ticket: Ticket, run: Run, around: Around) -> None:
    """Hold the runs of a major incident's children; let go what need not be held any more."""
    if ticket.id in around.in_majors:
        if run.held != Run.Hold.MAJOR:
            run.held, run.held_until, run.held_because = Run.Hold.MAJOR, None, IN_A_MAJOR
            kept.tell(ticket, EventKind.RUN_HELD, run, name=run.policy.name, because=IN_A_MAJOR)
    elif run.held == Run.Hold.MAJOR or is_over(run, around.at):
        because = release(run)
        kept.tell(ticket, EventKind.RUN_RELEASED, run, name=run.policy.name, because=because)


def is_over(run: Run, at: datetime) -> bool:
    """Whether a snooze of this run has ended by now."""
    return run.held == Run.Hold.SNOOZED and run.held_until is not None and run.held_until <= at


def release(run: Run) -> str:
    """Let a held run go on; returns in words why it may. Nothing is saved."""
    because = "no longer " + IN_A_MAJOR if run.held == Run.Hold.MAJOR else "the snooze is over"
    run.held, run.held_until, run.held_because = "", None, ""
    return because


def _start(
    kept: Kept,
    ticket: Ticket,
    policy: Policy,
    facts: Mapping[str, Any],
    at: datetime,
    *,
    heir_of: Run | None,
) -> Run:
    """Begin a climb; one that supersedes another takes over its waiting and its pauses."""
    run = Run(
        ticket=ticket,
        policy=policy,
        revision=policy.current,
        is_main=policy.mode == Policy.Mode.MAIN,
        matched_on=dict(facts),
        started_at=at,
        entry=ticket.entry,
        waiting_since=ticket.entered_at or at,
        was_acknowledged=ticket.is_acknowledged,
    )
    if heir_of is not None and heir_of.entry == ticket.entry:
        run.waiting_since, run.frozen = heir_of.waiting_since, heir_of.frozen
    _freeze(run, ticket)
    kept.fresh.append(run)
    kept.tell(ticket, EventKind.RUN_STARTED, run, name=policy.name)
    return run


def _end(
    kept: Kept, ticket: Ticket, run: Run, *, state: Run.State, reason: str, at: datetime
) -> None:
    """End a run, on record; one that its own rule had ended before just gives up its place."""
    kept.changed.append(run)
    was_done, run.state = run.state == Run.State.DONE, state
    if was_done:
        return
    run.stopped_at, run.stop_reason = at, reason
    run.next_at = None
    kept.tell(ticket, EventKind.RUN_STOPPED, run, name=run.policy.name, because=reason)


def _adjust(run: Run, ticket: Ticket, at: datetime) -> None:
    if run.entry != ticket.entry:
        run.entry, run.loop, run.rung, run.base_position = ticket.entry, 1, 0, 0
        run.round, run.lead_s = 1, 0
        run.waiting_since, run.frozen = ticket.entered_at or at, []
    elif run.was_acknowledged and not ticket.is_acknowledged:
        # Pages resume at the rung they had reached, in a loop of its own; where none had been
        # reached yet, the waiting begins anew.
        if run.rung:
            run.loop += 1
            run.base_position, run.lead_s = run.rung, 0
        run.waiting_since, run.frozen = at, []
    run.was_acknowledged = ticket.is_acknowledged
    _freeze(run, ticket)


def _freeze(run: Run, ticket: Ticket) -> None:
    """Keep the intervals in which a pending status held the unacknowledged steps."""
    is_frozen = bool(run.frozen) and run.frozen[-1][1] is None
    since = instant_text(max(ticket.status_since, run.waiting_since))
    if ticket.status in states.PENDING and not is_frozen:
        run.frozen = [*run.frozen, [since, None]]
    elif ticket.status not in states.PENDING and is_frozen:
        run.frozen = [*run.frozen[:-1], [run.frozen[-1][0], since]]
