"""Learns anew from this site's past, tries it, keeps it as a version; used only if it is good."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db import transaction

from insights.risk.cases import Case
from insights.risk.leaks import History, refusals
from insights.risk.learning import is_known, learn, stored_judge
from insights.risk.memory import Memory, kept
from insights.risk.models import RiskModel
from insights.risk.own import own_cases
from insights.risk.progress import grow_progress
from insights.risk.trees import stored
from insights.risk.trying import Trial, try_out
from insights.risk.walking import walk
from roles.instants import TimeSource, database_now

FEWEST_CASES: Final = 500
FEWEST_BAD: Final = 50
"""Below this history nothing is estimated: so few bad ends teach chance."""
FEWEST_TESTED_BAD: Final = 15
LEAST_SKILL: Final = 0.02
"""Better than always saying the base rate, by more than a hair."""
VERSIONS_KEPT: Final = 30
NIGHT: Final = range(1, 5)
"""Hours by UTC in which little else is done."""
AGAIN: Final = timedelta(hours=12)
OVERDUE: Final = timedelta(hours=36)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether what was learned is used; `why_not` is a sentence, "" when it is."""

    why_not: str = ""

    @property
    def is_used(self) -> bool:
        """Whether estimates are made by it."""
        return not self.why_not


def train_nightly(*, clock: TimeSource = database_now) -> RiskModel | None:
    """Learn anew if it is night and has not been done, or has not been for long; else None."""
    now = clock()
    newest = RiskModel.objects.defer("learned").order_by("-pk").first()
    age = now - newest.trained_at if newest is not None else OVERDUE
    if age >= OVERDUE or (age >= AGAIN and now.astimezone(UTC).hour in NIGHT):
        return train(clock=clock)
    return None


def train(*, clock: TimeSource = database_now) -> RiskModel:
    """Learn from this site's closed tickets as of now; the stored version.

    It is used if there is enough history and its own test beats the base rate; otherwise nothing is
    estimated until a later version is.
    """
    began, now = time.perf_counter(), clock()
    cases, refused = without_leaks(own_cases(now), now)
    known = [case for case in cases if is_known(case, now)]
    positives = sum(bool(case.ended_badly) for case in known)
    too_little = _too_little(len(known), positives)
    trial = None if too_little else try_out(cases)
    verdict = Verdict(too_little) if trial is None else judge_trial(trial)
    learned = _learned(cases, now) if verdict.is_used else {}
    if verdict.is_used and not learned:
        verdict = Verdict("All of its past ended alike.")
    with transaction.atomic():
        model = RiskModel.objects.create(
            trained_at=now,
            cases=len(known),
            positives=positives,
            refused=refused,
            is_used=verdict.is_used,
            why_not=verdict.why_not,
            learned=learned,
            took_s=round(time.perf_counter() - began, 3),
            **_figures(trial),
        )
        _forget_old()
    return model


def _too_little(known: int, positives: int) -> str:
    if known >= FEWEST_CASES and positives >= FEWEST_BAD:
        return ""
    return (
        f"It takes {FEWEST_CASES} tickets with a known end, {FEWEST_BAD} of them bad; there are"
        f" {known} with {positives}."
    )


def judge_trial(trial: Trial) -> Verdict:
    """What a trial comes to."""
    measures = trial.measures
    if measures is None:
        return Verdict("Its past ended too much alike to be tried on.")
    if measures.positives < FEWEST_TESTED_BAD:
        found = measures.positives
        return Verdict(f"Of the tested tickets only {found} ended badly: that proves nothing.")
    if measures.skill < LEAST_SKILL:
        return Verdict("In its own test it did not beat the base rate.")
    return Verdict()


def without_leaks(cases: Sequence[Case], now: datetime) -> tuple[list[Case], dict[str, str]]:
    """The cases without facts that tell of the end, and which those were, with the reason."""
    histories = [
        History(
            rows=[(case.opened_at, case.facts)],
            is_over=case.over_at is not None and case.over_at <= now,
            ended_badly=case.ended_badly,
        )
        for case in cases
    ]
    names = sorted({name for case in cases for name in case.facts})
    refused = refusals(histories, names) if histories else {}
    if not refused:
        return list(cases), {}
    return [_without(case, refused) for case in cases], refused


def _without(case: Case, names: dict[str, str]) -> Case:
    facts = {name: value for name, value in case.facts.items() if name not in names}
    return Case(
        case.key,
        case.opened_at,
        facts,
        case.over_at,
        case.ended_badly,
        case.known_at,
        case.moments,
    )


def _learned(cases: Sequence[Case], now: datetime) -> dict[str, Any]:
    memory = Memory()
    rows = walk(cases, memory, learn_until=now)
    judge = learn(cases, rows, at=now)
    if judge is None:
        return {}
    progress = grow_progress(cases, rows, judge, at=now)
    return {
        "memory": kept(memory),
        "judge": stored_judge(judge),
        "progress": stored(progress) if progress else None,
    }


def _figures(trial: Trial | None) -> dict[str, Any]:
    measures = trial.measures if trial else None
    if measures is None:
        return {}
    told = measures.rounded()
    names = ("auroc", "brier", "skill", "recall20", "hit_rate20", "base_rate", "tested")
    return {name: told[name] for name in names}


def _forget_old() -> None:
    """Keep what the newest versions learned; of older ones their figures stay."""
    newest = RiskModel.objects.order_by("-pk").values("pk")[:VERSIONS_KEPT]
    RiskModel.objects.exclude(pk__in=newest).exclude(learned={}).update(learned={})
