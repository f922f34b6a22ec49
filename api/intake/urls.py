"""The addresses of the intake doors: each vendor's on a mount of its own."""

from collections.abc import Callable
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, re_path

from api.intake import opsgenie_urls, pagerduty_events, servicenow
from api.intake import pagerduty_directory as directory
from api.intake import pagerduty_incidents as incidents
from api.intake.door import Fault
from api.intake.plain import take_alerts
from api.problems import not_found


def both(route: str, view: Callable[..., Any], name: str) -> list[URLPattern]:
    """The address without and with a last slash; a redirect would lose what was sent."""
    return [path(route, view, name=name), path(f"{route}/", view, name=f"{name}-slash")]


@pagerduty_events.EVENTS.door
def no_pagerduty(request: HttpRequest, rest: str = "") -> HttpResponse:
    """404 in the vendor's form for whatever we do not answer for."""
    raise Fault(404, "Not Found")


def pagerduty(prefix: str) -> list[URLPattern]:
    """PagerDuty's addresses below a prefix."""
    events, name = pagerduty_events, "pagerduty"
    return [
        *both(f"{prefix}v2/enqueue", events.enqueue, f"{name}-enqueue"),
        *both(f"{prefix}v2/change/enqueue", events.enqueue_change, f"{name}-change"),
        *both(
            f"{prefix}generic/2010-04-15/create_event.json", events.create_event, f"{name}-v1-event"
        ),
        *both(f"{prefix}x-ere/<str:key>", events.take_by_rules, f"{name}-rules"),
        *both(f"{prefix}incidents", incidents.incidents, f"{name}-incidents"),
        *both(f"{prefix}incidents/<str:name>", incidents.incident, f"{name}-incident"),
        *[
            address
            for part, view in INCIDENT_PARTS.items()
            for address in both(f"{prefix}incidents/<str:name>/{part}", view, f"{name}-{part}")
        ],
        *[
            address
            for part, view in DIRECTORY.items()
            for address in both(f"{prefix}{part}", view, f"{name}-{part.replace('/', '-')}")
        ],
        *[
            address
            for part, view in ONE_OF_DIRECTORY.items()
            for address in both(f"{prefix}{part}/<str:name>", view, f"{name}-one-of-{part}")
        ],
        re_path(rf"^{prefix.rstrip('/')}(?:/(?P<rest>.*))?$", no_pagerduty, name=f"{name}-nothing"),
    ]


INCIDENT_PARTS: Final = {
    "notes": incidents.notes,
    "alerts": incidents.alerts,
    "log_entries": incidents.log_entries,
    "snooze": incidents.snooze,
}
DIRECTORY: Final = {
    "users": directory.users,
    "users/me": directory.me,
    "services": directory.services,
    "teams": directory.teams,
    "escalation_policies": directory.escalation_policies,
    "schedules": directory.schedules,
    "oncalls": directory.oncalls,
    "abilities": directory.abilities,
}
ONE_OF_DIRECTORY: Final = {
    "users": directory.user,
    "services": directory.service,
    "teams": directory.team,
    "escalation_policies": directory.escalation_policy,
    "schedules": directory.schedule,
}
ADDRESSES: Final = [
    *both("intake/v1/<slug:product>/<str:key>", take_alerts, "intake-by-address"),
    *both("intake/v1/<slug:product>", take_alerts, "intake"),
    re_path(r"^intake(?:/(?P<rest>.*))?$", not_found, name="nothing-to-take"),
    *pagerduty("pagerduty/"),
    *opsgenie_urls.addresses("opsgenie/", "opsgenie"),
    # What migrated senders point to: the same body and key below another prefix.
    *opsgenie_urls.addresses("jsm/ops/integration/", "jsm"),
    *servicenow.addresses("servicenow/"),
]
