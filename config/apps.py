"""Registers the commands that run and seed the whole service."""

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.core.checks import Tags, register

from config.celery import app as celery_app
from config.checks import tables_can_be_migrated


class ConfigConfig(AppConfig):
    name = "config"
    verbose_name = "Tierline"
    # Held here so that Django's start makes it the application of every shared task.
    celery = celery_app

    def ready(self) -> None:
        # It needs models, which can be imported only once the registry is ready.
        from config.climb import on_sign_in

        user_logged_in.connect(on_sign_in, dispatch_uid="first-live-example")
        register(tables_can_be_migrated, Tags.database)
