"""What all of Opsgenie's doors share: who asks, which alert is meant, answers and faults."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final
from uuid import UUID, uuid4

from django.conf import settings
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse

from api.intake.door import Fault, Mount, View, body_of, json_of, key_in_header, known_source
from api.intake.knock import knock_of
from api.intake.opsgenie import ALIAS_MAX, Unprocessable
from tickets import receipts
from tickets.alertacts import known_to
from tickets.models import Alert, AlertSource, IntakeRequest

PRODUCT: Final = AlertSource.Product.OPSGENIE
ACCEPTED: Final = "Request will be processed"
NOBODY: Final = "Could not authenticate"
MISSING: Final = "Alert does not exist"
CREATED: Final = "Created alert"
PAGE: Final = 20
PAGE_MAX: Final = 100
OFFSET_MAX: Final = 20_000


def _answer_fault(request: HttpRequest, fault: Fault) -> HttpResponse:
    body: dict[str, Any] = {"message": fault.message, **_took(request)}
    if isinstance(fault, WithErrors):
        body["errors"] = fault.errors
    return _with_headers(JsonResponse(body, status=fault.status, headers=fault.headers), body)


class WithErrors(Fault):
    """A 422 that names each bad member."""

    def __init__(self, message: str, errors: Mapping[str, str]) -> None:
        super().__init__(422, message, list(errors.values()))
        self.errors = dict(errors)


ALERTS: Final = Mount(name="opsgenie", answer_fault=_answer_fault)


@dataclass(frozen=True)
class Asker:
    """Whoever asks: the source by its key, and the request."""

    request: HttpRequest
    source: AlertSource

    @property
    def params(self) -> Mapping[str, str]:
        return self.request.GET

    def body(self) -> Mapping[str, Any]:
        """The JSON object of the body; none at all is an empty one. Raises Fault, Unprocessable."""
        raw = body_of(self.request)
        if not raw.strip():
            return {}
        found = json_of(self.request, raw)
        if found is None:
            return {}
        if not isinstance(found, dict):
            raise Unprocessable(body="Request body must be a JSON object.")
        return found


def door(view: Callable[..., HttpResponse]) -> View:
    """The view of whoever has a key; called with an Asker in place of the request."""

    @ALERTS.door
    @wraps(view)
    def known(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        knock_of(request).intake_begun = time.perf_counter()
        key = key_in_header(request, "geniekey") or request.GET.get("apiKey", "")
        source = known_source(request, key, PRODUCT)
        if source is None:
            raise Fault(401, NOBODY)
        try:
            return view(Asker(request, source), *args, **kwargs)
        except Unprocessable as wrong:
            raise WithErrors(str(wrong), wrong.errors) from None

    return known


# ---- Answers ----


def told(asker: Asker, data: Any, *, status: int = 200, **more: Any) -> HttpResponse:
    """Data as every read answers it."""
    body = {"data": data, **more, **_took(asker.request)}
    return _with_headers(JsonResponse(body, status=status), body)


def processed(
    asker: Asker,
    action: str,
    *,
    words: str,
    alert_id: int | None = None,
    is_success: bool = True,
    uid: UUID | None = None,
    outcome: str = receipts.Kinds.ACCEPTED,
    answer: str = ACCEPTED,
) -> HttpResponse:
    """202 with the id under which the request's status can be asked for."""
    receipt = receipts.note(
        asker.source,
        door=PRODUCT,
        act=action,
        status=202,
        outcome=outcome if is_success else receipts.Kinds.IGNORED,
        told=words,
        alert_id=alert_id,
        is_success=is_success,
        uid=uid,
    )
    body = {"result": answer, **_took(asker.request), "requestId": str(receipt.uid)}
    return _with_headers(JsonResponse(body, status=202), body)


def _took(request: HttpRequest) -> dict[str, Any]:
    begun = getattr(request, "intake_begun", None)
    spent = time.perf_counter() - begun if begun is not None else 0.0
    return {"took": round(spent, 3), "requestId": str(uuid4())}


def _with_headers(answer: HttpResponse, body: Mapping[str, Any]) -> HttpResponse:
    answer["X-Request-Id"] = body["requestId"]
    answer["X-Response-Time"] = str(body["took"])
    throttled = answer.status_code == 429
    answer["X-RateLimit-State"] = "THROTTLED" if throttled else "OK"
    if throttled:
        answer["X-RateLimit-Reason"] = "ACCOUNT"
        answer["X-RateLimit-Period-In-Sec"] = "60"
    return answer


# ---- Which alert ----


def alerts_of(asker: Asker) -> QuerySet[Alert]:
    """What this key may read."""
    return known_to(asker.source).select_related(
        *("source", "ticket__team", "ticket__assignee", "ticket__acknowledged_by")
    )


def alert_named(
    asker: Asker, identifier: str, *, kind: str = "", to_act: bool = False
) -> Alert | None:
    """The alert of this id, alias or tiny id; by alias the open one, else the newest.

    To act on, those of restricted cases are found too, though nothing tells of them.
    """
    rows = alerts_of(asker)
    if to_act:
        rows = Alert.objects.filter(source=asker.source, is_hidden=False)
        rows = rows.select_related("source", "ticket")
    given = asker.params.get("identifierType") or asker.params.get("alertIdentifierType")
    kind = (kind or given or "id").lower()
    if kind == "alias":
        # Cut as it was when the alert was made.
        return rows.filter(dedup_key=identifier[:ALIAS_MAX]).order_by("state", "-id").first()
    if kind == "tiny":
        is_number = identifier.isascii() and identifier.isdecimal() and len(identifier) < 19
        return rows.filter(pk=int(identifier)).first() if is_number else None
    uid = _uuid(identifier)
    if uid is None:
        return None
    by_receipt = IntakeRequest.objects.filter(source=asker.source, uid=uid).values("alert_id")
    return rows.filter(Q(uid=uid) | Q(pk__in=by_receipt)).order_by("id").first()


def receipt_of(asker: Asker, request_id: str) -> IntakeRequest | None:
    """The receipt of a request of this source."""
    uid = _uuid(request_id)
    rows = IntakeRequest.objects.filter(source=asker.source).select_related("alert__ticket")
    return rows.filter(uid=uid).first() if uid is not None else None


def _uuid(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None


# ---- Pages ----


def number(asker: Asker, name: str, default: int, most: int) -> int:
    """A whole number from the query, brought into its bounds; the default for what is none."""
    given = asker.params.get(name, "")
    if not (given.isascii() and given.isdecimal() and len(given) < 10):
        return default
    return min(int(given), most)


def link(asker: Asker, **params: Any) -> str:
    """The absolute address of another page of the same answer, from the site's public address."""
    query = asker.request.GET.copy()
    for name, value in params.items():
        query[name] = str(value)
    query.pop("apiKey", None)
    return f"{public_root(asker.request)}{asker.request.path}?{query.urlencode()}"


def public_root(request: HttpRequest) -> str:
    """Scheme and host of absolute links: the configured ones; a vendor's own host stays its own."""
    if getattr(request, "urlconf", None) is None:
        return str(settings.PUBLIC_URL)
    scheme = str(settings.PUBLIC_URL).partition(":")[0]
    return f"{scheme}://{request.get_host()}"
