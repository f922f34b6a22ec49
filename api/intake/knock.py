"""What intake notes on a request on its way through: whose it is, and since when it is here."""

from typing import cast

from django.http import HttpRequest

from tickets.models import AlertSource


class Knock(HttpRequest):
    """Django's request with our notes; read them by `getattr`, for they may not be made yet."""

    urlconf: str
    intake_source: AlertSource
    intake_begun: float


def knock_of(request: HttpRequest) -> Knock:
    """The same request, as one that may be noted on."""
    return cast(Knock, request)
