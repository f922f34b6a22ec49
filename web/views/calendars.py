"""On-call calendars for calendar programs, and the private addresses that open them."""

from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.cache import get_conditional_response

from roles.calendarlinks import make_link, reader_of, revoke_link, token_of
from roles.feeds import Feed, person_feed, team_feed
from roles.instants import database_now
from roles.models import CalendarLink, Person, Team
from web import doors

LINK_MADE: Final = "calendar_link_made"


@doors.public(action="view")
def own_shifts(request: HttpRequest, token: str) -> HttpResponse:
    """What the link's person serves; not found for a forged, revoked or orphaned link."""
    return _file(request, person_feed(_reader(token), database_now()))


@doors.public(action="view")
def team_shifts(request: HttpRequest, token: str, slug: str) -> HttpResponse:
    """Who serves a team, for anybody of the service; not found otherwise."""
    _reader(token)
    team = Team.objects.filter(slug=slug, is_active=True).first()
    if team is None:
        raise Http404
    return _file(request, team_feed(team, database_now()))


@doors.of_the_service(action="view", methods=doors.POST)
def new_link(request: HttpRequest) -> HttpResponse:
    """A new private address for one's calendar program; the page shows it a single time."""
    with doors.refusals_told(request):
        name = request.POST.get("name", "").strip()
        link = make_link(person=request.user, name=name, actor=request.user)
        request.session[LINK_MADE] = link.pk
    return redirect(_back(request))


@doors.of_the_service(action="view", methods=doors.POST)
def end_link(request: HttpRequest, pk: int) -> HttpResponse:
    """One of my addresses, useless from now on."""
    link = get_object_or_404(CalendarLink, pk=pk, person=request.user)
    with doors.refusals_told(request):
        revoke_link(link=link, actor=request.user)
    return redirect(_back(request))


def links_of(request: HttpRequest, *, team: Team | None = None, back: str = "") -> dict[str, Any]:
    """What `_links.html` shows: the reader's addresses, and the one just made, this once.

    `team` is the one whose page it is; `back` names the page to return to.
    """
    made = request.session.pop(LINK_MADE, None)
    links = CalendarLink.objects.filter(person=request.user, revoked_at=None)
    fresh = links.filter(pk=made).first() if made else None
    token = token_of(fresh) if fresh else ""
    return {
        "links": links,
        "token": token,
        "feed": _address(token, team) if token else "",
        "feed_of": team,
        "back": team.slug if team else back,
    }


def _address(token: str, team: Team | None) -> str:
    if team is None:
        return reverse("web:calendar-mine", args=[token])
    return reverse("web:calendar-team", args=[token, team.slug])


def _back(request: HttpRequest) -> str:
    """The page from which the form was sent, as it names itself: mine, you, or a team's slug."""
    back = request.POST.get("back", "")
    if back == "you":
        return reverse("web:you")
    if back and Team.objects.filter(slug=back, is_active=True).exists():
        return reverse("web:on-call-team", args=[back])
    return reverse("web:on-call-mine")


def _reader(token: str) -> Person:
    reader = reader_of(token)
    if reader is None:
        raise Http404
    return reader


def _file(request: HttpRequest, feed: Feed) -> HttpResponse:
    """The file, or 304 where the program has these very shifts already."""
    response = get_conditional_response(request, etag=feed.mark)
    if response is None:
        response = HttpResponse(feed.text, content_type="text/calendar; charset=utf-8")
    response["ETag"] = feed.mark
    response["Cache-Control"] = "private, max-age=300"
    response["X-Robots-Tag"] = "noindex"
    return response
