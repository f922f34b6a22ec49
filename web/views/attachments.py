"""Files of a ticket: taken in while somebody writes, and handed out to those who may read them."""

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from roles.refusals import Invalid, Refused
from tickets.access import may
from tickets.attachments import PLAIN, drop_upload, keep_upload, unsent
from tickets.models import Attachment
from web import doors
from web.reading import visible_ticket
from web.retold import retold
from web.storyrows import readable
from web.views.acts import status_of

POST = ("POST",)


def require_whole(request: HttpRequest) -> None:
    """Raise Invalid where a file of the request was cut off because it is too large."""
    request.FILES  # noqa: B018 (reading them is what cuts them off)
    names = getattr(request, "cut_off", ())
    if names:
        raise Invalid("too_large", _("%(name)s is too large.") % {"name": ", ".join(names)})


@doors.signed_in(action="comment_public", methods=POST)
def upload(request: HttpRequest, key: str) -> HttpResponse:
    """Keep a file for what is being written; answers with the list of such files."""
    ticket = visible_ticket(request.user, key)
    given = {"ticket": ticket, "actor": request.user}
    try:
        require_whole(request)
        for each in request.FILES.getlist("files"):
            keep_upload(upload=each, **given)
    except Refused as refused:
        return HttpResponse(
            retold(refused.detail), status=status_of(refused), content_type="text/plain"
        )
    files = unsent(ticket, request.user)
    return render(request, "web/ticket/_unsent.html", {"ticket": ticket, "files": files})


@doors.signed_in(action="comment_public", methods=POST)
def drop(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """Forget a file that has not been sent; answers with the list of those left."""
    ticket = visible_ticket(request.user, key)
    drop_upload(ticket=ticket, actor=request.user, attachment_id=number)
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect("web:ticket", key=key)
    files = unsent(ticket, request.user)
    return render(request, "web/ticket/_unsent.html", {"ticket": ticket, "files": files})


@doors.signed_in(action="view")
def attachment(request: HttpRequest, key: str, number: int) -> HttpResponseBase:
    """The file, always as a download; a page shows it only as the image that its bytes prove."""
    ticket = visible_ticket(request.user, key)
    found = get_object_or_404(Attachment, pk=number, ticket=ticket.pk, erased_at=None)
    internal = may(request.user, "see_internal", ticket)
    if found.event_id is None:
        if found.uploader_id != request.user.pk:
            raise Http404
    elif not readable(ticket, request.user, internal=internal).filter(
        pk=found.event_id, **({} if internal else {"is_public": True})
    ):
        raise Http404
    answer = FileResponse(
        found.file.open("rb"),
        as_attachment=True,
        filename=found.name,
        content_type=found.media_type if found.is_image else PLAIN,
    )
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer["Cache-Control"] = "private, no-store"
    return answer
