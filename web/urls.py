"""The pages' addresses; each view names the action that it asks for."""

from django.urls import path

from web import portal_urls, service_urls, ticket_urls, told_urls
from web.bulk import KINDS
from web.ticketkeys import register
from web.views import (
    access,
    bulk,
    calendars,
    cases,
    contacts,
    foresight,
    handovers,
    links,
    majors,
    opening,
    palette,
    partners,
    queue,
    reviews,
    savedviews,
    tokens,
    you,
)

register()

app_name = "web"
urlpatterns = [
    path("", queue.queue, name="queue"),
    *[path(f"queue/{kind.slug}", bulk.view_of(kind), name=f"bulk-{kind.slug}") for kind in KINDS],
    path("queue/undo/<uuid:token>", bulk.undo, name="bulk-undo"),
    path("views/keep", savedviews.keep, name="view-keep"),
    path("views/<int:pk>/change", savedviews.change, name="view-change"),
    path("views/<int:pk>/delete", savedviews.delete, name="view-delete"),
    path("sign-in", access.sign_in, name="sign-in"),
    path("sign-out", access.sign_out, name="sign-out"),
    path("new", opening.new, name="new"),
    path("palette", palette.palette, name="palette"),
    path("you", you.you, name="you"),
    path("you/look", you.change_look, name="look"),
    path("you/tokens", tokens.tokens, name="tokens"),
    path("you/tokens/<int:pk>/revoke", tokens.end_token, name="token-end"),
    *told_urls.ADDRESSES,
    path("status", majors.status, name="status"),
    path("status/<slug:slug>/hear", majors.subscription, name="status-hear"),
    path("majors", majors.index, name="majors"),
    path("majors/<ticket_key:key>", majors.room, name="major"),
    path("contacts", contacts.index, name="contacts"),
    path("contacts/new", contacts.new, name="contact-list-new"),
    path("contacts/rules/<slug:slug>", contacts.team_rules, name="team-rules"),
    path("contacts/rules/<slug:slug>/<slug:urgency>", contacts.set_rules, name="team-rules-set"),
    path("contacts/<int:pk>", contacts.one, name="contact-list"),
    path("contacts/<int:pk>/add", contacts.add, name="contact-add"),
    path("contacts/<int:pk>/remove/<int:person_id>", contacts.remove, name="contact-remove"),
    path("contacts/<int:pk>/end", contacts.end, name="contact-list-end"),
    path("cases", cases.index, name="cases"),
    path("cases/emergency", cases.glass, name="break-glass"),
    path("cases/<ticket_key:key>", cases.room, name="case"),
    path("vendors", partners.vendors, name="vendors"),
    path("vendors/<slug:slug>", partners.vendor, name="vendor"),
    path("problems", partners.problems, name="problems"),
    path("problems/<ticket_key:key>", partners.problem, name="problem"),
    path("risk", foresight.risk, name="risk"),
    path("training", handovers.training, name="training"),
    path("reviews", reviews.index, name="reviews"),
    path("reviews/samples/<int:number>", reviews.sample, name="sample"),
    path("changes", partners.changes, name="changes"),
    path("changes/<ticket_key:key>", partners.change, name="change"),
    *service_urls.ADDRESSES,
    path("calendar/<str:token>/mine.ics", calendars.own_shifts, name="calendar-mine"),
    path("calendar/<str:token>/team/<slug:slug>.ics", calendars.team_shifts, name="calendar-team"),
    path("m/<str:token>/", links.acknowledge_by_link, name="acknowledge-link"),
    path("m/<str:token>/take", links.take_by_link, name="take-link"),
    *portal_urls.ADDRESSES,
    *ticket_urls.ADDRESSES,
]
