"""The portal: where people who need help begin, and where they find what they have asked."""

import re
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from roles.instants import database_now
from roles.models import Person
from roles.refusals import Refused
from tickets import knowledge, states
from tickets.finding import having_words, keys_like
from tickets.models import Kind, Service, Source, Ticket, TicketQuerySet, Watcher
from tickets.opening import open_ticket
from web import doors, once
from web.forms.portal import AskForm
from web.requests import SHORT
from web.views.attachments import require_whole

KEY = re.compile(r"[A-Za-z]{3}-\d{1,12}")
PAGE_ROWS = 25
AT_HOME = 5
TEXT_MAX = 500


@doors.signed_in(action="open")
def home(request: HttpRequest) -> HttpResponse:
    """What do you need help with? And below it, what is under way already."""
    person = request.user
    open_ones = _mine(person).filter(status__in=[*states.OPEN, states.RESOLVED])
    liked = knowledge.with_figures(knowledge.readable(person)).order_by("-yes", "-used", "pk")
    context = {
        "rows": _rows(open_ones.order_by("-last_event_at", "-pk")[: AT_HOME + 1])[:AT_HOME],
        "waiting": open_ones.filter(status=states.PENDING_REQUESTER).count(),
        "articles": [found.current for found in liked[:AT_HOME]],
        "services": Service.objects.filter(is_active=True)[:9],
        "now": database_now(),
        "here": "portal",
    }
    return render(request, "web/portal/home.html", context)


# ---- Asking --------------------------------------------------------------------------------------


@doors.signed_in(action="open", methods=doors.FORM)
def ask(request: HttpRequest) -> HttpResponse:
    """Ask what it is about; whatever may help already is shown before anything is sent."""
    if request.method != "POST":
        return _ask_page(request, AskForm(initial=_begun(request)))
    form = AskForm(request.POST, request.FILES)
    if not form.is_valid():
        return _ask_page(request, form, status=doors.UNPROCESSABLE)
    given = form.cleaned_data
    # Whoever has chosen files would have to choose them again: a page cannot keep them.
    if given["kind"] != Kind.SECURITY and "seen" not in request.POST and not request.FILES:
        found = _suggestions(request.user, given["subject"], given["service"])
        if found:
            return _ask_page(request, form, suggestions=found, asks_first=True)
    try:
        return redirect(once.send_once(request, lambda: _open(request, given)))
    except Refused as refused:
        form.show(refused)
        return _ask_page(request, form, status=doors.status_of(refused))


def _open(request: HttpRequest, given: dict[str, Any]) -> str:
    """Open the ticket; answers the address of its page. Raises Refused."""
    person = request.user
    require_whole(request)
    about = {name: value for name, value in given.items() if name != "files"}
    ticket = open_ticket(
        actor=person, requester=person, source=Source.PORTAL, uploads=given["files"], **about
    )
    messages.success(request, _("We have it. Its number is %(key)s.") % {"key": ticket.key})
    return reverse("web:request", args=[ticket.key])


@doors.signed_in(action="open")
def suggestions(request: HttpRequest) -> HttpResponse:
    """What may help with the words typed so far: the fragment under the first question."""
    text = request.GET.get("subject", "").replace("\x00", "")[:TEXT_MAX]
    pk = request.GET.get("service", "")
    service = Service.objects.filter(pk=pk).first() if _is_number(pk) else None
    found = _suggestions(request.user, text, service) if len(text.strip()) > 2 else []
    return render(request, "web/portal/_suggestions.html", {"suggestions": found})


def _suggestions(person: Person, text: str, service: Service | None) -> list[Any]:
    found = knowledge.suggest(person, text, service=service)
    return [each for each in found if each.article_id]


def _begun(request: HttpRequest) -> dict[str, str]:
    """What the address says already: the words from the search, the service that was pressed."""
    asked = {"subject": request.GET.get("q", "").replace("\x00", "")[:250]}
    service = Service.objects.filter(slug=request.GET.get("service", "")[:64]).first()
    return {**asked, **({"service": str(service.pk)} if service else {})}


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 18


def _ask_page(
    request: HttpRequest, form: AskForm, *, status: int = 200, **more: Any
) -> HttpResponse:
    if "suggestions" not in more:
        words = form["subject"].value() or ""
        more["suggestions"] = _suggestions(request.user, words, None) if words else []
    context = {"form": form, "here": "portal", **more}
    return render(request, "web/portal/ask.html", context, status=status)


# ---- What has been asked -------------------------------------------------------------------------

VIEWS = {
    "open": (lazy("Mine"), lazy("Nothing of yours is under way.")),
    "done": (lazy("Solved"), lazy("None of your requests has been solved yet.")),
    "followed": (lazy("Followed"), lazy("Nobody has added you to a request.")),
    "organisation": (lazy("My organisation"), lazy("Your organisation has asked nothing else.")),
}


@doors.signed_in(action="view")
def requests(request: HttpRequest) -> HttpResponse:
    """One's own requests; the organisation's stand apart, and only where it may see them."""
    person = request.user
    offered = _offered(person)
    view = request.GET.get("view", "")
    view = view if view in offered else "open"
    words = request.GET.get("q", "").replace("\x00", "").strip()[:200]
    rows = offered[view]
    if words:
        rows = _having(rows, words)
    pages = Paginator(rows.order_by("-last_event_at", "-pk"), PAGE_ROWS)
    found = pages.get_page(request.GET.get("page"))
    counts = _counts(offered)
    context = {
        "view": view,
        "views": [(slug, VIEWS[slug][0], counts[slug]) for slug in offered],
        "nothing": VIEWS[view][1],
        "found": found,
        "rows": _rows(found.object_list),
        "words": words,
        "now": database_now(),
        "here": "requests",
    }
    return render(request, "web/portal/requests.html", context)


def _having(rows: TicketQuerySet, words: str) -> TicketQuerySet:
    """Those with this key, or with these words in what their requester may read."""
    by_key = rows.none()
    if KEY.fullmatch(words):
        by_key = rows.filter(key__in=keys_like(words))
    return rows.filter(pk__in=having_words(rows, words, internal=False).values("pk")) | by_key


def _mine(person: Person) -> QuerySet[Ticket]:
    return Ticket.objects.visible_to(person).filter(requester=person.pk)


def _offered(person: Person) -> dict[str, TicketQuerySet]:
    """The lists that this person has, by name; each through the one read scope."""
    seen = Ticket.objects.visible_to(person)
    mine = seen.filter(requester=person.pk)
    watched = Exists(Watcher.objects.filter(ticket=OuterRef("pk"), person=person.pk))
    others = seen.exclude(requester=person.pk)
    found: dict[str, TicketQuerySet] = {
        "open": mine.filter(status__in=[*states.OPEN, states.RESOLVED]),
        "done": mine.filter(status__in=states.FINAL),
        "followed": others.filter(watched),
    }
    organisation = person.organisation
    if organisation is not None and organisation.may_see_own:
        found["organisation"] = others.filter(organisation=organisation)
    return found


def _counts(offered: dict[str, TicketQuerySet]) -> dict[str, int]:
    """How many rows each list has, each asked for by its own index."""
    return {slug: rows.count() for slug, rows in offered.items()}


def _rows(tickets: Any) -> list[dict[str, Any]]:
    """Each ticket with its status in plain words; the people and teams come along."""
    if isinstance(tickets, QuerySet):
        tickets = tickets.select_related("requester", "team", "assignee")
    return [{"ticket": ticket, "status": SHORT[ticket.status]} for ticket in tickets]
