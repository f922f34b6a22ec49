"""The pages' addresses; each view names the action that it asks for."""

from django.urls import path

from web.acts import ACTS
from web.views import access, acts, guide, links, oncall, opening, queue, ticket

app_name = "web"
urlpatterns = [
    path("", queue.queue, name="queue"),
    path("sign-in", access.sign_in, name="sign-in"),
    path("sign-out", access.sign_out, name="sign-out"),
    path("new", opening.new, name="new"),
    path("on-call", oncall.on_call_now, name="on-call"),
    path("guide", guide.guide, name="guide"),
    path("m/<str:token>/", links.acknowledge_by_link, name="acknowledge-link"),
    path("tickets/<str:key>", ticket.ticket, name="ticket"),
    path("tickets/<str:key>/comment", ticket.add_comment, name="comment"),
    *[
        path(f"tickets/<str:key>/{act.slug}", acts.view_of(act), name=f"act-{act.slug}")
        for act in ACTS
    ],
]
