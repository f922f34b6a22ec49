"""The machines' addresses: each with and without a slash at its end, and never a redirect."""

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path, re_path

from api import schema
from api.intake.urls import ADDRESSES as INTAKE
from api.mail.door import take_mail
from api.problems import not_found
from api.rest import acts, catalog, comments, history, people, tickets

app_name = "api"
V1 = "api/v1/"
TICKET = f"{V1}tickets/<str:key>/"


def both(route: str, view: Callable[..., Any], name: str) -> list[URLPattern]:
    """The address as it is documented, and its form without the last slash."""
    return [path(route, view, name=name), path(route.rstrip("/"), view, name=f"{name}-bare")]


urlpatterns = [
    *both(f"{V1}tickets/", tickets.Tickets.as_view(), "tickets"),
    *both(TICKET, tickets.OneTicket.as_view(), "ticket"),
    *both(f"{TICKET}comments/", comments.Comments.as_view(), "comments"),
    *both(f"{TICKET}events/", history.Events.as_view(), "events"),
    *both(f"{TICKET}clocks/", history.Clocks.as_view(), "clocks"),
    *both(f"{TICKET}escalations/", history.Escalations.as_view(), "escalations"),
    *both(f"{TICKET}firings/", history.Firings.as_view(), "firings"),
    *[
        pattern
        for act in acts.ACTS
        for pattern in both(f"{TICKET}{act.slug}/", acts.view_of(act).as_view(), f"act-{act.slug}")
    ],
    *both(f"{V1}tiers/", catalog.Tiers.as_view(), "tiers"),
    *both(f"{V1}teams/", catalog.Teams.as_view(), "teams"),
    *both(f"{V1}teams/<str:slug>/", catalog.OneTeam.as_view(), "team"),
    *both(f"{V1}services/", catalog.Services.as_view(), "services"),
    *both(f"{V1}categories/", catalog.Categories.as_view(), "categories"),
    *both(f"{V1}people/", people.People.as_view(), "people"),
    *both(f"{V1}people/<str:username>/", people.OnePerson.as_view(), "person"),
    *both(f"{V1}me/", people.Me.as_view(), "me"),
    *both(f"{V1}audit/", people.Audit.as_view(), "audit"),
    *both(f"{V1}schema/", schema.Schema.as_view(), "schema"),
    *both(f"{V1}docs/", schema.show_docs, "docs"),
    *both("intake/v1/mail/<str:key>/", take_mail, "mail-by-address"),
    *both("intake/v1/mail/", take_mail, "mail"),
    *INTAKE,
    # Whatever else is asked for under these prefixes: a problem, not a page and not a redirect.
    re_path(r"^api(?:/(?P<rest>.*))?$", not_found, name="nothing"),
]
