"""The map of addresses: which door answers where."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from config import mailbox as catcher
from config.health import show_health
from config.views import example_climb
from web.views.mailbox import letter, mailbox

urlpatterns: list[URLPattern | URLResolver] = [
    path("health", show_health, name="show-health"),
    path("admin/", admin.site.urls),
    path("example/climb", example_climb, name="example-climb"),
    path("", include("api.urls")),
    path("", include("web.urls")),
]
if settings.EXAMPLE_SITE:
    # Everybody's mail in one place is for looking around, not for a real site.
    given = {"catcher": catcher}
    urlpatterns += [
        path("mailbox", mailbox, given, name="mailbox"),
        path("mailbox/<str:message_id>", letter, given, name="mailbox-letter"),
    ]
handler400 = "web.views.errors.bad_request"
handler403 = "web.views.errors.forbidden"
handler404 = "web.views.errors.not_found"
handler500 = "web.views.errors.server_error"
