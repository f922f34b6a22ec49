"""Passwords: a new one by a link in a mail for whoever forgot theirs, and one's own, changed."""

from typing import cast

from django.contrib import messages
from django.contrib.auth import login, update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from notifications.passwords import ask_reset, change_password, owner_of, reset_password
from roles.models import Person
from roles.refusals import Refused
from web import doors, signin
from web.forms.access import ForgottenForm, OwnPasswordForm
from web.forms.setup import NewPasswordForm
from web.retold import retold
from web.views.access import TOO_MANY as TOO_MANY_WRONG

TOO_MANY = _("Asked too often. Wait a quarter of an hour, then try again.")
CHANGED = _("Your new password holds. Everywhere else you are signed out.")
FORGOTTEN = "forgotten"


@never_cache
@doors.public(action="sign_in", methods=doors.FORM)
def forgotten(request: HttpRequest) -> HttpResponse:
    """Send a link to whoever is called so; the answer is the same whether anybody is."""
    form = ForgottenForm(request.POST or None)
    context = {"form": form, "asked": False}
    if request.method != "POST":
        return render(request, "web/access/forgotten.html", context)
    if not form.is_valid():
        return render(request, "web/access/forgotten.html", context, status=doors.UNPROCESSABLE)
    called, address = form.cleaned_data["called"], request.META.get("REMOTE_ADDR", "")
    if signin.is_blocked(called, address, FORGOTTEN):
        form.add_error(None, TOO_MANY)
        return render(request, "web/access/forgotten.html", context, status=429)
    signin.note_failure(called, address, FORGOTTEN)
    ask_reset(called=called)
    context["asked"] = True
    return render(request, "web/access/forgotten.html", context)


@sensitive_post_parameters("password")
@never_cache
@doors.public(action="sign_in", methods=doors.FORM)
def reset(request: HttpRequest, token: str) -> HttpResponse:
    """Let the link's person choose a new password, once, and sign in with it."""
    form = NewPasswordForm(request.POST or None)
    try:
        owner = owner_of(token)
        if request.method == "POST" and form.is_valid():
            person = reset_password(token=token, password=form.cleaned_data["password"])
            login(request, person)
            messages.success(request, CHANGED)
            return redirect("/")
    except Refused as refused:
        if refused.code != "weak":
            context = {
                "code": refused.code,
                "detail": retold(refused.detail),
                "is_password": True,
            }
            return render(
                request, "web/links/refused.html", context, status=doors.status_of(refused)
            )
        form.show(refused)
    status = doors.UNPROCESSABLE if request.method == "POST" else 200
    return render(request, "web/access/reset.html", {"form": form, "owner": owner}, status=status)


@sensitive_post_parameters("current", "password")
@never_cache
@doors.signed_in(action="view", methods=doors.FORM)
def own(request: HttpRequest) -> HttpResponse:
    """Change one's own password; every other session of one's own ends."""
    person = cast(Person, request.user)
    form = OwnPasswordForm(request.POST or None)
    context = {"form": form, "has_one": person.has_usable_password()}
    if request.method != "POST":
        return render(request, "web/you/password.html", context)
    status = doors.UNPROCESSABLE
    address = request.META.get("REMOTE_ADDR", "")
    if signin.is_blocked(person.username, address):
        form.add_error(None, TOO_MANY_WRONG)
        status = 429
    elif form.is_valid():
        try:
            changed = change_password(actor=person, **form.cleaned_data)
        except Refused as refused:
            if refused.code == "wrong_password":
                signin.note_failure(person.username, address)
            form.show(refused)
        else:
            update_session_auth_hash(request, changed)
            messages.success(request, CHANGED)
            return redirect("web:you")
    return render(request, "web/you/password.html", context, status=status)
