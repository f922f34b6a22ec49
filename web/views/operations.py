"""The operations page: whether the service itself is well, and the acts that mend it."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache

from escalation.quarantine import set_free
from insights.operations.board import look_around
from insights.operations.checks import ask_verification
from insights.operations.engine import held_apart
from insights.operations.messages import SHOWN, dead_letters
from notifications.delivery import send_again
from roles.instants import database_now
from roles.people import is_allowed
from web import doors
from web.verifications import verifications


@never_cache
@doors.of_the_service(action="see_audit")
def operations(request: HttpRequest) -> HttpResponse:
    """How the service is at this moment; the readings alone when the page asks for them again."""
    _require(request, "see_audit")
    context: dict[str, Any] = {"around": look_around(database_now()), "here": "operations"}
    if request.htmx and request.htmx.target == "readings":  # type: ignore[attr-defined]
        return render(request, "web/operations/_readings.html", context)
    context["may_act"] = is_allowed(request.user, "admin")
    context["checks"] = verifications(request.user)
    if request.htmx and request.htmx.target == "checks":  # type: ignore[attr-defined]
        return render(request, "web/operations/_checks.html", context)
    dead = dead_letters()
    context |= {
        "held": held_apart(),
        "dead": dead[:SHOWN],
        "dead_total": dead.order_by().count(),
    }
    return render(request, "web/operations/page.html", context)


@doors.of_the_service(action="admin", methods=doors.POST)
def release_held(request: HttpRequest, pk: int) -> HttpResponse:
    """Let the engine try a ticket again; POST only. A restricted one is not known here."""
    _require(request, "admin")
    held = held_apart().filter(ticket=pk).first()
    if held is None:
        raise Http404
    with doors.refusals_told(request):
        set_free(ticket_id=held.ticket_id, actor=request.user)
        words = _("%s is released; the engine tries it again within a second.")
        messages.success(request, words % held.ticket.key)
    return redirect("web:operations")


@doors.of_the_service(action="admin", methods=doors.POST)
def resend_dead(request: HttpRequest) -> HttpResponse:
    """Queue the named dead letters once more, or all that are shown here; POST only."""
    _require(request, "admin")
    asked = [int(word) for word in request.POST.getlist("letter") if word.isdecimal()]
    wanted = dead_letters().filter(pk__in=asked) if asked else dead_letters()
    with doors.refusals_told(request):
        count = send_again(wanted.values_list("pk", flat=True), actor=request.user)
        words = ngettext("%s letter is queued again.", "%s letters are queued again.", count)
        messages.success(request, words % count)
    return redirect("web:operations")


@doors.of_the_service(action="admin", methods=doors.POST)
def verify(request: HttpRequest, what: str) -> HttpResponse:
    """Start a walk through all timelines or all clocks; POST only."""
    _require(request, "admin")
    with doors.refusals_told(request):
        ask_verification(what=what, actor=request.user)
        messages.success(request, _("Asked for: it waits for a worker, and its result is kept."))
    return redirect("web:operations")


def _require(request: HttpRequest, action: str) -> None:
    if not is_allowed(request.user, action):
        raise Http404
