"""What people choose for themselves: time zone, language, theme."""

from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from roles.instants import database_now
from roles.models import Person
from roles.people import set_own_ways
from roles.refusals import Refused
from web import doors, look
from web.forms.you import YouForm
from web.readers import is_agent
from web.views.acts import UNPROCESSABLE
from web.views.calendars import links_of


@doors.signed_in(action="view", methods=doors.FORM)
def you(request: HttpRequest) -> HttpResponse:
    """The page on which a person chooses zone, language and theme."""
    person = cast(Person, request.user)
    held = {"zone": person.zone, "language": person.language, "theme": look.theme_of(request)}
    form = YouForm(request.POST or None, initial=held)
    if request.method in doors.READ or not form.is_valid():
        status = 200 if request.method in doors.READ else UNPROCESSABLE
        return _page(request, form, status)
    given = form.cleaned_data
    try:
        set_own_ways(actor=person, zone=given["zone"], language=given["language"])
    except Refused as refused:
        form.show(refused)
        return _page(request, form, UNPROCESSABLE)
    messages.success(request, _("Saved."))
    response = redirect("web:you")
    look.keep_theme(response, given["theme"])
    look.keep_language(response, given["language"])
    return response


def _page(request: HttpRequest, form: YouForm, status: int) -> HttpResponse:
    """The page; whoever works here finds the addresses of their calendars there too."""
    context: dict[str, Any] = {"form": form, "now": database_now()}
    if is_agent(request.user):
        context |= links_of(request, back="you")
    return render(request, "web/you/page.html", context, status=status)


@doors.signed_in(action="view", methods=("POST",))
def change_look(request: HttpRequest) -> HttpResponse:
    """Change theme or language from the menu, and go back to the page."""
    onward = request.headers.get("referer", "")  # a page must not tell of its address by itself
    if not url_has_allowed_host_and_scheme(onward, allowed_hosts={request.get_host()}):
        onward = "/"
    response = redirect(onward)
    theme, language = request.POST.get("theme", ""), request.POST.get("language", "")
    if theme in look.THEME_NAMES:
        look.keep_theme(response, theme)
    if language in look.CODES:
        person = cast(Person, request.user)
        set_own_ways(actor=person, zone=person.zone, language=language)
        look.keep_language(response, language)
    return response
