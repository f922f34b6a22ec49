"""Who does what: tiers, lanes, teams and duties, each with a page of its own."""

from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from roles.instants import database_now
from roles.models import Duty, Team, Tier
from roles.oncall import on_call
from roles.people import roles_of
from roles.serving import serving_in
from web import doors
from web.guidance import duties, rungs, team_page
from web.views.oncall import team_of


@doors.signed_in(action="view")
def guide(request: HttpRequest) -> HttpResponse:
    """Every tier, lane, team and duty; who only asks reads what each answers for, and no name."""
    now = database_now()
    found = rungs(now)
    context = {
        "ladder": [rung for rung in found if rung.tier.rank is not None],
        "lanes": [rung for rung in found if rung.tier.rank is None],
        "now": now,
        "here": "guide",
    }
    if not roles_of(request.user) - {"requester"}:
        return render(request, "web/guide/outside.html", context)
    return render(request, "web/guide/page.html", {**context, "duties": duties()})


@doors.of_the_service(action="view")
def guide_tier(request: HttpRequest, slug: str) -> HttpResponse:
    """One tier or lane: what it answers for, its teams, and the rung above."""
    tier = get_object_or_404(Tier, slug=slug)
    now = database_now()
    teams = tier.teams.filter(is_active=True).select_related("tier", "lead", "schedule")
    above = None
    if tier.rank is not None:
        higher = Tier.objects.filter(rank__gt=tier.rank, is_vendor=False)
        above = higher.order_by(F("rank").asc()).first()
    context = {
        "tier": tier,
        "rows": serving_in(list(teams.order_by("name")), now),
        "above": above,
        "now": now,
        "here": "guide",
    }
    return render(request, "web/guide/tier.html", context)


@doors.of_the_service(action="view")
def guide_team(request: HttpRequest, slug: str) -> HttpResponse:
    """One team: its words, its contracts, its ways up, its promises, people, hours and work."""
    now = database_now()
    zone = timezone.get_current_timezone()
    page = team_page(team_of(slug), request.user, now, zone)  # type: ignore[arg-type]
    context = {"page": page, "team": page.team, "zone": zone, "now": now, "here": "guide"}
    return render(request, "web/guide/team.html", context)


@doors.of_the_service(action="view")
def guide_duty(request: HttpRequest, slug: str) -> HttpResponse:
    """One duty: what it answers for, who holds it, and who of them is on call."""
    duty = get_object_or_404(Duty, slug=slug)
    now = database_now()
    rows = duty.assignments.filter(person__is_active=True).select_related("person")
    people = [row.person for row in rows.order_by("id")]
    serving = {pk for found in on_call(_team_ids(), now).values() for pk in found}
    context = {
        "duty": duty,
        "people": [(person, person.pk in serving) for person in people],
        "now": now,
        "here": "guide",
    }
    return render(request, "web/guide/duty.html", context)


def _team_ids() -> list[int]:
    return list(Team.objects.filter(is_active=True).values_list("pk", flat=True))
