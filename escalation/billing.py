"""Reads the bills of many clocks at once, and puts them into words."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.utils.translation import gettext

from escalation import sla
from escalation.bill import QUEUE, TEAM, VENDOR, Bill, Names, Share, bill_of, place_words, stays
from escalation.explain import duration
from escalation.models import Clock, Vendor
from roles.calendars import work_calendar
from roles.models import Team


def bills(clocks: Sequence[Clock], now: datetime) -> dict[int, Bill]:
    """The bill of each clock by its id; one query for their tickets' timelines."""
    told = sla.timelines(list({clock.ticket_id for clock in clocks}))
    been = {ticket_id: stays(facts) for ticket_id, facts in told.items()}
    return {
        clock.pk: bill_of(
            sla.cycle_of(clock), work_calendar(clock.calendar_id), been[clock.ticket_id], now
        )
        for clock in clocks
    }


def late_words(
    clocks: Sequence[Clock], now: datetime, teams: Mapping[int, str] | None = None
) -> dict[int, str]:
    """For each missed clock, by its id, how late it is and where that time went.

    Such as "40 min late: 25 min in Service Desk's queue, 15 min with Database Administration".
    Three queries at most, one less where the caller names all `teams`, none where no clock was
    missed.
    """
    missed = [clock for clock in clocks if clock.breached_at is not None]
    if not missed:
        return {}
    found = bills(missed, now)
    names = names_for([share for bill in found.values() for share in bill.late], teams)
    return {
        pk: gettext("%(time)s late: %(shares)s")
        % {"time": duration(bill.late_s), "shares": split_words(bill.late, names)}
        for pk, bill in found.items()
        if bill.late
    }


def split_words(shares: Sequence[Share], names: Names) -> str:
    """The shares in words, the largest first."""
    return ", ".join(
        f"{duration(share.seconds)} {place_words(share.place, names)}" for share in shares
    )


def names_for(shares: Sequence[Share], known: Mapping[int, str] | None = None) -> Names:
    """What the teams and vendors of these shares are called; `known` are all teams' names."""
    places = {share.place for share in shares}
    teams = [place.of for place in places if place.kind in (QUEUE, TEAM) and place.of]
    vendors = [place.of for place in places if place.kind == VENDOR and place.of]
    if known is None:
        known = dict(Team.objects.filter(pk__in=teams).values_list("pk", "name"))
    return Names(
        teams={pk: known[pk] for pk in teams if pk in known},
        # Without ids no query is sent.
        vendors=dict(Vendor.objects.filter(pk__in=vendors).values_list("pk", "name")),
    )
