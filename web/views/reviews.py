"""Reviews: what is owed, one ticket's review with its actions, its documents, and samples."""

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from insights.reviews import keeping
from insights.reviews.exporting import document_of, markdown_of, pdf_of
from insights.reviews.models import SECTIONS, Review, ReviewAction, Sample
from insights.reviews.sampling import score_sample
from roles.instants import database_now
from roles.people import roles_of
from roles.refusals import Refused
from tickets import states
from tickets.access import allowed_actions
from tickets.models import Ticket
from web import doors
from web.forms.reviews import ASPECT_LABELS, ActionForm, ReviewForm, ScoreForm
from web.readers import is_agent
from web.reading import visible_ticket
from web.reviewed import owed

OVER = (states.RESOLVED, states.CLOSED)


@doors.signed_in(action="see_internal")
def index(request: HttpRequest) -> HttpResponse:
    """What is owed: reviews to sign, actions, resolutions to look at. For people of the service."""
    if not is_agent(request.user):
        raise Http404
    now = database_now()
    found = owed(request.user, now)
    marks = [(ASPECT_LABELS[name], mean) for name, mean in found.marks.means]
    context = {"owed": found, "marks": marks, "now": now, "here": "reviews"}
    return render(request, "web/reviews/index.html", context)


def _ticket(request: HttpRequest, key: str) -> Any:
    ticket = visible_ticket(request.user, key)
    if "see_internal" not in allowed_actions(request.user, ticket):
        raise Http404
    return ticket


def _review(request: HttpRequest, key: str) -> Review:
    ticket = _ticket(request, key)
    found = get_object_or_404(
        Review.objects.select_related("drafted_by", "signed_by"), ticket=ticket.pk
    )
    found.ticket = ticket
    return found


@doors.signed_in(action="see_internal", methods=doors.FORM)
def review(request: HttpRequest, key: str) -> HttpResponse:
    """The review of one ticket; posted to, it is drafted from the timeline."""
    ticket = _ticket(request, key)
    if request.method == "POST":
        with doors.refusals_told(request):
            keeping.draft_review(ticket=ticket, actor=request.user)
        return redirect("web:review", key=key)
    found = Review.objects.filter(ticket=ticket.pk).first()
    if found is None:
        context = {"ticket": ticket, "may_draft": ticket.status in OVER, "here": "reviews"}
        return render(request, "web/reviews/none.html", context)
    return _shown(request, _review(request, key))


def _shown(
    request: HttpRequest, found: Review, *, form: ReviewForm | None = None, action: Any = None
) -> HttpResponse:
    now = database_now()
    may = keeping.MAY in allowed_actions(request.user, found.ticket)
    is_open = found.signed_at is None
    texts = {name: getattr(found, name) for name in SECTIONS}
    is_quality = may and is_open and "qa_reviewer" in roles_of(request.user)
    is_own = found.drafted_by_id == request.user.pk
    context = {
        "ticket": found.ticket,
        "review": found,
        "document": document_of(found, request.user),
        "actions": found.actions.select_related("owner"),
        "form": form or ReviewForm(initial={**texts, "version": found.version}),
        "action_form": action or ActionForm(),
        "may_edit": may and is_open,
        "may_finish": may,
        "is_behind": form is not None and form.is_behind,
        "may_sign": is_quality and not is_own,
        "is_own": is_quality and is_own,
        "now": now,
        "here": "reviews",
    }
    refused = any(each is not None and each.errors for each in (form, action))
    status = doors.UNPROCESSABLE if refused else 200
    return render(request, "web/reviews/review.html", context, status=status)


@doors.signed_in(action="comment_internal", methods=doors.POST)
def edit(request: HttpRequest, key: str) -> HttpResponse:
    """Keep the sections as they were sent."""
    return _kept(request, _review(request, key), keeping.edit_review)


def _kept(request: HttpRequest, found: Review, keep: Callable[..., object]) -> HttpResponse:
    """Keep what was typed, or show it again with the reasons why not."""
    form = ReviewForm(request.POST)
    if form.is_valid():
        try:
            version = form.cleaned_data["version"]
            keep(review=found, actor=request.user, sections=form.sections(), version=version)
            return redirect("web:review", key=found.ticket.key)
        except Refused as refused:
            form.show(refused)
            found.refresh_from_db(fields=[*SECTIONS, "version"])
            form.read_anew(found.version)
    return _shown(request, found, form=form)


@doors.signed_in(action="comment_internal", methods=doors.POST)
def act(request: HttpRequest, key: str) -> HttpResponse:
    """Agree on an action."""
    found, form = _review(request, key), ActionForm(request.POST)
    if form.is_valid():
        try:
            keeping.add_action(review=found, actor=request.user, **form.cleaned_data)
            return redirect("web:review", key=key)
        except Refused as refused:
            form.show(refused)
    return _shown(request, found, action=form)


@doors.signed_in(action="comment_internal", methods=doors.POST)
def finish(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """Say that an action is done."""
    found = _review(request, key)
    action = get_object_or_404(ReviewAction, pk=number, review=found.pk)
    action.review = found
    with doors.refusals_told(request):
        keeping.finish_action(action=action, actor=request.user)
    return redirect("web:review", key=key)


@doors.signed_in(action="comment_internal", methods=doors.POST)
def sign(request: HttpRequest, key: str) -> HttpResponse:
    """Sign the review off, with what was typed beside the button."""
    found = _review(request, key)
    if "version" not in request.POST:
        with doors.refusals_told(request):
            keeping.sign_review(review=found, actor=request.user)
        return redirect("web:review", key=key)
    return _kept(request, found, keeping.sign_review)


@doors.signed_in(action="see_internal")
def markdown(request: HttpRequest, key: str) -> HttpResponse:
    """The review in Markdown, to keep."""
    text = markdown_of(document_of(_review(request, key), request.user))
    return _file(text.encode(), f"review-{key}.md", "text/markdown; charset=utf-8")


@doors.signed_in(action="see_internal")
def pdf(request: HttpRequest, key: str) -> HttpResponse:
    """The review as PDF, to keep."""
    drawn = pdf_of(document_of(_review(request, key), request.user))
    return _file(drawn, f"review-{key}.pdf", "application/pdf")


def _file(content: bytes, name: str, kind: str) -> HttpResponse:
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@doors.signed_in(action="see_internal", methods=doors.FORM)
def sample(request: HttpRequest, number: int) -> HttpResponse:
    """Look at one resolution and give it marks. For quality reviewers."""
    seen = Ticket.objects.visible_to(request.user).values("pk")
    rows = Sample.objects.filter(ticket__in=seen).select_related("ticket__team__tier")
    found = get_object_or_404(rows, pk=number)
    if "qa_reviewer" not in roles_of(request.user):
        raise Http404
    form = ScoreForm(doors.posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            comment = form.cleaned_data["comment"]
            score_sample(sample=found, actor=request.user, scores=form.scores(), comment=comment)
            return redirect("web:reviews")
        except Refused as refused:
            form.show(refused)
    context = {"sample": found, "ticket": found.ticket, "form": form, "here": "reviews"}
    status = doors.UNPROCESSABLE if form.errors else 200
    return render(request, "web/reviews/sample.html", context, status=status)
