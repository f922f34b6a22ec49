"""Admin pages of services, categories and the routes between teams."""

from django.contrib import admin

from roles.admin.audited import GuardedInline
from roles.admin.sheets import Sheet
from roles.admin.sheetviews import SheetAdmin
from tickets.models import Category, Route, Service


class RoutesOfService(GuardedInline):
    help_texts = {
        "category": "Empty: any.",
        "tier": "On which rung.",
        "team": "Who works on it there.",
    }
    model = Route
    fields = ["category", "tier", "team", "takes_new"]
    autocomplete_fields = ["category", "tier", "team"]


@admin.register(Service)
class ServiceAdmin(SheetAdmin):
    """Services are switched off, not deleted, once tickets name them."""

    help_texts = {
        "description": "What it offers, in the words of those who ask for it.",
    }
    sheet = Sheet(
        columns=("slug", "name", "description", "owner_team", "is_active"),
        key=("slug",),
        named_by={"owner_team": "slug"},
    )
    list_display = ["name", "slug", "owner_team", "is_active"]
    list_filter = ["is_active", "owner_team"]
    list_select_related = ["owner_team"]
    search_fields = ["name", "slug", "description"]
    autocomplete_fields = ["owner_team"]
    prepopulated_fields = {"slug": ["name"]}
    inlines = [RoutesOfService]


@admin.register(Category)
class CategoryAdmin(SheetAdmin):
    """What tickets are about; switched off, a category is not offered any more."""

    help_texts = {
        "parent": "The wider category that it belongs to; empty: none.",
    }
    sheet = Sheet(
        columns=("slug", "name", "parent", "is_active"), key=("slug",), named_by={"parent": "slug"}
    )
    list_display = ["name", "parent", "slug", "is_active"]
    list_filter = ["is_active", ("parent", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["parent"]
    search_fields = ["name", "slug"]
    autocomplete_fields = ["parent"]
    prepopulated_fields = {"slug": ["name"]}


@admin.register(Route)
class RouteAdmin(SheetAdmin):
    """Which team of a tier works on what; the most specific row wins."""

    help_texts = {
        "service": "Empty: any service.",
        "category": "Empty: any category.",
        "tier": "On which rung the team works on it.",
        "team": "Who works on it there.",
    }
    sheet = Sheet(
        columns=("service", "category", "tier", "team", "takes_new", "is_active"),
        key=("service", "category", "tier"),
        named_by=dict.fromkeys(("service", "category", "tier", "team"), "slug"),
    )
    list_display = ["tier", "service", "category", "team", "takes_new", "is_active"]
    list_display_links = ["tier", "team"]
    list_filter = ["tier", "team", "service", "takes_new", "is_active"]
    list_select_related = ["service", "category", "tier", "team"]
    search_fields = ["service__name", "category__name", "team__name"]
    autocomplete_fields = ["service", "category", "tier", "team"]
