"""Admin pages of vendors with their contacts, and of what they are engaged for."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from escalation.models import Engagement, Vendor, VendorContact
from escalation.vendors import deliver, engage, release_vendor, respond
from roles.admin.audited import GuardedInline, acting
from roles.admin.sheets import Sheet
from roles.admin.sheetviews import SheetAdmin
from tickets.admin.doing import TicketActs, key_field, ticket_by_key


class ContactForm(forms.ModelForm):
    """One contact, its fields so short that five of them stand side by side."""

    class Meta:
        model = VendorContact
        fields = ["level", "role", "name", "email", "phone"]
        widgets = {
            "level": forms.NumberInput(attrs={"class": "contact-level"}),
            **{
                name: forms.TextInput(attrs={"class": "contact-words"})
                for name in ("role", "name", "phone")
            },
            "email": forms.EmailInput(attrs={"class": "contact-mail"}),
        }


class ContactsOfVendor(GuardedInline):
    help_texts = {
        "name": "Who answers there.",
        "email": "For mail, or empty.",
        "phone": "With country code.",
    }
    model = VendorContact
    form = ContactForm
    fields = ["level", "role", "name", "email", "phone"]


@admin.register(Vendor)
class VendorAdmin(SheetAdmin):
    """With whom there is a contract; one that is not called any more is switched off.

    Its targets are targets narrowed to it, on the page of targets.
    """

    sheet = Sheet(
        columns=("slug", "name", "contract", "terms", "team", "calendar", "url", "is_active"),
        key=("slug",),
        named_by={"team": "slug", "calendar": "slug"},
    )
    list_display = ["name", "contract", "calendar", "team", "is_active"]
    list_filter = ["is_active"]
    list_select_related = ["calendar", "team"]
    search_fields = ["name", "slug", "contract"]
    autocomplete_fields = ["team", "calendar"]
    prepopulated_fields = {"slug": ["name"]}
    inlines = [ContactsOfVendor]

    class Media:
        css = {"all": ["admin/css/tickets.css"]}

    fields = ["name", "slug", "contract", "terms", "team", "calendar", "url", "is_active"]

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class EngagingForm(forms.ModelForm):
    """Which vendor is called in for which ticket, and what it is told."""

    key = key_field()
    wait = forms.BooleanField(
        required=False, label="Put on hold", help_text="The ticket waits for the vendor."
    )

    class Meta:
        model = Engagement
        fields = ["vendor", "reason", "reference"]
        help_texts = {"reason": "The vendor reads this."}


@admin.register(Engagement)
class EngagementAdmin(TicketActs):
    """Vendors at work on tickets."""

    list_display = ["ticket", "vendor", "state", "reference", "engaged_at", "responded_at"]
    list_filter = ["state", "vendor"]
    list_select_related = ["ticket", "vendor"]
    search_fields = ["=ticket__key", "reference"]
    actions = ["respond_chosen", "deliver_chosen", "release_chosen"]

    def get_form(self, request: HttpRequest, obj: Any = None, **given: Any) -> Any:
        if obj is None:
            given["form"] = EngagingForm
        return super().get_form(request, obj, **given)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        if obj is None:
            return ["key", "vendor", "reason", "reference", "wait"]
        return [
            "ticket", "vendor", "state", "reason", "reference", "engaged_at", "engaged_by",
            "responded_at", "ended_at", "by_move",
        ]  # fmt: skip

    def save_model(
        self, request: HttpRequest, obj: Engagement, form: forms.ModelForm, change: bool
    ) -> None:
        made = engage(
            ticket=ticket_by_key(request, form.cleaned_data["key"]),
            vendor=obj.vendor,
            reason=obj.reason,
            reference=obj.reference,
            wait=form.cleaned_data["wait"],
            actor=acting(request),
        )
        obj.__dict__.update(made.__dict__)

    @admin.action(description="The vendor has answered, under the reference given")
    def respond_chosen(self, request: HttpRequest, chosen: QuerySet[Engagement]) -> None:
        person, words = acting(request), self.words(request)
        self.each(request, chosen, lambda item: respond(ticket=item, actor=person, reference=words))

    @admin.action(description="The vendor has delivered what the words say")
    def deliver_chosen(self, request: HttpRequest, chosen: QuerySet[Engagement]) -> None:
        person, words = acting(request), self.words(request)
        self.each(request, chosen, lambda item: deliver(ticket=item, actor=person, result=words))

    @admin.action(description="Release the vendor, for the reason given")
    def release_chosen(self, request: HttpRequest, chosen: QuerySet[Engagement]) -> None:
        person, words = acting(request), self.words(request)
        self.each(
            request, chosen, lambda item: release_vendor(ticket=item, actor=person, reason=words)
        )
