"""The answers of the palette."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from roles.instants import database_now
from web import doors
from web.palette import palette as found_for
from web.palette import recent


@doors.signed_in(action="view")
def palette(request: HttpRequest) -> HttpResponse:
    """The lines that a text finds; without a text what was opened lately comes first."""
    text = request.GET.get("q", "")[:200].replace("\x00", "")
    key = request.GET.get("ticket", "")[:20].upper().replace("\x00", "")
    sections = found_for(request.user, text, key=key, now=database_now())
    if not text.strip():
        keys = [each.upper() for each in request.GET.get("recent", "")[:300].split(",") if each]
        opened = recent(request.user, [each for each in keys if "\x00" not in each])
        sections.insert(1 if key and sections else 0, opened)
    context = {"sections": [section for section in sections if section.items]}
    return render(request, "web/_palette_lines.html", context)
