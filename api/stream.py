"""The live stream of the feed (server-sent events): resumable, and as each reader may know it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs
from weakref import WeakKeyDictionary

import orjson
from asgiref.sync import sync_to_async
from django.db import InterfaceError, OperationalError, close_old_connections

from api.errors import BadParameter
from api.problems import MEDIA_TYPE, problem
from api.rest.feed import KINDS, TooOld, place_named, read_feed
from notifications.live import EVERYTHING, subscribe
from roles.models.tokens import Scope
from roles.tokens import authenticate
from tickets.feed import TOPIC, newest_place

log = logging.getLogger(__name__)

PATHS: Final = ("/api/v1/events", "/api/v1/events/")
BATCH: Final = 200
FULL: Final = "Too many streams are open; come back later."
POLL_S: Final = 10.0
"""A hint may be lost; so often the feed is asked anyway, and the line kept open with a word."""
LIFE_S: Final = 600.0
MAX_STREAMS: Final = 200
MAX_OF_ONE: Final = 10
"""So many streams of one token in this process: no program may take the places of all others."""
RETRY_AFTER: Final = {429: b"10", 503: b"5"}
RETRY_MS: Final = 2000
PATIENCE_S: Final = 20.0
"""Who takes nothing for so long is let go; they resume where they were."""
KNOWN: Final = {"after", "types"}

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


@dataclass(eq=False)
class Bell:
    """Rings for every stream of this process when the feed has grown; knows each one's token."""

    waiting: dict[asyncio.Event, int] = field(default_factory=dict)
    task: asyncio.Task[None] | None = None

    def room_for(self, token_id: int) -> "Refusal | None":
        """Why no further stream of this token may be opened; None when one may."""
        if len(self.waiting) >= MAX_STREAMS:
            return Refusal(503, FULL)
        if sum(each == token_id for each in self.waiting.values()) >= MAX_OF_ONE:
            return Refusal(429, f"This token has {MAX_OF_ONE} streams open; close one of them.")
        return None

    def join(self, rung: asyncio.Event, token_id: int) -> None:
        """Ring this one too; the first one begins to listen."""
        self.waiting[rung] = token_id
        if self.task is None:
            self.task = asyncio.create_task(self._listen())

    def leave(self, rung: asyncio.Event) -> None:
        """Ring it no more; the last one ends the listening."""
        self.waiting.pop(rung, None)
        if not self.waiting and self.task is not None:
            self.task.cancel()
            self.task = None

    async def _listen(self) -> None:
        async for topics in subscribe():
            if topics & {TOPIC, EVERYTHING}:
                for rung in self.waiting:
                    rung.set()


_bells: WeakKeyDictionary[asyncio.AbstractEventLoop, Bell] = WeakKeyDictionary()


@dataclass(frozen=True)
class Listener:
    """Who listens, by which token, to which kinds, from which place on."""

    plain: str
    kinds: tuple[str, ...]
    place: int
    token_id: int


@dataclass(frozen=True)
class Refusal:
    """Why there is no stream."""

    status: int
    detail: str


def is_stream(scope: Message) -> bool:
    """Whether a request asks for the stream of events."""
    if scope["type"] != "http" or scope["path"] not in PATHS or scope["method"] != "GET":
        return False
    accepted = dict(scope["headers"]).get(b"accept", b"")
    return b"text/event-stream" in accepted


async def stream_app(scope: Message, receive: Receive, send: Send) -> None:
    """ASGI application of the stream; refusals are problems as everywhere else."""
    bell = _bells.setdefault(asyncio.get_running_loop(), Bell())
    if len(bell.waiting) >= MAX_STREAMS:
        await _refuse(send, Refusal(503, FULL))
        return
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    admitted = await sync_to_async(_admit)(headers, query)
    if isinstance(admitted, Refusal):
        await _refuse(send, admitted)
        return
    # Counted only now, with nothing awaited before it joins: many may have been admitted at once.
    if refusal := bell.room_for(admitted.token_id):
        await _refuse(send, refusal)
        return
    rung = asyncio.Event()
    bell.join(rung, admitted.token_id)
    try:
        await _stream(admitted, rung, receive, send)
    except OSError:
        log.debug("stream: a listener has gone away")
    finally:
        bell.leave(rung)


async def _stream(listener: Listener, rung: asyncio.Event, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await _say(send, f"retry: {RETRY_MS}\n\n")
    gone = asyncio.create_task(_until_gone(receive))
    loop = asyncio.get_running_loop()
    ends, place = loop.time() + LIFE_S, listener.place
    try:
        while not gone.done() and loop.time() < ends:
            rung.clear()
            found = await sync_to_async(_read)(listener, place)
            if found is None:
                break  # the token is no longer good
            words, place, is_full = found
            await _say(send, words or ": still here\n\n")
            if not is_full:
                await _wait(rung, gone)
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    finally:
        gone.cancel()


async def _wait(rung: asyncio.Event, gone: asyncio.Task[None]) -> None:
    ringing = asyncio.create_task(rung.wait())
    try:
        both = {ringing, gone}
        await asyncio.wait(both, timeout=POLL_S, return_when=asyncio.FIRST_COMPLETED)
    finally:
        ringing.cancel()


def _admit(headers: dict[str, str], query: dict[str, list[str]]) -> Listener | Refusal:
    """Who may listen, from where on: after the event named, else from now."""
    close_old_connections()
    try:
        scheme, _, plain = headers.get("authorization", "").partition(" ")
        token = authenticate(plain.strip()) if scheme.lower() == "bearer" else None
        if token is None:
            return Refusal(401, "A stream takes a token: Authorization: Bearer tl_…")
        if Scope.TICKETS_READ not in token.scopes:
            return Refusal(403, f"This token lacks the scope {Scope.TICKETS_READ.value}.")
        if strange := sorted(set(query) - KNOWN):
            return Refusal(400, f"Not known here: {', '.join(strange)[:200]}.")
        wanted = [name for name in query.get("types", [""])[0].split(",") if name]
        if unknown := [name for name in wanted if name not in KINDS]:
            return Refusal(400, f"Unknown types: {', '.join(unknown)[:200]}.")
        after = headers.get("last-event-id") or query.get("after", [""])[0]
        place = place_named(after) if after else newest_place()
    except BadParameter:
        return Refusal(400, "Last-Event-ID is no event of ours.")
    except TooOld as old:
        return Refusal(410, str(old.detail))
    except (OperationalError, InterfaceError):
        return Refusal(503, "The service cannot look this up right now; come back later.")
    finally:
        close_old_connections()
    return Listener(plain.strip(), tuple(KINDS[name] for name in wanted), place, token.pk)


def _read(listener: Listener, place: int) -> tuple[str, int, bool] | None:
    """What to say next, the place reached, and whether more is waiting.

    Token and rights are looked at each time, so that a stream ends with them. Returns None then.
    """
    close_old_connections()
    try:
        token = authenticate(listener.plain)
        if token is None or Scope.TICKETS_READ not in token.scopes:
            return None
        told, entries = read_feed(token.person, place, limit=BATCH, kinds=listener.kinds)
    finally:
        close_old_connections()
    words = "".join(
        f"id: {event['id']}\nevent: {event['type']}\ndata: {orjson.dumps(event).decode()}\n\n"
        for event in told
    )
    return words, entries[-1].pk if entries else place, len(entries) == BATCH


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _say(send: Send, text: str) -> None:
    """Say it. Raises TimeoutError when the reader does not take it."""
    async with asyncio.timeout(PATIENCE_S):
        await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


async def _refuse(send: Send, refusal: Refusal) -> None:
    body = orjson.dumps(problem(refusal.status, refusal.detail, instance=PATHS[1]))
    headers = [(b"content-type", MEDIA_TYPE.encode()), (b"cache-control", b"no-store")]
    if refusal.status == 401:
        headers.append((b"www-authenticate", b'Bearer realm="Tierline"'))
    if refusal.status in RETRY_AFTER:
        headers.append((b"retry-after", RETRY_AFTER[refusal.status]))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


HEADERS: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]
