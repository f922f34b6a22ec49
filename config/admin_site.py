"""The administrators' site: signed into by the front door, opened by what managers need to see.

It imports none of our pages: they register themselves here while they are being imported.
"""

from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from config.admin_groups import grouped


class TierlineAdminSite(AdminSite):
    """Django's admin with our name, our sign-in and our front page."""

    site_header = "Tierline"
    site_title = "Tierline"
    index_title = "Service at a glance"
    site_url = "/"
    index_template = "admin/front_page.html"

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The pages by what one comes to do; those of one application when Django asks for it."""
        apps = super().get_app_list(request, app_label)
        return apps if app_label else grouped(apps)

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The one sign-in page, which counts wrong passwords; 403 for who may not come in."""
        if request.user.is_authenticated:
            if self.has_permission(request):
                return HttpResponseRedirect(reverse(f"{self.name}:index"))
            raise PermissionDenied
        asked = request.GET.get("next") or request.get_full_path()
        return redirect_to_login(asked, settings.LOGIN_URL)

    def password_change(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The one page for one's own password: it counts wrong ones, is audited, and tells."""
        return HttpResponseRedirect(reverse("web:password"))
