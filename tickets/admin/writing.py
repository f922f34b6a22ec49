"""Admin page of the texts kept ready for replies."""

from django.contrib import admin

from roles.admin.audited import AuditedAdmin
from tickets.models import CannedText


@admin.register(CannedText)
class CannedTextAdmin(AuditedAdmin):
    """Texts for a team, or for everybody who answers."""

    list_display = ["name", "team", "is_active"]
    list_filter = ["is_active", "team"]
    list_select_related = ["team"]
    search_fields = ["name", "text"]
    autocomplete_fields = ["team"]
