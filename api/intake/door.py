"""The frame of every intake door: a body read once and bounded, each fault in the mount's form."""

import base64
import binascii
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from time import time
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.db import DataError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import APIException

from api.bodies import charset_of, decode, read_limited, unpack
from api.intake.knock import knock_of
from api.intake.reading import NotUnderstood
from api.limits import WINDOW_S, LocalCounts
from roles.refusals import Refused
from tickets import receipts
from tickets.mapping import Unmapped
from tickets.models import AlertSource
from tickets.sources import note_use, read_at, source_by_key

log = logging.getLogger(__name__)

BYTES_MAX: Final = 5_000_000
counts: Final = LocalCounts()
UNAVAILABLE: Final = "This cannot be stored right now; send it again."
View = Callable[..., HttpResponse]


class Fault(Exception):
    """What is wrong with a request: an HTTP status, a sentence, and the reasons one by one."""

    def __init__(
        self,
        status: int,
        message: str,
        reasons: Sequence[str] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message = status, message
        self.reasons, self.headers = tuple(reasons), dict(headers or {})


@dataclass(frozen=True, kw_only=True)
class Mount:
    """One vendor's door: its name in the log, and how it says what is wrong."""

    name: str
    answer_fault: Callable[[HttpRequest, Fault], HttpResponse]
    busy: int = 429
    """What this vendor's senders take for "too many, send it again"."""

    def door(self, view: View) -> View:
        """The view, with every fault answered in this mount's own form, and never a redirect."""

        @csrf_exempt
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                return view(request, *args, **kwargs)
            except Exception as trouble:
                fault = fault_of(trouble) or _bug(trouble)
                if fault.status == 429:
                    fault = Fault(self.busy, fault.message, headers=fault.headers)
                self._note(request, fault)
                return self.answer_fault(request, fault)

        return guarded

    def _note(self, request: HttpRequest, fault: Fault) -> None:
        source = getattr(request, "intake_source", None)
        if fault.status >= 500 or request.method in ("GET", "HEAD", "OPTIONS"):
            return
        try:
            receipts.note_refusal(
                source,
                door=self.name,
                act=request.method or "",
                status=fault.status,
                why=fault.message,
            )
        except (OperationalError, InterfaceError):
            log.warning("a refusal could not be noted")


def fault_of(trouble: Exception) -> Fault | None:
    """What to answer when this was raised; None for a bug of ours."""
    if isinstance(trouble, Fault):
        return trouble
    if isinstance(trouble, NotUnderstood):
        return Fault(400, str(trouble), trouble.reasons)
    if isinstance(trouble, Unmapped):
        return Fault(400, str(trouble), [str(trouble)])
    if isinstance(trouble, APIException):
        return Fault(trouble.status_code, str(trouble.detail))
    if isinstance(trouble, DataError) or (
        isinstance(trouble, ValueError) and "NUL" in str(trouble)
    ):
        return Fault(400, "A value in the address or the body cannot be looked for or kept.")
    if isinstance(trouble, SuspiciousOperation):
        return Fault(400, "The request is not what a sender would send.", [str(trouble)])
    if isinstance(trouble, MultiPartParserError):
        return Fault(400, "The form cannot be read.", [str(trouble)])
    if isinstance(trouble, UnreadablePostError):
        return Fault(400, "The body did not arrive whole.")
    if isinstance(trouble, Refused | OperationalError | InterfaceError):
        # Not the sender's fault: it keeps what it has and sends it again.
        log.warning("intake could not store: %s", trouble, exc_info=trouble)
        return Fault(503, UNAVAILABLE, headers={"Retry-After": "5"})
    return None


def _bug(trouble: Exception) -> Fault:
    """What is answered for a bug of ours: a page for people would tell a sender nothing."""
    log.error("intake failed: %s", trouble, exc_info=trouble)
    return Fault(500, "Something broke on our side.")


def body_of(request: HttpRequest, limit: int = BYTES_MAX) -> bytes:
    """The unpacked body. Raises what `fault_of` knows, 413 for one that is too long."""
    body = read_limited(request, limit)
    return unpack(body, request.headers.get("Content-Encoding", ""), limit)


def json_of(request: HttpRequest, body: bytes) -> Any:
    """The JSON value of a body, whatever its media type says. Raises what `fault_of` knows."""
    return decode(body, charset_of(request.headers.get("Content-Type", "")))


def known_source(request: HttpRequest, key: str, *products: str) -> AlertSource | None:
    """The source of this key and one of these products, noted as heard of; None when unknown."""
    for product in products:
        source = source_by_key(key, product=product)
        if source is not None:
            knock_of(request).intake_source = source
            _hold_back(source)
            note_use(source, read_at(source))
            return source
    return None


def _hold_back(source: AlertSource) -> None:
    """Raise Fault when a source has sent more in this minute than the site takes from one."""
    now = time()
    window, limit = int(now // WINDOW_S), int(settings.INTAKE_REQUESTS_PER_MINUTE)
    if counts.add(f"s{source.pk}", window) > limit:
        wait_s = max(1, int((window + 1) * WINDOW_S - now + 0.999))
        raise Fault(429, "Too many requests of one source.", headers={"Retry-After": str(wait_s)})


def key_in_header(request: HttpRequest, scheme: str = "bearer") -> str:
    """The credential of this scheme, or the Basic password; "" for neither."""
    given, _, rest = request.headers.get("Authorization", "").partition(" ")
    if given.lower() == scheme:
        return rest.strip()
    if given.lower() != "basic":
        return ""
    try:
        pair = base64.b64decode(rest.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
    return pair.partition(":")[2]
