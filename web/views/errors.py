"""Pages for what went wrong, in plain words and with a way on."""

import sys
from http import HTTPStatus
from typing import Final

from django.core.exceptions import SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseServerError,
    UnreadablePostError,
)
from django.shortcuts import render
from django.template import loader

CROSS_SITE: Final = "checking failed"
"""In Django's reasons, where the origin or the referrer is not this site."""


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400: the request makes no sense."""
    return render(request, "web/errors/400.html", status=400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403: the person may not do this."""
    return render(request, "web/errors/403.html", status=403)


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: the form is too old or came from another site.

    What was written in it stands on the page, unless another site may have sent it.
    """
    typed = [] if CROSS_SITE in reason else _words_of(request)
    return render(request, "web/errors/csrf.html", {"typed": typed}, status=403)


def _words_of(request: HttpRequest) -> list[str]:
    """The texts of several words that came with a form."""
    try:
        sent = [text for _name, texts in request.POST.lists() for text in texts]
    except (UnreadablePostError, SuspiciousOperation):
        return []
    return [text for text in sent if len(text.split()) > 1]


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: there is nothing, or nothing that this person may see; the page does not say which."""
    return render(request, "web/errors/404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: without session or database, since either may be what is broken.

    503 where it is the database that does not answer: that passes, and one may try again.
    """
    if not isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        return HttpResponseServerError(loader.render_to_string("web/errors/500.html"))
    again = request.get_full_path() if request.method == "GET" else "/"
    page = loader.render_to_string("web/errors/503.html", {"again": again})
    return HttpResponse(page, status=HTTPStatus.SERVICE_UNAVAILABLE, headers={"Retry-After": "5"})
