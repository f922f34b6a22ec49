"""The administrators' door to senders: sources, rules, quiet times, requests, heartbeats."""

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.html import format_html

from api.intake.reading import NotUnderstood
from api.intake.samples import Shown, show_sample
from roles.admin.audited import AuditedAdmin, GuardedInline, ReadOnlyAdmin, acting
from roles.instants import database_now
from tickets.admin.reading import tickets_of
from tickets.alertrules import look_again
from tickets.mapping import Unmapped, mapping_problem
from tickets.models import (
    Alert,
    AlertRule,
    AlertSource,
    ChangeNotice,
    IntakeRequest,
    Maintenance,
    Pulse,
)
from tickets.sources import create_source, issue_key, signing_secret

SHOWN_ONCE = "Copy the key of {source} now, it is not shown again: {key}"
PLACES = ["name", "slug", "product", "requester", "service", "team"]
STORMS = ["grouping", "group_field", "storm_limit", "flap_limit", "auto_resolve_s"]
RIGHTS = ["reads_directory", "is_signed"]


class SourceForm(forms.ModelForm):
    """A source without its key, which is made, or given by those who hold one already."""

    given_key = forms.CharField(
        label="key that its senders hold",
        required=False,
        max_length=200,
        help_text="Leave empty for a new one. One from another product is kept as a digest only.",
    )

    class Meta:
        model = AlertSource
        fields = [*PLACES, *STORMS, *RIGHTS, "mapping", "is_active"]
        labels = {"auto_resolve_s": "Auto resolve (in seconds)"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "requester" in self.fields:
            # Without one, a service account named after the source is made.
            self.fields["requester"].required = bool(self.instance.pk)

    def clean_mapping(self) -> Any:
        mapping = self.cleaned_data["mapping"] or {}
        if not isinstance(mapping, dict):
            raise forms.ValidationError(mapping_problem(mapping))
        own = {name: value for name, value in mapping.items() if name != "timestamp_header"}
        if problem := mapping_problem(own):
            raise forms.ValidationError(problem)
        return mapping


class RulesOfSource(GuardedInline):
    model = AlertRule
    fields = ["position", "name", "conditions", "act", "severity", "service", "team", "is_active"]
    show_change_link = True
    autocomplete_fields = ["service", "team"]


@admin.register(AlertSource)
class AlertSourceAdmin(AuditedAdmin):
    """Senders of alerts; one that is not wanted any more is switched off."""

    help_texts = {
        "product": "Which product sends: it says how its requests are read.",
        "service": "What its tickets are about, where no rule says otherwise.",
        "team": "Where its tickets go, where no rule or route says otherwise.",
        "grouping": "Which alerts share one ticket.",
    }
    form = SourceForm
    adds_own_audit = True
    change_form_template = "admin/api/source_form.html"
    list_display = ["name", "product", "shown", "requester", "team", "is_active", "last_seen_at"]
    list_filter = ["product", "is_active"]
    list_select_related = ["requester", "team"]
    search_fields = ["name", "slug", "key_prefix"]
    autocomplete_fields = ["requester", "service", "team"]
    prepopulated_fields = {"slug": ["name"]}
    inlines = [RulesOfSource]
    actions = ["issue_new_keys", "show_signing_secrets"]

    @admin.display(description="key begins with")
    def shown(self, source: AlertSource) -> str:
        return source.key_prefix[:4] + "…" if source.key_prefix else ""

    @admin.display(description="requests")
    def requests_of(self, source: AlertSource) -> str:
        url = f"{reverse('admin:tickets_intakerequest_changelist')}?source__id__exact={source.pk}"
        return format_html('<a href="{}">What it sent lately, and what became of it</a>', url)

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        if obj is None:
            return [*PLACES, "given_key"]
        made = ["is_active", "shown", "last_seen_at", "requests_of"]
        return [*PLACES, *STORMS, *RIGHTS, "mapping", *made]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return ["shown", "last_seen_at", "requests_of"] if obj else []

    def get_inlines(self, request: HttpRequest, obj: Model | None) -> list[Any]:
        return list(self.inlines) if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern | URLResolver]:
        view = self.admin_site.admin_view(self.try_sample)
        mine = path("<int:pk>/try/", view, name="tickets_alertsource_try")
        return [mine, *super().get_urls()]

    def try_sample(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Say what would become of a pasted payload; nothing of it is stored."""
        if not self.has_view_permission(request):
            return self._no_permission(request)
        source = get_object_or_404(AlertSource, pk=pk)
        pasted = request.POST.get("payload", "")
        shown, problem = _tried(source, pasted) if request.method == "POST" else ([], "")
        context = {
            **self.admin_site.each_context(request),
            "title": f"Try a payload at {source.name}",
            "source": source,
            "pasted": pasted,
            "shown": shown,
            "problem": problem,
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/api/try.html", context)

    @staticmethod
    def _no_permission(request: HttpRequest) -> HttpResponse:
        return HttpResponse(status=403)

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
            key=form.cleaned_data["given_key"],
            actor=acting(request),
        )
        obj.__dict__.update(source.__dict__)
        messages.warning(request, SHOWN_ONCE.format(source=source, key=key))

    @admin.action(description="Issue a new key; the present one ends", permissions=["change"])
    def issue_new_keys(self, request: HttpRequest, chosen: QuerySet[AlertSource]) -> None:
        for source in chosen:
            key = issue_key(source=source, actor=acting(request))
            messages.warning(request, SHOWN_ONCE.format(source=source, key=key))

    @admin.action(description="Show the secret that signs (Grafana)", permissions=["change"])
    def show_signing_secrets(self, request: HttpRequest, chosen: QuerySet[AlertSource]) -> None:
        for source in chosen:
            messages.info(request, f"{source} signs with {signing_secret(source)}")


def _tried(source: AlertSource, pasted: str) -> tuple[list[Shown], str]:
    try:
        return show_sample(source, json.loads(pasted), database_now()), ""
    except (NotUnderstood, Unmapped) as wrong:
        return [], str(wrong)
    except (ValueError, RecursionError):
        return [], "This is not JSON."


@admin.register(AlertRule)
class AlertRuleAdmin(AuditedAdmin):
    """What is done with which alerts; the first rule that fits decides."""

    help_texts = {
        "act": "What is done with an alert that fits.",
        "service": "Its tickets are about this; empty: as the source says.",
        "team": "Its tickets go there; empty: as routes say.",
        "kind": "Of the tickets that it opens.",
    }
    list_display = ["name", "source", "position", "act", "severity", "service", "team", "is_active"]
    list_filter = ["source", "act", "is_active"]
    list_select_related = ["source", "service", "team"]
    search_fields = ["name"]
    autocomplete_fields = ["source", "service", "team"]


@admin.register(Maintenance)
class MaintenanceAdmin(AuditedAdmin):
    """When alerts are kept without opening tickets."""

    help_texts = {
        "conditions": "Which alerts; empty: all of the source.",
        "starts_at": "In your own time zone.",
        "ends_at": "In your own time zone; alerts that still last then open their tickets.",
    }
    list_display = ["name", "source", "starts_at", "ends_at", "reason"]
    list_filter = ["source", "starts_at"]
    list_select_related = ["source"]
    search_fields = ["name", "reason"]
    autocomplete_fields = ["source"]

    def save_model(
        self, request: HttpRequest, obj: Maintenance, form: forms.ModelForm, change: bool
    ) -> None:
        """As it was typed; what rests because of it is looked at again."""
        look_again(obj)
        super().save_model(request, obj, form, change)

    def delete_model(self, request: HttpRequest, obj: Maintenance) -> None:
        """Gone; what rests because of it is looked at again."""
        look_again(obj)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Maintenance]) -> None:
        """Several at once."""
        for window in queryset:
            look_again(window)
        super().delete_queryset(request, queryset)


@admin.register(IntakeRequest)
class IntakeRequestAdmin(ReadOnlyAdmin):
    """What senders sent lately, and what became of it."""

    list_display = ["at", "source", "door", "act", "outcome", "status", "told", "alert_shown",
                    "repeats"]  # fmt: skip
    list_filter = ["outcome", "source", "door", "at"]
    list_select_related = ["source"]
    search_fields = ["told", "=uid"]
    fields = ["at", "uid", "source", "door", "act", "outcome", "status", "told", "repeats"]
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[IntakeRequest]:
        """The requests; each names its alert only where its ticket may be read."""
        visible = Alert.objects.filter(ticket__in=tickets_of(request))
        rows = super().get_queryset(request)
        return rows.annotate(alert_seen=visible_summary(visible))

    @admin.display(description="alert")
    def alert_shown(self, row: Any) -> str:
        return row.alert_seen or ""


def visible_summary(visible: QuerySet[Alert]) -> Any:
    """The words of a request's alert, for whoever may read its ticket."""
    return Subquery(visible.filter(pk=OuterRef("alert_id")).values("summary")[:1])


@admin.register(ChangeNotice)
class ChangeNoticeAdmin(ReadOnlyAdmin):
    """Changes that senders told of."""

    list_display = ["at", "source", "summary", "origin"]
    list_filter = ["source", "at"]
    list_select_related = ["source"]
    search_fields = ["summary", "origin"]


@admin.register(Pulse)
class PulseAdmin(AuditedAdmin):
    """Heartbeats that must keep coming."""

    help_texts = {
        "source": "Which key may send it.",
        "description": "What beats, and what it means when it stops.",
        "interval": "How long it may be silent, in the unit beside.",
        "interval_unit": "Of the interval.",
        "is_enabled": "Switched off, silence is no alert.",
        "owner_team": "As the sender names it.",
        "alert_message": "Words of the alert when it falls silent; empty: made from the name.",
        "alert_tags": "Tags of that alert.",
        "alert_priority": "P1 to P5, as the sender names it.",
    }
    list_display = ["name", "source", "interval", "interval_unit", "is_enabled", "last_ping_at",
                    "is_expired"]  # fmt: skip
    list_filter = ["source", "is_enabled", "is_expired"]
    list_select_related = ["source"]
    search_fields = ["name", "description"]
    autocomplete_fields = ["source"]
    readonly_fields = ["last_ping_at", "is_expired"]
