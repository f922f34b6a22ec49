"""What a move makes of clocks, read off their rows, is what a replay of the timeline would say."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from escalation.clock import Cycle, Fact
from escalation.models import Clock, ClockKind
from escalation.onward import Entrance, carry_on, says_enough
from escalation.sla import cycle_of, stored_pauses
from tests.escalation.test_clock import minute
from tests.escalation.test_clock_properties import SPECS, cycles, lived, lives
from tickets import states

aims = st.dictionaries(st.sampled_from(ClockKind.values), st.integers(0, 3), max_size=2)
"""Other targets than now, by kind of clock; 0 for none."""


def row_of(cycle: Cycle) -> Clock:
    """The row that stands for a cycle, as far as it says what the cycle is."""
    return Clock(
        kind=cycle.kind,
        cycle=cycle.number,
        team_id=cycle.team_id,
        target_id=cycle.target_id,
        calendar_id=cycle.calendar_id,
        started_at=cycle.started_at,
        target_s=cycle.target_s,
        stopped_at=cycle.stopped_at,
        ended_as=cycle.ended_as,
        pauses=stored_pauses(cycle),
    )


def moved_on(rows: list[Clock], into: Entrance, move: Fact) -> list[Cycle]:
    """All cycles after the move, by the rows before it."""
    onward = carry_on(rows, into, SPECS.__getitem__, move.at)
    ended = {id(row): cycle for row, cycle in onward.ended}
    kept = [ended.get(id(row)) or cycle_of(row) for row in rows]
    return sorted([*kept, *onward.begun], key=lambda cycle: (cycle.kind, cycle.number))


def chosen(rows: list[Clock], aim: dict[str, int]) -> dict[str, tuple[int, int]]:
    """The targets after the move: what holds now but for those others."""
    live = {row.kind: (row.target_id, row.calendar_id) for row in rows if row.stopped_at is None}
    usual = dict.fromkeys(("acceptance", "time_in_team"), (2, 7)) | live
    wanted = usual | {kind: (target, 7) for kind, target in aim.items()}
    return {kind: held for kind, held in wanted.items() if held[0]}


def test_the_rows_tell_of_a_move_what_the_timeline_tells() -> None:
    seen: Counter[bool] = Counter()

    @given(lives, aims, st.integers(0, 90))
    def check(wanted: list[tuple[int, str, str]], aim: dict[str, int], gap: int) -> None:
        facts = lived(wanted)
        state = {name: value for fact in facts for name, value in fact.changed.items()}
        rows = [row_of(cycle) for cycle in cycles(facts)]
        into = Entrance(state["entry"] + 1, 30, state["status"], chosen(rows, aim))
        is_plain = says_enough(rows, into, SPECS.__getitem__)
        seen[is_plain] += 1
        if is_plain:
            at = facts[-1].at + (minute(gap) - minute(0))
            move = Fact(at, "escalated", {"entry": into.entry, "team_id": 30})
            told = [*facts, move, Fact(at, "targeted", {}, targets=into.choice)]
            assert moved_on(rows, into, move) == cycles(told)

    check()
    assert seen[True] > seen[False] / 20
    assert seen[False]


def test_a_ticket_that_nobody_has_touched_needs_no_timeline() -> None:
    choice = dict.fromkeys(("first_response", "resolution", "next_update", "acceptance"), (2, 7))
    facts = [
        Fact(minute(0), "opened", {"status": "new"}),
        Fact(minute(0), "moved", {"status": states.WAITING, "entry": 1, "team_id": 10}),
        Fact(minute(0), "targeted", {}, targets=choice),
    ]
    rows = [row_of(cycle) for cycle in cycles(facts)]
    assert says_enough(rows, Entrance(2, 30, states.WAITING, choice), SPECS.__getitem__)
    longer = choice | {"resolution": (1, 7)}
    assert not says_enough(rows, Entrance(2, 30, states.WAITING, longer), SPECS.__getitem__)
