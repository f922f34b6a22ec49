"""The tickets behind a figure: the facts it counts, narrowed as the reader asked, newest first."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Q, QuerySet

from escalation.models import Policy, Vendor
from insights.figures.answers import EVER
from insights.figures.figure import TIME, Figure
from insights.figures.models import Point
from insights.figures.naming import NARROWERS, NONE
from insights.figures.sums import Question, points_for
from roles.models import Person, Team

PAGE: Final = 50
OF_PEOPLE: Final = frozenset({"page"})
"""Measures whose `other` is a person, whom no address may ask for."""
OF_POLICIES: Final = frozenset({"policy_touched", "policy_restored", "policy_step"})
"""Measures whose `other` is a policy."""


@dataclass(frozen=True, slots=True)
class Narrower:
    """What a line of a split adds to the question, as its address says it."""

    to: str = ""
    sort: str = ""
    tier: str = ""
    vendor: str = ""
    policy: str = ""

    @property
    def said(self) -> Mapping[str, str]:
        """What of it is asked."""
        parts = {name: getattr(self, name) for name in NARROWERS}
        return {name: value for name, value in parts.items() if value}


def facts_behind(
    figure: Figure, question: Question, narrower: Narrower, reader: Person
) -> QuerySet[Point]:
    """The facts that the figure counts in the end, such as the promises that were missed.

    Of restricted tickets only those for which the reader is cleared, whatever is counted.
    """
    part = figure.shown
    since, until = EVER if figure.is_present else (question.since, question.until)
    rows = Point.objects.filter(measure=part.measure, day__gte=since, day__lt=until)
    if part.tag:
        rows = rows.filter(tag=part.tag)
    # A time of no length is one of those of which the mean is told.
    if part.value != "n" and figure.unit != TIME:
        rows = rows.exclude(**{part.value: 0})
    what = {f"ticket__folded__{name}": value for name, value in question.about_what.items()}
    rows = rows.filter(**question.about_whom, **what).filter(_narrowed(narrower, part.measure))
    return rows.filter(points_for(reader)).order_by("-day", "-pk")


def _narrowed(narrower: Narrower, measure: str) -> Q:
    found = Q()
    if measure in OF_PEOPLE and (narrower.to or narrower.vendor):
        return Q(pk__in=[])
    if narrower.to:
        found &= Q(other__in=Team.objects.filter(slug=narrower.to).values("pk"))
    if narrower.vendor:
        found &= Q(other__in=Vendor.objects.filter(slug=narrower.vendor).values("pk"))
    if narrower.policy:
        if measure not in OF_POLICIES:
            return Q(pk__in=[])
        policies = Policy.objects.filter(slug=narrower.policy).values("pk")
        found &= Q(other=0) if narrower.policy == NONE else Q(other__in=policies)
    if narrower.sort:
        found &= Q(tag="" if narrower.sort == NONE else narrower.sort)
    if narrower.tier:
        teams: Any = Team.objects.filter(tier__name=narrower.tier).values("pk")
        # What has no team but an `other` was with a vendor, which is a line of its own.
        nowhere = Q(team=0, other=0)
        found &= nowhere if narrower.tier == NONE else Q(team__in=teams)
    return found
