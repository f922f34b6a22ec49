"""Puts our own site in the place of Django's admin."""

from django.contrib.admin.apps import AdminConfig


class TierlineAdminConfig(AdminConfig):
    default_site = "config.admin_site.TierlineAdminSite"
