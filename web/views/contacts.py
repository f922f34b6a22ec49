"""Contact lists: whom to call or tell in an outage, a security case, or a vendor's work."""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from roles.models import Person, Team
from roles.refusals import Refused
from tickets import contactlists
from tickets.models import ContactList, Scenario
from web import doors
from web.forms.contacts import ContactForm, ListForm


@doors.of_the_service(action="view")
def index(request: HttpRequest) -> HttpResponse:
    """Every list in use, by scenario."""
    rows = list(_in_use())
    context = {
        "scenarios": [
            (scenario, [each for each in rows if each.scenario == scenario])
            for scenario in Scenario
        ],
        "may_add": _may_add(request),
        "here": "contacts",
    }
    return render(request, "web/rooms/contacts.html", context)


@doors.of_the_service(action="manage_roster", methods=doors.FORM)
def new(request: HttpRequest) -> HttpResponse:
    """One more list."""
    form = ListForm(doors.posted(request), person=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            kept = contactlists.keep_list(actor=request.user, **form.cleaned_data)
        except Refused as refused:
            form.show(refused)
        else:
            messages.success(request, _("Kept. Now name who is on it."))
            return redirect("web:contact-list", pk=kept.pk)
    return _page(request, None, facts=form)


@doors.of_the_service(action="view", methods=doors.FORM)
def one(request: HttpRequest, pk: int) -> HttpResponse:
    """One list with who is on it; its facts are changed here."""
    listed = get_object_or_404(_in_use(), pk=pk)
    form = ListForm(doors.posted(request), person=request.user, listed=listed)
    if request.method == "POST" and form.is_valid():
        try:
            contactlists.keep_list(actor=request.user, listed=listed, **form.cleaned_data)
        except Refused as refused:
            form.show(refused)
        else:
            messages.success(request, _("Saved."))
            return redirect("web:contact-list", pk=pk)
    return _page(request, listed, facts=form)


@doors.of_the_service(action="manage_roster", methods=doors.POST)
def add(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody more on the list."""
    listed = get_object_or_404(_in_use(), pk=pk)
    form = ContactForm(request.POST)
    if form.is_valid():
        try:
            contactlists.put_on_list(actor=request.user, listed=listed, **form.cleaned_data)
        except Refused as refused:
            form.show(refused)
        else:
            return redirect("web:contact-list", pk=pk)
    facts = ListForm(person=request.user, listed=listed)
    return _page(request, listed, facts=facts, person=form)


@doors.of_the_service(action="manage_roster", methods=doors.POST)
def remove(request: HttpRequest, pk: int, person_id: int) -> HttpResponse:
    """Somebody less on the list."""
    listed = get_object_or_404(_in_use(), pk=pk)
    person = get_object_or_404(Person, pk=person_id)
    with doors.refusals_told(request):
        contactlists.take_off_list(actor=request.user, listed=listed, person=person)
    return redirect("web:contact-list", pk=pk)


@doors.of_the_service(action="manage_roster", methods=doors.POST)
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """The list is not used any more."""
    listed = get_object_or_404(_in_use(), pk=pk)
    with doors.refusals_told(request):
        contactlists.end_list(actor=request.user, listed=listed)
        messages.success(request, _("The list is not used any more."))
    return redirect("web:contacts")


def _in_use() -> QuerySet[ContactList]:
    rows = ContactList.objects.filter(is_active=True).select_related("team")
    return rows.prefetch_related("services", "contacts__person")


def _may_add(request: HttpRequest) -> bool:
    person = request.user
    if contactlists.may_keep(person, None):
        return True
    led = Team.objects.filter(is_active=True, memberships__person=person.pk)
    return any(contactlists.may_keep(person, team) for team in led)


def _page(
    request: HttpRequest,
    listed: ContactList | None,
    *,
    facts: ListForm,
    person: ContactForm | None = None,
) -> HttpResponse:
    context: dict[str, Any] = {
        "listed": listed,
        "facts": facts,
        "person_form": person or ContactForm(),
        "may_keep": _may_add(request)
        if listed is None
        else contactlists.may_keep(request.user, listed.team),
        "here": "contacts",
    }
    is_wrong = facts.is_bound or person is not None
    status = doors.UNPROCESSABLE if is_wrong else 200
    return render(request, "web/rooms/contact_list.html", context, status=status)
