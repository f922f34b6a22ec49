"""How one is told: the page for everybody's own addresses, rules, quiet hours and stand-in."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.staticfiles import finders
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from notifications import ways
from notifications.accounts import TEAMS_ACCOUNT, connect_code
from notifications.channels.push import public_key
from notifications.models import ContactMethod, Urgency
from roles.instants import database_now
from roles.models import Person
from roles.people import roles_of
from roles.refusals import Refused
from web import doors
from web.forms.base import PageForm
from web.forms.reach import AwayForm, CodeForm, MethodForm, QuietForm, RulesForm, label_of
from web.reach import Reach, reach_of, reason_of, state_of
from web.views.acts import UNPROCESSABLE

Forms = dict[str, PageForm]


@doors.signed_in(action="view")
def told(request: HttpRequest) -> HttpResponse:
    """Where the reader is reached, by which rules, and what was sent lately."""
    return _page(request)


@doors.public(action="view")
def push_worker(request: HttpRequest) -> HttpResponse:
    """The script that shows what is pushed: at the root, for its reach is the folder it is in."""
    path = finders.find("web/push-worker.js")
    if path is None:
        raise Http404
    text = Path(path).read_text(encoding="utf-8")
    return HttpResponse(text, content_type="text/javascript; charset=utf-8")


@doors.signed_in(action="view", methods=doors.POST)
def add(request: HttpRequest) -> HttpResponse:
    """One more address; a code goes there."""
    reach = reach_of(_reader(request))
    form = MethodForm(request.POST, channels=reach.offered)  # a browser's own too

    def do(given: dict[str, Any]) -> str:
        ways.add_method(actor=reach.person, **given)
        return _("A code is on its way. Enter it below.")

    return _done(request, "method", form, do)


@doors.signed_in(action="view", methods=doors.POST)
def prove(request: HttpRequest, pk: int) -> HttpResponse:
    """The code that came."""
    method = _method(request, pk)
    form = CodeForm(request.POST, prefix=f"m{pk}")

    def do(given: dict[str, Any]) -> str:
        ways.prove_method(actor=_reader(request), method=method, code=given["code"])
        return _("Proved. Choose below when it is used.")

    return _done(request, f"code{pk}", form, do)


@doors.signed_in(action="view", methods=doors.POST)
def change_method(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """Another code for an address of one's own, a test, or no such address any more."""
    method, actor = _method(request, pk), _reader(request)
    with doors.refusals_told(request):
        if verb == "again":
            ways.send_code_again(actor=actor, method=method)
            messages.success(request, _("Another code is on its way."))
        elif verb == "test":
            ways.send_test(actor=actor, method=method)
            messages.success(request, _("A test is on its way to %s.") % label_of(method.channel))
        elif verb == "remove":
            ways.remove_method(actor=actor, method=method)
            messages.success(request, _("Removed."))
        else:
            raise Http404
    return redirect("web:told")


@doors.signed_in(action="view", methods=doors.POST)
def test_mail(request: HttpRequest) -> HttpResponse:
    """A test to one's own mail address."""
    with doors.refusals_told(request):
        ways.send_test(actor=_reader(request))
        messages.success(request, _("A test is on its way to %s.") % label_of("email"))
    return redirect("web:told")


@doors.signed_in(action="view", methods=doors.POST)
def rules(request: HttpRequest, urgency: str) -> HttpResponse:
    """Over which channels pages, or other news, come and when."""
    if urgency not in Urgency.values:
        raise Http404
    reach = reach_of(_reader(request))
    form = RulesForm(request.POST, channels=reach.ready, prefix=urgency)

    def do(given: dict[str, Any]) -> str:
        ways.set_rules(actor=reach.person, urgency=urgency, rules=form.rules)
        return _("Saved.")

    return _done(request, urgency, form, do)


@doors.signed_in(action="view", methods=doors.POST)
def quiet(request: HttpRequest) -> HttpResponse:
    """Between which hours low news waits."""
    form = QuietForm(request.POST)

    def do(given: dict[str, Any]) -> str:
        begins, ends = given["quiet_from"], given["quiet_until"]
        ways.set_quiet_hours(actor=_reader(request), begins=begins, ends=ends)
        return _("Saved.")

    return _done(request, "quiet", form, do)


@doors.signed_in(action="view", methods=doors.POST)
def away(request: HttpRequest) -> HttpResponse:
    """Hand one's pages on for a while."""
    form = AwayForm(request.POST, person=_reader(request))

    def do(given: dict[str, Any]) -> str:
        ways.go_away(actor=_reader(request), **given)
        return _("%s takes your pages and has been told.") % given["taker"]

    return _done(request, "away", form, do)


@doors.signed_in(action="view", methods=doors.POST)
def back(request: HttpRequest) -> HttpResponse:
    """Take one's pages oneself again."""
    ways.come_back(actor=_reader(request))
    messages.success(request, _("Pages reach you again."))
    return redirect("web:told")


def _done(
    request: HttpRequest, name: str, form: PageForm, do: Callable[[dict[str, Any]], str]
) -> HttpResponse:
    """Do what the form asks for; what is wrong is said beside the field, and nothing is lost."""
    if form.is_valid():
        try:
            messages.success(request, do(form.cleaned_data))
        except Refused as refused:
            form.show(refused)
        else:
            return redirect("web:told")
    return _page(request, {name: form}, UNPROCESSABLE)


def _page(request: HttpRequest, sent: Forms | None = None, status: int = 200) -> HttpResponse:
    reach = reach_of(_reader(request))
    now = database_now()
    sent = sent or {}
    context = {
        "reach": reach,
        "now": now,
        "is_away": reach.is_away(now),
        "forms": {**_blank(reach), **sent},
        "methods": [(each, sent.get(f"code{each.pk}") or _code(each)) for each in reach.methods],
        "letters": [
            (each, state_of(each), label_of(each.channel), reason_of(each))
            for each in reach.letters
        ],
        "in_words": reach.in_words,
        "may_be_paged": bool(roles_of(reach.person) - {"requester"}),
        "push_key": public_key() if "push" in reach.offered else "",
        "push_ended": any(m.channel == "push" and m.ended_because for m in reach.methods),
        "teams_code": _teams_code(reach.person),
    }
    return render(request, "web/you/told.html", context, status=status)


def _teams_code(person: Person) -> str:
    """What proves in Microsoft Teams who one is; "" where commands are not taken from there."""
    if not settings.TEAMS_WEBHOOK_SECRET or not roles_of(person) - {"requester"}:
        return ""
    return connect_code(person=person, channel=TEAMS_ACCOUNT)


def _blank(reach: Reach) -> Forms:
    held = {"quiet_from": reach.ways.quiet_from, "quiet_until": reach.ways.quiet_until}
    forms: Forms = {
        urgency: RulesForm(channels=reach.ready, rules=reach.rules_of(urgency), prefix=urgency)
        for urgency in Urgency.values
    }
    return {
        **forms,
        "method": MethodForm(channels=_typed(reach)),
        "quiet": QuietForm(initial=held),
        "away": AwayForm(person=reach.person),
    }


def _typed(reach: Reach) -> list[str]:
    """The channels whose addresses a person can type; a browser gives its own."""
    return [channel for channel in reach.offered if channel != "push"]


def _code(method: ContactMethod) -> PageForm:
    return CodeForm(prefix=f"m{method.pk}")


def _reader(request: HttpRequest) -> Person:
    return cast(Person, request.user)


def _method(request: HttpRequest, pk: int) -> ContactMethod:
    return get_object_or_404(ContactMethod, pk=pk, person=_reader(request))
