"""Messages and contact methods for administrators: what was told, what failed, and once more."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from notifications.addresses import shown_address
from notifications.admindeliveries import LOG_SHOWN, deliveries_of, send_once_more
from notifications.adminforms import HookForm, MessageTextForm, MethodForm
from notifications.channels.registry import NAMES
from notifications.delivery import send_again
from notifications.hooks import event_types, message_kinds
from notifications.models import Attempt, ContactMethod, Hook, Message, MessageText
from notifications.outbox import VEILED
from notifications.spreading import CODE
from notifications.subscriptions import subscribe
from notifications.texts import PLACES, preview
from notifications.webhooks import change_hook, create_hook, issue_secret, leads_to
from roles.admin import AuditedAdmin, ReadOnlyAdmin, ReadOnlyInline, acting
from roles.refusals import Refused


class AttemptInline(ReadOnlyInline):
    model = Attempt
    fields = ("number", "started_at", "finished_at", "outcome", "detail")
    show_change_link = False


UNSAID = "not said"


def is_veiled(message: Message) -> bool:
    """Whether the letter itself does not say which case it is about."""
    return bool(message.data.get("veiled"))


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    """The outbox, without what needs a clearance: an administrator has none by office."""

    list_display = (
        "created_at", "state", "subject", "recipient", "how", "what", "about", "finished_reason",
    )  # fmt: skip
    fields = (
        ("recipient", "how"),
        ("what", "urgency", "priority", "rung"),
        ("about", "caused_by"),
        "subject",
        "body",
        ("state", "attempts", "next_attempt_at", "not_before"),
        ("created_at", "sent_at", "finished_at", "opened_at", "acted_at"),
        "finished_reason",
        "key",
    )
    # Not by kind: its choices would be read from every row, those that need a clearance too.
    list_filter = ("state", "urgency", "channel", "created_at")
    search_fields = ("=key", "=topic", "=cause", "recipient__name", "recipient__email")
    list_select_related = ("recipient",)
    show_full_result_count = False
    inlines = (AttemptInline,)
    actions = ("send_dead_again",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        """Nor a letter with a code: whoever reads it could prove an address that is another's."""
        return super().get_queryset(request).filter(clearance="").exclude(kind=CODE)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Message], search_term: str
    ) -> tuple[QuerySet[Message], bool]:
        """A letter that does not say which case it is about is not found by it either."""
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        told = Q(topic=search_term) | Q(cause=search_term)
        return found.exclude(told, data__contains=dict(VEILED)), may_repeat

    @admin.display(description="kind", ordering="kind")
    def what(self, message: Message) -> str:
        return message.kind.replace("_", " ").capitalize()

    @admin.display(description="channel", ordering="channel")
    def how(self, message: Message) -> str:
        return NAMES.get(message.channel, message.channel)

    @admin.display(description="about", ordering="topic")
    def about(self, message: Message) -> str:
        """The ticket's key, else what the letter is about."""
        return UNSAID if is_veiled(message) else message.data.get("ticket") or message.topic

    @admin.display(description="caused by")
    def caused_by(self, message: Message) -> str:
        return UNSAID if is_veiled(message) else message.cause

    @admin.action(description="Send again (dead letters only)", permissions=["view"])
    def send_dead_again(self, request: HttpRequest, chosen: QuerySet[Message]) -> None:
        try:
            count = send_again(chosen.values_list("pk", flat=True), actor=acting(request))
        except Refused as refused:
            self.message_user(request, refused.detail, messages.ERROR)
            return
        level = messages.SUCCESS if count else messages.WARNING
        self.message_user(request, f"Dead letters queued again: {count}.", level)


@admin.register(ContactMethod)
class ContactMethodAdmin(AuditedAdmin):
    """Where people are reached; each change goes into the administrative audit."""

    help_texts = {
        "verified_at": "When it was proved to be theirs. Empty: nothing but mail goes there.",
    }
    form = MethodForm
    list_display = ("person", "how", "leads_to", "verified_at", "is_active", "ended_because")
    list_filter = ("channel", "is_active")
    search_fields = ("person__name", "person__email", "address")
    readonly_fields = ("ended_because",)
    fields = ("person", "channel", "address", "verified_at", "is_active", "ended_because")
    list_select_related = ("person",)
    autocomplete_fields = ("person",)

    @admin.display(description="channel", ordering="channel")
    def how(self, method: ContactMethod) -> str:
        return NAMES.get(method.channel, method.channel)

    def save_model(
        self, request: HttpRequest, obj: ContactMethod, form: forms.ModelForm, change: bool
    ) -> None:
        """One that is used again has no reason any more why it is not."""
        obj.ended_because = "" if obj.is_active else obj.ended_because
        super().save_model(request, obj, form, change)

    @admin.display(description="address", ordering="address")
    def leads_to(self, method: ContactMethod) -> str:
        return shown_address(method.channel, method.address)

    def _record(
        self, request: HttpRequest, what: str, row: Model, changes: Any, message: Any
    ) -> None:
        """An address that is a right in itself stands in no audit: only where it leads."""
        kept = {name: told for name, told in changes.items() if not name.startswith("digest")}
        if "address" in kept and isinstance(row, ContactMethod):
            told = kept["address"] if isinstance(kept["address"], list) else [kept["address"]]
            shown = [shown_address(row.channel, str(each)) for each in told]
            kept["address"] = shown if len(shown) > 1 else shown[0]
        super()._record(request, what, row, kept, message)


@admin.register(MessageText)
class MessageTextAdmin(AuditedAdmin):
    """The site's own words for messages, with an example of how they read."""

    help_texts = {"is_active": "Switched off, the product's own words are used."}
    form = MessageTextForm
    list_display = ("about", "how", "read_in", "subject", "is_active")
    list_filter = ("language", "channel", "is_active")
    search_fields = ("kind", "subject", "body")
    readonly_fields = ("places", "reads")
    fields = ("kind", ("channel", "language"), "subject", "body", "is_active", "places", "reads")

    @admin.display(description="tells of", ordering="kind")
    def about(self, text: MessageText) -> str:
        return message_kinds.get(text.kind, text.kind)

    @admin.display(description="channel", ordering="channel")
    def how(self, text: MessageText) -> str:
        return NAMES.get(text.channel, text.channel) or "all"

    @admin.display(description="language", ordering="language")
    def read_in(self, text: MessageText) -> str:
        return dict(settings.LANGUAGES).get(text.language, text.language)

    @admin.display(description="may stand in braces")
    def places(self, text: MessageText) -> SafeString:
        lines = ((f"{{{name}}}", what) for name, what in PLACES.items())
        return format_html_join(mark_safe("<br>"), "<code>{}</code> {}", lines)

    @admin.display(description="reads, for example")
    def reads(self, text: MessageText) -> SafeString | str:
        if text.pk is None:
            return "Shown here once it is saved."
        subject, body = preview(text)
        lines = format_html_join(mark_safe("<br>"), "{}", ((line,) for line in body.splitlines()))
        return format_html("<strong>{}</strong><br>{}", subject, lines)


SHOWN_ONCE = "Copy the secret of {hook} now, it is not shown again: {secret}"


@admin.register(Hook)
class HookAdmin(AuditedAdmin):
    """Other systems that policies may call; one that is not wanted any more is switched off."""

    help_texts = {
        "shape": "In which form it is told.",
    }
    writes_own_audit = True
    form = HookForm
    list_display = ("name", "slug", "leads_to", "is_active", "shape", "wants")
    list_filter = ("is_active", "shape")
    search_fields = ("name", "slug")
    fields = ("name", "slug", "url", "is_active", "events", "filters", "shape", "ended_because")
    actions = ("issue_new_secrets",)
    change_form_template = "admin/notifications/hook_form.html"

    def get_urls(self) -> list[URLPattern | URLResolver]:
        view = self.admin_site.admin_view(self.show_deliveries)
        mine = path("<int:pk>/deliveries/", view, name="notifications_hook_deliveries")
        return [mine, *super().get_urls()]

    def show_deliveries(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The delivery log; what is posted sends one of them again, or a ping."""
        hook = get_object_or_404(Hook, pk=pk)
        may_send = self.has_change_permission(request, hook)
        if not self.has_view_permission(request, hook) or (
            request.method == "POST" and not may_send
        ):
            raise PermissionDenied
        if request.method == "POST":
            send_once_more(request, hook)
            return redirect(request.path)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Deliveries to {hook}",
            "hook": hook,
            "leads_to": leads_to(hook),
            "rows": deliveries_of(hook),
            "most": LOG_SHOWN,
            "may_send": may_send,
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/notifications/deliveries.html", context)

    @admin.display(description="address")
    def leads_to(self, hook: Hook) -> str:
        return leads_to(hook)

    @admin.display(description="events")
    def wants(self, hook: Hook) -> str:
        return ", ".join(hook.events) or "none: policies call it"

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return self.fields if obj else self.fields[:3]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return ["slug", "ended_because"] if obj else []

    def get_prepopulated_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return {} if obj else {"slug": ["name"]}

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def save_model(
        self, request: HttpRequest, obj: Hook, form: forms.ModelForm, change: bool
    ) -> None:
        given = {"name": obj.name, "url": obj.url}
        if change:
            change_hook(hook=obj, is_active=obj.is_active, actor=acting(request), **given)
            subscribe(
                hook=obj,
                events=obj.events,
                filters=obj.filters or {},
                shape=obj.shape,
                known=list(event_types),
                actor=acting(request),
            )
            return
        hook, secret = create_hook(slug=obj.slug, actor=acting(request), **given)
        obj.__dict__.update(hook.__dict__)
        messages.warning(request, SHOWN_ONCE.format(hook=hook, secret=secret))

    @admin.action(
        description="Issue a new secret; the present one signs for another day",
        permissions=["change"],
    )
    def issue_new_secrets(self, request: HttpRequest, chosen: QuerySet[Hook]) -> None:
        for hook in chosen:
            secret = issue_secret(hook=hook, actor=acting(request))
            messages.warning(request, SHOWN_ONCE.format(hook=hook, secret=secret))
