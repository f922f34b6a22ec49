"""How hand-overs fare, per edge and never per person: passed on, accepted, handed back, owed."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, cast

from django.db.models import Aggregate, Count, F, FloatField, Q, QuerySet
from django.db.models.functions import Extract

from escalation.models import Escalation, HandoverFeedback

LOOK_BACK: Final = timedelta(days=90)


class Median(Aggregate):
    """The middle value, interpolated as SQL:2003 says of percentile_cont."""

    function = "percentile_cont"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()


ACCEPTED_WITHIN: Final = Median(Extract(F("accepted_at") - F("opened_at"), "epoch"))
"""Seconds from the hand-over to its acceptance; null where none was accepted."""


@dataclass(frozen=True, slots=True)
class EdgeFigures:
    """One edge: how often work went over it, and what became of that.

    `said` counts what both sides said of them, by verdict.
    `skipped` counts hand-overs that went without something required, `owing` those of them that
    still owe it. A median of None means that nothing was accepted, and so nothing measured.
    """

    from_team: str
    to_team: str
    passed: int
    accepted: int
    median_accept_s: float | None
    skipped: int
    owing: int
    handed_back: dict[str, int] = field(default_factory=dict)
    said: dict[str, int] = field(default_factory=dict)

    @property
    def right_share(self) -> float | None:
        """The share of receivers who said that it was the right tier; None where nobody said."""
        answers = [self.said.get(verdict, 0) for verdict in RECEIVERS_SAY]
        return (answers[0] + answers[1]) / sum(answers) if any(answers) else None


def handovers(*, since: datetime, until: datetime) -> QuerySet[Escalation]:
    """The functional escalations opened between two instants.

    Restricted tickets are left out for everybody: a figure that moves would tell of one.
    """
    return Escalation.objects.filter(
        type=Escalation.Type.FUNCTIONAL,
        opened_at__gte=since,
        opened_at__lt=until,
        ticket__restricted=False,
    )


def measure_edges(
    *, until: datetime, since: datetime | None = None, to_team_id: int | None = None
) -> list[EdgeFigures]:
    """The figures of every edge that was used, busiest first; the last 90 days unless said."""
    rows = handovers(since=since or until - LOOK_BACK, until=until)
    if to_team_id is not None:
        rows = rows.filter(to_team=to_team_id)
    codes = Escalation.HandBackReason.values
    found = (
        rows.order_by()
        .values("from_team__name", "to_team__name")
        .annotate(
            passed=Count("pk"),
            accepted=Count("accepted_at"),
            median=ACCEPTED_WITHIN,
            skipped=Count("owed_at"),
            owing=Count("pk", filter=~Q(owed=[])),
            **{code: Count("pk", filter=Q(hand_back_code=code)) for code in codes},
        )
        .order_by("-passed", "from_team__name", "to_team__name")
    )
    said = _said(rows)
    return [
        EdgeFigures(
            from_team=row["from_team__name"],
            to_team=row["to_team__name"],
            passed=row["passed"],
            accepted=row["accepted"],
            median_accept_s=row["median"],
            skipped=row["skipped"],
            owing=row["owing"],
            handed_back={code: row[code] for code in codes if row[code]},
            said=said.get((row["from_team__name"], row["to_team__name"]), {}),
        )
        for row in cast(list[dict[str, Any]], list(found))
    ]


RECEIVERS_SAY: Final = (
    HandoverFeedback.Verdict.RIGHT,
    HandoverFeedback.Verdict.INCOMPLETE,
    HandoverFeedback.Verdict.WRONG_TIER,
)


def _said(rows: QuerySet[Escalation]) -> dict[tuple[str, str | None], dict[str, int]]:
    """By edge, how often each verdict was given on these hand-overs."""
    told = HandoverFeedback.objects.filter(escalation__in=rows.values("pk")).order_by()
    groups = told.values_list(
        "escalation__from_team__name", "escalation__to_team__name", "verdict"
    ).annotate(times=Count("pk"))
    found: dict[tuple[str, str | None], dict[str, int]] = {}
    for from_team, to_team, verdict, times in groups:
        found.setdefault((from_team, to_team), {})[verdict] = times
    return found
