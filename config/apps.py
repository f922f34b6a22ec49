"""Registers the commands that run and seed the whole service."""

from django.apps import AppConfig

from config.celery import app as celery_app


class ConfigConfig(AppConfig):
    name = "config"
    verbose_name = "Tierline"
    # Held here so that Django's start makes it the application of every shared task.
    celery = celery_app
