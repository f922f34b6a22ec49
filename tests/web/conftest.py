"""The stage for page tests, and clients who are signed in."""

import pytest
from django.core.cache import cache
from django.test import Client

from roles.models import Person
from tests.web.stage import Stage, fill_stage, set_stage


@pytest.fixture(autouse=True)
def plain_static(settings):
    """Pages name static files by their plain names; nothing needs to be collected."""
    storage = "django.contrib.staticfiles.storage.StaticFilesStorage"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": storage}}
    cache.clear()


@pytest.fixture
def stage(db) -> Stage:
    return fill_stage(set_stage())


@pytest.fixture
def sign_in():
    """A client in which the given person has signed in."""

    def go(person: Person) -> Client:
        client = Client()
        client.force_login(person)
        return client

    return go
