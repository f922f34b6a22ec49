"""The first run: from nothing to the first ticket, one small step after another."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from escalation.why import why_nobody_was_paged
from notifications.models import Message
from notifications.welcome import accept, guest_of, invite_again, invite_person
from roles.instants import database_now
from roles.models import Duty, Membership, Person, Team
from roles.newcomers import is_untouched, make_first_administrator
from roles.people import is_allowed
from roles.refusals import Refused
from roles.teams import add_member, assign_duty, set_heads
from tickets.models import Ticket
from tickets.opening import open_ticket
from web import doors, firstlink, firstrun
from web.forms.base import PageForm
from web.forms.setup import (
    FirstForm,
    HoursForm,
    InviteForm,
    LadderForm,
    OnCallForm,
    PasswordForm,
    PolicyForm,
    TeamsForm,
    TrialForm,
)
from web.retold import retold
from web.timeline import in_reader_zone

UNDER_WAY = timedelta(seconds=15)
"""How long a first page may take to leave before its newcomer is told what it waits for."""

# ---- The doors of newcomers ----------------------------------------------------------------------


@sensitive_post_parameters("password")
@never_cache
@doors.public(action="sign_in", methods=doors.FORM)
def first(request: HttpRequest, token: str) -> HttpResponse:
    """Make the first administrator; the printed link is the proof, and nobody may be here yet."""
    if not (is_untouched() and firstlink.is_genuine(token)):
        raise Http404
    form = FirstForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = doors.UNPROCESSABLE
        if form.is_valid():
            try:
                person = make_first_administrator(**form.cleaned_data)
            except Refused as refused:
                form.show(refused)
            else:
                login(request, person)
                return redirect("web:setup")
    return render(request, "web/setup/first.html", {"form": form}, status=status)


@sensitive_post_parameters("password")
@never_cache
@doors.public(action="sign_in", methods=doors.FORM)
def welcome(request: HttpRequest, token: str) -> HttpResponse:
    """Let an invited person choose a password; the link is spent by it."""
    form = PasswordForm(request.POST or None)
    try:
        guest = guest_of(token)
        if request.method == "POST" and form.is_valid():
            person = accept(token=token, password=form.cleaned_data["password"])
            login(request, person)
            messages.success(request, _("Welcome. Your user name is %s.") % person.username)
            return redirect("/")
    except Refused as refused:
        if refused.code != "weak":
            context = {"code": refused.code, "detail": retold(refused.detail)}
            return render(
                request, "web/links/refused.html", context, status=doors.status_of(refused)
            )
        form.show(refused)
    status = doors.UNPROCESSABLE if request.method == "POST" else 200
    return render(request, "web/setup/welcome.html", {"form": form, "guest": guest}, status=status)


# ---- The steps -----------------------------------------------------------------------------------


@doors.signed_in(action="admin")
def setup(request: HttpRequest) -> HttpResponse:
    """The step that is to be done next; the last one once everything is done."""
    _require_administrator(request)
    step = firstrun.next_step(firstrun.steps())
    return redirect("web:setup-step", step=step.slug if step else "ticket")


@doors.signed_in(action="admin", methods=doors.FORM)
def setup_step(request: HttpRequest, step: str) -> HttpResponse:
    """One step with its form, beside the list of all; POST does it and goes on."""
    _require_administrator(request)
    if step not in STEPS:
        raise Http404
    form = STEPS[step][0](request.POST or None, initial=_begun(request.user, step))
    status = 200
    if request.method == "POST":
        status = doors.UNPROCESSABLE
        if form.is_valid():
            try:
                onward = STEPS[step][1](request, form)
            except Refused as refused:
                form.show(refused)
                status = doors.status_of(refused)
            else:
                return redirect("web:setup-step", step=onward)
    return _page(request, step, form, status)


def _require_administrator(request: HttpRequest) -> None:
    if not is_allowed(request.user, "admin"):
        raise Http404


def _administrator(request: HttpRequest) -> Person:
    assert isinstance(request.user, Person)
    return request.user


def _begun(person: Person, step: str) -> dict[str, Any]:
    """What a form begins with beside its own defaults."""
    if step == "hours":
        return {"zone": person.zone}
    if step == "people" and not Membership.objects.filter(person=person).exists():
        return {"name": person.name, "email": person.email}
    return {}


def _page(request: HttpRequest, step: str, form: PageForm, status: int) -> HttpResponse:
    steps = firstrun.steps()
    slugs = [each.slug for each in steps]
    following = slugs.index(step) + 1
    context = {
        "form": form,
        "steps": steps,
        "step": steps[slugs.index(step)],
        "onward": slugs[following] if following < len(slugs) else "",
        "done": sum(each.is_done for each in steps),
        "here": "setup",
        **_about(step),
    }
    part = request.htmx and request.htmx.target == "arrival"  # type: ignore[attr-defined]
    template = "web/setup/_arrival.html" if part else "web/setup/step.html"
    return render(request, template, context, status=status)


def _about(step: str) -> dict[str, Any]:
    """What a step shows beside its form."""
    if step == "people":
        teams = Team.objects.filter(is_active=True).order_by("-is_service_desk", "name")
        return {"teams": teams.prefetch_related("memberships__person")}
    if step == "ticket":
        return {**_arrival(), "now": database_now()}
    return {}


def _arrival() -> dict[str, Any]:
    """The first ticket, the pages that it has brought about, and why not if there is none."""
    ticket = Ticket.objects.filter(restricted=False).select_related("team").order_by("pk").first()
    if ticket is None:
        return {}
    pages = list(
        Message.objects.filter(topic=ticket.topic, kind="page")
        .select_related("recipient")
        .order_by("pk")[:5]
    )
    now = database_now()
    is_late = not pages and now - ticket.opened_at > UNDER_WAY
    lines = why_nobody_was_paged(ticket, now) if is_late else []
    why = [in_reader_zone(retold(line)) for line in lines]
    return {"trial": ticket, "pages": pages, "why": why}


# ---- What each step does: the slug of the step to show then --------------------------------------


def _ladder(request: HttpRequest, form: Any) -> str:
    firstrun.apply(request.user, firstrun.starter(form.cleaned_data["choice"]))
    return "hours"


def _hours(request: HttpRequest, form: Any) -> str:
    given = form.cleaned_data
    firstrun.set_hours(
        request.user,
        zone=given["zone"],
        opens=given["opens"].strftime("%H:%M"),
        closes=given["closes"].strftime("%H:%M"),
        country=given["country"],
    )
    return "teams"


def _teams(request: HttpRequest, form: Any) -> str:
    firstrun.set_teams(request.user, form.named(), hours=form.cleaned_data["hours"])
    return "people"


def _people(request: HttpRequest, form: Any) -> str:
    """Invite somebody, or give somebody who is here already a place; the link is shown once."""
    given, actor = form.cleaned_data, _administrator(request)
    person = Person.objects.filter(email__iexact=given["email"], is_active=True).first()
    if person is None:
        person, link = invite_person(
            actor=actor, name=given["name"], email=given["email"], zone=actor.zone
        )
        messages.info(request, _link_words(person, link))
    _place(actor, person, given["team"], given["part"])
    return "people"


def _link_words(person: Person, link: str) -> str:
    words = _("%(name)s is invited by mail. The same link, shown this once: %(link)s")
    return words % {"name": person, "link": link}


def _place(actor: Person, person: Person, team: Team, part: str) -> None:
    role = part if part in Membership.Role.values else Membership.Role.MEMBER
    add_member(team=team, person=person, role=role, actor=actor)
    if part == "lead":
        set_heads(team=team, lead=person, manager=team.manager, actor=actor)
    elif part == "manager":
        set_heads(team=team, lead=team.lead, manager=person, actor=actor)
    elif part == "incident_manager":
        duty = Duty.objects.filter(slug="incident-manager").first()
        if duty is not None:
            assign_duty(duty=duty, person=person, actor=actor)


def _on_call(request: HttpRequest, form: Any) -> str:
    zone, teams = _administrator(request).zone, list(form.cleaned_data["teams"])
    firstrun.set_rosters(request.user, teams, zone=zone, now=database_now())
    return "policy"


def _policy(request: HttpRequest, form: Any) -> str:
    firstrun.apply(request.user, firstrun.starter(form.cleaned_data["choice"]))
    return "ticket"


def _ticket(request: HttpRequest, form: Any) -> str:
    person = request.user
    open_ticket(
        subject=form.cleaned_data["subject"],
        requester=person,
        actor=person,
        description=_("Opened at the first run, to see a page arrive."),
        impact=1,
        urgency=1,
    )
    return "ticket"


STEPS: dict[str, tuple[type[PageForm], Callable[[HttpRequest, Any], str]]] = {
    "ladder": (LadderForm, _ladder),
    "hours": (HoursForm, _hours),
    "teams": (TeamsForm, _teams),
    "people": (InviteForm, _people),
    "on-call": (OnCallForm, _on_call),
    "policy": (PolicyForm, _policy),
    "ticket": (TrialForm, _ticket),
}


@doors.signed_in(action="admin", methods=("POST",))
def new_link(request: HttpRequest) -> HttpResponse:
    """A fresh sign-in link for somebody who has not used the first one, shown once."""
    _require_administrator(request)
    given = request.POST.get("id", "")
    pk = int(given) if given.isascii() and given.isdecimal() and len(given) < 18 else 0
    person = Person.objects.filter(pk=pk, is_active=True).first()
    if person is None:
        raise Http404
    try:
        messages.info(request, _link_words(person, invite_again(actor=request.user, person=person)))
    except Refused as refused:
        messages.error(request, retold(refused.detail))
    return redirect("web:setup-step", step="people")
