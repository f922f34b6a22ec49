"""On call: who is now, a team's calendar, and one's own shifts."""

from datetime import date, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from roles.instants import database_now
from roles.models import Schedule, ScheduleRevision, Swap, Team
from roles.people import is_allowed
from roles.rosters import layers_of
from roles.serving import serving_in, serving_now
from roles.teams import relations_to
from web import doors
from web.shifts import board, monday_of, turns_of
from web.views.calendars import links_of

ZONES: Final = ("mine", "team", "utc")
WEEKS: Final = ("1", "4")
OWN_AHEAD: Final = timedelta(days=62)
SHOWN_AT_ONCE: Final = 14
"""So many shifts of one's own; who serves every day has two months of them."""
FARTHEST: Final = timedelta(days=800)


@doors.of_the_service(action="view")
def on_call_now(request: HttpRequest) -> HttpResponse:
    """Every active team with whoever serves now and until when, and who is next."""
    now = database_now()
    rows = serving_now(now)
    context = {
        "rows": rows,
        "now": now,
        "gaps": sum(row.is_gap for row in rows),
        "asked": _asked_of(request).count(),
        "here": "on-call",
    }
    return render(request, "web/oncall/page.html", context)


@doors.of_the_service(action="view")
def team_calendar(request: HttpRequest, slug: str) -> HttpResponse:
    """One or four weeks of a team's final shifts, in the zone asked for."""
    team = team_of(slug)
    now = database_now()
    zone = zone_of(request, team)
    weeks = int(request.GET.get("weeks")) if request.GET.get("weeks") in WEEKS else 1  # type: ignore[arg-type]
    with timezone.override(zone):
        context = {
            "team": team,
            "board": board(
                team,
                first=_first_day(request, zone),
                weeks=weeks,
                zone=zone,
                reader=request.user,
                now=now,
            ),
            "serving": serving_in([team], now)[0],
            "layers": _layers(team),
            "rights": rights(request, team),
            "zones": _zones(request, team),
            **links_of(request, team=team),
            "now": now,
            "here": "on-call",
        }
        return render(request, "web/oncall/team.html", context)


@doors.of_the_service(action="view")
def own_shifts(request: HttpRequest) -> HttpResponse:
    """What I serve next, swaps that wait for my answer, and my calendar's addresses."""
    now = database_now()
    offered = Swap.objects.filter(giver=request.user, state=Swap.State.REQUESTED)
    turns = turns_of(request.user, now, OWN_AHEAD)
    context = {
        "turns": turns,
        "shown_at_once": SHOWN_AT_ONCE,
        "later": max(0, len(turns) - SHOWN_AT_ONCE),
        "asked": _asked_of(request).select_related("schedule__team", "giver"),
        "offered": offered.select_related("schedule__team", "taker"),
        **links_of(request, back="mine"),
        "now": now,
        "here": "on-call",
    }
    return render(request, "web/oncall/mine.html", context)


def team_of(slug: str) -> Team:
    """The active team of that slug with what its pages show. Raises Http404."""
    teams = Team.objects.filter(is_active=True)
    return get_object_or_404(
        teams.select_related("tier", "lead", "manager", "schedule", "calendar"), slug=slug
    )


def zone_of(request: HttpRequest, team: Team) -> ZoneInfo:
    """The zone that the page's times stand in: the reader's own unless asked otherwise."""
    asked = request.POST.get("zone") or request.GET.get("zone")
    if asked == "team" and hasattr(team, "schedule"):
        return ZoneInfo(team.schedule.zone)
    return ZoneInfo("UTC") if asked == "utc" else timezone.get_current_timezone()  # type: ignore[return-value]


def rights(request: HttpRequest, team: Team) -> dict[str, bool]:
    """What the reader may do with this team's schedule: put in anybody, or only themself."""
    relations = relations_to(request.user, team)
    return {
        "manage": is_allowed(request.user, "manage_roster", relations),
        "stand_in": is_allowed(request.user, "stand_in", relations),
    }


def _asked_of(request: HttpRequest) -> Any:
    """Swaps that wait for the reader's answer."""
    return Swap.objects.filter(taker=request.user, state=Swap.State.REQUESTED)


def _first_day(request: HttpRequest, zone: ZoneInfo) -> date:
    """The day asked for, within what can be shown; the Monday of this week otherwise."""
    today = database_now().astimezone(zone).date()
    try:
        asked = date.fromisoformat(request.GET.get("from", ""))
    except ValueError:
        return monday_of(today)
    return asked if abs(asked - today) < FARTHEST else monday_of(today)


def _zones(request: HttpRequest, team: Team) -> list[tuple[str, str]]:
    """The zones to choose from: slug and name, each zone once."""
    found = {"mine": request.user.zone}  # type: ignore[union-attr]  # signed in
    if hasattr(team, "schedule") and team.schedule.zone not in found.values():
        found["team"] = team.schedule.zone
    if "UTC" not in found.values():
        found["utc"] = "UTC"
    return list(found.items())


def _layers(team: Team) -> dict[str, Any] | None:
    """The layers of the revision in force and of one planned for later, if any."""
    schedule = Schedule.objects.filter(team=team).first()
    if schedule is None:
        return None
    now = database_now()
    known = ScheduleRevision.objects.filter(schedule=schedule).select_related("schedule")
    present = known.filter(Q(valid_from__lte=now)).order_by("-number").first()
    coming = known.filter(valid_from__gt=now).order_by("-number").first()
    return {
        "schedule": schedule,
        "layers": layers_of(present) if present else [],
        "since": present.valid_from if present else None,
        "changes_at": coming.valid_from if coming else None,
    }
