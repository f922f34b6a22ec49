"""Registers the api app."""

from importlib import import_module

from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "api"
    verbose_name = "API"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # It asks for parts of ours while it is loaded; whoever loads those first would ask in vain.
        import_module("rest_framework.views")
