"""Addresses of the portal, of knowledge and of the first run."""

from django.urls import path

from web.ticketkeys import register
from web.views import (
    handovers,
    hints,
    knowledge,
    links,
    passwords,
    portal,
    requests,
    setup,
    writing,
)

register()

ADDRESSES = [
    path("portal", portal.home, name="portal"),
    path("portal/ask", portal.ask, name="ask"),
    path("portal/suggestions", portal.suggestions, name="suggestions"),
    path("requests", portal.requests, name="requests"),
    path("requests/<ticket_key:key>", requests.request_page, name="request"),
    *[
        path(f"requests/<ticket_key:key>/{name}", getattr(requests, name), name=f"request-{name}")
        for name in requests.ACTS
    ],
    path("setup", setup.setup, name="setup"),
    path("setup/first/<str:token>", setup.first, name="setup-first"),
    path("setup/link", setup.new_link, name="setup-link"),
    path("setup/<slug:step>", setup.setup_step, name="setup-step"),
    path("m/<str:token>/welcome", setup.welcome, name="welcome-link"),
    path("m/<str:token>/reset", passwords.reset, name="password-link"),
    path("m/<str:token>/rate", links.rate_by_link, name="rate-link"),
    path("m/<str:token>/handover", handovers.handover_by_link, name="handover-link"),
    path("knowledge", knowledge.overview, name="knowledge"),
    path("knowledge/new", writing.new, name="article-new"),
    path("knowledge/<int:pk>", knowledge.article, name="article"),
    path("knowledge/<int:pk>/vote", knowledge.vote, name="article-vote"),
    path("knowledge/<int:pk>/history", knowledge.history, name="article-history"),
    path("knowledge/<int:pk>/edit", writing.edit, name="article-edit"),
    path("knowledge/<int:pk>/publish", writing.publish, name="article-publish"),
    path("knowledge/<int:pk>/retire", writing.retire, name="article-retire"),
    path("tickets/<ticket_key:key>/knowledge", hints.known, name="ticket-knowledge"),
    path("tickets/<ticket_key:key>/knowledge/use", hints.use, name="ticket-use"),
    path("tickets/<ticket_key:key>/knowledge/tick", hints.tick, name="ticket-tick"),
]
