"""A made-up past in which category "net" goes badly and category "chair" does not."""

import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from insights.models import RiskModel
from insights.risk import growing
from insights.risk.cases import Case, Moment
from insights.risk.learning import learn, stored_judge
from insights.risk.memory import Memory, kept
from insights.risk.progress import figures_of, grow_progress
from insights.risk.trees import stored
from insights.risk.walking import walk

BEGAN = datetime(2025, 1, 6, tzinfo=UTC)
FEW_TREES = {**growing.SHAPE, "n_estimators": 12, "learning_rate": 0.3, "min_samples_leaf": 10}
BAD_SHARE = {"net": 0.8, "mail": 0.3, "chair": 0.05}


def past(count: int = 900, *, values: Mapping[str, str] | None = None) -> list[Case]:
    """Cases an hour apart, in order; `values` says how the site calls the three categories."""
    chance = random.Random(4)
    return [_case(number, chance, values or {}) for number in range(count)]


def _case(number: int, chance: random.Random, values: Mapping[str, str]) -> Case:
    opened_at = BEGAN + timedelta(hours=number)
    category = chance.choice(list(BAD_SHARE))
    bad = chance.random() < BAD_SHARE[category]
    hours = chance.uniform(30, 60) if bad else chance.uniform(1, 20)
    over_at = opened_at + timedelta(hours=hours)
    known_at = opened_at + timedelta(hours=24) if bad else over_at
    facts = {
        "category": values.get(category, category),
        "priority": str(chance.randint(2, 4)),
        "requester": f"caller {chance.randint(1, 40)}",
    }
    at = opened_at + timedelta(minutes=20)
    figures = figures_of(
        {"status": "waiting", "handover_count": 2 * (bad and chance.random() < 0.5)},
        age_s=1200,
        target_s=86400.0,
        rank=1,
        events=5,
    )
    return Case(
        key=f"C{number:05}",
        opened_at=opened_at,
        facts=facts,
        over_at=over_at,
        ended_badly=bad,
        known_at=known_at,
        moments=[Moment(at, figures, bad)],
    )


def learned_version(values: Mapping[str, str], *, at: datetime) -> RiskModel:
    """A version in use, learned from the made-up past; `values` as `past` takes them."""
    cases = past(values=values)
    memory = Memory()
    rows = walk(cases, memory)
    judge = learn(cases, rows, at=cases[-1].opened_at)
    assert judge is not None
    progress = grow_progress(cases, rows, judge, at=cases[-1].opened_at)
    assert progress is not None
    return RiskModel.objects.create(
        trained_at=at,
        cases=900,
        positives=340,
        tested=270,
        base_rate=0.38,
        auroc=0.85,
        brier=0.15,
        skill=0.36,
        recall20=0.45,
        hit_rate20=0.8,
        is_used=True,
        learned={
            "memory": kept(memory),
            "judge": stored_judge(judge),
            "progress": stored(progress),
        },
    )
