"""Writing on a ticket: sent, looked at before, kept as a draft, with files and ready-made texts."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from roles.models import Person
from roles.refusals import Refused
from tickets.access import may
from tickets.answering import Answered, answer, meanwhile
from tickets.attachments import keep_upload
from tickets.canned import canned_texts, filled
from tickets.drafts import LONGEST, save_draft
from tickets.mentions import mentionable
from web import doors
from web.dossier import dossier, page_of, reader_of
from web.forms.composer import NOTE, REPLY, ComposerForm
from web.reading import visible_ticket
from web.retold import retold
from web.storyrows import Window
from web.timeline import told
from web.views.acts import UNPROCESSABLE, status_of
from web.views.attachments import require_whole

PAGE = "web/ticket/page.html"
POST = ("POST",)
CONFLICT = 409


def blank_form(ticket: Any, person: Person, text: str = "") -> ComposerForm:
    """An empty composer, or one with the person's draft; `text` goes before what stands there."""
    draft = next(iter(ticket.drafts_here), None) or {"text": "", "is_public": False}
    kept = "\n\n".join(filter(None, (draft["text"], text)))
    initial = {"text": kept, "mode": REPLY if draft["is_public"] else NOTE}
    return ComposerForm(initial=initial, ticket=ticket, person=person)


@doors.signed_in(action="comment_public", methods=("GET", "POST"))
def send(request: HttpRequest, key: str) -> HttpResponse:
    """Send the reply or add the note; when it is held back the page keeps what was written."""
    if request.method == "GET":  # the address of a refused note, opened again
        visible_ticket(request.user, key)
        return redirect("web:ticket", key=key)
    ticket = visible_ticket(request.user, key)
    form = ComposerForm(request.POST, request.FILES, ticket=ticket, person=request.user)
    status = UNPROCESSABLE
    if form.is_valid():
        try:
            done = _answer(request, form)
        except Refused as refused:
            status = status_of(refused)
            if refused.code != "answered_meanwhile":
                form.show(refused)
        else:
            _say_so(request, form, done)
            return redirect("web:ticket", key=key)
    return _again(request, form, status)


def _answer(request: HttpRequest, form: ComposerForm) -> Answered:
    """Keep the files that came with the form itself, then send everything."""
    require_whole(request)
    given = {"ticket": form.ticket, "actor": request.user}
    kept = [keep_upload(upload=each, **given) for each in form.cleaned_data["files"]]
    files = [*form.attached, *(each.pk for each in kept)]
    return answer(given=form.answer(files=files), **given)


def _say_so(request: HttpRequest, form: ComposerForm, done: Answered) -> None:
    public = form.cleaned_data["mode"] == REPLY
    said = {
        ("", True): _("Reply sent."),
        ("", False): _("Note added."),
        ("pend", True): _("Reply sent; the ticket waits."),
        ("pend", False): _("Note added; the ticket waits."),
        ("resolve", True): _("Reply sent; the ticket is resolved."),
    }
    messages.success(request, said[form.cleaned_data["then"], public])
    if done.left_out:
        names = ", ".join(map(str, done.left_out))
        told = _("Not told, because they may not read this: %(names)s.") % {"names": names}
        messages.warning(request, told)


def _again(request: HttpRequest, form: ComposerForm, status: int, **more: Any) -> HttpResponse:
    """The whole page once more, with what was written and, if so, what has come meanwhile."""
    read = dossier(request.user, form.ticket.key)
    context = page_of(read, Window()) | {"form": form, **more}
    seen = form.cleaned_data.get("seen")
    if status == CONFLICT and seen is not None:
        since = meanwhile(read.ticket, request.user, seen)
        context["meanwhile"] = told(since, read.ticket, reader_of(read))
    return render(request, PAGE, context, status=status)


@doors.signed_in(action="comment_public", methods=POST)
def preview(request: HttpRequest, key: str) -> HttpResponse:
    """The text as it will look; without script the whole page with it."""
    ticket = visible_ticket(request.user, key)
    text = request.POST.get("text", "")[:LONGEST]
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "web/ticket/_preview.html", {"preview": text})
    form = ComposerForm(request.POST, ticket=ticket, person=request.user)
    form.is_valid()
    form.errors.clear()
    return _again(request, form, 200, preview=text)


@doors.signed_in(action="comment_public", methods=POST)
def draft(request: HttpRequest, key: str) -> HttpResponse:
    """Keep what has been written so far; 204, or the status of a refusal."""
    ticket = visible_ticket(request.user, key)
    given = {"ticket": ticket, "actor": request.user, "text": request.POST.get("text", "")}
    try:
        save_draft(public=request.POST.get("mode") == REPLY, **given)
    except Refused as refused:
        return HttpResponse(
            retold(refused.detail), status=status_of(refused), content_type="text/plain"
        )
    return HttpResponse(status=204)


@doors.signed_in(action="comment_internal")
def canned(request: HttpRequest, key: str) -> HttpResponse:
    """The texts kept ready that fit the words, filled in for this ticket."""
    ticket = visible_ticket(request.user, key)
    if not may(request.user, "comment_internal", ticket):
        raise Http404
    found = canned_texts(request.user, ticket, request.GET.get("q", "")[:100])
    texts = [(each, filled(each.text, person=request.user, ticket=ticket)) for each in found]
    context = {"ticket": ticket, "texts": texts, "here": "queue"}
    part = bool(request.htmx)  # type: ignore[attr-defined]
    return render(request, f"web/ticket/{'_' if part else ''}canned.html", context)


@doors.signed_in(action="comment_internal")
def names(request: HttpRequest, key: str) -> HttpResponse:
    """Whom one may call whose name begins so, as a part for the composer."""
    ticket = visible_ticket(request.user, key)
    if not may(request.user, "comment_internal", ticket):
        raise Http404
    public = request.GET.get("mode") == REPLY
    people = mentionable(request.user, ticket, request.GET.get("q", "")[:40], public=public)
    return render(request, "web/ticket/_names.html", {"people": people})
