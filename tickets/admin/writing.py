"""Admin pages of the texts kept ready: for replies, and for telling stakeholders how it goes."""

from django.contrib import admin

from roles.admin.audited import AuditedAdmin
from tickets.models import CannedText, UpdateText


@admin.register(CannedText)
class CannedTextAdmin(AuditedAdmin):
    """Texts for a team, or for everybody who answers."""

    list_display = ["name", "team", "is_active"]
    list_filter = ["is_active", "team"]
    list_select_related = ["team"]
    search_fields = ["name", "text"]
    autocomplete_fields = ["team"]


@admin.register(UpdateText)
class UpdateTextAdmin(AuditedAdmin):
    """Words for the updates of a major incident, by phase and language, in place of ours."""

    help_texts = {
        "phase": "At which stage of a major incident.",
        "language": "Of its readers: en or de.",
    }
    list_display = ["phase", "language", "service"]
    list_filter = ["phase", "language"]
    list_select_related = ["service"]
    search_fields = ["text"]
    autocomplete_fields = ["service"]
