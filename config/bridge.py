"""Django's pages behind the event loop: each request is one way to a thread and one way back.

A small body is read before a thread is taken, and a whole answer is handed back in one piece, so
that no thread waits for the loop. What is long or streamed goes piece by piece, by a2wsgi.
"""

import asyncio
import io
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from a2wsgi import wsgi

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
BODY_MAX: Final = 256 * 1024
"""A longer body is read while it comes, and never stands whole in memory."""
ENDLESS: Final = 2**40
"""More than any body that is taken: such a one is read to where it ends."""


class Pages:
    """A WSGI application as an ASGI one, with so many threads."""

    def __init__(self, application: Callable[..., Iterable[bytes]], threads: int) -> None:
        self._application = application
        # It types ASGI by a protocol of its own, which is that of nobody else here.
        self._by_pieces: Any = wsgi.WSGIMiddleware(application, workers=threads)
        self._threads: ThreadPoolExecutor = self._by_pieces.executor

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._by_pieces(scope, receive, send)
            return
        read = await _read(receive)
        if read[-1].get("more_body"):
            await self._by_pieces(_measured(scope, ENDLESS), _again(read, receive), send)
            return
        body = b"".join(message.get("body", b"") for message in read)
        environ = _environ(_measured(scope, len(body)), io.BytesIO(body))
        call = _Call(self._application, environ, send)
        loop = asyncio.get_running_loop()
        for message in await loop.run_in_executor(self._threads, call.run, loop):
            await send(message)


class _Call:
    """One request on its way through the application."""

    def __init__(
        self, application: Callable[..., Iterable[bytes]], environ: Message, send: Send
    ) -> None:
        self._application = application
        self._environ = environ
        self._send = send
        self._start: Message = {}

    def run(self, loop: asyncio.AbstractEventLoop) -> list[Message]:
        """What is left to be sent: all of a whole answer, the end of a streamed one."""
        answer = self._application(self._environ, self._begin)
        try:
            if not getattr(answer, "streaming", True):
                body = b"".join(answer)
                return [self._start, {"type": "http.response.body", "body": body}]
            self._say(loop, self._start)
            for piece in answer:
                if piece:
                    part = {"type": "http.response.body", "body": piece, "more_body": True}
                    self._say(loop, part)
            return [{"type": "http.response.body", "body": b""}]
        finally:
            # In this thread: Django gives the thread's database connection back here.
            getattr(answer, "close", lambda: None)()

    def _begin(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        self._start = {
            "type": "http.response.start",
            "status": int(status.partition(" ")[0]),
            "headers": [
                (name.strip().lower().encode("latin1"), value.strip().encode("latin1"))
                for name, value in headers
            ],
        }

    def _say(self, loop: asyncio.AbstractEventLoop, message: Message) -> None:
        # The loop's own words are coroutines, which is all that an awaitable of the server can be.
        said: Any = self._send(message)
        asyncio.run_coroutine_threadsafe(said, loop).result()


def _measured(scope: Message, length: int) -> Message:
    """The scope with a length of its body, where the client sent it in chunks and told none.

    WSGI has no other way to say that there is a body: Django would read an empty one.
    """
    if not length or any(name == b"content-length" for name, _value in scope["headers"]):
        return scope
    return {**scope, "headers": [*scope["headers"], (b"content-length", b"%d" % length)]}


def _environ(scope: Any, body: Any) -> Any:
    """The request as a WSGI application is told of it."""
    return wsgi.build_environ(scope, body)


async def _read(receive: Receive) -> list[Message]:
    """The messages of a body, up to its end or to where it is too long to wait for."""
    read, length = [await receive()], 0
    while read[-1].get("more_body"):
        length += len(read[-1].get("body", b""))
        if length > BODY_MAX:
            break
        read.append(await receive())
    return read


def _again(read: list[Message], receive: Receive) -> Receive:
    """A source that repeats what was read and goes on with what comes."""
    waiting = iter(read)

    async def take() -> Message:
        message = next(waiting, None)
        return message if message is not None else await receive()

    return take
