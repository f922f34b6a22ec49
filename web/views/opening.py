"""Opening a ticket."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from roles.people import roles_of
from roles.refusals import Refused
from tickets.opening import open_ticket
from web import doors
from web.forms.opening import OpeningForm
from web.views.acts import UNPROCESSABLE, status_of


@doors.signed_in(action="open", methods=doors.FORM)
def new(request: HttpRequest) -> HttpResponse:
    """Ask what it is about, and open the ticket; agents may open one for somebody else."""
    person = request.user
    by_agent = "agent" in roles_of(person)
    form = OpeningForm(request.POST or None, by_agent=by_agent)
    status = 200
    if request.method == "POST":
        status = UNPROCESSABLE
        if form.is_valid():
            given = dict(form.cleaned_data)
            given["requester"] = given.get("requester") or person
            try:
                ticket = open_ticket(actor=person, **given)
            except Refused as refused:
                form.show(refused)
                status = status_of(refused)
            else:
                messages.success(request, f"{ticket.key} is open. {ticket.team} has it now.")
                return redirect("web:ticket", key=ticket.key)
    context = {"form": form, "by_agent": by_agent, "here": "new"}
    return render(request, "web/opening/page.html", context, status=status)
