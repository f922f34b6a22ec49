"""The ranking of open tickets by risk, with what it rests on."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from roles.instants import database_now
from roles.people import is_allowed
from web import doors
from web.foresight import ranking


@doors.of_the_service(action="see_dashboard")
def risk(request: HttpRequest) -> HttpResponse:
    """The open tickets that the reader may see, the likeliest to end badly first."""
    if not is_allowed(request.user, "see_dashboard"):
        raise PermissionDenied
    now = database_now()
    context = {"ranking": ranking(request.user, now), "now": now, "here": "risk"}
    return render(request, "web/foresight/risk.html", context)
