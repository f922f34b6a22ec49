"""Server-sent events: one small stream per open page that says that something has changed.

Pages of the queue are told what differs on them (see pushing), all others only that they may ask.
"""

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs, parse_qsl
from weakref import WeakKeyDictionary

import redis
import redis.asyncio
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.db import close_old_connections
from django.http import HttpRequest

from notifications.live import EVERYTHING, subscribe
from roles.models import Person, Team
from tickets.models import Ticket
from web.filters import Filters
from web.look import language_of
from web.pushing import OpenPage, Pusher, Who
from web.readers import is_agent
from web.shelf import shelf

log = logging.getLogger(__name__)

HEARTBEAT_S = 15.0
DEAF_POLL_S = 5.0
LIFE_S = 300.0
LIFE_SPREAD_S = 30.0  # so that all pages of a site do not come back in the same second
RETRY_MS = 3000
GATHER_S = 0.1  # hints this close together become one
SPREAD_EACH_MS = 3  # all pages hear at once; each waits a little, the longer the more there are
MOST_SPREAD_MS = 600
SURE_POLL_S = 60.0  # a page asks this often anyway: a hint may be lost, an outcome never
KEPT_HINTS = 500
SKEW_S = 2.0  # by which the clocks of this process and of the database may differ
MAX_CLIENTS = 1000
MAX_TOPICS = 5
MOST_GIVEN = 4
"""So many words wait for a page that takes nothing in; then one stands for them all."""
OWN_TICKETS = 500
HERE = "here:"
"""How topics begin that tell who looks at a ticket, not what became of it."""

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


@dataclass(eq=False)
class Client:
    """One open page; however many hints arrive while it is slow, it gets one of each kind."""

    topics: frozenset[str]
    who: Who | None = None
    person_id: int = 0
    page: OpenPage | None = None
    """The page of the queue, when it is kept true by what is sent to it."""
    hinted: asyncio.Event = field(default_factory=asyncio.Event)
    news: set[str] = field(default_factory=set)
    given: list[tuple[str, str]] = field(default_factory=list)

    @property
    def own(self) -> str:
        """The topic of what concerns its reader by name."""
        return f"person:{self.person_id}"

    def give(self, word: str, data: str) -> None:
        """Keep a word for the page; one that takes nothing in is to ask once it does."""
        self.given.append((word, data))
        if len(self.given) > MOST_GIVEN:
            self.given = [("change", "")]
        self.hinted.set()

    def hint(self, topics: frozenset[str]) -> None:
        """Say that these have news; who comes and goes is less than a change."""
        for name in self.topics if EVERYTHING in topics else topics & self.topics:
            self.news.add("here" if name.startswith(HERE) else "change")
        self.hinted.set()

    async def renew(self) -> None:
        """Hear from now on of what has been opened to the reader since the page began."""
        self.topics = await sync_to_async(_topics_again)(self.person_id)

    def words(self) -> list[tuple[str, str]]:
        """What the page is told, and then forgotten: "change", and "here" for people."""
        words = [*self.given, *((name, "") for name in sorted(self.news))]
        self.hinted.clear()
        self.news.clear()
        self.given = []
        return words


class Hub:
    """The one subscription of this process, handed on to its open pages."""

    def __init__(self) -> None:
        self.clients: set[Client] = set()
        self.is_deaf = False
        self.pusher = Pusher()
        self._recent: deque[tuple[float, frozenset[str]]] = deque(maxlen=KEPT_HINTS)
        self._tasks: list[asyncio.Task[None]] = []
        self._renewals: set[asyncio.Task[None]] = set()

    def join(self, client: Client) -> None:
        """Start to hint this client; the first one starts the subscription."""
        self.clients.add(client)
        if client.page:
            self.pusher.join(client.page)
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._probe())]

    def leave(self, client: Client) -> None:
        """Stop hinting this client; the last one ends the subscription."""
        self.clients.discard(client)
        if client.page:
            self.pusher.leave(client.page)
        if not self.clients:
            for task in self._tasks:
                task.cancel()
            self._tasks = []
            shelf.note_hearing(False)

    async def _listen(self) -> None:
        async for topics in subscribe():
            shelf.note_hint()
            shelf.note_hearing(True)
            self._recent.append((time.time(), topics))
            concerned = [client for client in self.clients if _concerns(topics, client)]
            if any(client.page for client in concerned):
                self.pusher.hint(topics)
            for client in concerned:
                if client.page is None:
                    client.hint(topics)
                    if client.own in topics:
                        self._renew(client)

    def _renew(self, client: Client) -> None:
        task = asyncio.create_task(client.renew())
        self._renewals.add(task)
        task.add_done_callback(self._renewals.discard)

    def catch_up(self, client: Client, since: float) -> None:
        """Hint a page that was made at `since` if it may have missed anything until now."""
        oldest = self._recent[0][0] if self._recent else time.time()
        missed = [topics for at, topics in self._recent if at >= since - SKEW_S]
        if oldest > since:
            missed.append(frozenset({EVERYTHING}))
        for topics in missed:
            if _concerns(topics, client):
                client.hint(topics)

    @property
    def spread_ms(self) -> int:
        """Over how long the pages of this process may ask again after a hint."""
        return min(MOST_SPREAD_MS, SPREAD_EACH_MS * len(self.clients))

    async def _probe(self) -> None:
        """Know whether Redis answers: without it nothing would be heard, and pages must ask."""
        while True:
            self.is_deaf = not await _redis_answers()
            if self.is_deaf:
                shelf.note_hearing(False)
            await asyncio.sleep(DEAF_POLL_S)


def _concerns(topics: frozenset[str], client: Client) -> bool:
    return EVERYTHING in topics or bool(topics & client.topics)


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    """The hub of the running event loop."""
    return _hubs.setdefault(asyncio.get_running_loop(), Hub())


async def events_app(scope: Message, receive: Receive, send: Send) -> None:
    """ASGI application for /events/?topics=…; 401 without session, 404 for what is not seen."""
    if scope["type"] != "http":
        return None
    if scope["method"] != "GET":
        return await _refuse(send, 405)
    here = hub()
    if len(here.clients) >= MAX_CLIENTS:
        return await _refuse(send, 503)
    headers = dict(scope["headers"])
    query = scope.get("query_string", b"").decode("latin-1")
    admitted = await sync_to_async(_admit)(headers, query)
    if isinstance(admitted, int):
        return await _refuse(send, admitted)
    client = admitted
    client.page = _open_page(scope, client)
    if client.page is None:
        # A stream that comes back has been away for a while; its page is as old as its first one.
        here.catch_up(client, 0.0 if b"last-event-id" in headers else _since(scope))
    here.join(client)
    try:
        await _stream(here, client, receive, send)
    finally:
        here.leave(client)
    return None


async def _stream(here: Hub, client: Client, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": STREAM_HEADERS})
    await _say(send, f"retry: {RETRY_MS}\n\n: hello\n\n")
    gone = asyncio.create_task(_until_gone(receive))
    loop = asyncio.get_running_loop()
    ends = loop.time() + LIFE_S + random.uniform(0, LIFE_SPREAD_S)  # noqa: S311 (no secret)
    number, asked = 0, loop.time()
    try:
        while not gone.done() and loop.time() < ends:
            names = await _next_events(here, client, gone)
            if not names and loop.time() - asked > SURE_POLL_S:
                names = [("poll", "")]
            asked = loop.time() if any(name != "here" for name, _ in names) else asked
            number += 1
            words = (_event(number, name, data or str(here.spread_ms)) for name, data in names)
            await _say(send, "".join(words) or ": beat\n\n")
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    except OSError:
        log.debug("events: a page has gone away")
    finally:
        gone.cancel()


def _event(number: int, name: str, data: str) -> str:
    return f"id: {number}\nevent: {name}\ndata: {data}\n\n"


async def _next_events(
    here: Hub, client: Client, gone: asyncio.Task[None]
) -> list[tuple[str, str]]:
    """The words of a hint; without one "poll" while Redis is away, else none: a mere heartbeat."""
    hint = asyncio.create_task(client.hinted.wait())
    waiting_s = DEAF_POLL_S if here.is_deaf else HEARTBEAT_S
    try:
        await asyncio.wait({hint, gone}, timeout=waiting_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        hint.cancel()
    if client.hinted.is_set():
        if not client.given:
            await asyncio.sleep(GATHER_S)
        return client.words()
    return [("poll", "")] if here.is_deaf else []


def _open_page(scope: Message, client: Client) -> OpenPage | None:
    """The page of the queue that this stream keeps true; None for one that asks for itself."""
    query = scope.get("query_string", b"").decode("latin-1")
    asked = parse_qs(query, keep_blank_values=True)
    if client.who is None or "page" not in asked or asked.get("topics") != ["queue"]:
        return None
    filters = Filters.read(dict(parse_qsl(asked["page"][0].removeprefix("?"))))
    claims = asked.get("shown", [""])[0]
    return OpenPage(client.who, filters, client, claims, client.topics)


def _since(scope: Message) -> float:
    """When the page was made, by its own words, in seconds; 0 when it does not say."""
    given = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("since", [""])[0]
    return int(given) / 1000 if given.isascii() and given.isdigit() and len(given) < 16 else 0.0


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _say(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


async def _refuse(send: Send, status: int) -> None:
    headers = [(b"content-type", b"text/plain"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def _redis_answers() -> bool:
    client = redis.asyncio.Redis.from_url(
        settings.REDIS_URL, socket_timeout=1.0, socket_connect_timeout=1.0
    )
    try:
        async with client:
            return bool(await client.ping())
    except (redis.RedisError, OSError):
        return False


# ---- Who may listen to what ---------------------------------------------------------------------


def _admit(headers: Mapping[bytes, bytes], query: str) -> Client | int:
    """The stream's client with the topics its person may hear of, or the status of a refusal."""
    close_old_connections()
    try:
        request = _request(headers)
        person = get_user(request) if request else None
        if request is None or not isinstance(person, Person):
            return 401
        asked = parse_qs(query).get("topics", [""])[0].split(",")
        if not asked[0] or len(asked) > MAX_TOPICS:
            return 400
        topics: set[str] = set()
        for name in asked:
            heard = _heard(person, name)
            if heard is None:
                return 404
            topics |= heard
        request.user = person
        who = _who(person, request) if is_agent(person) else None
        return Client(frozenset(topics), who, person.pk)
    finally:
        close_old_connections()


def _request(headers: Mapping[bytes, bytes]) -> HttpRequest | None:
    """As much of a request as says who asks, and in which language; None without a session."""
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(headers.get(b"cookie", b"").decode("latin-1"))
    except CookieError:
        return None
    if settings.SESSION_COOKIE_NAME not in jar:
        return None
    request = HttpRequest()
    request.COOKIES = {name: held.value for name, held in jar.items()}
    request.META["HTTP_ACCEPT_LANGUAGE"] = headers.get(b"accept-language", b"").decode("latin-1")
    key = request.COOKIES[settings.SESSION_COOKIE_NAME]
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    return request


def _who(person: Person, request: HttpRequest) -> Who:
    key = request.session.session_key or ""
    return Who(person.pk, key, person.get_session_auth_hash(), language_of(request))


def _heard(person: Person, name: str) -> set[str] | None:
    """What one asked topic stands for; None when it does not exist for this person."""
    if name == "queue":
        return _queue_topics(person)
    kind, _, number = name.partition(":")
    if kind == "here" and not is_agent(person):
        return None  # colleagues see each other, requesters do not
    is_number = number.isascii() and number.isdigit() and len(number) <= 18
    if kind not in ("ticket", "here") or not is_number:
        return None
    seen = Ticket.objects.visible_to(person).filter(pk=int(number)).exists()
    return {name} if seen else None


def _topics_again(person_id: int) -> frozenset[str]:
    """What a list's reader may hear of by now."""
    close_old_connections()
    try:
        person = Person.objects.filter(pk=person_id, is_active=True).first()
        return frozenset(_queue_topics(person)) if person else frozenset()
    finally:
        close_old_connections()


def _queue_topics(person: Person) -> set[str]:
    """All teams for people of the service, and the cases or requests that are theirs to see.

    A restricted ticket never speaks under its team's name, only under its own and under those of
    the cleared: so a page hears of what is opened to its reader while it stands open.
    """
    own = {f"person:{person.pk}"}
    visible = Ticket.objects.visible_to(person).open()
    if not is_agent(person):
        ids = visible.order_by("-pk").values_list("pk", flat=True)[:OWN_TICKETS]
        if person.organisation and person.organisation.may_see_own:
            own.add(f"organisation:{person.organisation_id}")
        return own | {f"ticket:{pk}" for pk in ids}
    cases = visible.filter(restricted=True).values_list("pk", flat=True)[:OWN_TICKETS]
    teams = Team.objects.values_list("pk", flat=True)
    return own | {f"team:{pk}" for pk in teams} | {f"ticket:{pk}" for pk in cases}


STREAM_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]
