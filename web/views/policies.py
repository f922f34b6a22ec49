"""Policies: the list, one in prose, its history, its draft, publishing it, moving climbs."""

from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from escalation.models import Policy, PolicyRevision, Run
from escalation.moving import move_runs
from escalation.policies import (
    Publication,
    add_policy,
    draft_policy,
    newest_of,
    preview,
    publish_policy,
)
from escalation.touching import touched
from roles.instants import database_now
from roles.models import Person
from roles.people import is_allowed
from roles.refusals import Refused
from tickets.models import Ticket
from web import doors
from web.drafts import Draft, as_arguments, draft_of, read_draft, rearranged, typed_names
from web.forms.policies import DraftForm, MoveForm, NewPolicyForm, choices
from web.policychanges import changes_between
from web.policynames import Names, all_names, names_in
from web.prose import STOPS, applies_words, lines_of, plain
from web.retold import retold

REVISIONS: Final = 50
"""Revisions that a history lists; a policy older than that is read in the admin."""


@doors.of_the_service(action="view")
def policies(request: HttpRequest) -> HttpResponse:
    """Every policy in the order in which they are tried. Five queries of its own."""
    drafts = PolicyRevision.objects.filter(policy=OuterRef("pk"), published_at=None)
    rows = Policy.objects.select_related("current__published_by").annotate(has_draft=Exists(drafts))
    climbs = running_climbs(request.user)
    names = names_in([row.current.conditions for row in rows if row.current])
    context = {
        "rows": [(row, _applies(row, names), climbs.get(row.pk, 0)) for row in rows],
        "may_manage": may_manage(request.user),
        "now": database_now(),
        "here": "policies",
    }
    return render(request, "web/policies/list.html", context)


@doors.of_the_service(action="manage_policies", methods=doors.FORM)
def new(request: HttpRequest) -> HttpResponse:
    """Ask what a new policy is called; its first draft is written next."""
    if not may_manage(request.user):
        raise PermissionDenied
    form = NewPolicyForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = doors.UNPROCESSABLE
        if form.is_valid():
            try:
                added = add_policy(actor=request.user, **form.cleaned_data)
                return redirect("web:policy-edit", slug=added.slug)
            except Refused as refused:
                form.show(refused)
                status = doors.status_of(refused)
    context = {"form": form, "here": "policies"}
    return render(request, "web/policies/new.html", context, status=status)


@doors.of_the_service(action="view")
def policy(request: HttpRequest, slug: str) -> HttpResponse:
    """One policy in prose, as a ladder."""
    found = policy_of(slug)
    current, manages = found.current, may_manage(request.user)
    draft = revisions_of(found).filter(published_at=None).first() if manages else None
    shown = current or draft
    context = {
        "policy": found,
        "revision": shown,
        "is_draft": shown is not None and shown == draft,
        **_in_words(shown),
        "stops": [STOPS[name] for name in shown.stop_on if name in STOPS] if shown else [],
        "draft": draft,
        "changes": changes_between(current, draft) if current and draft else [],
        "climbs": running_climbs(request.user).get(found.pk, 0),
        "behind": touched(found, current, request.user) if current and manages else None,
        "form": MoveForm(),
        "may_manage": manages,
        "now": database_now(),
        "here": "policies",
    }
    return render(request, "web/policies/policy.html", context)


@doors.of_the_service(action="view")
def history(request: HttpRequest, slug: str) -> HttpResponse:
    """Every published revision, and what the one that was asked for changed."""
    found = policy_of(slug)
    published = revisions_of(found).exclude(published_at=None).order_by("-number")
    rows = list(published.select_related("published_by")[:REVISIONS])
    asked = request.GET.get("revision", "")
    shown = next((row for row in rows if str(row.number) == asked), rows[0] if rows else None)
    before = next((row for row in rows if shown and row.number < shown.number), None)
    context = {
        "policy": found,
        "rows": rows,
        "shown": shown,
        "before": before,
        "changes": changes_between(before, shown) if shown and before else [],
        **_in_words(shown),
        "now": database_now(),
        "here": "policies",
    }
    return render(request, "web/policies/history.html", context)


@doors.of_the_service(action="manage_policies", methods=doors.FORM)
def edit(request: HttpRequest, slug: str) -> HttpResponse:
    """The form of the draft: rows come and go, mistakes are shown as one types, saving keeps it."""
    found = _managed(request, slug)
    if request.method != "POST":
        kept = revisions_of(found).filter(published_at=None).first()
        draft = draft_of(kept or found.current)
        form = DraftForm(draft, {}, _names_of(draft))
        return _editor(request, found, form, read=newest_of(found))
    names = all_names(typed_names(request.POST))
    draft = read_draft(request.POST, names)
    act = request.POST.get("act", "save")
    if act == "check" and request.htmx:  # type: ignore[attr-defined]
        form = DraftForm(draft, draft.mistakes(names), names)
        return render(request, "web/policies/_mistakes.html", {"form": form})
    if act != "save":
        draft = rearranged(draft, act)
        mistakes = draft.mistakes(names) if act == "check" else {}
        return _editor(request, found, DraftForm(draft, mistakes, names))
    return _save(request, found, DraftForm(draft, draft.mistakes(names), names))


def _save(request: HttpRequest, found: Policy, form: DraftForm) -> HttpResponse:
    if form.errors:
        return _editor(request, found, form, status=doors.UNPROCESSABLE)
    try:
        draft_policy(
            policy=found, read=_read(request), actor=request.user, **as_arguments(form.draft)
        )
    except Refused as refused:
        status, fields = doors.status_of(refused), dict(refused.fields or {"steps": refused.detail})
        read = newest_of(found)
        if refused.code == "draft_changed":
            stays = _(
                "What you wrote stands here; saved once more, it takes the place of the other."
            )
            fields["steps"] = f"{retold(refused.detail)} {stays}"
        again = DraftForm(form.draft, fields, form.names)
        return _editor(request, found, again, status=status, read=read)
    messages.success(request, _("Draft saved. Nothing changes before it is published."))
    return redirect("web:policy", slug=found.slug)


@doors.of_the_service(action="manage_policies", methods=doors.FORM)
def publish(request: HttpRequest, slug: str) -> HttpResponse:
    """What publishing the draft changes and touches; pressed, it is in force."""
    found = _managed(request, slug)
    try:
        if request.method == "POST":
            published = publish_policy(policy=found, read=_read(request), actor=request.user)
            number = published.revision.number
            messages.success(request, _("Revision %(number)s is in force.") % {"number": number})
            return redirect("web:policy", slug=slug)
        publication = preview(policy=found, actor=request.user)
    except Refused as refused:
        messages.error(request, retold(refused.detail))
        is_another = refused.code == "draft_changed"
        return redirect("web:policy-publish" if is_another else "web:policy", slug=slug)
    context = {
        "policy": found,
        "read": publication.revision.pk,
        "publication": publication,
        "changes": _published_changes(found, publication),
        **_in_words(publication.revision),
        "here": "policies",
    }
    return render(request, "web/policies/publish.html", context)


@doors.of_the_service(action="manage_policies", methods=doors.POST)
def move(request: HttpRequest, slug: str) -> HttpResponse:
    """Let running climbs go on under the current revision, with a reason."""
    found = _managed(request, slug)
    form = MoveForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(form.errors["reason"]))
        return redirect("web:policy", slug=slug)
    with doors.refusals_told(request):
        counts = move_runs(policy=found, actor=request.user, reason=form.cleaned_data["reason"])
        told = ngettext("%(n)s climb moved.", "%(n)s climbs moved.", counts.moved)
        messages.success(request, told % {"n": counts.moved})
    return redirect("web:policy", slug=slug)


def _published_changes(found: Policy, publication: Publication) -> list[str]:
    if found.current is None:
        return []
    return changes_between(found.current, publication.revision, publication.difference)


def _in_words(shown: PolicyRevision | None) -> dict[str, Any]:
    """To what a revision applies, and its ladder; one query for the names in it."""
    if shown is None:
        return {"applies": "", "lines": []}
    steps = plain(shown)
    names = names_in(shown.conditions, steps)
    return {"applies": applies_words(shown.conditions, names), "lines": lines_of(steps, names)}


def _names_of(draft: Draft) -> Names:
    return all_names(draft.conditions, draft.steps)


def policy_of(slug: str) -> Policy:
    """The policy of that slug. Raises Http404."""
    found = Policy.objects.select_related("current__published_by")
    return get_object_or_404(found, slug=slug)


def revisions_of(found: Policy) -> QuerySet[PolicyRevision]:
    """Its revisions with their steps."""
    return PolicyRevision.objects.filter(policy=found).prefetch_related("steps")


def running_climbs(reader: Person) -> dict[int, int]:
    """By policy id, how many climbs run on tickets that the reader may see. One query."""
    seen = Ticket.objects.visible_to(reader).order_by().values("pk")
    active = Run.objects.filter(state=Run.State.ACTIVE, ticket__in=seen)
    counted = active.order_by().values("policy").annotate(n=Count("pk"))
    return dict(counted.values_list("policy", "n"))


def may_manage(person: Person) -> bool:
    """Whether the person edits and publishes policies."""
    return is_allowed(person, "manage_policies")


def _managed(request: HttpRequest, slug: str) -> Policy:
    if not may_manage(request.user):
        raise PermissionDenied
    return policy_of(slug)


def _applies(row: Policy, names: Names) -> str:
    return applies_words(row.current.conditions, names) if row.current else ""


def _read(request: HttpRequest) -> int | None:
    """Which revision the form was filled in from."""
    given = request.POST.get("read", "")
    return int(given) if given.isdecimal() and len(given) < 19 else None


def _editor(
    request: HttpRequest,
    found: Policy,
    form: DraftForm,
    *,
    status: int = 200,
    read: int | None = None,
) -> HttpResponse:
    context: dict[str, Any] = {
        "policy": found,
        "read": _read(request) if read is None else read,
        "form": form,
        "choices": choices(form.names),
        "here": "policies",
    }
    part = request.htmx and not request.htmx.boosted  # type: ignore[attr-defined]
    template = "web/policies/_draft.html" if part else "web/policies/edit.html"
    return render(request, template, context, status=status)
