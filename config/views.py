"""The pages that only an example site has."""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from config.climb import OPENING, start_climb
from roles.refusals import Conflict, Forbidden, Invalid
from web import doors


@doors.signed_in(action="open", methods=doors.FORM)
def example_climb(request: HttpRequest) -> HttpResponse:
    """Start a live example and show its tickets in the queue; 404 on a site that is no example.

    Whoever comes by its address alone, as after signing in again, is shown the queue with the
    button.
    """
    if request.method != "POST":
        return redirect("web:queue")
    try:
        start_climb(actor=request.user)
    except Invalid as refusal:
        raise Http404(refusal.detail) from refusal
    except (Conflict, Forbidden) as refusal:
        messages.warning(request, refusal.detail)
    query = urlencode({"view": "all", "q": OPENING})
    return redirect(f"{reverse('web:queue')}?{query}")
