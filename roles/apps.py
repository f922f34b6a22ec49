"""Registers the roles app."""

from django.apps import AppConfig


class RolesConfig(AppConfig):
    name = "roles"
    verbose_name = "Roles and rosters"
    default_auto_field = "django.db.models.BigAutoField"
