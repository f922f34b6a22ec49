"""Admin pages of the administrative audit: who changed what, as it can be read."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from roles.admin.audited import ReadOnlyAdmin, may
from roles.admin.changes import as_table, in_short, lines_of
from roles.models import AuditEntry, Person

ACTORS_MAX = 100


class Who(admin.SimpleListFilter):
    """The people who may administer, and the system."""

    title = "who"
    parameter_name = "actor_id"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        people = Person.objects.filter(is_staff=True).order_by("name")[:ACTORS_MAX]
        return [("0", "the system"), *((str(person.pk), str(person)) for person in people)]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry]
    ) -> QuerySet[AuditEntry]:
        asked = self.value() or ""
        if not asked.isdecimal():
            return queryset
        return queryset.filter(actor_id=int(asked) or None)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Who changed people or configuration, when and why."""

    list_display = ["at", "actor_name", "deed", "subject", "what", "reason"]
    list_filter = [Who, "subject_type", "action", "at"]
    search_fields = ["subject", "action", "reason"]
    search_help_text = "The name of what was changed, the act, or words of the reason."
    date_hierarchy = "at"
    show_full_result_count = False
    fields = ["at", "actor_name", "deed", "subject", "subject_type", "subject_id", "told", "reason"]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[AuditEntry]:
        name = Person.objects.filter(pk=models.OuterRef("actor_id")).values("name")[:1]
        return super().get_queryset(request).annotate(acted=models.Subquery(name))

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """The page of the list, with the changes of all its rows put into words at once."""
        page = super().get_changelist_instance(request)
        page.result_list = list(page.result_list)  # type: ignore[assignment]
        lines = lines_of(page.result_list)
        for row in page.result_list:
            row.in_short = in_short(lines[row.pk])
        return page

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """All of it, or under its own name the history of one subject."""
        asked = {name: request.GET.get(name, "") for name in ("subject_type", "subject_id")}
        if all(asked.values()):
            named = AuditEntry.objects.filter(**asked).values_list("subject", flat=True).first()
            title = _("History of %s") % (named or _("what was never changed here"))
            extra_context = {"title": title, **(extra_context or {})}
        return super().changelist_view(request, extra_context)

    @admin.display(description="who", empty_value="the system")
    def actor_name(self, entry: AuditEntry) -> str | None:
        return getattr(entry, "acted", None)

    @admin.display(description="act", ordering="action")
    def deed(self, entry: AuditEntry) -> str:
        kind, _dot, verb = entry.action.partition(".")
        return f"{kind}: {verb.replace('_', ' ')}" if verb else kind

    @admin.display(description="what changed")
    def what(self, entry: AuditEntry) -> str:
        return getattr(entry, "in_short", "")

    @admin.display(description="what changed")
    def told(self, entry: AuditEntry) -> str:
        return as_table(lines_of([entry])[entry.pk])

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup in {"subject_type", "subject_id", "actor_id"} or super().lookup_allowed(
            lookup, value, request
        )

    def has_module_permission(self, request: HttpRequest) -> bool:
        return may(request, "see_audit")

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return may(request, "see_audit")
