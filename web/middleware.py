"""Serves each reader in their own zone and language, and notes which message led them here."""

from collections.abc import Callable
from contextlib import ExitStack
from http import HTTPStatus
from zoneinfo import ZoneInfo

from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers

from notifications.opened import PARAMETER, note_opened
from roles.instants import database_now
from roles.models import Person
from roles.zones import zone_exists
from web.look import language_of
from web.shelf import shelf

Answer = Callable[[HttpRequest], HttpResponse]


MACHINES = ("/api/", "/intake/", "/pagerduty/", "/opsgenie/", "/jsm/", "/servicenow/")
"""Addresses of machines: they have no zone, and must answer by themselves without a database."""


def reader_locale(get_response: Answer) -> Answer:
    """Django middleware: while a person is served, times and words are that person's.

    Django's own LocaleMiddleware knows browsers and cookies but not people; and it would answer
    programs in the language that their HTTP library happens to ask for.
    """

    def answer(request: HttpRequest) -> HttpResponse:
        if _is_of_machines(request):
            with translation.override("en"):
                return get_response(request)
        if request.method == "GET" and "X-Live" in request.headers:
            _recognise(request)
        zone = getattr(request.user, "zone", "")
        language = language_of(request)
        request.LANGUAGE_CODE = language  # type: ignore[attr-defined]
        with ExitStack() as stack:
            stack.enter_context(translation.override(language))
            if zone and zone_exists(zone):
                stack.enter_context(timezone.override(ZoneInfo(zone)))
            response = get_response(request)
        response.headers.setdefault("Content-Language", language)
        patch_vary_headers(response, ("Accept-Language", "Cookie"))
        return response

    return answer


def note_followed(get_response: Answer) -> Answer:
    """Django middleware: whoever follows a message's link, signed in, has opened that message."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if _is_of_machines(request):
            return response
        followed = request.GET.get(PARAMETER, "")
        if followed and request.method == "GET" and response.status_code == HTTPStatus.OK:
            person_id = getattr(request.user, "pk", None)
            if person_id is not None:
                note_opened(message_id=followed, person_id=person_id, now=database_now())
        return response

    return answer


def _is_of_machines(request: HttpRequest) -> bool:
    is_by_host = getattr(request, "urlconf", None) is not None
    return is_by_host or request.path.startswith(MACHINES)


def _recognise(request: HttpRequest) -> None:
    """Let a live page that asks again be served for whom its session was a moment ago.

    A hint makes hundreds ask within a second, and each would read its session and its account.
    """
    key = request.session.session_key
    if key:
        request.user = shelf.keep(("session", key), lambda: _read(request))


def _read(request: HttpRequest) -> Person | AnonymousUser:
    """The account itself, not the promise to read it."""
    return get_user(request)  # type: ignore[return-value]
