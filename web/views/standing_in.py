"""Standing in and swapping: each a question with who will be told, and one act."""

from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from escalation.standing_in import ANSWERS, answer, concerned, offer, put_in, take_back
from roles.instants import database_now
from roles.models import Override, Person, Swap, Team
from roles.oncall import final_shifts
from roles.refusals import Refused
from web import doors
from web.forms.oncall import HoursForm, StandInForm, SwapForm
from web.views.oncall import rights, team_of, zone_of

SWAP_AHEAD: Final = timedelta(days=31)


@doors.of_the_service(action="stand_in", methods=doors.FORM)
def stand_in(request: HttpRequest, slug: str) -> HttpResponse:
    """Put somebody in for some hours: who, and whom that will tell."""
    team = _scheduled(slug)
    people = _candidates(request, team)
    with timezone.override(zone_of(request, team)):
        form = StandInForm(doors.posted(request), initial=_asked(request), people=people)
        if request.method == "POST" and form.is_valid():
            return _put_in(request, team, form)
        return _page(request, "stand_in", team, form)


def _put_in(request: HttpRequest, team: Team, form: StandInForm) -> HttpResponse:
    start, end = form.hours()
    person = form.cleaned_data["person"]
    try:
        put_in(
            schedule=team.schedule,
            person=person,
            start=start,
            end=end,
            reason=form.cleaned_data["reason"],
            actor=request.user,
        )
    except Refused as refused:
        form.show(refused)
        return _page(request, "stand_in", team, form, status=doors.status_of(refused))
    messages.success(request, _("%(name)s is on call for these hours.") % {"name": person})
    return _onward(request, team)


@doors.of_the_service(action="stand_in", methods=doors.FORM)
def end_stand_in(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Give the rest of an override back to the schedule."""
    team = _scheduled(slug)
    rows = Override.objects.select_related("schedule__team", "person", "created_by")
    override = get_object_or_404(rows, pk=pk, schedule=team.schedule)
    if request.method == "POST":
        with doors.refusals_told(request):
            take_back(override=override, actor=request.user)
            messages.success(request, _("The schedule holds again."))
        return _onward(request, team)
    with timezone.override(zone_of(request, team)):
        context = {"team": team, "override": override, "here": "on-call"}
        return render(request, _template(request, "end_stand_in"), context)


@doors.of_the_service(action="stand_in", methods=doors.FORM)
def swap(request: HttpRequest, slug: str) -> HttpResponse:
    """Offer one's own shift to somebody of the team, alone or for one of theirs."""
    team = _scheduled(slug)
    now = database_now()
    people = [each for each in _members(team) if each.pk != request.user.pk]
    until = now + SWAP_AHEAD
    served = final_shifts(team, now, until)
    shifts = [each for each in served if now < each.start < each.end < until]
    with timezone.override(zone_of(request, team)):
        form = SwapForm(
            doors.posted(request), initial=_asked(request), people=people, shifts=shifts
        )
        if request.method == "POST" and form.is_valid():
            return _offer(request, team, form)
        return _page(request, "swap", team, form)


def _offer(request: HttpRequest, team: Team, form: SwapForm) -> HttpResponse:
    taker_id, in_return = form.chosen()
    taker = Person.objects.get(pk=taker_id)
    try:
        offer(
            schedule=team.schedule,
            giver=request.user,
            taker=taker,
            during=form.hours(),
            in_return=in_return,
            reason=form.cleaned_data["reason"],
            actor=request.user,
        )
    except Refused as refused:
        form.show(refused)
        return _page(request, "swap", team, form, status=doors.status_of(refused))
    messages.success(request, _("%(name)s has been asked.") % {"name": taker})
    return _onward(request, team)


@doors.of_the_service(action="stand_in", methods=doors.POST)
def answer_swap(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """Accept, decline or take back a swap that one is a party of."""
    if verb not in ANSWERS:
        raise Http404
    parties = Q(taker=request.user) | Q(giver=request.user)
    found = Swap.objects.filter(parties).select_related("schedule__team", "giver", "taker")
    swap = get_object_or_404(found, pk=pk)
    with doors.refusals_told(request):
        answer(swap=swap, verb=verb, actor=request.user)
        messages.success(request, DONE[verb]())
    return redirect("web:on-call-mine")


DONE: Final = {
    "accept": lambda: _("Agreed: the calendar shows it."),
    "decline": lambda: _("Declined. The other one is told."),
    "withdraw": lambda: _("Taken back."),
}


def _scheduled(slug: str) -> Team:
    team = team_of(slug)
    if not hasattr(team, "schedule"):
        raise Http404
    return team


def _members(team: Team) -> list[Person]:
    """Everybody who can serve for the team: its members and heads."""
    heads = [pk for pk in (team.lead_id, team.manager_id) if pk]
    wanted = Q(memberships__team=team) | Q(pk__in=heads)
    return list(Person.objects.filter(wanted, is_active=True).distinct().order_by("name", "pk"))


def _candidates(request: HttpRequest, team: Team) -> list[Person]:
    """Whom the reader may put in: anybody of the team for its heads, else only themself."""
    may = rights(request, team)
    if may["manage"]:
        return _members(team)
    if may["stand_in"]:
        return [request.user]
    raise Http404


def _asked(request: HttpRequest) -> dict[str, Any]:
    """The hours that were pressed, from the address."""
    return {"begins": request.GET.get("begins", ""), "ends": request.GET.get("ends", "")}


def _page(
    request: HttpRequest, name: str, team: Team, form: HoursForm, *, status: int = 200
) -> HttpResponse:
    if form.is_bound and form.errors and status == 200:
        status = doors.UNPROCESSABLE
    context = {
        "team": team,
        "form": form,
        "hours": _hours(form),
        "other": _other_hours(request, form),
        "told": _told(request, team, form),
        "zone_asked": request.POST.get("zone") or request.GET.get("zone", ""),
        "here": "on-call",
    }
    return render(request, _template(request, name), context, status=status)


def _hours(form: HoursForm) -> tuple[datetime, datetime] | None:
    """The hours that were pressed as instants; None when the address says none."""
    try:
        start, end = (form.fields[name].clean(form[name].value()) for name in ("begins", "ends"))
    except ValidationError:
        return None
    return (start, end) if start and end else None


def _other_hours(request: HttpRequest, form: HoursForm) -> dict[str, Any] | None:
    """One day of the shift that was pressed, or the whole of it again; None where they are one."""
    present = _hours(form)
    try:
        names = ("day_begins", "day_ends")
        start, end = (form.fields["begins"].clean(request.GET.get(name)) for name in names)
    except ValidationError:
        return None
    if not (present and start and end) or present == (start, end):
        return None
    asked = {"begins": start, "ends": end, "day_begins": present[0], "day_ends": present[1]}
    query = {name: at.isoformat() for name, at in asked.items()}
    if zone := request.GET.get("zone"):
        query["zone"] = zone
    return {"query": urlencode(query), "is_shorter": end - start < present[1] - present[0]}


def _told(request: HttpRequest, team: Team, form: HoursForm) -> list[Person]:
    """Who would be told if these hours were given to somebody: who serves them, and the lead."""
    hours = _hours(form)
    if hours is None:
        return []
    start, end = hours
    return concerned(team.schedule, request.user, start=start, end=end, actor=request.user)


def _template(request: HttpRequest, name: str) -> str:
    part = request.htmx and not request.htmx.boosted  # type: ignore[attr-defined]
    return f"web/oncall/_{name}.html" if part else f"web/oncall/{name}.html"


def _onward(request: HttpRequest, team: Team) -> HttpResponse:
    onward = reverse("web:on-call-team", args=[team.slug])
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponse(status=204, headers={"HX-Redirect": onward})
    return redirect(onward)
