"""Every error of our own interfaces as application/problem+json (RFC 9457)."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import orjson
from django.core.exceptions import PermissionDenied
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from api.errors import BadParameter, Busy, OutOfRange
from roles.refusals import Conflict, Forbidden, Invalid, Refused

log = logging.getLogger(__name__)

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_S: Final = 5
REFUSALS: Final = {Forbidden: 403, Conflict: 409, Invalid: 422}

Problem = dict[str, Any]


def problem(
    status_code: int,
    detail: str,
    *,
    code: str = "",
    instance: str = "",
    errors: Sequence[Mapping[str, str]] = (),
) -> Problem:
    """The members of a problem; `errors` name each bad member or parameter and say why."""
    members: Problem = {
        "type": "about:blank",
        "title": HTTPStatus(status_code).phrase,
        "status": status_code,
        "detail": detail,
    }
    if instance:
        members["instance"] = instance
    if code:
        members["code"] = code
    if errors:
        members["errors"] = list(errors)
    return members


def answer_problem(
    request: HttpRequest,
    status_code: int,
    detail: str,
    *,
    code: str = "",
    errors: Sequence[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    """A problem as a plain Django answer, for views outside the REST framework."""
    body = problem(status_code, detail, code=code, instance=request.path, errors=errors)
    return HttpResponse(
        orjson.dumps(body), status=status_code, content_type=MEDIA_TYPE, headers=headers
    )


def answer_exception(exception: Exception, context: Mapping[str, Any]) -> Response:
    """Django REST framework's exception handler: whatever went wrong, in one form.

    A fault of ours tells nothing of itself; it goes to the log.
    """
    request = context.get("request")
    path = request.path if request is not None else ""
    if isinstance(exception, Refused):
        members = _of_refusal(exception, path)
    else:
        exception = _as_api_exception(exception, path)
        members = _of_api_exception(exception, path)
    set_rollback()
    headers = _headers(exception)
    return Response(members, members["status"], headers=headers, content_type=MEDIA_TYPE)


def status_of(refused: Refused) -> int:
    """The HTTP status that tells of a refusal: 403, 409 or 422."""
    return next(code for kind, code in REFUSALS.items() if isinstance(refused, kind))


def _of_refusal(refused: Refused, path: str) -> Problem:
    errors = [{"pointer": f"#/{name}", "detail": text} for name, text in refused.fields.items()]
    return problem(
        status_of(refused), refused.detail, code=refused.code, instance=path, errors=errors
    )


def _as_api_exception(exception: Exception, path: str) -> exceptions.APIException:
    if isinstance(exception, exceptions.APIException):
        return exception
    if isinstance(exception, Http404):
        return exceptions.NotFound()
    if isinstance(exception, PermissionDenied):
        return exceptions.PermissionDenied()
    if isinstance(exception, OverflowError | DataError):
        # A time at the end of all days, a number or a character that no column takes.
        log.info("out of range in a request to %s", path, exc_info=exception)
        return OutOfRange()
    if isinstance(exception, OperationalError | InterfaceError):
        log.warning("the database cannot be used: %s", exception, exc_info=exception)
        return Busy()
    log.error("fault while answering %s", path, exc_info=exception)
    return exceptions.APIException("Something went wrong on our side; it has been noted.", "fault")


def _of_api_exception(exception: exceptions.APIException, path: str) -> Problem:
    if isinstance(exception, BadParameter):
        errors = [{"parameter": name, "detail": text} for name, text in exception.names.items()]
        return problem(
            400, str(exception.detail), code="bad_parameter", instance=path, errors=errors
        )
    if isinstance(exception, exceptions.ValidationError):
        errors = list(_pointed(exception.detail, "#"))
        detail = "The body is not right; see errors."
        return problem(422, detail, code="invalid", instance=path, errors=errors)
    detail = str(exception.detail)
    return problem(exception.status_code, detail, code=str(exception.get_codes()), instance=path)


def _pointed(detail: Any, pointer: str) -> Iterator[dict[str, str]]:
    """Each message of nested validation errors with the JSON pointer of what it is about."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            step = "" if name == "non_field_errors" else f"/{_escaped(str(name))}"
            yield from _pointed(inner, pointer + step)
    elif isinstance(detail, list | tuple):
        for number, inner in enumerate(detail):
            is_text = isinstance(inner, str)
            yield from _pointed(inner, pointer if is_text else f"{pointer}/{number}")
    else:
        yield {"pointer": pointer, "detail": str(detail)}


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _headers(exception: Exception) -> dict[str, str]:
    headers = {}
    if challenge := getattr(exception, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    wait = getattr(exception, "wait", None)
    if wait:
        headers["Retry-After"] = str(int(wait + 0.999))
    if isinstance(exception, Busy):
        headers["Retry-After"] = str(RETRY_AFTER_S)
    return headers


@csrf_exempt
def not_found(request: HttpRequest, rest: str = "") -> HttpResponse:
    """404 for every address under a machines' prefix that does not exist; never a redirect."""
    return answer_problem(request, 404, "There is nothing here.", code="not_found")
