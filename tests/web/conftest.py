"""The stage for page tests, and clients who are signed in."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.test import Client

from roles.models import Person
from tests.web.stage import Stage, fill_stage, set_stage
from tests.worlds import Worlds


@pytest.fixture(autouse=True)
def plain_static(settings):
    """Pages name static files by their plain names; nothing needs to be collected."""
    storage = "django.contrib.staticfiles.storage.StaticFilesStorage"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": storage}}
    cache.clear()


@pytest.fixture
def stage_world(worlds: Worlds, django_db_blocker) -> Iterator[Stage]:
    """The stage with its day, at most half a minute old; to be asked for before the database."""

    def build() -> Stage:
        return fill_stage(set_stage())

    with django_db_blocker.unblock(), worlds.entered("stage", build, fresh_s=30) as made:
        yield made


@pytest.fixture
def stage(stage_world: Stage, db: None) -> Stage:
    return stage_world


@pytest.fixture
def bare_stage_world(worlds: Worlds, django_db_blocker) -> Iterator[Stage]:
    """The stage before its day."""
    with django_db_blocker.unblock(), worlds.entered("bare", set_stage) as made:
        yield made


@pytest.fixture
def bare_stage(bare_stage_world: Stage, db: None) -> Stage:
    return bare_stage_world


@pytest.fixture
def sign_in():
    """A client in which the given person has signed in."""

    def go(person: Person) -> Client:
        client = Client()
        client.force_login(person)
        return client

    return go
