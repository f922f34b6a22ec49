"""Shows every time in the reader's own zone."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from roles.zones import zone_exists

Answer = Callable[[HttpRequest], HttpResponse]


MACHINES = ("/api/", "/intake/")
"""Addresses of machines: they have no zone, and must answer by themselves without a database."""


def reader_zone(get_response: Answer) -> Answer:
    """Django middleware: while a person is served, times are in that person's zone."""

    def answer(request: HttpRequest) -> HttpResponse:
        if request.path.startswith(MACHINES):
            return get_response(request)
        zone = getattr(request.user, "zone", "")
        if not zone or not zone_exists(zone):
            return get_response(request)
        with timezone.override(ZoneInfo(zone)):
            return get_response(request)

    return answer
