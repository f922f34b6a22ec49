"""Does a named POST once: sent again, it gets the first answer (Idempotency-Key, draft 07).

Key, act and answer are one transaction, so that there is never one without the others.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
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
from notifications.sealed import is_sealed, seal, unseal
from roles.instants import TimeSource, database_now
from roles.models import ApiToken, Person
from roles.refusals import Conflict, Invalid

KEPT_FOR: Final = timedelta(hours=24)
LONGEST_RUN: Final = timedelta(minutes=5)
RUNNING: Final = HTTPStatus.PROCESSING.value
STILL_RUNNING: Final = "The first request of this key is still running."
UNREADABLE: Final = "It was done, but its answer can no longer be read: the site's key has changed."
PLACE: Final = "api_idempotencykey.body"
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
    named = _named(request, given)
    with transaction.atomic():
        _take_turn(named)
        now = database_now()
        former = _former(named, now)
        if former is not None:
            return former
        answer = act()
        _keep(named, answer, now)
        return answer


def once_outside(request: Request, act: Callable[[], Response]) -> Response | HttpResponse:
    """The same for an act that must not stand in one transaction, for it waits for somebody else.

    A row says meanwhile that it runs; a lock held by the connection would get lost behind a pooler.
    Where the process dies before it has the answer, the act may be tried again some minutes later,
    and has to bear that by itself.
    """
    given = request.headers.get("Idempotency-Key")
    if given is None:
        return act()
    named = _named(request, given)
    with transaction.atomic():
        _take_turn(named)
        now = database_now()
        former = _former(named, now)
        if former is not None:
            return former
        begun = IdempotencyKey.objects.create(
            key=named.key, request=named.mark, status=RUNNING, created_at=now, **named.caller
        )
    run = IdempotencyKey.objects.filter(pk=begun.pk)
    try:
        answer = act()
    except BaseException:
        run.delete()
        raise
    with transaction.atomic():
        run.delete()
        _keep(named, answer, now)
    return answer


@dataclass(frozen=True)
class _Named:
    """A request under the name that its caller gave it."""

    key: str
    mark: str
    person: Person
    token: ApiToken | None

    @property
    def caller(self) -> dict[str, Any]:
        """Whose name it is."""
        return {"person": self.person, "token": self.token}

    @property
    def turn(self) -> int:
        """The number of the lock that lets one request of this name run at a time."""
        name = f"idempotency {self.person.pk} {self.token.pk if self.token else 0} {self.key}"
        return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big", signed=True)


def _named(request: Request, given: str) -> _Named:
    return _Named(_read(given), _mark(request), request.user, _token(request))


def _former(named: _Named, now: datetime) -> HttpResponse | None:
    """The answer that was given before; what is too old to count is forgotten."""
    row = IdempotencyKey.objects.filter(key=named.key, **named.caller).first()
    if row is None:
        return None
    if row.created_at > now - (LONGEST_RUN if row.status == RUNNING else KEPT_FOR):
        return _again(row, named.mark)
    row.delete()
    return None


def _keep(named: _Named, answer: Response, now: datetime) -> None:
    if answer.status_code < HTTPStatus.BAD_REQUEST:
        IdempotencyKey.objects.create(
            key=named.key,
            request=named.mark,
            status=answer.status_code,
            headers={name: answer[name] for name in KEPT_HEADERS if name in answer},
            # Some answers hold what is shown only once: a new token, a new secret.
            body=seal(FastJSON().render(answer.data).decode(), PLACE),
            created_at=now,
            **named.caller,
        )
    _forget(now)


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


def _take_turn(named: _Named) -> None:
    """Take the turn until the end of the transaction. Raises Conflict."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [named.turn])
        if not cursor.fetchone()[0]:
            raise Conflict("still_running", STILL_RUNNING)


def _again(row: IdempotencyKey, mark: str) -> HttpResponse:
    if row.request != mark:
        raise Invalid("key_reused", "This Idempotency-Key came with another request before.")
    if row.status == RUNNING:
        raise Conflict("still_running", STILL_RUNNING)
    body = unseal(row.body, PLACE)
    if is_sealed(body):
        raise Conflict("unreadable", UNREADABLE)
    headers: dict[str, Any] = {**row.headers, "Idempotent-Replayed": "true"}
    return HttpResponse(body, status=row.status, headers=headers, content_type="application/json")


def forget_old(*, clock: TimeSource = database_now) -> int:
    """Let go of all answers that are too old to be given again; how many there were."""
    return IdempotencyKey.objects.filter(created_at__lt=clock() - KEPT_FOR).delete()[0]


def _forget(now: Any) -> None:
    """Let go of a few old rows; each new one pays for its predecessors."""
    old = IdempotencyKey.objects.filter(created_at__lt=now - KEPT_FOR).order_by("created_at")
    ids = old.select_for_update(skip_locked=True).values_list("pk", flat=True)[:FORGET_MAX]
    IdempotencyKey.objects.filter(pk__in=list(ids)).delete()
