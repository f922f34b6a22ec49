"""Does a named POST once: sent again, it gets the first answer (Idempotency-Key, draft 07).

Key, act and answer are one transaction, so that there is never one without the others.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from hashlib import blake2b, sha256
from http import HTTPStatus
from typing import Any, Final

import orjson
from django.core.files.uploadedfile import UploadedFile
from django.db import connection, transaction
from django.http import HttpResponse
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from api.bodies import FastJSON
from api.models import IdempotencyKey
from roles.instants import database_now
from roles.models import ApiToken
from roles.refusals import Conflict, Invalid

KEPT_FOR: Final = timedelta(hours=24)
FORGET_MAX: Final = 50
KEY: Final = re.compile(r'"([\x20\x21\x23-\x7e]{1,255})"|([\x21\x23-\x7e]{1,255})')
KEPT_HEADERS: Final = ("ETag", "Location")


def once(request: Request, act: Callable[[], Response]) -> Response | HttpResponse:
    """The answer of the act, or the stored one when this caller has sent this before.

    Only what took effect is stored: after a refusal the same key may be tried again. Raises
    Conflict while the first request still runs, Invalid when the key came with something else.
    """
    given = request.headers.get("Idempotency-Key")
    if given is None:
        return act()
    key = _read(given)
    mark = _mark(request)
    caller = {"person": request.user, "token": _token(request)}
    with transaction.atomic():
        _take_turn(request, key)
        now = database_now()
        row = IdempotencyKey.objects.filter(key=key, **caller).first()
        if row is not None and row.created_at > now - KEPT_FOR:
            return _again(row, mark)
        if row is not None:
            row.delete()
        answer = act()
        if answer.status_code < HTTPStatus.BAD_REQUEST:
            IdempotencyKey.objects.create(
                key=key,
                request=mark,
                status=answer.status_code,
                headers={name: answer[name] for name in KEPT_HEADERS if name in answer},
                body=FastJSON().render(answer.data).decode(),
                created_at=now,
                **caller,
            )
        _forget(now)
        return answer


def _read(given: str) -> str:
    match = KEY.fullmatch(given.strip())
    if match is None:
        raise ParseError("Idempotency-Key must be 1 to 255 printable characters in quotes.")
    return match[1] or match[2]


def _token(request: Request) -> ApiToken | None:
    return request.auth if isinstance(request.auth, ApiToken) else None


def _mark(request: Request) -> str:
    """A digest of what is asked: the same members in another order are the same."""
    body = orjson.dumps(request.data, option=orjson.OPT_SORT_KEYS, default=_plain)
    query = request.META.get("QUERY_STRING", "")
    text = f"{request.method} {request.path.rstrip('/')}?{query}\n".encode() + body
    return sha256(text).hexdigest()


def _plain(value: Any) -> str:
    """What JSON has no form for; of a file its bytes count."""
    if not isinstance(value, UploadedFile):
        return str(value)
    digest = sha256()
    for chunk in value.chunks():
        digest.update(chunk)
    value.seek(0)
    return f"{value.name} {digest.hexdigest()}"


def _take_turn(request: Request, key: str) -> None:
    token = _token(request)
    name = f"idempotency {request.user.pk} {token.pk if token else 0} {key}"
    turn = int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [turn])
        if not cursor.fetchone()[0]:
            raise Conflict("still_running", "The first request of this key is still running.")


def _again(row: IdempotencyKey, mark: str) -> HttpResponse:
    if row.request != mark:
        raise Invalid("key_reused", "This Idempotency-Key came with another request before.")
    headers: dict[str, Any] = {**row.headers, "Idempotent-Replayed": "true"}
    return HttpResponse(
        row.body, status=row.status, headers=headers, content_type="application/json"
    )


def _forget(now: Any) -> None:
    """Let go of a few old rows; each new one pays for its predecessors."""
    old = IdempotencyKey.objects.filter(created_at__lt=now - KEPT_FOR).order_by("created_at")
    ids = old.select_for_update(skip_locked=True).values_list("pk", flat=True)[:FORGET_MAX]
    IdempotencyKey.objects.filter(pk__in=list(ids)).delete()
