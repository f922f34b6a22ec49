"""Writing articles: drafted, from a resolution too, published and retired."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from roles.models import Person
from roles.people import is_allowed
from roles.refusals import Refused
from tickets import articles
from tickets.models import Article, Ticket
from web import doors
from web.forms.knowledge import ArticleForm, initial_of
from web.retold import retold


@doors.signed_in(action="draft_knowledge", methods=doors.FORM)
def new(request: HttpRequest) -> HttpResponse:
    """Write an article, begun from a ticket's resolution if one is named."""
    _require_writer(request.user)
    source = _source(request)
    try:
        given = articles.draft_from(source) if source else {}
    except Refused as refused:
        messages.warning(request, retold(refused.detail))
        return redirect("web:ticket", key=source.key if source else "")
    form = ArticleForm(request.POST or None, initial={"audience": "internal", **given})
    status = 200
    if request.method == "POST":
        made, status = _save(request, form, source=source)
        if made is not None:
            messages.success(request, _("The draft is kept. A team lead can publish it."))
            return redirect("web:article", pk=made.pk)
    context = {"form": form, "source": source, "here": "knowledge"}
    return render(request, "web/knowledge/edit.html", context, status=status)


@doors.signed_in(action="draft_knowledge", methods=doors.FORM)
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the working draft; readers see it once it is published."""
    _require_writer(request.user)
    article = get_object_or_404(Article, pk=pk)
    form = ArticleForm(request.POST or None, initial=initial_of(article))
    status = 200
    if request.method == "POST":
        made, status = _save(request, form, article=article)
        if made is not None:
            messages.success(request, _("The draft is kept."))
            return redirect("web:article", pk=pk)
    context = {"form": form, "article": article, "here": "knowledge"}
    return render(request, "web/knowledge/edit.html", context, status=status)


@doors.signed_in(action="publish_knowledge", methods=("POST",))
def publish(request: HttpRequest, pk: int) -> HttpResponse:
    """Publish the working draft as a new revision."""
    article = _for_publisher(request.user, pk)
    try:
        note = request.POST.get("note", "").replace("\x00", "")
        articles.publish_article(article=article, actor=request.user, note=note)
    except Refused as refused:
        messages.error(request, retold(refused.detail))
    else:
        messages.success(request, _("Published."))
    return redirect("web:article", pk=pk)


@doors.signed_in(action="publish_knowledge", methods=("POST",))
def retire(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the article to nobody any more."""
    article = _for_publisher(request.user, pk)
    try:
        articles.retire_article(article=article, actor=request.user)
    except Refused as refused:
        messages.error(request, retold(refused.detail))
    else:
        messages.success(request, _("Retired. Publishing it again brings it back."))
    return redirect("web:article", pk=pk)


def _require_writer(person: Person) -> None:
    if not is_allowed(person, "draft_knowledge"):
        raise Http404


def _for_publisher(person: Person, pk: int) -> Article:
    if not is_allowed(person, "publish_knowledge"):
        raise Http404
    return get_object_or_404(Article, pk=pk)


def _source(request: HttpRequest) -> Ticket | None:
    key = request.GET.get("from", "").upper()
    if not key:
        return None
    return get_object_or_404(Ticket.objects.visible_to(request.user), key=key[:20])


def _save(
    request: HttpRequest,
    form: ArticleForm,
    *,
    article: Article | None = None,
    source: Ticket | None = None,
) -> tuple[Article | None, int]:
    """The kept draft, or None with the status of the answer."""
    if not form.is_valid():
        return None, doors.UNPROCESSABLE
    given: dict[str, Any] = {"actor": request.user, **form.cleaned_data}
    try:
        if article is not None:
            return articles.edit_article(article=article, **given), 302
        return articles.draft_article(source=source, **given), 302
    except Refused as refused:
        form.show(refused)
        return None, doors.status_of(refused)
