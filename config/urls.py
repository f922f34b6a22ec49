"""The map of addresses: which door answers where."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, path

from config.health import show_health

urlpatterns: list[URLPattern | URLResolver] = [
    path("health", show_health, name="show-health"),
    path("admin/", admin.site.urls),
]
