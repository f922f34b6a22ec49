"""What is the matter now: deadlines and risk by tier, who waits longest, gaps, and the engine."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Count, F, Q, Sum, Value
from django.utils.functional import cached_property

from escalation.engine import last_sweep_at
from escalation.models import Quarantine, Run
from insights.figures.models import FoldMark
from insights.models import Estimate, RiskModel
from insights.reviews.reminding import late_actions, late_reviews
from insights.risk.estimating import open_estimates
from notifications.delivery import last_delivery_at
from notifications.models import Message, MessageState
from roles.models import Person, Team
from roles.oncall import Gap, coming_gaps
from roles.serving import Serving, serving_now
from tickets import states
from tickets.models import Ticket, TicketQuerySet

SHOWN: Final = 10
FEW: Final = 5
LIKELY: Final = 0.5
"""From this probability on a ticket ends badly rather than not."""
HOUR: Final = timedelta(hours=1)
SOON: Final = timedelta(hours=4)
GAPS_WITHIN: Final = timedelta(days=14)
COUNTS: Final = ("open", "late", "hour", "soon", "waiting", "estimated", "likely", "expected")
LATE_SWEEP: Final = timedelta(seconds=10)
LATE_DELIVERY: Final = timedelta(seconds=30)
LATE_STEP: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class TierRisk:
    """The open tickets of one tier by how near their next deadline is, and by their estimates.

    `expected` is how many of the `estimated` end badly as their probabilities add up, `likely` how
    many of them rather do than not.
    """

    name: str
    open: int
    late: int
    hour: int
    soon: int
    waiting: int
    estimated: int = 0
    likely: int = 0
    expected: float = 0.0
    slug: str = ""
    """The tier's word in addresses; "" where no team has the tickets yet."""

    def __add__(self, other: "TierRisk") -> "TierRisk":
        sums = {name: getattr(self, name) + getattr(other, name) for name in COUNTS}
        return TierRisk(self.name, **sums, slug=self.slug)

    @property
    def calm(self) -> int:
        """Those whose next deadline is further away, or that have none."""
        return self.open - self.late - self.hour - self.soon


@dataclass(frozen=True, slots=True)
class Engine:
    """How well that runs which nobody sees: times as seconds ago, None for never."""

    swept_s: float | None
    delivered_s: float | None
    behind_s: float
    dead: int
    quarantined: int
    uncounted: bool

    @property
    def is_sweeping(self) -> bool:
        """Whether due steps are carried out."""
        return self.swept_s is not None and self.swept_s <= LATE_SWEEP.total_seconds()

    @property
    def is_delivering(self) -> bool:
        """Whether messages are sent."""
        return self.delivered_s is not None and self.delivered_s <= LATE_DELIVERY.total_seconds()

    @property
    def is_in_time(self) -> bool:
        """Whether no step is late."""
        return self.behind_s <= LATE_STEP.total_seconds()


@dataclass
class Present:
    """The service at one moment, as one person may see it.

    What `is_kept`, like a mail, is read where nobody asks again who is cleared: it has nothing of
    restricted tickets.
    """

    reader: Person
    now: datetime
    is_kept: bool = False

    @property
    def _seen(self) -> TicketQuerySet:
        seen = Ticket.objects.visible_to(self.reader)
        return seen.filter(restricted=False) if self.is_kept else seen

    @property
    def _open(self) -> TicketQuerySet:
        return self._seen.open()

    @cached_property
    def tiers(self) -> list[TierRisk]:
        """The open tickets of each tier, up the ladder and then the lanes.

        Without a version in use nothing is estimated, and nothing is said of it.
        """
        columns = ("pk", "tier__rank", "tier__name", "tier__slug")
        places = {
            team: (rank is None, rank or 0, name, slug)
            for team, rank, name, slug in Team.objects.values_list(*columns)
        }
        nowhere = (True, 0, "", "")
        found: dict[tuple[bool, int, str, str], TierRisk] = {}
        for team, *counts in self._counts_by_team():
            place = places.get(team, nowhere)
            row = replace(TierRisk(place[2], *counts), slug=place[3])
            found[place] = found[place] + row if place in found else row
        return [found[place] for place in sorted(found, key=lambda it: (it == nowhere, it))]

    def _counts_by_team(self) -> Any:
        """By team id and not by its tier: so thousands of tickets are counted without a join."""
        due = F("next_due_at")
        late = Q(next_due_at__lte=self.now)
        hour = Q(next_due_at__gt=self.now, next_due_at__lte=self.now + HOUR)
        soon = Q(next_due_at__gt=self.now + HOUR, next_due_at__lte=self.now + SOON)
        return (
            self._open.order_by()
            .values_list("team_id")
            .annotate(
                every=Count("pk"),
                late=Count(due, filter=late),
                hour=Count(due, filter=hour),
                soon=Count(due, filter=soon),
                waiting=Count("pk", filter=Q(status=states.WAITING)),
                **(self._estimates if self.foresight is not None else {}),
            )
        )

    @property
    def _estimates(self) -> dict[str, Any]:
        known = Q(foresight__isnull=False, restricted=False)
        likely = Q(foresight__probability__gte=LIKELY, restricted=False)
        return {
            "estimated": Count("pk", filter=known),
            "likely": Count("pk", filter=likely),
            "expected": Sum("foresight__probability", filter=known, default=0.0),
        }

    @cached_property
    def newest_version(self) -> RiskModel | None:
        """What was learned last, whether it is used or not."""
        return RiskModel.objects.defer("learned").order_by("-pk").first()

    @property
    def foresight(self) -> RiskModel | None:
        """The version by which tickets are estimated; None while none is good enough."""
        newest = self.newest_version
        return newest if newest is not None and newest.is_used else None

    @cached_property
    def likeliest(self) -> list[Estimate]:
        """The open tickets that most likely end badly, the likeliest first."""
        if self.foresight is None:
            return []
        seen = open_estimates(self._seen)
        return list(seen.select_related("ticket__team")[:FEW])

    @cached_property
    def whole(self) -> TierRisk:
        """All tiers together."""
        return sum(self.tiers, TierRisk("", 0, 0, 0, 0, 0))

    @cached_property
    def coming(self) -> list[Ticket]:
        """The next deadlines within the hour, the nearest first."""
        rows = self._open.filter(next_due_at__gt=self.now, next_due_at__lte=self.now + HOUR)
        return list(rows.select_related("team", "assignee").order_by("next_due_at", "pk")[:SHOWN])

    @cached_property
    def untouched(self) -> list[Ticket]:
        """The tickets that have waited longest in a queue with nobody, the longest first."""
        rows = self._open.filter(status=states.WAITING, acknowledged_at=None)
        # Thousands are put in order by these two alone; only those that are shown are read.
        longest = rows.order_by("status_since", "pk").values("pk")[:SHOWN]
        shown = self._seen.filter(pk__in=longest)
        return list(shown.select_related("team").order_by("status_since", "pk"))

    @cached_property
    def overdue(self) -> tuple[int, int]:
        """How many reviews should have been signed by now, and how many of their actions done."""
        seen = self._seen.values("pk")
        reviews = late_reviews(self.now).filter(ticket__in=seen).order_by()
        actions = late_actions(self.now).filter(review__ticket__in=seen).order_by()
        counts = [
            rows.annotate(part=Value(part)).values("part").annotate(rows=Count("pk"))
            for part, rows in enumerate((reviews, actions))
        ]
        found = dict(counts[0].union(counts[1], all=True).values_list("part", "rows"))
        return found.get(0, 0), found.get(1, 0)

    @cached_property
    def serving(self) -> Sequence[Serving]:
        """Who is on call now, by team."""
        return serving_now(self.now)

    @cached_property
    def gaps(self) -> Sequence[Gap]:
        """When nobody will be on call within two weeks."""
        return coming_gaps(GAPS_WITHIN, self.now)[:SHOWN]

    @cached_property
    def engine(self) -> Engine:
        """How the engine does; it names no ticket, and counts none that the reader may not see."""
        seen = self._seen
        due = Run.objects.filter(state=Run.State.ACTIVE, next_at__lte=self.now, ticket__in=seen)
        oldest = due.exclude(ticket__quarantine__since__isnull=False).order_by("next_at")
        first = oldest.values_list("next_at", flat=True).first()
        dead = Message.objects.filter(state=MessageState.DEAD, clearance="")
        held = Quarantine.objects.filter(ticket__in=seen, since__isnull=False)
        counts = dict(
            dead.order_by()
            .annotate(part=Value(0))
            .values("part")
            .annotate(rows=Count("pk"))
            .union(
                held.order_by().annotate(part=Value(1)).values("part").annotate(rows=Count("pk")),
                all=True,
            )
            .values_list("part", "rows")
        )
        return Engine(
            swept_s=self._ago(last_sweep_at()),
            delivered_s=self._ago(last_delivery_at()),
            behind_s=self._ago(first) or 0.0,
            dead=counts.get(0, 0),
            quarantined=counts.get(1, 0),
            uncounted=not FoldMark.objects.filter(swept_at__isnull=False).exists(),
        )

    def _ago(self, at: datetime | None) -> float | None:
        return None if at is None else max(0.0, (self.now - at).total_seconds())
