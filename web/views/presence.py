"""Who else is at a ticket: told by the pages that are open, and shown on them."""

import re
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tickets.access import may
from web import doors, presence
from web.reading import visible_ticket

PAGE: Final = re.compile(r"[0-9a-z]{1,16}")
"""What an open page calls itself."""


@doors.signed_in(action="view", methods=("GET", "POST"))
def here(request: HttpRequest, key: str) -> HttpResponse:
    """Note that the reader is here, or types, or leaves; answers with who else is.

    Only people of the service see each other: a requester is neither counted nor told.
    """
    ticket = visible_ticket(request.user, key)
    if not may(request.user, "see_internal", ticket):
        return HttpResponse(status=204)
    if request.method == "POST":
        state, page = request.POST.get("state", ""), request.POST.get("page", "")
        page = page if PAGE.fullmatch(page) else ""
        if state == "gone":
            presence.leave(ticket, request.user, page=page)
            return HttpResponse(status=204)
        presence.note_presence(ticket, request.user, types=state == "types", page=page)
    found = presence.others(ticket, request.user)
    return render(request, "web/ticket/_present.html", {"present": found})
