"""What is known about one ticket: articles, known errors, and the checklists of its runbooks."""

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from escalation.models import Firing
from roles.people import is_allowed
from roles.refusals import Refused
from tickets import articles, knowledge, runbooks, states
from tickets.models import ArticleRevision, ArticleUse, Ticket
from web import doors
from web.reading import visible_ticket
from web.retold import retold

WORDS_FROM_DESCRIPTION = 400


@doors.signed_in(action="see_internal")
def known(request: HttpRequest, key: str) -> HttpResponse:
    """The fragment that the ticket's page loads, or a page of its own."""
    ticket = _ticket(request, key)
    person = request.user
    text = f"{ticket.subject} {ticket.description[:WORDS_FROM_DESCRIPTION]}"
    used = ArticleUse.objects.filter(ticket=ticket.pk).values_list("article_id", flat=True)
    begun = runbooks.checklists(ticket, person, _labels(ticket))
    shown = {each.article.pk for each in begun}
    found = knowledge.suggest(person, text, service=ticket.service)
    context = {
        "ticket": ticket,
        "checklists": begun,
        "suggestions": [
            each for each in found if each.article_id not in shown and each.key != ticket.key
        ],
        "used": set(used),
        "may_use": is_allowed(person, "use_article"),
        "may_write": is_allowed(person, "draft_knowledge")
        and not ticket.restricted
        and ticket.status in (states.RESOLVED, states.CLOSED),
        "here": "queue",
    }
    part = request.htmx and request.htmx.target == "knowledge-hints"  # type: ignore[attr-defined]
    return render(request, f"web/knowledge/{'_known' if part else 'known'}.html", context)


def _ticket(request: HttpRequest, key: str) -> Ticket:
    ticket = visible_ticket(request.user, key)
    if not knowledge.reads_internal(request.user):
        raise Http404
    return ticket


def _labels(ticket: Ticket) -> list[str]:
    """The policy steps that have fired on it, as runbooks name them."""
    fired = Firing.objects.filter(ticket=ticket.pk, outcome=Firing.Outcome.FIRED)
    named = fired.values_list("run__policy__slug", "step__name").distinct()
    return [f"{slug}: {name}" for slug, name in named]


@doors.signed_in(action="use_article", methods=("POST",))
def use(request: HttpRequest, key: str) -> HttpResponse:
    """Note that an article solved the ticket."""
    ticket = _ticket(request, key)
    article = get_object_or_404(knowledge.readable(request.user), pk=_number(request, "article"))
    return _do(
        request,
        ticket,
        lambda: articles.use_article(ticket=ticket, article=article, actor=request.user),
        _("Noted: this article solved it."),
    )


@doors.signed_in(action="use_article", methods=("POST",))
def tick(request: HttpRequest, key: str) -> HttpResponse:
    """Tick a step of a runbook on the ticket, or take the tick back."""
    ticket = _ticket(request, key)
    revision = get_object_or_404(
        ArticleRevision,
        pk=_number(request, "revision"),
        article__in=knowledge.readable(request.user),
    )
    item, done = _number(request, "item"), request.POST.get("done") == "yes"
    return _do(
        request,
        ticket,
        lambda: runbooks.tick(
            ticket=ticket, revision=revision, item=item, done=done, actor=request.user
        ),
        "",
    )


def _do(request: HttpRequest, ticket: Ticket, act: Callable[[], object], said: str) -> HttpResponse:
    """Carry the act out and show the fragment anew, or the ticket without script."""
    try:
        act()
    except Refused as refused:
        messages.error(request, retold(refused.detail))
    else:
        if said and not request.htmx:  # type: ignore[attr-defined]
            messages.success(request, said)
    address = reverse("web:ticket-knowledge", args=[ticket.key])
    return redirect(address)


def _number(request: HttpRequest, name: str) -> int:
    given = request.POST.get(name, "")
    if not (given.isascii() and given.isdecimal() and len(given) <= 18):
        raise Http404
    return int(given)
