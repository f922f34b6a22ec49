"""Refuses to start, or to migrate, in a state that would be unsafe."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import Error
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.migrations.loader import MigrationLoader

HALF_WAY = (
    "The tables of {app} stand in the middle of migrations that have since become few."
    " Bring them up to date with the version of Tierline that made them, then with this one."
)


def refuse_default_secret_key() -> None:
    """Raise ImproperlyConfigured if signed links and sessions could be forged by anyone.

    `manage.py up` makes a key of its own; elsewhere SECRET_KEY must be set, unless DEBUG is on.
    """
    if settings.SECRET_KEY == settings.DEFAULT_SECRET_KEY and not settings.DEBUG:
        raise ImproperlyConfigured(
            "Set SECRET_KEY to a long random text; with the default one anybody could sign in."
        )


def stopped_half_way(loader: MigrationLoader) -> str:
    """What to do when some, not all, of the migrations that one now replaces have been applied.

    Empty when there is nothing to do. Django leaves such a migration out without a word.
    """
    for (app, _), migration in loader.replacements.items():
        there = [tuple(name) in loader.applied_migrations for name in migration.replaces]
        if any(there) and not all(there):
            return HALF_WAY.format(app=app)
    return ""


def tables_can_be_migrated(*, databases: Sequence[str] | None, **_: Any) -> list[Error]:
    """An error for tables that no migration of this version leads on from."""
    text = stopped_half_way(MigrationLoader(connection)) if databases else ""
    return [Error(text, id="tierline.E001")] if text else []
