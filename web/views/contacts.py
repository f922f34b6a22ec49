"""Whom to call or tell in an outage, a security case or a vendor's work; how teams are told."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from notifications.channels.registry import on_offer
from notifications.models import TeamRule, Urgency
from notifications.teamrules import set_team_rules
from roles.models import Person, Team
from roles.people import is_allowed
from roles.refusals import Refused
from roles.teams import relations_to
from tickets import contactlists
from tickets.models import ContactList, Scenario
from web import doors
from web.forms.contacts import ContactForm, ListForm
from web.forms.reach import RulesForm, delay_label, label_of


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
        "teams": Team.objects.filter(is_active=True).order_by("name"),
        "here": "contacts",
    }
    return render(request, "web/rooms/contacts.html", context)


@doors.of_the_service(action="view")
def team_rules(request: HttpRequest, slug: str) -> HttpResponse:
    """How members of a team are told who have written no rules of their own."""
    return _rules_page(request, get_object_or_404(Team, slug=slug, is_active=True))


@doors.of_the_service(action="manage_roster", methods=doors.POST)
def set_rules(request: HttpRequest, slug: str, urgency: str) -> HttpResponse:
    """The team's rules for pages, or for other news."""
    team = get_object_or_404(Team, slug=slug, is_active=True)
    if urgency not in Urgency.values:
        raise Http404
    form = RulesForm(request.POST, channels=on_offer(), prefix=urgency)
    if form.is_valid():
        try:
            set_team_rules(actor=request.user, team=team, urgency=urgency, rules=form.rules)
        except Refused as refused:
            form.show(refused)
        else:
            messages.success(request, _("Saved."))
            return redirect("web:team-rules", slug=slug)
    return _rules_page(request, team, {urgency: form})


def _rules_page(
    request: HttpRequest, team: Team, sent: dict[str, RulesForm] | None = None
) -> HttpResponse:
    rows = list(TeamRule.objects.filter(team=team))
    forms = {
        urgency: RulesForm(
            channels=on_offer(),
            rules=[row for row in rows if row.urgency == urgency],
            prefix=urgency,
        )
        for urgency in Urgency.values
    }
    context = {
        "team": team,
        "rules": [(urgency, _in_words(rows, urgency)) for urgency in Urgency.values],
        "forms": {**forms, **(sent or {})},
        "may_keep": is_allowed(request.user, "manage_roster", relations_to(request.user, team)),
        "here": "contacts",
    }
    status = doors.UNPROCESSABLE if sent else 200
    return render(request, "web/rooms/team_rules.html", context, status=status)


def _in_words(rows: Sequence[TeamRule], urgency: str) -> str:
    """The rungs for one urgency, the soonest first; "" where there are none."""
    rungs = [row for row in rows if row.urgency == urgency]
    return ", ".join(f"{label_of(row.channel)} {delay_label(row.delay_s)}" for row in rungs)


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
    return contactlists.may_keep(person, None) or contactlists.kept_teams(person).exists()


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
