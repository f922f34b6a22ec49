"""The monitors' door: it knows the source by its key, and says 200 only for what is stored."""

import base64
import binascii
import logging
from collections.abc import Callable, Sequence
from typing import Any, Final

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import APIException

from api.bodies import charset_of, decode, read_limited, unpack
from api.intake import alertmanager
from api.problems import RETRY_AFTER_S, answer_problem
from roles.instants import database_now
from roles.refusals import Refused
from tickets.ingest import IncomingAlert, Outcome, ingest
from tickets.models import AlertSource
from tickets.sources import note_use, source_by_key

log = logging.getLogger(__name__)

BYTES_MAX: Final = 5_000_000
Parse = Callable[[Any], list[IncomingAlert]]
PARSERS: Final[dict[str, Parse]] = {
    AlertSource.Product.ALERTMANAGER.value: alertmanager.parse,
}


@csrf_exempt
def take_alerts(request: HttpRequest, product: str, key: str = "") -> HttpResponse:
    """Store the alerts of one webhook and say what became of them.

    The key stands in the address, and then any Authorization is ignored, or it is the Bearer token
    or the Basic password. An unknown key is answered before the body is read.
    """
    if product not in PARSERS:
        return answer_problem(request, 404, "There is nothing here.", code="not_found")
    if request.method not in ("POST", "PUT"):
        detail = "Alerts are sent by POST."
        headers = {"Allow": "POST, PUT"}
        return answer_problem(request, 405, detail, code="method_not_allowed", headers=headers)
    try:
        source = source_by_key(key or key_in_header(request), product=product)
        if source is None:
            return _unknown(request, bool(key))
        return _store(request, source)
    except APIException as wrong:
        return answer_problem(
            request, wrong.status_code, str(wrong.detail), code=str(wrong.get_codes())
        )
    except UnreadablePostError:
        return answer_problem(request, 400, "The body did not arrive whole.", code="torn")
    except alertmanager.NotUnderstood as wrong:
        return answer_problem(request, 400, str(wrong), code="not_understood")
    except (Refused, OperationalError, InterfaceError) as trouble:
        # Not the sender's fault: it keeps the alerts and sends them again.
        log.warning("alerts could not be stored: %s", trouble, exc_info=trouble)
        return _later(request)


def _store(request: HttpRequest, source: AlertSource) -> HttpResponse:
    # Only read() is asked of the stream, and a request has that.
    body = read_limited(request, BYTES_MAX)  # type: ignore[arg-type]
    body = unpack(body, request.headers.get("Content-Encoding", ""), BYTES_MAX)
    payload = decode(body, charset_of(request.headers.get("Content-Type", "")))
    outcomes = ingest(source=source, alerts=PARSERS[source.product](payload))
    note_use(source, database_now())
    return JsonResponse(_told(outcomes))


def _told(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    return {
        "status": "stored",
        "alerts": [
            {
                "fingerprint": outcome.dedup_key,
                "result": outcome.result,
                **({"ticket": outcome.ticket_key} if outcome.ticket_key else {}),
                **({"reason": outcome.reason} if outcome.reason else {}),
            }
            for outcome in outcomes
        ],
    }


def key_in_header(request: HttpRequest) -> str:
    """The Bearer token or the Basic password; "" for neither."""
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        pair = base64.b64decode(rest.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
    return pair.partition(":")[2]


def _unknown(request: HttpRequest, by_address: bool) -> HttpResponse:
    """404 for a wrong address, 401 for a wrong credential; neither says more."""
    if by_address:
        return answer_problem(request, 404, "There is nothing here.", code="not_found")
    headers = {"WWW-Authenticate": 'Basic realm="Tierline", Bearer realm="Tierline"'}
    return answer_problem(request, 401, "A source key is needed.", headers=headers)


def _later(request: HttpRequest) -> HttpResponse:
    headers = {"Retry-After": str(RETRY_AFTER_S)}
    detail = "The alerts cannot be stored right now; send them again."
    return answer_problem(request, 503, detail, code="unavailable", headers=headers)


def address_of(source: AlertSource, key: str) -> str:
    """The full address at which this source delivers."""
    return f"{settings.PUBLIC_URL}/intake/v1/{source.product}/{key}"
