"""Signing in and out."""

from django.conf import settings
from django.contrib.auth import authenticate, login, logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from roles.newcomers import is_untouched
from web import doors, signin
from web.forms.access import SignInForm

WRONG = _("User name and password do not match. Both are checked together; try again.")
TOO_MANY = _("Too many wrong passwords. Wait a quarter of an hour, then try again.")


@sensitive_post_parameters("password")
@never_cache
@doors.public(action="sign_in", methods=doors.FORM)
def sign_in(request: HttpRequest) -> HttpResponse:
    """Ask for user name and password; on success go where the person wanted to go."""
    onward = _safe_next(request)
    if request.user.is_authenticated:
        return redirect(onward)
    form = SignInForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = _try(request, form)
        if status == 302:
            return redirect(onward)
    asked = request.GET.get("next") or request.POST.get("next", "")
    context = {
        "form": form,
        "next": asked,
        "example_site": _is_example(),
        "untouched": is_untouched(),
    }
    return render(request, "web/access/sign_in.html", context, status=status)


@doors.public(action="sign_out", methods=("POST",))
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    logout(request)
    return redirect("web:sign-in")


def _try(request: HttpRequest, form: SignInForm) -> int:
    """Sign in by the form; answer the HTTP status, 302 for success."""
    if not form.is_valid():
        return 422
    username, address = form.cleaned_data["username"], request.META.get("REMOTE_ADDR", "")
    if signin.is_blocked(username, address):
        form.add_error(None, TOO_MANY)
        return 429
    person = authenticate(request, username=username, password=form.cleaned_data["password"])
    if person is None:
        signin.note_failure(username, address)
        form.add_error(None, WRONG)
        return 422
    signin.forget_failures(username, address)
    login(request, person)
    return 302


def _safe_next(request: HttpRequest) -> str:
    asked = request.POST.get("next") or request.GET.get("next", "")
    safe = url_has_allowed_host_and_scheme(
        asked, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return asked if safe else "/"


def _is_example() -> bool:
    return bool(getattr(settings, "EXAMPLE_SITE", False))
