"""The doors whose senders take any answer: Alertmanager, Grafana, any JSON, CloudEvents, SNS."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

from api.bodies import charset_of
from api.intake import alertmanager, cloudevents, grafana, sns
from api.intake.door import Fault, Mount, body_of, json_of, key_in_header, known_source
from api.intake.guess import guess
from api.intake.reading import plain
from api.problems import answer_problem
from tickets import receipts
from tickets.incoming import IncomingAlert, Outcome
from tickets.ingest import accept
from tickets.mapping import read_mapped
from tickets.models import AlertSource
from tickets.sources import read_at, signing_secret

CODES: Final = {
    400: "not_understood",
    401: "unauthorized",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
    503: "unavailable",
}
NOWHERE: Final = "There is nothing here."
Products = AlertSource.Product


def _answer_fault(request: HttpRequest, fault: Fault) -> HttpResponse:
    return answer_problem(
        request,
        fault.status,
        fault.message,
        code=CODES.get(fault.status, "refused"),
        headers=fault.headers,
    )


PLAIN: Final = Mount(name="webhook", answer_fault=_answer_fault, busy=503)


@dataclass(frozen=True)
class Parcel:
    """One request's body, with what is needed to read it."""

    request: HttpRequest
    source: AlertSource
    body: bytes

    @property
    def payload(self) -> Any:
        return json_of(self.request, self.body)


Read = Callable[[Parcel], list[IncomingAlert]]


def _read_grafana(parcel: Parcel) -> list[IncomingAlert]:
    header = str(parcel.source.mapping.get("timestamp_header", ""))
    secret, now = signing_secret(parcel.source), read_at(parcel.source)
    if parcel.source.is_signed and not grafana.is_signed(
        parcel.request.headers, parcel.body, secret, now=now, timestamp_header=header
    ):
        raise Fault(401, "The signature is missing or wrong.")
    return grafana.parse(parcel.payload)


def _read_json(parcel: Parcel) -> list[IncomingAlert]:
    mapping = parcel.source.mapping
    return read_mapped(mapping, plain(parcel.payload)) if mapping else guess(parcel.payload)


def _read_cloudevents(parcel: Parcel) -> list[IncomingAlert]:
    headers = dict(parcel.request.headers.items())
    media_type = headers.get("Content-Type", "").lower()
    is_json = "json" in media_type or not media_type or "ce-id" not in map(str.lower, headers)
    if is_json and (parcel.body or "Ce-Id" not in parcel.request.headers):
        return cloudevents.parse(headers, parcel.payload)
    charset = charset_of(media_type) or "utf-8"
    try:
        words = parcel.body.decode(charset)
    except (LookupError, UnicodeDecodeError):
        raise Fault(415, "The data cannot be read as text.") from None
    return cloudevents.parse(headers, words.replace("\x00", "\ufffd"))


READERS: Final[dict[str, Read]] = {
    Products.ALERTMANAGER: lambda parcel: alertmanager.parse(parcel.payload),
    Products.GRAFANA: _read_grafana,
    Products.JSON: _read_json,
    Products.CLOUDEVENTS: _read_cloudevents,
    Products.SNS: lambda parcel: sns.parse(parcel.payload),
}


@PLAIN.door
def take_alerts(request: HttpRequest, product: str, key: str = "") -> HttpResponse:
    """Store the alerts of one webhook and say what became of them.

    The key stands in the address, and then any Authorization is ignored, or it is the Bearer token
    or the Basic password. An unknown key is answered before the body is read.
    """
    if product not in READERS:
        raise Fault(404, NOWHERE)
    if request.method == "OPTIONS" and product == Products.CLOUDEVENTS:
        return _allow_origin(request, product, key)
    if request.method not in ("POST", "PUT"):
        raise Fault(405, "Alerts are sent by POST.", headers={"Allow": "POST, PUT"})
    source = _source(request, product, key)
    parcel = Parcel(request, source, body_of(request))
    if product == Products.SNS and (address := sns.confirmation(parcel.payload)):
        return _ask_to_confirm(source, address)
    outcomes = accept(source=source, alerts=READERS[product](parcel))
    if outcomes:
        receipts.note_outcomes(source, outcomes, door=product, act="alerts", status=200)
    return JsonResponse(_told(outcomes))


def _source(request: HttpRequest, product: str, key: str) -> AlertSource:
    """Whose key it is; 404 for a wrong address, 401 for a wrong credential; neither says more."""
    source = known_source(request, key or key_in_header(request), product)
    if source is not None:
        return source
    if key:
        raise Fault(404, NOWHERE)
    challenge = 'Basic realm="Tierline", Bearer realm="Tierline"'
    raise Fault(401, "A source key is needed.", headers={"WWW-Authenticate": challenge})


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


def _allow_origin(request: HttpRequest, product: str, key: str) -> HttpResponse:
    """The answer to a CloudEvents sender that asks whether it may deliver here."""
    _source(request, product, key)
    headers = {"Allow": "POST, OPTIONS"}
    origin = request.headers.get("WebHook-Request-Origin", "")
    if origin:
        headers["WebHook-Allowed-Origin"] = origin
        headers["WebHook-Allowed-Rate"] = request.headers.get("WebHook-Request-Rate", "*")
    return HttpResponse(status=200, headers=headers)


def _ask_to_confirm(source: AlertSource, address: str) -> HttpResponse:
    """Keep the address for a person to open; nothing is fetched for whoever posts here."""
    receipts.note(
        source,
        door=Products.SNS,
        act="confirmation",
        status=200,
        outcome=receipts.Kinds.IGNORED,
        told=f"Open this to confirm the subscription: {address}",
    )
    return JsonResponse({"status": "stored", "confirm": "A person must open SubscribeURL."})


def address_of(source: AlertSource, key: str) -> str:
    """The full address at which this source delivers; a vendor's own form where there is one."""
    base = settings.PUBLIC_URL
    if source.product in READERS:
        return f"{base}/intake/v1/{source.product}/{key}"
    return f"{base}/{source.product}\n{key}"
