"""Knowledge: found and read by everybody, voted on."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from roles.models import Person
from roles.people import is_allowed
from roles.refusals import Refused
from tickets import articles, knowledge
from tickets.models import Article, ArticleVote, Service, Ticket
from web import doors
from web.markdown import html_of
from web.retold import retold

PAGE_ROWS = 25
QUERY_MAX = 200


@doors.signed_in(action="view")
def overview(request: HttpRequest) -> HttpResponse:
    """What is known, searched or listed; people of the service also see what is being written."""
    person, asked = request.user, _asked(request)
    drafts = is_allowed(person, "draft_knowledge")
    state = request.GET.get("state", "") if drafts else ""
    rows = _in_work(state) if state in ("draft", "retired") else knowledge.search(person, asked)
    service = Service.objects.filter(slug=request.GET.get("service", "")[:64]).first()
    if service is not None:
        rows = rows.filter(services=service)
    pages = Paginator(knowledge.with_figures(rows).prefetch_related("services"), PAGE_ROWS)
    context = {
        "found": pages.get_page(request.GET.get("page")),
        "asked": asked,
        "state": state,
        "service": service,
        "services": Service.objects.filter(is_active=True, articles__isnull=False).distinct(),
        "may_draft": drafts,
        "here": "knowledge",
    }
    part = request.htmx and request.htmx.target == "found"  # type: ignore[attr-defined]
    return render(request, f"web/knowledge/{'_found' if part else 'library'}.html", context)


def _asked(request: HttpRequest) -> str:
    return request.GET.get("q", "").replace("\x00", "").strip()[:QUERY_MAX]


def _in_work(state: str) -> Any:
    rows = Article.objects.select_related("current", "author")
    return rows.filter(state=state).order_by("-changed_at", "-pk")


@doors.signed_in(action="view")
def article(request: HttpRequest, pk: int) -> HttpResponse:
    """One article as it was published last; a draft for those who write."""
    person = request.user
    found = _article(person, pk)
    shown = found.current if found.is_published else None
    context = {
        "article": found,
        "shown": shown or found,
        "body": html_of((shown or found).body),
        "source": _source(found, person),
        "my_vote": ArticleVote.objects.filter(article=found, person=person.pk).first(),
        "may_draft": is_allowed(person, "draft_knowledge"),
        "may_publish": is_allowed(person, "publish_knowledge"),
        "differs": articles.differs(found),
        "here": "knowledge",
    }
    return render(request, "web/knowledge/article.html", context)


def _article(person: Person, pk: int) -> Article:
    """The article with its figures. Raises Http404 for what the person may not read."""
    rows = Article.objects.select_related("current__published_by", "author")
    if not is_allowed(person, "draft_knowledge"):
        rows = rows.filter(pk__in=knowledge.readable(person))
    return get_object_or_404(knowledge.with_figures(rows).prefetch_related("services"), pk=pk)


def _source(found: Article, person: Person) -> Ticket | None:
    if found.source_id is None or not knowledge.reads_internal(person):
        return None
    return Ticket.objects.visible_to(person).filter(pk=found.source_id).first()


@doors.signed_in(action="view", methods=("POST",))
def vote(request: HttpRequest, pk: int) -> HttpResponse:
    """Note whether it helped; somebody about to open a ticket may be spared it."""
    found = get_object_or_404(knowledge.readable(request.user), pk=pk)
    said = request.POST.get("helpful")
    if said not in ("yes", "no", "spared"):
        raise Http404
    try:
        if said == "spared":
            articles.spare(article=found, person=request.user)
            messages.success(request, _("Good. No request was opened."))
            return redirect("web:portal")
        articles.vote(article=found, person=request.user, helpful=said == "yes")
    except Refused as refused:
        messages.error(request, retold(refused.detail))
    return redirect("web:article", pk=pk)


@doors.signed_in(action="draft_knowledge")
def history(request: HttpRequest, pk: int) -> HttpResponse:
    """What was published when, and by whom; one wording in full."""
    if not is_allowed(request.user, "draft_knowledge"):
        raise Http404
    found = get_object_or_404(Article, pk=pk)
    revisions = list(found.revisions.select_related("published_by"))
    wanted = request.GET.get("revision", "")
    shown = next((row for row in revisions if str(row.number) == wanted), None)
    shown = shown or next(iter(revisions), None)
    context = {
        "article": found,
        "revisions": revisions,
        "shown": shown,
        "body": html_of(shown.body) if shown else "",
        "here": "knowledge",
    }
    return render(request, "web/knowledge/history.html", context)
