"""What PagerDuty's REST doors share: who asks, names of things, pages, references and faults."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from typing import Any, Final

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse

from api.intake.door import Fault, Mount, View, body_of, json_of, known_source
from api.intake.opsgenie_door import public_root
from api.intake.pagerduty_events import PRODUCT
from api.intake.reading import any_moment
from tickets.models import AlertSource

CODES: Final = {400: 2001, 401: 2006, 403: 2010, 404: 2100, 429: 2020}
TITLES: Final = {
    400: "Invalid Input Provided",
    401: "Unauthorized",
    403: "Access Denied",
    404: "Not Found",
    429: "Rate Limit Exceeded",
}
KINDS: Final = {
    "PU": ("user", "users"),
    "PT": ("team", "teams"),
    "PV": ("service", "services"),
    "PE": ("escalation_policy", "escalation_policies"),
    "PET": ("escalation_policy", "escalation_policies"),
    "PS": ("schedule", "schedules"),
    "Q": ("incident", "incidents"),
    "QA": ("alert", "alerts"),
}
"""How the names of each kind of thing begin, what it is called, and where it stands.

PET stands for calling whoever is on call in a team, which is no policy of ours."""
LIMIT: Final = 25
LIMIT_MAX: Final = 100
WINDOW_MAX: Final = 10_000
NO_FROM: Final = 1008


class Denied(Fault):
    """A fault with a code of its own."""

    def __init__(self, status: int, code: int, *reasons: str) -> None:
        super().__init__(status, reasons[0], reasons)
        self.code = code


def _answer_fault(request: HttpRequest, fault: Fault) -> HttpResponse:
    code = fault.code if isinstance(fault, Denied) else CODES.get(fault.status, 2000)
    error = {
        "message": TITLES.get(fault.status, fault.message),
        "code": code,
        "errors": list(fault.reasons) or [fault.message],
    }
    headers = {**fault.headers, **(_limits(fault) if fault.status == 429 else {})}
    return JsonResponse({"error": error}, status=fault.status, headers=headers)


def _limits(fault: Fault) -> dict[str, str]:
    """How long to wait, as this vendor's clients read it."""
    limit, reset = settings.INTAKE_REQUESTS_PER_MINUTE, fault.headers.get("Retry-After", "60")
    return {
        "ratelimit-limit": str(limit),
        "ratelimit-remaining": "0",
        "ratelimit-reset": reset,
    }


REST: Final = Mount(name="pagerduty", answer_fault=_answer_fault)


@dataclass(frozen=True)
class Caller:
    """Whoever calls: the source by its key, and the request."""

    request: HttpRequest
    source: AlertSource

    @property
    def method(self) -> str:
        return self.request.method or ""

    @property
    def by(self) -> str:
        """Whom the caller says it acts for. Raises Denied for nobody."""
        name = self.request.headers.get("From", "").strip()
        if not name:
            raise Denied(400, NO_FROM, "Requester User Not Found")
        return name[:100]

    def whole(self) -> Any:
        """The JSON value of the body. Raises Fault."""
        return json_of(self.request, body_of(self.request))

    def wrapped(self, name: str) -> Any:
        """What the body holds under that name. Raises Fault."""
        body = self.whole()
        found = body.get(name) if isinstance(body, dict) else None
        if not isinstance(found, dict | list):
            raise Fault(400, f"The body needs `{name}`.")
        return found

    def values(self, name: str) -> list[str]:
        """All values of a parameter that may stand several times, as `name[]`."""
        return self.request.GET.getlist(f"{name}[]") + self.request.GET.getlist(name)

    def moment(self, name: str) -> datetime | None:
        """A time from the query; None for none. Raises Fault."""
        given = self.request.GET.get(name, "")
        if not given:
            return None
        at = any_moment(given.replace(" ", "+"))
        if at is None:
            raise Fault(400, f"{name} must be a time in ISO 8601.")
        return at

    def needs_directory(self) -> None:
        """Raise Fault unless the key may read people and schedules."""
        if not self.source.reads_directory:
            raise Denied(403, CODES[403], "This key may not read people and schedules.")


def door(*methods: str) -> Callable[[Callable[..., HttpResponse]], View]:
    """The view of whoever has a key, for these methods."""

    def wrap(view: Callable[..., HttpResponse]) -> View:
        @REST.door
        @wraps(view)
        def known(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            source = known_source(request, _key(request), PRODUCT)
            if source is None:
                raise Fault(401, "The token is unknown.")
            if request.method not in methods:
                raise Fault(405, "This method is not supported here.")
            return view(Caller(request, source), *args, **kwargs)

        return known

    return wrap


def _key(request: HttpRequest) -> str:
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    name, _, value = rest.strip().partition("=")
    is_token = scheme.lower() == "token" and name.strip().lower() == "token"
    return value.strip().strip('"') if is_token else ""


# ---- Names ----


def name_of(kind: str, pk: int) -> str:
    """The name of a row in the product's form, such as PT00000000001F for a team."""
    return f"{kind}{pk:0{14 - len(kind)}X}"


def number_of(kind: str, name: str) -> int | None:
    """The row's number by its name; None for what names none of this kind."""
    digits = name.removeprefix(kind)
    if not name.startswith(kind) or not 1 <= len(digits) <= 13:
        return None
    try:
        return int(digits, 16)
    except ValueError:
        return None


def reference(caller: Caller, kind: str, pk: int, summary: str) -> dict[str, Any]:
    """A short form of something, by which it can be asked for."""
    what, path = KINDS[kind]
    name = name_of(kind, pk)
    prefix = "/pagerduty" if getattr(caller.request, "urlconf", None) is None else ""
    where = f"{public_root(caller.request)}{prefix}/{path}/{name}"
    return {
        "id": name,
        "type": f"{what}_reference",
        "summary": summary,
        "self": where,
        "html_url": None,
    }


def stamp(at: datetime | None) -> str | None:
    """The instant in UTC in seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at is not None else None


# ---- Pages ----


def paged(
    caller: Caller, name: str, rows: QuerySet[Any], tell: Callable[[Any], Mapping[str, Any]]
) -> HttpResponse:
    """One page of rows under their name, in the product's classic form."""
    offset, limit = _window(caller)
    found = list(rows[offset : offset + limit + 1])
    is_counted = caller.request.GET.get("total", "").lower() == "true"
    return JsonResponse(
        {
            name: [tell(row) for row in found[:limit]],
            "limit": limit,
            "offset": offset,
            "more": len(found) > limit,
            "total": rows.order_by().count() if is_counted else None,
        }
    )


def listed(caller: Caller, name: str, items: Sequence[Mapping[str, Any]]) -> HttpResponse:
    """One page of what is listed already."""
    offset, limit = _window(caller)
    is_counted = caller.request.GET.get("total", "").lower() == "true"
    return JsonResponse(
        {
            name: list(items[offset : offset + limit]),
            "limit": limit,
            "offset": offset,
            "more": len(items) > offset + limit,
            "total": len(items) if is_counted else None,
        }
    )


def _window(caller: Caller) -> tuple[int, int]:
    offset = _number(caller.request.GET.get("offset", ""), 0)
    limit = max(1, min(_number(caller.request.GET.get("limit", ""), LIMIT), LIMIT_MAX))
    if offset + limit > WINDOW_MAX:
        raise Fault(400, f"Offset and limit together must be {WINDOW_MAX} at most.")
    return offset, limit


def _number(given: str, default: int) -> int:
    return int(given) if given.isascii() and given.isdecimal() and len(given) < 10 else default
