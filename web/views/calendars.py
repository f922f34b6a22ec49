"""On-call calendars for calendar programs: the signed address is the proof of who reads."""

from django.http import Http404, HttpRequest, HttpResponse

from roles.calendarlinks import reader_of
from roles.feeds import person_feed, team_feed
from roles.instants import database_now
from roles.models import Person, Team
from web import doors


@doors.public(action="view")
def own_shifts(request: HttpRequest, token: str) -> HttpResponse:
    """What the link's person serves; not found for a forged, revoked or orphaned link."""
    return _file(person_feed(_reader(token), database_now()))


@doors.public(action="view")
def team_shifts(request: HttpRequest, token: str, slug: str) -> HttpResponse:
    """Who serves a team, for anybody of the service; not found otherwise."""
    _reader(token)
    team = Team.objects.filter(slug=slug, is_active=True).first()
    if team is None:
        raise Http404
    return _file(team_feed(team, database_now()))


def _reader(token: str) -> Person:
    reader = reader_of(token)
    if reader is None:
        raise Http404
    return reader


def _file(text: bytes) -> HttpResponse:
    response = HttpResponse(text, content_type="text/calendar; charset=utf-8")
    response["Cache-Control"] = "private, max-age=300"
    response["X-Robots-Tag"] = "noindex"
    return response
