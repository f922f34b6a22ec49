"""Refuses to start in a state that would be unsafe."""

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


def refuse_default_secret_key() -> None:
    """Raise ImproperlyConfigured if signed links and sessions could be forged by anyone.

    `manage.py up` makes a key of its own; elsewhere SECRET_KEY must be set, unless DEBUG is on.
    """
    if settings.SECRET_KEY == settings.DEFAULT_SECRET_KEY and not settings.DEBUG:
        raise ImproperlyConfigured(
            "Set SECRET_KEY to a long random text; with the default one anybody could sign in."
        )
