"""The door for raw mail over HTTP: whoever has a source's key hands in what a mail server got."""

import logging

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import APIException

from api.bodies import read_limited
from api.intake.door import key_in_header
from api.mail.taking import BYTES_MAX, Place, take_in
from api.problems import RETRY_AFTER_S, answer_problem
from tickets.mailsources import mail_source_by_key

log = logging.getLogger(__name__)


@csrf_exempt
def take_mail(request: HttpRequest, key: str = "") -> HttpResponse:
    """Keep one mail, its body being the raw message, and say what became of it.

    The key stands in the address, or is the Bearer token or the Basic password. 2xx only for what
    is stored; 503 while it cannot be.
    """
    if request.method not in ("POST", "PUT"):
        headers = {"Allow": "POST, PUT"}
        return answer_problem(
            request, 405, "Mail is sent by POST.", code="method_not_allowed", headers=headers
        )
    try:
        source = mail_source_by_key(key or key_in_header(request))
        if source is None:
            return _unknown(request, bool(key))
        raw = read_limited(request, BYTES_MAX)
        if not raw.strip():
            return answer_problem(request, 400, "The body must be a mail.", code="empty")
        received = take_in(source=source, raw=raw, place=Place("http"))
    except APIException as wrong:
        return answer_problem(
            request, wrong.status_code, str(wrong.detail), code=str(wrong.get_codes())
        )
    except UnreadablePostError:
        return answer_problem(request, 400, "The body did not arrive whole.", code="torn")
    except (OperationalError, InterfaceError) as trouble:
        log.warning("a mail could not be stored: %s", trouble, exc_info=trouble)
        headers = {"Retry-After": str(RETRY_AFTER_S)}
        detail = "The mail cannot be stored right now; send it again."
        return answer_problem(request, 503, detail, code="unavailable", headers=headers)
    return JsonResponse({"status": "stored", "outcome": received.outcome})


def _unknown(request: HttpRequest, by_address: bool) -> HttpResponse:
    """404 for a wrong address, 401 for a wrong credential; neither says more."""
    if by_address:
        return answer_problem(request, 404, "There is nothing here.", code="not_found")
    headers = {"WWW-Authenticate": 'Basic realm="Tierline", Bearer realm="Tierline"'}
    return answer_problem(request, 401, "A source key is needed.", headers=headers)
