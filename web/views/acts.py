"""One page and one endpoint for each act: ask, do, say what came of it."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from escalation.routes import panel
from roles.models import Team
from roles.refusals import Conflict, Forbidden, Refused
from tickets.access import allowed_actions
from tickets.models import Ticket
from web import doors
from web.acts import Act, Situation, situation
from web.forms.acts import ASKED, ActForm, CompleteForm, EscalateForm, MoveForm
from web.reading import visible_ticket
from web.register import ACTS
from web.retold import retold

UNPROCESSABLE = 422
OVERTAKEN = 409
LOOK = "look"


def status_of(refused: Refused) -> int:
    """The HTTP status that tells of a refusal: 403, 409 or 422."""
    if isinstance(refused, Forbidden):
        return 403
    return 409 if isinstance(refused, Conflict) else UNPROCESSABLE


def view_of(act: Act) -> doors.View:
    """The view of one act: GET asks, POST acts."""

    @doors.signed_in(action=act.needs[0], methods=doors.FORM)
    def perform(request: HttpRequest, key: str) -> HttpResponse:
        person = request.user
        ticket = visible_ticket(person, key)
        at = situation(ticket, person, allowed_actions(person, ticket))
        if not act.is_allowed(at.allowed):
            return _page(request, act, at, None, error=_forbidden(act, ticket), status=403)
        if request.method != "POST" and not act.fits(at):
            return _page(request, act, at, None, status=OVERTAKEN)
        form = _form(act, at, request)
        if request.method == "POST" and LOOK not in request.POST:
            return _post(request, act, at, form)
        return _page(request, act, at, form)

    return perform


def _post(request: HttpRequest, act: Act, at: Situation, form: ActForm | None) -> HttpResponse:
    if form is not None and not form.is_valid():
        return _page(request, act, at, form, status=UNPROCESSABLE)
    try:
        told = act.perform(at.ticket, at.person, _data(form))
    except Refused as refused:
        if form is not None:
            form.show(refused)
        error = "" if form is not None else retold(refused.detail)
        return _page(request, act, at, form, error=error, status=status_of(refused))
    messages.success(request, told if isinstance(told, str) else act.done)
    onward = _onward(act, at)
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponse(status=204, headers={"HX-Redirect": onward})
    return redirect(onward)


def _onward(act: Act, at: Situation) -> str:
    """The ticket's page or the act's room; the queue when the ticket is now out of sight."""
    if not Ticket.objects.visible_to(at.person).filter(pk=at.ticket.pk).exists():
        return reverse("web:queue")
    return reverse(f"web:{act.room or 'ticket'}", args=[at.ticket.key])


def _form(act: Act, at: Situation, request: HttpRequest) -> ActForm | None:
    if act.form is None:
        return None
    given = request.POST if request.method == "POST" else None
    # The page behind the dialog has fields of the same names; a label names its field by id.
    about: dict[str, Any] = {"ticket": at.ticket, "person": at.person, "auto_id": "act_%s"}
    if given and LOOK in given:  # another choice was made, whose questions are to be shown
        form = act.form(initial=given.dict(), **about)
    else:
        form = act.form(given, **about)
    if isinstance(form, EscalateForm):
        form.offer(panel(at.ticket, at.person, at.ticket.read_at))  # type: ignore[attr-defined]
    return form


def _data(form: ActForm | None) -> dict[str, Any]:
    """The form's answers in the names and types of the domain function."""
    if form is None:
        return {}
    data = dict(form.cleaned_data)
    if isinstance(form, EscalateForm):
        data = {name: data[name] for name in data if not name.startswith(ASKED)}
        data["to_team"] = Team.objects.filter(slug=data["to_team"]).first()  # none at the top
        data["answers"] = form.answers()
    elif isinstance(form, CompleteForm):
        data = form.given()
    elif isinstance(form, MoveForm):
        data["to_team"] = data.pop("team")
    return data


def _ways(act: Act, at: Situation) -> list[Act]:
    """What the person can do instead, now that somebody was faster."""
    return [each for each in ACTS if each.main and each.slug != act.slug and each.is_offered(at)]


def _forbidden(act: Act, ticket: Ticket) -> str:
    return _("You may not do this with %(key)s: “%(act)s”.") % {"key": ticket.key, "act": act.verb}


def _page(
    request: HttpRequest,
    act: Act,
    at: Situation,
    form: ActForm | None,
    *,
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    fresh = at
    if status == OVERTAKEN:
        found = visible_ticket(at.person, at.ticket.key)
        fresh = situation(found, at.person, allowed_actions(at.person, found))
    is_over = status == OVERTAKEN and not act.fits(fresh)  # and not refused for another reason
    context = {
        "act": act,
        "ticket": fresh.ticket,
        "form": form,
        "error": error,
        "may_act": form is not None or not (status == 403 or is_over),
        "state": is_over,
        "ways": _ways(act, fresh) if is_over else [],
        "now": fresh.ticket.read_at,  # type: ignore[attr-defined]
        "here": "queue",
    }
    part = request.htmx and not request.htmx.boosted  # type: ignore[attr-defined]
    template = "web/acts/_act.html" if part else "web/acts/page.html"
    return render(request, template, context, status=status)
