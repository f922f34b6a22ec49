"""The dashboards: figures of a period, what stands behind each, and the same as a file."""

from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from insights.figures.answers import tell_board
from insights.figures.behind import PAGE, facts_behind
from insights.figures.boards import BOARD_BY_SLUG, BOARDS
from insights.figures.files import TYPES, written
from insights.figures.mailing import end_mail, mails_of, name_of, order_mail
from insights.figures.moment import MEANS, NOW, tables_of_now
from insights.figures.naming import FILTERS, narrowings
from insights.figures.own import own_load, own_pages
from insights.figures.papers import paper_of, paper_of_now
from insights.figures.present import Present
from insights.figures.registry import BY_SLUG
from insights.figures.tables import MOST_FACTS, facts_table, tables_of
from roles.instants import database_now
from roles.models import Person
from roles.people import is_allowed
from tickets.models import Kind
from tickets.priority import LABELS as PRIORITIES
from web import doors
from web.figures.asking import PERIODS, Asked, asked_of
from web.figures.showing import shown

PDF: Final = "pdf"


@doors.of_the_service(action="view")
def first(request: HttpRequest) -> HttpResponse:
    """How things stand now, or its parts alone for an open page; the own load for those who lead
    nobody.
    """
    if not is_allowed(request.user, "see_dashboard"):
        return redirect("web:own-load")
    now = database_now()
    asked = asked_of(request.GET.dict(), now)
    context = {
        "present": Present(request.user, now),
        "means": MEANS,
        "may_operate": is_allowed(request.user, "see_audit"),
    }
    name = "_now" if "X-Live" in request.headers else "now"
    return render(request, f"web/figures/{name}.html", context | _around(asked, request.user))


@doors.of_the_service(action="view")
def own(request: HttpRequest) -> HttpResponse:
    """What the work costs the reader, whom alone it is shown to."""
    asked = asked_of(request.GET.dict(), database_now())
    mails = [
        (row, name_of(row.board), narrowings(row.words, asked.names))
        for row in mails_of(request.user)
    ]
    load = own_load(request.user, asked.question)
    context = {"load": load, "mails": mails, **_around(asked, request.user)}
    return render(request, "web/figures/own.html", context)


@doors.of_the_service(action="view")
def own_behind(request: HttpRequest, form: str = "") -> HttpResponse:
    """The pages behind the reader's own load, as a page or a file; `sort=night` those of nights."""
    if form and form not in TYPES:
        raise Http404
    asked = asked_of(request.GET.dict(), database_now())
    at_night = asked.narrower.sort == "night"
    facts = own_pages(request.user, asked.question, at_night=at_night)
    figure = BY_SLUG["night-pages" if at_night else "pages"]
    if form:
        rows = facts.select_related("ticket__team", "ticket__service")[:MOST_FACTS]
        content = written([facts_table(figure, rows)], form)
        return _file(content, TYPES[form], f"my-{figure.slug}", form, asked)
    pages = Paginator(facts.prefetch_related("ticket__team", "ticket__assignee"), PAGE)
    context = {"figure": figure, "facts": pages.get_page(request.GET.get("page"))}
    around = _around(asked, request.user)
    return render(request, "web/figures/behind.html", context | around)


@doors.of_the_service(action="see_dashboard")
def board(request: HttpRequest, slug: str) -> HttpResponse:
    """One dashboard for a period."""
    _require_right(request)
    found = BOARD_BY_SLUG.get(slug)
    if found is None:
        raise Http404
    now = database_now()
    asked = asked_of(request.GET.dict(), now)
    told = tell_board(found, asked.question, request.user, now=now)
    context = {"board": found, "shown": shown(told, asked), **_around(asked, request.user)}
    return render(request, "web/figures/board.html", context)


@doors.of_the_service(action="see_dashboard")
def behind(request: HttpRequest, slug: str) -> HttpResponse:
    """The tickets behind one figure, newest first."""
    _require_right(request)
    figure = BY_SLUG.get(slug)
    if figure is None:
        raise Http404
    asked = asked_of(request.GET.dict(), database_now())
    facts = facts_behind(figure, asked.question, asked.narrower, request.user)
    around = ("ticket__team", "ticket__service", "ticket__assignee")
    # A day may have thousands: they are put in order by themselves, and those of a page are read.
    pages = Paginator(facts.prefetch_related(*around), PAGE)
    context = {
        "figure": figure,
        "facts": pages.get_page(request.GET.get("page")),
        "home": next(each for each in BOARDS if figure in each.figures),
        **_around(asked, request.user),
    }
    return render(request, "web/figures/behind.html", context)


@doors.of_the_service(action="see_dashboard")
def board_file(request: HttpRequest, slug: str, form: str) -> HttpResponse:
    """One dashboard for a period as a file."""
    _require_right(request)
    found = BOARD_BY_SLUG.get(slug)
    now = database_now()
    asked = asked_of(request.GET.dict(), now)
    if form not in (*TYPES, PDF) or (found is None and slug != NOW):
        raise Http404
    if found is None:
        return _file_of_now(Present(request.user, now), form, asked)
    told = tell_board(found, asked.question, request.user, now=now)
    if form == PDF:
        drawn = paper_of(told, narrowed=asked.narrowings)
        return _file(drawn, "application/pdf", slug, form, asked)
    return _file(written(tables_of(told), form), TYPES[form], slug, form, asked)


def _file_of_now(present: Present, form: str, asked: Asked) -> HttpResponse:
    if form == PDF:
        return _file(paper_of_now(present), "application/pdf", NOW, form, asked)
    return _file(written(tables_of_now(present), form), TYPES[form], NOW, form, asked)


@doors.of_the_service(action="see_dashboard")
def behind_file(request: HttpRequest, slug: str, form: str) -> HttpResponse:
    """The tickets behind one figure as a file."""
    _require_right(request)
    figure = BY_SLUG.get(slug)
    if figure is None or form not in TYPES:
        raise Http404
    asked = asked_of(request.GET.dict(), database_now())
    facts = facts_behind(figure, asked.question, asked.narrower, request.user)
    rows = facts.select_related("ticket__team", "ticket__service")[:MOST_FACTS]
    content = written([facts_table(figure, rows)], form)
    return _file(content, TYPES[form], slug, form, asked)


@doors.of_the_service(action="see_dashboard", methods=doors.POST)
def mail(request: HttpRequest, slug: str) -> HttpResponse:
    """Have this dashboard sent to oneself, as it is narrowed."""
    asked = asked_of(request.POST.dict(), database_now())
    words = {name: asked.words[name] for name in FILTERS if name in asked.words}
    hour = request.POST.get("hour", "")
    with doors.refusals_told(request):
        order_mail(
            actor=request.user,
            board=slug,
            words=words,
            days=asked.days,
            every=request.POST.get("every", ""),
            form=request.POST.get("form", "html"),
            hour=int(hour) if hour.isdecimal() else -1,
        )
        messages.success(request, _("You get it by mail from now on; it ends on My load."))
    if slug == NOW:
        return redirect("web:figures")
    if slug not in BOARD_BY_SLUG:
        raise Http404
    return redirect(reverse("web:board", args=[slug]) + asked.query)


@doors.of_the_service(action="view", methods=doors.POST)
def stop_mail(request: HttpRequest, pk: int) -> HttpResponse:
    """End a dashboard that one has sent to oneself."""
    if not end_mail(actor=request.user, pk=pk):
        raise Http404
    messages.success(request, _("Ended."))
    return redirect("web:own-load")


def _file(content: bytes, kind: str, slug: str, form: str, asked: Asked) -> HttpResponse:
    answer = HttpResponse(content, content_type=kind)
    period = f"{asked.today}" if slug == NOW else f"{asked.question.since}-{asked.last}"
    name = f"{slug}-{period}.{form}"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _require_right(request: HttpRequest) -> None:
    if not is_allowed(request.user, "see_dashboard"):
        raise PermissionDenied


def _around(asked: Asked, reader: Person) -> dict[str, Any]:
    """What every page of figures shows beside the figures."""
    return {
        "asked": asked,
        "boards": BOARDS,
        "periods": PERIODS,
        "priorities": PRIORITIES,
        "kinds": Kind.choices,
        "may_lead": is_allowed(reader, "see_dashboard"),
        "hours": range(24),
        "here": "figures",
        "now": database_now(),
    }
