"""Admin pages of alert sources, whose key is shown a single time, and of their alerts."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse

from roles.admin.audited import AuditedAdmin, ReadOnlyAdmin, acting
from tickets.admin.reading import TicketBound, tickets_of
from tickets.models import Alert, AlertSource
from tickets.sources import create_source, issue_key

SHOWN_ONCE = "Copy the key of {source} now, it is not shown again: {key}"


class SourceForm(forms.ModelForm):
    """A source without its key, which is made, not typed."""

    class Meta:
        model = AlertSource
        fields = ["name", "slug", "product", "requester", "service", "team", "is_active"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "requester" in self.fields:
            # Without one, a service account named after the source is made.
            self.fields["requester"].required = bool(self.instance.pk)


@admin.register(AlertSource)
class AlertSourceAdmin(AuditedAdmin):
    """Senders of alerts; one that is not wanted any more is switched off."""

    form = SourceForm
    list_display = ["name", "product", "shown", "requester", "team", "is_active", "last_seen_at"]
    list_filter = ["product", "is_active"]
    list_select_related = ["requester", "team"]
    search_fields = ["name", "slug", "key_prefix"]
    autocomplete_fields = ["requester", "service", "team"]
    prepopulated_fields = {"slug": ["name"]}
    actions = ["issue_new_keys"]

    @admin.display(description="key begins with")
    def shown(self, source: AlertSource) -> str:
        return source.key_prefix

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        made = ["is_active", "shown", "last_seen_at"] if obj else []
        return ["name", "slug", "product", "requester", "service", "team", *made]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return ["shown", "last_seen_at"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def save_model(
        self, request: HttpRequest, obj: AlertSource, form: forms.ModelForm, change: bool
    ) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        source, key = create_source(
            slug=obj.slug,
            name=obj.name,
            product=obj.product,
            requester=form.cleaned_data["requester"],
            service=obj.service,
            team=obj.team,
            actor=acting(request),
        )
        obj.__dict__.update(source.__dict__)
        messages.warning(request, SHOWN_ONCE.format(source=source, key=key))

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> None:  # type: ignore[override]
        """Nothing: making a source has written its own audit entry."""

    @admin.action(description="Issue a new key; the present one ends", permissions=["change"])
    def issue_new_keys(self, request: HttpRequest, chosen: QuerySet[AlertSource]) -> None:
        for source in chosen:
            key = issue_key(source=source, actor=acting(request))
            messages.warning(request, SHOWN_ONCE.format(source=source, key=key))


@admin.register(Alert)
class AlertAdmin(TicketBound):
    """What monitors have said, and the ticket that it folded into."""

    list_display = ["last_seen_at", "source", "summary", "state", "ticket", "count", "started_at"]
    list_filter = ["state", "source", "last_seen_at"]
    list_select_related = ["source", "ticket"]
    search_fields = ["=ticket__key", "=dedup_key", "summary"]
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Alert]:
        """Those of tickets that one may read, and those that have none."""
        rows = ReadOnlyAdmin.get_queryset(self, request)
        return rows.filter(Q(ticket__in=tickets_of(request)) | Q(ticket=None))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = context.get("original")
        if row is None or row.ticket is not None:
            return super().render_change_form(request, context, *args, **kwargs)
        context["subtitle"] = f"alert: {row.suppressed}"
        return ReadOnlyAdmin.render_change_form(self, request, context, *args, **kwargs)
