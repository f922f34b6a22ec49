"""Admin pages of what is known: articles with their published wordings, and requesters' marks."""

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from roles.admin.audited import ReadOnlyAdmin, may
from tickets import knowledge
from tickets.admin.reading import TicketBound
from tickets.models import Article, ArticleRevision, Feedback


class RevisionLines(admin.TabularInline):  # type: ignore[type-arg]
    """What was published when, and by whom."""

    model = ArticleRevision
    fk_name = "article"
    fields = ["number", "title", "audience", "published_at", "published_by", "note"]
    readonly_fields = ["number", "title", "audience", "published_at", "published_by", "note"]
    extra = 0
    can_delete = False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return may(request, "draft_knowledge", "see_audit")

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Article)
class ArticleAdmin(ReadOnlyAdmin):
    """Every article with its figures; written and published on the knowledge pages."""

    list_display = ["title", "state", "audience", "yes", "no", "used", "spared", "changed_at"]
    list_filter = ["state", "audience", "services"]
    search_fields = ["title", "keywords"]
    inlines = [RevisionLines]
    exclude = ["source"]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return may(request, "draft_knowledge", "see_audit")

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return may(request, "draft_knowledge", "see_audit")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return knowledge.with_figures(super().get_queryset(request))

    @admin.display(description="helped", ordering="yes")
    def yes(self, article: Any) -> int:
        return int(article.yes)

    @admin.display(description="did not help", ordering="no")
    def no(self, article: Any) -> int:
        return int(article.no)

    @admin.display(description="solved tickets", ordering="used")
    def used(self, article: Any) -> int:
        return int(article.used)

    @admin.display(description="spared tickets", ordering="spared")
    def spared(self, article: Any) -> int:
        return int(article.spared)


@admin.register(Feedback)
class FeedbackAdmin(TicketBound):
    """What requesters said of how it went."""

    list_display = ["ticket", "score", "comment", "given_at", "changed_at"]
    list_filter = ["score", "ticket__team"]
    list_select_related = ["ticket"]
    search_fields = ["=ticket__key", "comment"]
    date_hierarchy = "given_at"
