"""Leads a host name that the site gives to a vendor to that vendor's doors, and to nothing else."""

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from api.intake.knock import knock_of

Answer = Callable[[HttpRequest], HttpResponse]
VENDORS: Final = ("pagerduty", "opsgenie", "servicenow")
MAPS: Final = {vendor: f"api.intake.maps.{vendor}" for vendor in VENDORS}


def by_host(get_response: Answer) -> Answer:
    """Django middleware: chooses the map of addresses by the host that was asked."""

    def answer(request: HttpRequest) -> HttpResponse:
        hosts: dict[str, str] = settings.INTAKE_HOSTS
        if hosts:
            host = request.get_host().partition(":")[0].lower()
            chosen = MAPS.get(hosts.get(host, ""))
            if chosen:
                knock_of(request).urlconf = chosen
        return get_response(request)

    return answer
