"""The machines' addresses: each with and without a slash at its end, and never a redirect."""

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path, re_path

from api import schema
from api.intake.urls import ADDRESSES as INTAKE
from api.mail.door import take_mail
from api.problems import not_found
from api.rest import (
    acts,
    attachments,
    bulk,
    cases,
    comments,
    configuration,
    counted,
    feed,
    history,
    knowledge,
    looks,
    operations,
    overviews,
    people,
    reach,
    register,
    rooms,
    status,
    tickets,
    views,
)
from api.rest.resource import Resource

app_name = "api"
V1 = "api/v1/"
TICKET = f"{V1}tickets/<str:key>/"


def both(route: str, view: Callable[..., Any], name: str) -> list[URLPattern]:
    """The address as it is documented, and its form without the last slash."""
    return [path(route, view, name=name), path(route.rstrip("/"), view, name=f"{name}-bare")]


def _view_of(act: acts.Act) -> type[Resource]:
    return rooms.view_of(act) if act.is_outside else acts.view_of(act)


urlpatterns = [
    # What comes most often stands first: the map is walked from its beginning for each request.
    *both(f"{V1}tickets/", tickets.Tickets.as_view(), "tickets"),
    *both("intake/v1/mail/<str:key>/", take_mail, "mail-by-address"),
    *both("intake/v1/mail/", take_mail, "mail"),
    *INTAKE,
    *both(f"{V1}bulk/", bulk.Bulk.as_view(), "bulk"),
    *both(TICKET, tickets.OneTicket.as_view(), "ticket"),
    *both(f"{TICKET}comments/", comments.Comments.as_view(), "comments"),
    *both(f"{TICKET}attachments/", attachments.Attachments.as_view(), "attachments"),
    *both(f"{TICKET}attachments/<int:number>/", attachments.OneAttachment.as_view(), "attachment"),
    *both(f"{TICKET}events/", history.Events.as_view(), "events"),
    *both(f"{TICKET}clocks/", history.Clocks.as_view(), "clocks"),
    *both(f"{TICKET}escalations/", history.Escalations.as_view(), "escalations"),
    *both(f"{TICKET}firings/", history.Firings.as_view(), "firings"),
    *[
        pattern
        for look in looks.LOOKS
        for pattern in both(
            f"{TICKET}{look.slug}/", looks.view_of(look).as_view(), f"ticket-{look.slug}"
        )
    ],
    *[
        pattern
        for act in register.ACTS
        for pattern in both(f"{TICKET}{act.slug}/", _view_of(act).as_view(), f"act-{act.slug}")
    ],
    *[
        pattern
        for subject in register.SUBJECTS
        for route, name, view in views.views_of(subject)
        for pattern in both(f"{V1}{route}", view.as_view(), name)
    ],
    *both(f"{V1}suggestions/", knowledge.Suggestions.as_view(), "suggestions"),
    *both(f"{V1}events/", feed.Feed.as_view(), "feed"),
    *both(f"{V1}event-types/", feed.EventTypes.as_view(), "event-types"),
    *both(f"{V1}break-glass/", cases.Glass.as_view(), "break-glass"),
    *both(f"{V1}config/", configuration.Export.as_view(), "config"),
    *both(f"{V1}config/plan/", configuration.Plan.as_view(), "config-plan"),
    *both(f"{V1}config/apply/", configuration.Apply.as_view(), "config-apply"),
    *both(f"{V1}me/", people.Me.as_view(), "me"),
    *both(f"{V1}me/ways/", reach.OwnWays.as_view(), "me-ways"),
    *[
        pattern
        for look in (*overviews.LOOKS, *counted.LOOKS, *status.LOOKS)
        for pattern in both(f"{V1}{look.slug}/", overviews.view_of(look).as_view(), look.slug)
    ],
    *both(f"{V1}operations/", operations.OperationsNow.as_view(), "operations"),
    *both(f"{V1}audit/", people.Audit.as_view(), "audit"),
    *both(f"{V1}schema/", schema.Schema.as_view(), "schema"),
    *both(f"{V1}docs/", schema.show_docs, "docs"),
    # Whatever else is asked for under these prefixes: a problem, not a page and not a redirect.
    re_path(r"^api(?:/(?P<rest>.*))?$", not_found, name="nothing"),
]
