"""The pages' addresses; each view names the action that it asks for."""

from django.urls import path, register_converter

from web import service_urls
from web.register import ACTS
from web.views import (
    access,
    acts,
    attachments,
    calendars,
    cases,
    composer,
    hints,
    knowledge,
    links,
    majors,
    opening,
    partners,
    presence,
    queue,
    ticket,
    writing,
    you,
)


class TicketKey:
    """A key such as INC-000123; anything else is not found before it reaches the database."""

    regex = "[A-Za-z]{3}-[0-9]{1,12}"

    def to_python(self, value: str) -> str:
        return value.upper()

    def to_url(self, value: str) -> str:
        return value


register_converter(TicketKey, "ticket_key")

app_name = "web"
urlpatterns = [
    path("", queue.queue, name="queue"),
    path("sign-in", access.sign_in, name="sign-in"),
    path("sign-out", access.sign_out, name="sign-out"),
    path("new", opening.new, name="new"),
    path("you", you.you, name="you"),
    path("you/look", you.change_look, name="look"),
    path("status", majors.status, name="status"),
    path("majors", majors.index, name="majors"),
    path("majors/<ticket_key:key>", majors.room, name="major"),
    path("cases", cases.index, name="cases"),
    path("cases/emergency", cases.glass, name="break-glass"),
    path("cases/<ticket_key:key>", cases.room, name="case"),
    path("vendors", partners.vendors, name="vendors"),
    path("vendors/<slug:slug>", partners.vendor, name="vendor"),
    path("problems", partners.problems, name="problems"),
    path("problems/<ticket_key:key>", partners.problem, name="problem"),
    path("changes", partners.changes, name="changes"),
    path("changes/<ticket_key:key>", partners.change, name="change"),
    *service_urls.ADDRESSES,
    path("calendar/<str:token>/mine.ics", calendars.own_shifts, name="calendar-mine"),
    path("calendar/<str:token>/team/<slug:slug>.ics", calendars.team_shifts, name="calendar-team"),
    path("m/<str:token>/", links.acknowledge_by_link, name="acknowledge-link"),
    path("knowledge", knowledge.library, name="knowledge"),
    path("knowledge/new", writing.new, name="article-new"),
    path("knowledge/<int:pk>", knowledge.article, name="article"),
    path("knowledge/<int:pk>/vote", knowledge.vote, name="article-vote"),
    path("knowledge/<int:pk>/history", knowledge.history, name="article-history"),
    path("knowledge/<int:pk>/edit", writing.edit, name="article-edit"),
    path("knowledge/<int:pk>/publish", writing.publish, name="article-publish"),
    path("knowledge/<int:pk>/retire", writing.retire, name="article-retire"),
    path("tickets/<ticket_key:key>", ticket.ticket, name="ticket"),
    path("tickets/<ticket_key:key>/knowledge", hints.known, name="ticket-knowledge"),
    path("tickets/<ticket_key:key>/knowledge/use", hints.use, name="ticket-use"),
    path("tickets/<ticket_key:key>/knowledge/tick", hints.tick, name="ticket-tick"),
    path("tickets/<ticket_key:key>/comment", composer.send, name="comment"),
    path("tickets/<ticket_key:key>/preview", composer.preview, name="preview"),
    path("tickets/<ticket_key:key>/draft", composer.draft, name="draft"),
    path("tickets/<ticket_key:key>/canned", composer.canned, name="canned"),
    path("tickets/<ticket_key:key>/here", presence.here, name="here"),
    path("tickets/<ticket_key:key>/files", attachments.upload, name="upload"),
    path("tickets/<ticket_key:key>/files/<int:number>", attachments.attachment, name="attachment"),
    path("tickets/<ticket_key:key>/files/<int:number>/drop", attachments.drop, name="drop-upload"),
    path("tickets/<ticket_key:key>/unpaged", ticket.unpaged, name="unpaged"),
    *[
        path(f"tickets/<ticket_key:key>/{act.slug}", acts.view_of(act), name=f"act-{act.slug}")
        for act in ACTS
    ],
]
