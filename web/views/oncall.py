"""Who is on call now, team by team."""

from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from roles.instants import database_now
from roles.models import Person, Team
from roles.oncall import on_call
from web import doors
from web.queue import is_agent


@doors.signed_in(action="view")
def on_call_now(request: HttpRequest) -> HttpResponse:
    """Every active team with whoever serves at this moment; a gap is said to be one.

    For people of the service only: it names who can be woken, and by which number.
    """
    if not is_agent(request.user):
        raise Http404
    now = database_now()
    teams = list(
        Team.objects.filter(is_active=True)
        .select_related("tier", "lead", "schedule")
        .order_by(F("tier__rank").asc(nulls_last=True), "name")
    )
    serving = on_call([team.pk for team in teams], now)
    ids = {person_id for people in serving.values() for person_id in people}
    people = Person.objects.in_bulk(ids)
    rows = [(team, [people[pk] for pk in serving.get(team.pk, [])]) for team in teams]
    gaps = sum(1 for team, serving_now in rows if hasattr(team, "schedule") and not serving_now)
    context = {"rows": rows, "now": now, "gaps": gaps, "here": "on-call"}
    return render(request, "web/oncall/page.html", context)
