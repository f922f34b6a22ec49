"""Admin pages that only administrators write, and that leave an audit entry for every write."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, models, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from roles import audit
from roles.admin.widgets import known_select, name_parts, named
from roles.models import Person
from roles.people import is_allowed
from roles.refusals import Refused

REFUSALS = (Refused, IntegrityError, DataError)
"""What turns a write down, each told in the page's messages."""


def acting(request: HttpRequest) -> Person:
    """The signed-in person, as the actor of what this request does."""
    assert isinstance(request.user, Person)
    return request.user


def may(request: HttpRequest, *actions: str) -> bool:
    """Whether the signed-in person may do any of these site actions."""
    return isinstance(request.user, Person) and any(
        is_allowed(request.user, action) for action in actions
    )


def say_refusal(request: HttpRequest, trouble: Exception) -> dict[str, str]:
    """Put the refusal into the page's messages; returns its sentences by name of field."""
    if isinstance(trouble, Refused):
        fields, why = trouble.fields, f"{trouble.detail} {field_words(trouble)}".strip()
    else:
        fields, why = {}, f"The database refused: {str(trouble).splitlines()[0]}."
    messages.error(request, f"Nothing was changed. {why}")
    return fields


def field_words(refusal: Refused) -> str:
    """The sentences of a refusal on single fields, each with the name of its field."""
    named = ((name.replace("_", " ").capitalize(), why) for name, why in refusal.fields.items())
    return " ".join(f"{name}: {why}" for name, why in named)


def use_in_words(row: models.Model) -> str:
    """By what a row is held, in a sentence; "" for one that may go.

    Of tickets and their parts it says nothing: some of them not everybody may know of.
    """
    held, is_held = set(), False
    for link in row._meta.related_objects:
        if link.on_delete is not models.PROTECT:
            continue
        near = link.related_model
        if not near._default_manager.filter(**{link.field.name: row.pk}).exists():
            continue
        is_held = True
        names = {str(near._meta.model_name), *(each.name for each in near._meta.get_fields())}
        if "ticket" not in names:
            held.add(str(near._meta.verbose_name_plural))
    if not is_held:
        return ""
    by = f" by {', '.join(sorted(held))}" if held else ""
    way = "; switch it off instead" if hasattr(row, "is_active") else ""
    return f"{row} is in use{by} and stays{way}."


class RefusedForm(forms.BaseModelForm):
    """A form whose contents were refused: shown again as typed, with the reasons at its fields."""

    refused: dict[str, str]

    def is_valid(self) -> bool:
        super().is_valid()
        for name, why in self.refused.items():
            if name in self.fields and not self.has_error(name):
                self.add_error(name, why)
        return False


USUAL_HELP = {
    "slug": "Short name in addresses, files and the interface for programs; it stays for good.",
    "name": "As people read it.",
    "is_active": "Switched off, it is as if it were not there; what it did stays on record.",
    "position": "The lowest number is tried first.",
    "reason": "Kept with it, and shown to whoever looks later.",
}
"""What a field means wherever it has no words of its own."""


class FilledJson(forms.JSONField):
    """JSON that is never null: what is left empty, or null itself, is what a new row has."""

    def __init__(self, *, fresh: Callable[[], Any], **given: Any) -> None:
        super().__init__(**given)
        self.fresh = fresh

    def clean(self, value: Any) -> Any:
        """The JSON. Raises ValidationError for what is none."""
        found = super().clean(value)
        return self.fresh() if found is None else found


class Helped:
    """Fields that the model leaves without words are explained by the page."""

    help_texts: Mapping[str, str] = {}

    def formfield_for_dbfield(self, db_field: Any, request: Any, **given: Any) -> Any:
        """The form's field, with a help text from the page or from what is usual."""
        if choice := known_select(db_field):
            given["widget"] = choice
        if isinstance(db_field, models.JSONField) and not db_field.null:
            given["form_class"] = partial(FilledJson, fresh=db_field.get_default)
        made = super().formfield_for_dbfield(db_field, request, **given)  # type: ignore[misc]
        if made is not None and not made.help_text:
            made.help_text = self.help_texts.get(db_field.name, USUAL_HELP.get(db_field.name, ""))
        if made is not None:
            name_parts(made)
        return made


class GuardedAdmin(Helped, admin.ModelAdmin):  # type: ignore[type-arg]
    """Administrators write, auditors look; anybody else in the admin finds nothing here.

    What a domain function refuses comes back as a message on the page, with nothing changed.
    Django's own log of acts is never written: the audit and the timelines are the history.
    `asked_as` names the box of the form in which a field of the domain is asked for.
    """

    asked_as: Mapping[str, str] = {}

    def has_module_permission(self, request: HttpRequest) -> bool:
        return may(request, "admin", "see_audit")

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return may(request, "admin", "see_audit")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may(request, "admin")

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return may(request, "admin")

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return may(request, "admin")

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The form; after a refusal it is shown once more with all that was typed."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except REFUSALS as trouble:
            fields = say_refusal(request, trouble)
            fields = {self.asked_as.get(name, name): why for name, why in fields.items()}
            if request.method != "POST" or hasattr(request, "refused_fields"):
                return HttpResponseRedirect(request.get_full_path())
            request.refused_fields = fields  # type: ignore[attr-defined]
        return super().changeform_view(request, *args, **kwargs)

    def get_form(self, request: HttpRequest, obj: Any = None, **given: Any) -> Any:
        """The form's class; within a request that was refused, one that is never valid."""
        form = super().get_form(request, obj, **given)
        refused = getattr(request, "refused_fields", None)
        return (
            form
            if refused is None
            else type(form.__name__, (RefusedForm, form), {"refused": refused})
        )

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._or_message(request, super().delete_view, *args, **kwargs)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What would go with them; for what is in use, in whose use, without reading all of it."""
        kept = [words for words in map(use_in_words, objs) if words]
        return ([], {}, set(), kept) if kept else super().get_deleted_objects(objs, request)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The list under its own name: "Select person to change" helps nobody."""
        title = str(self.opts.verbose_name_plural)
        shown = {"title": title[:1].upper() + title[1:], **(extra_context or {})}
        for number in request.POST.getlist(ACTION_CHECKBOX_NAME):
            try:
                self.opts.pk.to_python(number)
            except ValidationError:
                messages.error(request, "Nothing was changed. There is no such row in this list.")
                return HttpResponseRedirect(request.get_full_path())
        return self._or_message(request, super().changelist_view, shown)

    def _or_message(
        self, request: HttpRequest, view: Callable[..., HttpResponse], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        try:
            if request.method != "POST":
                return view(request, *args, **kwargs)
            with transaction.atomic():
                # An act on many rows is done for all of them, or for none.
                return view(request, *args, **kwargs)
        except REFUSALS as trouble:
            say_refusal(request, trouble)
        return HttpResponseRedirect(request.get_full_path())

    def log_addition(self, request: HttpRequest, obj: models.Model, message: Any) -> Any:
        """Nothing: whatever wrote the row has told of it."""

    def log_change(self, request: HttpRequest, obj: models.Model, message: Any) -> Any:
        """Nothing, for the same reason."""

    @staticmethod
    def is_new_password(request: HttpRequest) -> bool:
        """Whether it is the page for a new password: it alone saves without a form of ours."""
        return getattr(request, "before_change", None) is None

    def log_deletions(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> Any:
        """Nothing, for the same reason."""

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """The audit of this one subject, in place of a second history beside it."""
        subject = {"subject_type": self.opts.label_lower, "subject_id": object_id}
        url = reverse("admin:roles_auditentry_changelist")
        return HttpResponseRedirect(f"{url}?{urlencode(subject)}")


class AuditedAdmin(GuardedAdmin):
    """Every add, change and delete made here becomes one audit entry, inlines included.

    Pages whose writes go through domain functions set `writes_own_audit`, since those write it;
    where only making a row does, `adds_own_audit`.
    """

    writes_own_audit = False
    adds_own_audit = False

    def get_readonly_fields(self, request: HttpRequest, obj: models.Model | None = None) -> Any:
        """The short name of what is there: access, policies and files know it by that."""
        fixed = super().get_readonly_fields(request, obj)
        return [*fixed, "slug"] if obj is not None and hasattr(obj, "slug") else fixed

    def get_prepopulated_fields(self, request: HttpRequest, obj: models.Model | None = None) -> Any:
        """A short name is made of the name of something new only."""
        return super().get_prepopulated_fields(request, obj) if obj is None else {}

    def save_model(
        self, request: HttpRequest, obj: Any, form: forms.ModelForm, change: bool
    ) -> None:
        if change:
            before = type(obj)._default_manager.get(pk=obj.pk)
            request.before_change = audit.field_values(before)  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)

    def log_addition(self, request: HttpRequest, obj: models.Model, message: Any) -> Any:
        """One audit entry with what the row holds."""
        if not self.adds_own_audit:
            filled = {k: v for k, v in audit.field_values(obj).items() if v not in (None, "", [])}
            self._record(request, "added", obj, filled, message)

    def log_change(self, request: HttpRequest, obj: models.Model, message: Any) -> Any:
        """One audit entry with what differs."""
        if self.is_new_password(request):
            changes: dict[str, Any] = {"password": ["***", "***"]}
        else:
            before = request.before_change  # type: ignore[attr-defined]
            changes = audit.differences(before, audit.field_values(obj))
        self._record(request, "changed", obj, changes, message)

    def log_deletions(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> Any:
        """One audit entry for each row, with what it held."""
        for row in queryset:
            self._record(request, "deleted", row, audit.field_values(row), "")

    def _record(
        self, request: HttpRequest, what: str, row: models.Model, changes: Any, message: Any
    ) -> None:
        changes = {**changes, **_inline_changes(message)}
        if self.writes_own_audit or not changes:
            return
        action = f"{row._meta.model_name}.{what}"
        audit.record(actor=acting(request), action=action, subject=row, changes=changes)


class ReadOnlyAdmin(GuardedAdmin):
    """History: looked at, never written by hand."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


class GuardedInline(Helped, admin.TabularInline):  # type: ignore[type-arg]
    """Rows of the page's subject, under the page's own rights."""

    extra = 0

    def get_formset(self, request: HttpRequest, obj: Any = None, **given: Any) -> Any:
        """The table's rows, with a name for each box."""
        return named(super().get_formset(request, obj, **given))

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return may(request, "admin", "see_audit")

    def has_add_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return may(request, "admin")

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return may(request, "admin")

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return may(request, "admin")


class ReadOnlyInline(GuardedInline):
    """Rows that are shown here and written on a page of their own."""

    show_change_link = True

    def get_readonly_fields(
        self, request: HttpRequest, obj: models.Model | None = None
    ) -> Sequence[Any]:
        return list(self.fields or ())

    def has_add_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


def _inline_changes(message: Any) -> dict[str, list[str]]:
    """What a form's change message says of its inlines, by the kind of row."""
    parts = json.loads(message or "[]") if isinstance(message, str) else message
    told: dict[str, list[str]] = {}
    for part in parts:
        for verb, what in part.items():
            if "name" in what:
                told.setdefault(str(what["name"]), []).append(f"{verb}: {what['object']}")
    return told
