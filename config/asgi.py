"""The web process: live streams on the event loop, Django's pages in threads behind it."""

from collections.abc import Awaitable, Callable
from typing import Any

from config.bridge import Pages
from config.checks import refuse_default_secret_key
from config.wsgi import application as django_application

# isort: split
from api.stream import is_stream, stream_app  # after config.wsgi, which makes the models ready
from config.warming import warm_up
from web.events import events_app

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

THREADS = 8  # each keeps a database connection

refuse_default_secret_key()
warm_up()
pages = Pages(django_application, THREADS)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer streams here and hand everything else to Django."""
    if scope["type"] == "http" and scope["path"].startswith("/events/"):
        await events_app(scope, receive, send)
    elif is_stream(scope):
        await stream_app(scope, receive, send)
    else:
        await pages(scope, receive, send)
