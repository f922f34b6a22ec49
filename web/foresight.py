"""How likely tickets end badly, as pages say it: in percent, with reasons in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from insights.models import Estimate, RiskModel
from insights.risk.estimating import open_estimates
from insights.risk.training import FEWEST_BAD, FEWEST_CASES
from roles.models import Person
from tickets.models import Ticket
from web.countdowns import Countdown, countdown, duration_text

SHOWN: Final = 50
PERSISTENT: Final = 7
"""So many versions of the past are listed."""

OF: Final[Mapping[str, str | Promise]] = {
    "service": gettext_lazy("of this service"),
    "category": gettext_lazy("of this category"),
    "subcategory": gettext_lazy("of this subcategory"),
    "symptom": gettext_lazy("with this symptom"),
    "location": gettext_lazy("from this place"),
    "source": gettext_lazy("that came in this way"),
    "kind": gettext_lazy("of this kind"),
    "team": gettext_lazy("that began in this team"),
    "requester": gettext_lazy("of this requester"),
    "opener": gettext_lazy("opened by the same person"),
    "writer": gettext_lazy("written down by the same person"),
    "assignee": gettext_lazy("that began with the same assignee"),
    "organisation": gettext_lazy("of this organisation"),
    "asset": gettext_lazy("about this asset"),
    "priority": gettext_lazy("of this priority"),
    "impact": gettext_lazy("with this impact"),
    "urgency": gettext_lazy("with this urgency"),
    "category+priority": gettext_lazy("of this category and priority"),
    "service+priority": gettext_lazy("of this service and priority"),
    "team+priority": gettext_lazy("of this priority that began in this team"),
    "category+team": gettext_lazy("of this category that began in this team"),
    "subcategory+team": gettext_lazy("of this subcategory that began in this team"),
    "symptom+category": gettext_lazy("of this category with this symptom"),
    "requester+category": gettext_lazy("of this requester in this category"),
    "opener+category": gettext_lazy("opened by the same person in this category"),
    "writer+category": gettext_lazy("written down by the same person in this category"),
    "assignee+team": gettext_lazy("that began with the same assignee in this team"),
    "location+category": gettext_lazy("of this category from this place"),
    "location+team": gettext_lazy("from this place that began in this team"),
}
"""Which earlier tickets a reason speaks of."""

WHERE: Final[Mapping[str, str | Promise]] = {
    "team": gettext_lazy("in its team"),
    "category": gettext_lazy("of its category"),
    "service": gettext_lazy("of its service"),
}
SINCE: Final[Mapping[str, str | Promise]] = {
    "age": gettext_lazy("It has been open for long."),
    "used": gettext_lazy("Much of its time is used up."),
    "handovers": gettext_lazy("How often it was handed over."),
    "reopens": gettext_lazy("It was reopened."),
    "chases": gettext_lazy("The requester has asked where it stands."),
    "priority": gettext_lazy("Its present priority."),
    "waiting": gettext_lazy("Nobody works on it now."),
    "pending": gettext_lazy("It waits for somebody else."),
    "rank": gettext_lazy("The tier that has it."),
    "acknowledged": gettext_lazy("Whether somebody has acknowledged it."),
    "events": gettext_lazy("How much has happened on it."),
}
PLAIN: Final[Mapping[str, str | Promise]] = {
    "hour": gettext_lazy("The hour at which it was opened."),
    "day": gettext_lazy("The day of the week on which it was opened."),
    "level": gettext_lazy("Its priority at opening."),
}


@dataclass(frozen=True, slots=True)
class Outlook:
    """One ticket's estimate: `percent`, the reasons in sentences, and how far to trust it."""

    ticket: Ticket
    percent: int
    reasons: tuple[str, ...]
    at: datetime
    due: Countdown | None = None
    hit_rate: float | None = None

    @property
    def tone(self) -> str:
        """How pressing it is: high, some or low."""
        return "high" if self.percent >= 60 else "some" if self.percent >= 30 else "low"


@dataclass(frozen=True, slots=True)
class Standing:
    """What estimates rest on at present: the version, or why there is none."""

    model: RiskModel | None
    is_used: bool
    why_not: str
    needs: tuple[int, int] = (FEWEST_CASES, FEWEST_BAD)


@dataclass(frozen=True, slots=True)
class Ranking:
    """The open tickets by their risk, what that rests on, and earlier versions."""

    outlooks: Sequence[Outlook]
    standing: Standing
    versions: Sequence[RiskModel]


def outlook_of(ticket: Any) -> Outlook | None:
    """The estimate of a ticket read whole, if there is one; restricted ones have none."""
    if ticket.restricted or not ticket.is_open or not ticket.estimates:
        return None
    found = ticket.estimates[0]
    return Outlook(
        ticket=ticket,
        percent=round(100 * found["probability"]),
        reasons=tuple(filter(None, map(in_words, found["reasons"]))),
        at=datetime.fromisoformat(found["at"]),
        hit_rate=found["hit_rate"],
    )


def ranking(person: Person, now: datetime) -> Ranking:
    """The open tickets that the person may see, the likeliest to end badly first. Three queries."""
    versions = list(RiskModel.objects.defer("learned")[:PERSISTENT])
    newest = versions[0] if versions else None
    standing = Standing(
        model=newest,
        is_used=newest is not None and newest.is_used,
        why_not=newest.why_not if newest is not None else "",
    )
    found: list[Outlook] = []
    if standing.is_used:
        rows = open_estimates(Ticket.objects.visible_to(person)).select_related(
            "ticket__team__tier", "ticket__assignee", "ticket__service"
        )
        found = [_outlook(row, row.ticket, now) for row in rows[:SHOWN]]
    return Ranking(found, standing, versions)


def _outlook(row: Estimate, ticket: Ticket, now: datetime) -> Outlook:
    due = countdown(ticket.next_due_at, now, target_s=3600, paused=False)
    return Outlook(
        ticket=ticket,
        percent=round(100 * row.probability),
        reasons=tuple(filter(None, map(in_words, row.reasons))),
        at=row.at,
        due=due,
    )


def in_words(reason: Mapping[str, Any]) -> str:
    """One reason as a sentence; "" for one of a sort that this page does not know."""
    code, of = str(reason.get("code", "")), str(reason.get("of", ""))
    if code == "past" and of in OF:
        return _past(reason, str(OF[of]))
    if code in ("open", "lately") and of in WHERE:
        return _load(code, int(reason.get("number", 0)), str(WHERE[of]))
    if code == "since":
        return str(SINCE.get(of, ""))
    return str(PLAIN.get(code, ""))


def _past(reason: Mapping[str, Any], which: str) -> str:
    share, count = float(reason.get("share", 0)), int(reason.get("count", 0))
    told = {"percent": round(100 * share), "count": count, "which": which}
    if reason.get("hours") is None:
        return _("%(percent)s %% of %(count)s tickets %(which)s ended badly.") % told
    told["time"] = duration_text(3600 * float(reason["hours"]))
    said = _("%(percent)s %% of %(count)s tickets %(which)s ended badly; they take %(time)s.")
    return said % told


def _load(code: str, number: int, where: str) -> str:
    told = {"number": number, "where": where}
    if code == "open":
        return (
            ngettext(
                "%(number)s ticket is open %(where)s.",
                "%(number)s tickets are open %(where)s.",
                number,
            )
            % told
        )
    return (
        ngettext(
            "%(number)s ticket %(where)s came in lately.",
            "%(number)s tickets %(where)s came in lately.",
            number,
        )
        % told
    )
