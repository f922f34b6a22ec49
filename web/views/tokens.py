"""The tokens by which a person's own programs sign in: made, shown once, revoked."""

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from roles.instants import database_now
from roles.models import ApiToken, Person
from roles.refusals import Refused
from roles.tokens import issue, revoke
from web import doors
from web.forms.tokens import TokenForm, scopes_for


@doors.signed_in(action="view", methods=doors.FORM)
@never_cache
def tokens(request: HttpRequest) -> HttpResponse:
    """My tokens, and the form for one more.

    A new one is shown in the answer itself: it is kept nowhere, so that no other page could.
    """
    person = cast(Person, request.user)
    form = TokenForm(doors.posted(request), person=person, initial={"life": "90"})
    if not form.is_bound:
        return _page(request, form)
    if not form.is_valid():
        return _page(request, form, status=doors.UNPROCESSABLE)
    given = form.cleaned_data
    try:
        _token, plain = issue(
            person=person,
            name=given["name"],
            scopes=given["scopes"],
            expires_at=form.expires_at(database_now()),
            actor=person,
        )
    except Refused as refused:
        form.show(refused)
        return _page(request, form, status=doors.status_of(refused))
    return _page(request, TokenForm(person=person, initial={"life": "90"}), plain=plain)


@doors.signed_in(action="view", methods=doors.POST)
def end_token(request: HttpRequest, pk: int) -> HttpResponse:
    """One of my tokens, useless from now on."""
    token = get_object_or_404(ApiToken, pk=pk, person=request.user)
    with doors.refusals_told(request):
        revoke(token=token, actor=cast(Person, request.user))
        messages.success(request, _("Revoked: %(name)s.") % {"name": token.name})
    return redirect("web:tokens")


def _page(
    request: HttpRequest, form: TokenForm, *, plain: str = "", status: int = 200
) -> HttpResponse:
    person, now = cast(Person, request.user), database_now()
    words = dict(scopes_for(person))
    held = ApiToken.objects.filter(person=person, revoked_at=None)
    context = {
        "form": form,
        "plain": plain,
        "now": now,
        "held": [
            (
                token,
                [words.get(scope, scope) for scope in token.scopes],
                token.expires_at is not None and token.expires_at <= now,
            )
            for token in held
        ],
    }
    return render(request, "web/you/tokens.html", context, status=status)
