"""Registers the commands that run and seed the whole service."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "config"
    verbose_name = "Tierline"
