"""Keeping, changing and deleting views of one's own."""

from urllib.parse import parse_qsl

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from roles.models import Team
from roles.refusals import Refused
from tickets.models import SavedView
from tickets.savedviews import change_view, delete_view, keep_view, seen_by
from web import doors
from web.filters import Filters, filters_of
from web.retold import retold


@doors.signed_in(action="watch", methods=("POST",))
def keep(request: HttpRequest) -> HttpResponse:
    """Keep the filters of the queue under a name."""
    filters = Filters.read(dict(parse_qsl(request.POST.get("query", "")[:1000])))
    name = request.POST.get("name", "")
    try:
        held = keep_view(
            actor=request.user, name=name, filters=filters.lasting, team=_team(request)
        )
    except Refused as refused:
        messages.error(request, retold(refused.detail))
        return redirect(f"{reverse('web:queue')}?{filters.address()}")
    messages.success(request, _("Saved as “%(name)s”.") % {"name": held.name})
    return redirect(_address(held))


@doors.signed_in(action="watch", methods=("POST",))
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Rename or share a view of one's own."""
    view = get_object_or_404(seen_by(request.user), pk=pk)
    name = request.POST.get("name", "")
    try:
        view = change_view(actor=request.user, view=view, name=name, team=_team(request))
    except Refused as refused:
        messages.error(request, retold(refused.detail))
    else:
        messages.success(request, _("Saved."))
    return redirect(_address(view))


@doors.signed_in(action="watch", methods=("POST",))
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a view of one's own."""
    view = get_object_or_404(seen_by(request.user), pk=pk)
    name = view.name
    try:
        delete_view(actor=request.user, view=view)
    except Refused as refused:
        messages.error(request, retold(refused.detail))
    else:
        messages.success(request, _("“%(name)s” is deleted; its tickets are not.") % {"name": name})
    return redirect("web:queue")


def _team(request: HttpRequest) -> Team | None:
    return Team.objects.filter(slug=request.POST.get("team", ""), is_active=True).first()


def _address(view: SavedView) -> str:
    return f"{reverse('web:queue')}?{filters_of(view).address()}"
