"""Messages and contact methods for administrators: what was told, what failed, and once more."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from notifications.delivery import send_again
from notifications.models import Attempt, ContactMethod, Message
from roles.audit import differences, field_values, record
from roles.refusals import Refused


class ReadOnly:
    """Nobody writes these rows by hand: they tell what happened."""

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class AttemptInline(ReadOnly, admin.TabularInline):
    model = Attempt
    fields = ["number", "started_at", "finished_at", "outcome", "detail"]
    extra = 0


@admin.register(Message)
class MessageAdmin(ReadOnly, admin.ModelAdmin):
    """The outbox, without what needs a clearance: an administrator has none by office."""

    list_display = [
        "created_at", "state", "kind", "urgency", "recipient", "channel", "topic", "attempts",
        "finished_reason",
    ]  # fmt: skip
    # Not by kind: its choices would be read from every row, those that need a clearance too.
    list_filter = ["state", "urgency", "channel", "created_at"]
    search_fields = ["=key", "=topic", "=cause", "recipient__name", "recipient__email"]
    list_select_related = ["recipient"]
    show_full_result_count = False
    inlines = [AttemptInline]
    actions = ["send_dead_again"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        return super().get_queryset(request).filter(clearance="")

    @admin.action(description="Send again (dead letters only)", permissions=["view"])
    def send_dead_again(self, request: HttpRequest, chosen: QuerySet[Message]) -> None:
        try:
            count = send_again(chosen.values_list("pk", flat=True), actor=request.user)
        except Refused as refused:
            self.message_user(request, refused.detail, messages.ERROR)
            return
        level = messages.SUCCESS if count else messages.WARNING
        self.message_user(request, f"Dead letters queued again: {count}.", level)


@admin.register(ContactMethod)
class ContactMethodAdmin(admin.ModelAdmin):
    """Where people are reached; each change goes into the administrative audit."""

    list_display = ["person", "channel", "address", "verified_at", "is_active"]
    list_filter = ["channel", "is_active"]
    search_fields = ["person__name", "person__email", "address"]
    list_select_related = ["person"]
    autocomplete_fields = ["person"]

    def save_model(
        self, request: HttpRequest, obj: ContactMethod, form: ModelForm, change: bool
    ) -> None:
        stored = ContactMethod.objects.filter(pk=obj.pk).first() if change else None
        before = field_values(stored) if stored else {}
        super().save_model(request, obj, form, change)
        _record(request, "contact_method.saved", obj, differences(before, field_values(obj)))

    def delete_model(self, request: HttpRequest, obj: ContactMethod) -> None:
        _record(request, "contact_method.deleted", obj, differences(field_values(obj), {}))
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ContactMethod]) -> None:
        for method in queryset:
            self.delete_model(request, method)


def _record(
    request: HttpRequest, action: str, method: ContactMethod, changes: dict[str, list[object]]
) -> None:
    record(actor=request.user, action=action, subject=method, changes=changes)
