"""Admin pages of people and their API tokens."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.db import models
from django.http import HttpRequest
from django.urls import path

from roles.admin.audited import AuditedAdmin, ReadOnlyInline, acting
from roles.admin.erasures import erase_view
from roles.admin.sheets import Sheet
from roles.admin.sheetviews import SheetAdmin
from roles.models import ApiToken, DutyAssignment, Membership, Person
from roles.models.tokens import Scope
from roles.newcomers import password_set
from roles.people import deactivate, reactivate
from roles.refusals import Invalid
from roles.tokens import issue, revoke

# What people may do follows from their teams and duties; Django's groups would say nothing.
admin.site.unregister(Group)


class PersonAddForm(AdminUserCreationForm):
    """A new account: who it is, and a password unless it signs in elsewhere."""

    class Meta:
        model = Person
        fields = ("username", "name", "email", "kind")


class PersonChangeForm(UserChangeForm):
    """An account without its password, which has a page of its own."""

    class Meta:
        model = Person
        exclude = ("groups", "user_permissions", "last_login")


class MembershipsOfPerson(ReadOnlyInline):
    model = Membership
    fields = ["team", "role", "joined_at"]
    verbose_name_plural = "teams"


class DutiesOfPerson(ReadOnlyInline):
    model = DutyAssignment
    fields = ["duty", "assigned_at"]
    verbose_name_plural = "duties"


@admin.register(Person)
class PersonAdmin(SheetAdmin, UserAdmin):
    """People and service accounts; they are switched off, never deleted."""

    help_texts = {
        "email": "Mail from this address counts as theirs.",
        "kind": "Programs are service accounts: they sign in by token only.",
        "is_vip": "Their tickets are marked, and policies may ask for it.",
        "phone": "With country code, for people who call back.",
    }
    sheet = Sheet(
        columns=(
            *("username", "name", "email", "phone", "organisation", "kind", "is_vip"),
            *("zone", "language", "is_staff", "is_active"),
        ),
        key=("username",),
        named_by={"organisation": "slug"},
        for_new={"usable_password": "false"},
    )
    form = PersonChangeForm
    add_form = PersonAddForm
    inlines = [MembershipsOfPerson, DutiesOfPerson]
    list_display = ["username", "name", "email", "organisation", "kind", "is_vip", "is_active"]
    list_filter = ["is_active", "kind", "is_vip", "is_staff", "organisation"]
    list_select_related = ["organisation"]
    search_fields = ["username", "name", "email", "phone"]
    autocomplete_fields = ["organisation"]
    ordering = ["name"]
    filter_horizontal = ()
    actions = ["switch_off", "switch_on"]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        ("Who it is", {"fields": ["name", "email", "phone", "organisation", "kind", "is_vip"]}),
        ("Where and how", {"fields": ["zone", "language"]}),
        ("Access", {"fields": ["is_active", "is_staff", "is_superuser", "date_joined"]}),
    ]
    add_fieldsets = [
        (None, {"fields": ["username", "name", "email", "kind"]}),
        ("Password", {"fields": ["usable_password", "password1", "password2"]}),
    ]

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def log_change(self, request: HttpRequest, obj: models.Model, message: Any) -> Any:
        """As for every row; whoever was given another password hears of it."""
        super().log_change(request, obj, message)
        if self.is_new_password(request) and isinstance(obj, Person):
            password_set.send(Person, person=obj, by=acting(request))

    def get_urls(self) -> list[Any]:
        guarded = self.admin_site.admin_view(erase_view)
        return [path("<int:pk>/erase/", guarded, name="roles_person_erase"), *super().get_urls()]

    def get_inlines(self, request: HttpRequest, obj: models.Model | None) -> list[Any]:
        return self.inlines if obj else []

    def get_readonly_fields(
        self, request: HttpRequest, obj: models.Model | None = None
    ) -> list[str]:
        only_superusers_make_superusers = [] if acting(request).is_superuser else ["is_superuser"]
        return ["date_joined", *only_superusers_make_superusers]

    def save_model(
        self, request: HttpRequest, obj: Any, form: forms.ModelForm, change: bool
    ) -> None:
        if change and "is_active" in form.changed_data:
            switch = reactivate if obj.is_active else deactivate
            person = Person.objects.get(pk=obj.pk)
            switch(person=person, actor=acting(request))
            obj.left_at = person.left_at
        if change and obj.pk == acting(request).pk and "is_staff" in form.changed_data:
            sentence = "Another administrator takes the way in here from you."
            raise Invalid("own_account", "You cannot shut yourself out.", {"is_staff": sentence})
        super().save_model(request, obj, form, change)

    @admin.action(description="Switch the chosen accounts off", permissions=["change"])
    def switch_off(self, request: HttpRequest, queryset: models.QuerySet[Person]) -> None:
        for person in queryset:
            deactivate(person=person, actor=acting(request))
        messages.success(request, "The accounts are switched off.")

    @admin.action(description="Switch the chosen accounts on", permissions=["change"])
    def switch_on(self, request: HttpRequest, queryset: models.QuerySet[Person]) -> None:
        for person in queryset:
            reactivate(person=person, actor=acting(request))
        messages.success(request, "The accounts are switched on.")


class TokenForm(forms.ModelForm):
    """A token's name, scopes and end; its secret is made, not typed."""

    scopes = forms.MultipleChoiceField(
        choices=Scope.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text="The person's own rights limit the token further.",
    )

    class Meta:
        model = ApiToken
        fields = ["person", "name", "scopes", "expires_at"]


@admin.register(ApiToken)
class ApiTokenAdmin(AuditedAdmin):
    """API tokens; the text of a new one is shown a single time."""

    help_texts = {
        "person": "The program's account, or your own; people make theirs themselves.",
    }
    form = TokenForm
    adds_own_audit = True
    list_display = ["name", "person", "shown", "scopes", "expires_at", "last_used_at", "revoked_at"]
    list_filter = [("revoked_at", admin.EmptyFieldListFilter), "expires_at"]
    list_select_related = ["person"]
    search_fields = ["name", "prefix", "person__username", "person__name"]
    autocomplete_fields = ["person"]
    actions = ["revoke_chosen"]

    @admin.display(description="begins with")
    def shown(self, token: ApiToken) -> str:
        return f"tl_{token.prefix}_"

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: models.Model | None = None) -> list[str]:
        made = ["shown", "created_at", "last_used_at", "revoked_at"] if obj else []
        return ["person", "name", "scopes", "expires_at", *made]

    def get_readonly_fields(
        self, request: HttpRequest, obj: models.Model | None = None
    ) -> list[str]:
        return ["person", "shown", "created_at", "last_used_at", "revoked_at"] if obj else []

    def save_model(
        self, request: HttpRequest, obj: Any, form: forms.ModelForm, change: bool
    ) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        token, plain = issue(
            person=obj.person,
            name=obj.name,
            scopes=obj.scopes,
            expires_at=obj.expires_at,
            actor=acting(request),
        )
        obj.__dict__.update(token.__dict__)
        messages.warning(request, f"Copy the token now, it is not shown again: {plain}")

    @admin.action(description="Revoke the chosen tokens", permissions=["change"])
    def revoke_chosen(self, request: HttpRequest, queryset: models.QuerySet[ApiToken]) -> None:
        for token in queryset.filter(revoked_at__isnull=True):
            revoke(token=token, actor=acting(request))
        messages.success(request, "The tokens are revoked.")
