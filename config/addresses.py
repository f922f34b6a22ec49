"""Addresses of servers in the forms that different libraries want."""

from urllib.parse import parse_qs, urlsplit


def broker_address(redis_url: str) -> str:
    """The address of a Redis as Celery wants it: a socket has another scheme there."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    number = parse_qs(parts.query).get("db", ["0"])[0]
    return f"redis+socket://{parts.path}?virtual_host={number}"
