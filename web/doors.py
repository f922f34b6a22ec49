"""Names, at each view, the action that it asks for, and who may knock at all."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from roles.people import roles_of
from roles.refusals import Conflict, Forbidden, Refused
from web.retold import retold

View = Callable[..., HttpResponse]
READ = ("GET", "HEAD")
FORM = ("GET", "HEAD", "POST")
POST = ("POST",)
UNPROCESSABLE = 422


def public(*, action: str, methods: Sequence[str] = READ) -> Callable[[View], View]:
    """A view that answers before sign-in too."""
    return _door(action, methods, lambda view: view)


def signed_in(*, action: str, methods: Sequence[str] = READ) -> Callable[[View], View]:
    """A view for people who have signed in; others are sent to the sign-in page."""
    return _door(action, methods, _require_sign_in)


def of_the_service(*, action: str, methods: Sequence[str] = READ) -> Callable[[View], View]:
    """A view for people who work here; whoever only asks for help finds nothing there."""
    return _door(action, methods, lambda view: _require_sign_in(_require_service(view)))


def _require_service(view: View) -> View:
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not roles_of(request.user) - {"requester"}:
            raise Http404
        return view(request, *args, **kwargs)

    return answer


def posted(request: HttpRequest) -> QueryDict | None:
    """What was sent with a form, be it empty; None when nothing was."""
    return request.POST if request.method == "POST" else None


def status_of(refused: Refused) -> int:
    """The HTTP status that tells of a refusal: 403, 409 or 422."""
    if isinstance(refused, Forbidden):
        return 403
    return 409 if isinstance(refused, Conflict) else UNPROCESSABLE


@contextmanager
def refusals_told(request: HttpRequest) -> Iterator[None]:
    """What the domain refuses inside becomes a message on the next page."""
    try:
        yield
    except Refused as refused:
        messages.error(request, " ".join(map(retold, [refused.detail, *refused.fields.values()])))


def _require_sign_in(view: View) -> View:
    guarded = login_required(view)

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.htmx and not request.user.is_authenticated:  # type: ignore[attr-defined]
            # A live page whose session has ended must go there itself, not show it inside.
            return HttpResponse(status=204, headers={"HX-Refresh": "true"})
        return guarded(request, *args, **kwargs)

    return answer


def _door(
    action: str, methods: Sequence[str], guard: Callable[[View], View]
) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        guarded = require_http_methods(list(methods))(guard(view))

        @wraps(view)
        def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            response = guarded(request, *args, **kwargs)
            if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
                page = render(request, "web/errors/405.html", status=response.status_code)
                page["Allow"] = response["Allow"]
                return page
            return response

        door.action = action  # type: ignore[attr-defined]
        door.methods = tuple(methods)  # type: ignore[attr-defined]
        return door

    return decorate
