"""Risk is learned from what was known, and from nothing else; what leaks is refused."""

import math
import random
from dataclasses import replace
from datetime import timedelta

import pytest

from insights.risk import growing
from insights.risk.cases import Case, Opening
from insights.risk.leaks import History, refusals
from insights.risk.learning import (
    chance_of,
    learn,
    restored_judge,
    ripe_until,
    stored_judge,
)
from insights.risk.measures import auroc, measure
from insights.risk.memory import NAMES, PLACES, Memory, kept, recalled
from insights.risk.progress import grow_progress, row_of
from insights.risk.reasons import reasons_of
from insights.risk.training import judge_trial
from insights.risk.trying import try_out
from insights.risk.walking import walk
from tests.insights.risky import BEGAN, FEW_TREES, past


@pytest.fixture(autouse=True)
def few_trees(monkeypatch):
    monkeypatch.setattr(growing, "SHAPE", FEW_TREES)


# ---- What was known ------------------------------------------------------------------------------


def test_what_is_said_of_a_ticket_does_not_depend_on_anything_later():
    cases = past(200)
    whole = walk(cases, Memory())
    assert walk(cases[:120], Memory()) == whole[:120]
    later = [replace(case, ended_badly=not case.ended_badly) for case in cases[120:]]
    assert walk([*cases[:120], *later], Memory())[:121] == whole[:121]


def test_an_outcome_counts_from_the_moment_when_it_was_known():
    first = past(1)[0]
    place = PLACES["rate:category"]
    before = Opening("B", first.known_at - timedelta(seconds=1), first.facts)
    after = Opening("A", first.known_at + timedelta(seconds=1), first.facts)

    def told(opening: Opening) -> float:
        asked = Case(opening.key, opening.opened_at, opening.facts)
        bad = [first, *(replace(first, key=f"X{n}") for n in range(5))]
        other = replace(first, key="Y", facts={**first.facts, "category": "z"}, ended_badly=False)
        return walk([*bad, other, asked], Memory())[-1][place]

    assert told(before) == 0.0
    assert told(after) != 0.0


def test_nothing_that_became_known_after_the_cut_is_learned():
    cases = past(200)
    cut = cases[100].opened_at
    closed = Memory()
    walk(cases, closed, learn_until=cut)
    shorter = Memory()
    known = [case if (case.known_at or cut) <= cut else _unknown(case) for case in cases[:100]]
    walk(known, shorter, learn_until=cut)
    assert {key: row[:4] for key, row in kept(closed).items()} == {
        key: row[:4] for key, row in kept(shorter).items()
    }


def _unknown(case: Case) -> Case:
    return replace(case, ended_badly=None, known_at=None)


def test_the_latest_days_are_left_out_while_few_of_their_ends_are_known():
    cases = past(240)
    at = cases[-1].opened_at
    ripe = ripe_until(cases, at)
    assert at - timedelta(days=4) <= ripe < at
    assert len(NAMES) == len(walk(cases[:1], Memory())[0])


def test_a_memory_is_kept_as_plain_numbers():
    cases = past(100)
    memory = Memory()
    walk(cases, memory)
    again = recalled(kept(memory))
    assert again.is_closed
    for key, seen in again.seen.items():
        assert seen.bad == pytest.approx(memory.seen[key].bad, abs=1e-3)


# ---- What is learned -----------------------------------------------------------------------------


def test_a_history_is_learned_and_beats_the_base_rate():
    trial = try_out(past())
    measures = trial.measures
    assert measures is not None
    assert measures.auroc > 0.75
    assert measures.skill > 0.2
    assert judge_trial(trial).is_used
    assert trial.score_s < 0.002


def test_a_past_of_pure_chance_is_not_used():
    chance = random.Random(1)
    cases = [replace(case, facts={}, ended_badly=chance.random() < 0.3) for case in past(600)]
    trial = try_out(cases)
    assert "did not beat" in judge_trial(trial).why_not


def test_a_judge_that_was_stored_says_the_same_and_names_what_weighed():
    cases = past()
    at = cases[-1].opened_at
    memory = Memory()
    rows = walk(cases, memory, learn_until=at)
    judge = learn(cases, rows, at=at)
    again = restored_judge(stored_judge(judge))
    asked = {name: Opening("Q", at, {"category": name}) for name in ("net", "chair")}
    said = {name: memory.features(opening) for name, opening in asked.items()}
    assert again.chance(said["net"]) == pytest.approx(judge.chance(said["net"]), abs=1e-3)
    assert judge.chance(said["net"]) > 0.5 > judge.chance(said["chair"])
    opinion = judge.opinion(said["net"])
    assert chance_of(opinion.log_odds) == pytest.approx(judge.chance(said["net"]))
    assert opinion.span == judge.span(said["net"])
    (why, *_) = reasons_of(opinion.weights, asked["net"], memory, {})
    assert (why.code, why.of) == ("past", "category")
    assert why.share > 0.6
    progress = grow_progress(cases, rows, judge, at=at)
    stood = dict.fromkeys(cases[0].moments[0].figures, 0.0)
    often, never = (
        progress.say(row_of({**stood, "handovers": n}, log_odds=0.0, span=2.0)) for n in (2.0, 0.0)
    )
    assert often > never


def test_what_each_feature_moved_adds_up_to_what_is_said():
    cases = past(400)
    rows = walk(cases, Memory())
    judge = learn(cases, rows, at=cases[-1].opened_at)
    for forest in judge.forests:
        said, moved = forest.explain(rows[-1])
        assert said == forest.say(rows[-1])
        usual = forest.start + sum(tree.values[0] for tree in forest.trees)
        assert usual + sum(moved.values()) == pytest.approx(said)


def test_to_a_ticket_of_last_month_the_arrivals_are_those_of_today():
    old = Opening("O", BEGAN, {"team": "7"})
    memory = Memory().under({("team", "7"): (12, 5)})
    weights = {"open:team": 1.0, "lately:team": 0.5, "open:service": 0.2}
    open_now, lately = reasons_of(weights, old, memory, {})
    assert (open_now.code, open_now.of, open_now.number) == ("open", "team", 12)
    assert (lately.code, lately.of, lately.number) == ("lately", "team", 5)
    place = PLACES["lately:team"]
    assert memory.features(old)[place] == pytest.approx(math.log1p(5))


# ---- Leaks ---------------------------------------------------------------------------------------


def planted(count: int = 100) -> list[History]:
    """Half are over; `code` and `solved_at` were written over all their rows at the end."""
    found = []
    for number in range(count):
        is_over = number % 2 == 0
        bad = number % 8 < 4
        later = BEGAN + timedelta(days=9)
        row = {
            "category": f"c{number % 7}",
            "code": f"code {number % 5}" if is_over else "",
            "solved_at": later if is_over else None,
            "verdict": "late" if bad else "fine",
            "state": "new",
        }
        rows = [(BEGAN, row), (BEGAN + timedelta(hours=1), {**row, "state": "closed"})]
        found.append(History(rows, is_over, bad if is_over else None))
    return found


def test_columns_that_tell_of_the_end_are_refused_each_with_its_reason():
    found = refusals(planted(), ["category", "state", "code", "solved_at", "verdict"])
    assert set(found) == {"code", "solved_at", "verdict"}
    assert "had not come yet" in found["solved_at"]
    assert "filled in backwards" in found["code"]
    assert "nobody can know" in found["verdict"]


def test_a_column_that_changes_within_a_case_was_not_filled_in_backwards():
    histories = [
        replace(
            each,
            rows=[(each.rows[0][0], {**each.rows[0][1], "code": f"x{n % 3}"}), each.rows[1]],
        )
        for n, each in enumerate(planted())
    ]
    assert "code" not in refusals(histories, ["code"])


# ---- Measures ------------------------------------------------------------------------------------


def test_the_measures_are_those_of_a_hand_counted_example():
    said = [0.9, 0.8, 0.7, 0.3, 0.1]
    came = [True, False, True, False, False]
    assert auroc(said, came) == pytest.approx(5 / 6)
    found = measure(said, came)
    assert (found.base_rate, found.positives, found.recall20, found.hit_rate20) == (0.4, 2, 0.5, 1)
    assert found.brier == pytest.approx((0.01 + 0.64 + 0.09 + 0.09 + 0.01) / 5)
    assert found.skill == pytest.approx(1 - 0.168 / 0.24)
    assert auroc([1, 1, 1], [True, False, True]) == 0.5
    assert measure([0.2], [True]) is None
