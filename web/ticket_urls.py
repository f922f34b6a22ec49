"""The addresses of one ticket: its page, what one writes on it, its files, and every act."""

from django.urls import path

from web.register import ACTS
from web.ticketkeys import register
from web.views import acts, attachments, composer, handovers, mails, presence, reviews, ticket

register()

ADDRESSES = [
    path("tickets/<ticket_key:key>", ticket.ticket, name="ticket"),
    path("tickets/<ticket_key:key>/comment", composer.send, name="comment"),
    path("tickets/<ticket_key:key>/preview", composer.preview, name="preview"),
    path("tickets/<ticket_key:key>/draft", composer.draft, name="draft"),
    path("tickets/<ticket_key:key>/canned", composer.canned, name="canned"),
    path("tickets/<ticket_key:key>/names", composer.names, name="names"),
    path("tickets/<ticket_key:key>/here", presence.here, name="here"),
    path("tickets/<ticket_key:key>/files", attachments.upload, name="upload"),
    path("tickets/<ticket_key:key>/files/<int:number>", attachments.attachment, name="attachment"),
    path("tickets/<ticket_key:key>/files/<int:number>/drop", attachments.drop, name="drop-upload"),
    path("tickets/<ticket_key:key>/mail/<int:number>", mails.mail, name="ticket-mail"),
    path("tickets/<ticket_key:key>/unpaged", ticket.unpaged, name="unpaged"),
    path("tickets/<ticket_key:key>/similar", ticket.similar, name="similar"),
    path(
        "tickets/<ticket_key:key>/escalations/<int:number>/word",
        handovers.rate,
        name="handover-word",
    ),
    path("tickets/<ticket_key:key>/review", reviews.review, name="review"),
    path("tickets/<ticket_key:key>/review/edit", reviews.edit, name="review-edit"),
    path("tickets/<ticket_key:key>/review/actions", reviews.act, name="review-act"),
    path(
        "tickets/<ticket_key:key>/review/actions/<int:number>/done",
        reviews.finish,
        name="review-done",
    ),
    path("tickets/<ticket_key:key>/review/sign", reviews.sign, name="review-sign"),
    path("tickets/<ticket_key:key>/review.md", reviews.markdown, name="review-markdown"),
    path("tickets/<ticket_key:key>/review.pdf", reviews.pdf, name="review-pdf"),
    path("tickets/<ticket_key:key>/print", ticket.printed, name="ticket-print"),
    *[
        path(f"tickets/<ticket_key:key>/{act.slug}", acts.view_of(act), name=f"act-{act.slug}")
        for act in ACTS
    ],
]
