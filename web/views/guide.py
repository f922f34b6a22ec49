"""Who does what: tiers, lanes, teams and duties in their own words."""

from django.db.models import F, Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from roles.models import Duty, DutyAssignment, Team, Tier
from web import doors


@doors.signed_in(action="view")
def guide(request: HttpRequest) -> HttpResponse:
    """Every tier, lane, team and duty with its responsibilities and where it escalates to."""
    teams = Team.objects.filter(is_active=True).select_related("lead", "manager", "calendar")
    tiers = list(
        Tier.objects.prefetch_related(Prefetch("teams", teams.order_by("name"))).order_by(
            F("rank").asc(nulls_last=True), "name"
        )
    )
    holders = DutyAssignment.objects.filter(person__is_active=True).select_related("person")
    context = {
        "ladder": [tier for tier in tiers if tier.rank is not None],
        "lanes": [tier for tier in tiers if tier.rank is None],
        "duties": Duty.objects.prefetch_related(Prefetch("assignments", holders)),
        "here": "guide",
    }
    return render(request, "web/guide/page.html", context)
