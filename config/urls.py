"""The map of addresses: which door answers where."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from config.health import show_health

urlpatterns: list[URLPattern | URLResolver] = [
    path("health", show_health, name="show-health"),
    path("admin/", admin.site.urls),
    path("", include("web.urls")),
]
handler400 = "web.views.errors.bad_request"
handler403 = "web.views.errors.forbidden"
handler404 = "web.views.errors.not_found"
handler500 = "web.views.errors.server_error"
