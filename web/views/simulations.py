"""Simulations: ask what a policy would have done to the past, watch it, stop it, read it."""

from datetime import datetime, time
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from escalation.models import PolicyRevision
from insights.models import Simulation
from insights.simulation.asking import ask, stop
from roles.instants import database_now
from roles.people import is_allowed
from roles.refusals import Refused
from web import doors
from web.forms.policies import WindowForm
from web.simulated import shown
from web.views.policies import may_manage, policy_of

EARLIER = 10
MONTHS = (1, 3, 6, 12)


@doors.of_the_service(action="manage_policies", methods=doors.FORM)
def simulate(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask for the past of this site under the policy's draft, beside today's policies."""
    found = policy_of(slug)
    if not may_manage(request.user):
        raise PermissionDenied
    draft = PolicyRevision.objects.filter(policy=found, published_at=None).first()
    form = WindowForm(doors.posted(request), months=_months(request))
    status = 200
    if request.method == "POST":
        asked = _ask(request, form, found if draft else None)
        if asked is not None:
            return redirect("web:simulation", pk=asked.pk)
        status = doors.UNPROCESSABLE
    context = {
        "policy": found,
        "form": form,
        "months": MONTHS,
        "draft": draft,
        "earlier": _light().filter(policy=found)[:EARLIER],
        "now": database_now(),
        "here": "policies",
    }
    return render(request, "web/policies/simulate.html", context, status=status)


def _months(request: HttpRequest) -> int:
    """How many months the form offers at first."""
    asked = request.GET.get("months", "")
    return int(asked) if asked in map(str, MONTHS) else MONTHS[0]


def _ask(request: HttpRequest, form: WindowForm, policy: Any) -> Simulation | None:
    if not form.is_valid():
        return None
    try:
        return ask(
            since=_midnight(form.cleaned_data["since"]),
            until=_midnight(form.cleaned_data["until"]),
            policy=policy,
            actor=request.user,
        )
    except Refused as refused:
        form.show(refused)
        return None


@doors.of_the_service(action="see_dashboard")
def simulation(request: HttpRequest, pk: int) -> HttpResponse:
    """How far it has come, and in the end what came of it; only its progress to a live page."""
    if not (may_manage(request.user) or is_allowed(request.user, "see_dashboard")):
        raise PermissionDenied
    is_live = request.htmx and not request.htmx.boosted  # type: ignore[attr-defined]
    found = get_object_or_404(_light() if is_live else Simulation.objects.all(), pk=pk)
    is_over = found.ended_at is not None
    if is_live and is_over:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    context = {
        "simulation": found,
        "is_over": is_over,
        "shown": shown(found.report) if is_over and found.report else None,
        "may_stop": may_manage(request.user),
        "now": database_now(),
        "here": "policies",
    }
    template = "web/policies/_progress.html" if is_live else "web/policies/simulation.html"
    return render(request, template, context)


@doors.of_the_service(action="manage_policies", methods=doors.POST)
def stop_simulation(request: HttpRequest, pk: int) -> HttpResponse:
    """End one that waits or runs."""
    found = get_object_or_404(_light(), pk=pk)
    with doors.refusals_told(request):
        ended = stop(simulation=found, actor=request.user)
        messages.success(request, _("Stopped.") if ended else _("It had ended already."))
    return redirect("web:simulation", pk=pk)


def _light() -> Any:
    """Simulations without what came of them, which may be long."""
    return Simulation.objects.select_related("policy", "asked_by").defer("report", "file")


def _midnight(day: Any) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
