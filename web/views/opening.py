"""Opening a ticket."""

from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from roles.people import roles_of
from roles.refusals import Refused
from tickets.opening import open_ticket
from web import doors, once
from web.forms.opening import OpeningForm
from web.views.acts import UNPROCESSABLE, status_of


@doors.signed_in(action="open", methods=doors.FORM)
def new(request: HttpRequest) -> HttpResponse:
    """Ask what it is about, and open the ticket; agents may open one for somebody else."""
    person = request.user
    by_agent = "agent" in roles_of(person)
    if not by_agent:
        return redirect("web:ask")
    form = OpeningForm(request.POST or None, by_agent=by_agent)
    status = 200
    if request.method == "POST":
        status = UNPROCESSABLE
        if form.is_valid():
            given = dict(form.cleaned_data)
            given["requester"] = given.get("requester") or person
            try:
                return redirect(once.send_once(request, partial(_open, request, given)))
            except Refused as refused:
                form.show(refused)
                status = status_of(refused)
    context = {"form": form, "by_agent": by_agent, "here": "new"}
    return render(request, "web/opening/page.html", context, status=status)


def _open(request: HttpRequest, given: dict[str, Any]) -> str:
    """Open the ticket; answers the address of its page. Raises Refused."""
    ticket = open_ticket(actor=request.user, **given)
    told = _("%(key)s is open. %(team)s has it now.") % {"key": ticket.key, "team": ticket.team}
    messages.success(request, told)
    return reverse("web:ticket", args=[ticket.key])
