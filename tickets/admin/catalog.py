"""Admin pages of services, categories and the routes between teams."""

from django.contrib import admin

from roles.admin.audited import AuditedAdmin, GuardedInline
from tickets.models import Category, Route, Service


class RoutesOfService(GuardedInline):
    model = Route
    fields = ["category", "tier", "team", "takes_new"]
    autocomplete_fields = ["category", "tier", "team"]


@admin.register(Service)
class ServiceAdmin(AuditedAdmin):
    """Services are switched off, not deleted, once tickets name them."""

    list_display = ["name", "slug", "owner_team", "is_active"]
    list_filter = ["is_active", "owner_team"]
    list_select_related = ["owner_team"]
    search_fields = ["name", "slug", "description"]
    autocomplete_fields = ["owner_team"]
    prepopulated_fields = {"slug": ["name"]}
    inlines = [RoutesOfService]


@admin.register(Category)
class CategoryAdmin(AuditedAdmin):
    list_display = ["name", "parent", "slug", "is_active"]
    list_filter = ["is_active", ("parent", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["parent"]
    search_fields = ["name", "slug"]
    autocomplete_fields = ["parent"]
    prepopulated_fields = {"slug": ["name"]}


@admin.register(Route)
class RouteAdmin(AuditedAdmin):
    """Which team of a tier works on what; the most specific row wins."""

    list_display = ["tier", "service", "category", "team", "takes_new", "is_active"]
    list_display_links = ["tier", "team"]
    list_filter = ["tier", "team", "service", "takes_new", "is_active"]
    list_select_related = ["service", "category", "tier", "team"]
    search_fields = ["service__name", "category__name", "team__name"]
    autocomplete_fields = ["service", "category", "tier", "team"]
