"""The one-time link by which the first administrator of an empty site is made."""

from datetime import timedelta
from typing import Final

from django.conf import settings
from django.core import signing

LINK_PATH: Final = "/setup/first/"
GOOD_FOR: Final = timedelta(days=1)
_SALT: Final = "web.firstlink"


def first_link(*, secret_key: str | None = None) -> str:
    """The address at which the first administrator is made; good for a day, and while nobody is."""
    token = signing.dumps("first", key=secret_key or settings.SECRET_KEY, salt=_SALT)
    return f"{settings.PUBLIC_URL.rstrip('/')}{LINK_PATH}{token}"


def is_genuine(token: str) -> bool:
    """Whether this site has printed the link, within the last day."""
    try:
        return bool(signing.loads(token, salt=_SALT, max_age=GOOD_FOR) == "first")
    except signing.BadSignature:
        return False
