"""Admin pages of mail: the addresses that take it in, and what was received with its outcome.

Those of other senders stand beside their doors.
"""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from api.intake import admin as intake_admin
from api.mail.taking import SETTLED, process_again
from roles.admin.audited import AuditedAdmin, ReadOnlyAdmin, acting, may
from roles.refusals import Refused
from tickets.admin.reading import tickets_of
from tickets.mailsources import create_mail_source, issue_mail_key
from tickets.models import MailSource, ReceivedMail

SHOWN_ONCE = "Copy the key of {source} now, it is not shown again: {key}"
FIELDS = ("name", "address", "team", "service", "unknown", "monitor", "hourly_limit")


@admin.register(MailSource)
class MailSourceAdmin(AuditedAdmin):
    """Addresses at which mail comes in; their keys open the HTTP door."""

    help_texts = {
        "service": "What its tickets are about.",
    }
    adds_own_audit = True
    list_display = ["name", "address", "unknown", "is_active", "last_seen_at", "polled_at"]
    list_filter = ["is_active", "unknown"]
    search_fields = ["name", "slug", "address"]
    autocomplete_fields = ["team", "service", "monitor"]
    prepopulated_fields = {"slug": ["name"]}
    actions = ["issue_new_keys"]

    @admin.display(description="key begins with")
    def shown(self, source: MailSource) -> str:
        return source.key_prefix

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        made = ["is_active", "shown", "last_seen_at", "polled_at", "trouble"] if obj else []
        return ["slug", *FIELDS, *made]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return ["shown", "last_seen_at", "polled_at", "trouble"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def save_model(
        self, request: HttpRequest, obj: MailSource, form: forms.ModelForm, change: bool
    ) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        given = {name: form.cleaned_data[name] for name in FIELDS}
        source, key = create_mail_source(slug=obj.slug, actor=acting(request), **given)
        obj.__dict__.update(source.__dict__)
        messages.warning(request, SHOWN_ONCE.format(source=source, key=key))

    @admin.action(description="Issue a new key; the present one ends", permissions=["change"])
    def issue_new_keys(self, request: HttpRequest, chosen: QuerySet[MailSource]) -> None:
        for source in chosen:
            key = issue_mail_key(source=source, actor=acting(request))
            messages.warning(request, SHOWN_ONCE.format(source=source, key=key))


@admin.register(ReceivedMail)
class ReceivedMailAdmin(ReadOnlyAdmin):
    """Every mail as it came: that of a ticket for whoever reads the ticket, the rest for all here.

    What waits, or went wrong, is processed again when the reason is mended.
    """

    list_display = ["received_at", "sender", "subject", "outcome", "reason", "on", "source"]
    list_filter = ["outcome", "source", "received_at"]
    list_select_related = ["source", "ticket"]
    search_fields = ["sender", "subject", "=message_id", "=ticket__key"]
    show_full_result_count = False
    actions = ["again", "let_in"]
    fields = [
        *("received_at", "source", "via", "outcome", "reason", "settled_at", "on", "person"),
        *("sender", "sender_name", "subject", "message_id", "size", "text", "rest"),
    ]

    @admin.display(description="ticket")
    def on(self, mail: ReceivedMail) -> str:
        if mail.ticket is None:
            return "-"
        page = reverse("admin:tickets_ticket_change", args=[mail.ticket.pk])
        return format_html('<a href="{}">{}</a>', page, mail.ticket.key)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return may(request, "admin", "see_dashboard")

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return may(request, "admin", "see_dashboard")

    def has_process_permission(self, request: HttpRequest) -> bool:
        return may(request, "admin")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).defer("raw", "html")
        known = Q(ticket__in=tickets_of(request))
        return rows.filter(known | Q(ticket=None) if may(request, "admin") else known)

    @admin.action(description="Process again", permissions=["process"])
    def again(self, request: HttpRequest, chosen: QuerySet[ReceivedMail]) -> None:
        self._process(request, chosen, as_guest=False)

    @admin.action(description="Let the sender in as a guest", permissions=["process"])
    def let_in(self, request: HttpRequest, chosen: QuerySet[ReceivedMail]) -> None:
        self._process(request, chosen, as_guest=True)

    def _process(
        self, request: HttpRequest, chosen: QuerySet[ReceivedMail], *, as_guest: bool
    ) -> None:
        for mail in chosen.exclude(outcome__in=SETTLED).order_by("pk"):
            try:
                done = process_again(received=mail, as_guest=as_guest, actor=acting(request))
            except Refused as refusal:
                messages.error(request, f"{mail}: {refusal.detail}")
                continue
            label = ReceivedMail.Outcome(done.outcome).label
            level = messages.SUCCESS if done.outcome in SETTLED else messages.WARNING
            messages.add_message(request, level, f"{mail}: {label}. {done.reason}".strip())


__all__ = ["intake_admin"]
