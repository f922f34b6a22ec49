"""The stream of hints: who may listen, what is heard, and what happens without Redis."""

import asyncio

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import transaction

from notifications.live import publish
from roles.models import Person
from tests.web.stage import Stage, fill_stage, set_stage
from tickets.assignment import take
from tickets.opening import open_ticket
from web import events
from web.sessions import SessionStore


@pytest.fixture
def stage(live_db) -> Stage:
    return fill_stage(set_stage())


def cookie_of(person: Person) -> str:
    session = SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.create()
    return f"sessionid={session.session_key}"


class Listener:
    """One page's stream, as an ASGI server would drive it."""

    def __init__(self, topics: str, cookie: str = "", method: str = "GET") -> None:
        headers = [(b"cookie", cookie.encode())] if cookie else []
        self.scope = {
            "type": "http",
            "method": method,
            "path": "/events/",
            "query_string": f"topics={topics}".encode(),
            "headers": headers,
        }
        self.status = 0
        self.text = ""
        self.gone = asyncio.Event()

    async def receive(self) -> dict[str, str]:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            self.text += message["body"].decode()

    async def listen(self) -> None:
        await events.events_app(self.scope, self.receive, self.send)

    async def until(self, words: str, seconds: float = 8.0) -> bool:
        for _ in range(int(seconds / 0.02)):
            if words in self.text:
                return True
            await asyncio.sleep(0.02)
        return False


async def settled(*listeners: Listener) -> None:
    """Wait for the first hint, which says only that something may have changed before."""
    for listener in listeners:
        assert await listener.until("event: change")
    await asyncio.sleep(0.5)
    for listener in listeners:
        listener.text = ""


def status_for(topics: str, cookie: str = "", method: str = "GET") -> int:
    """The status of the answer; a stream that opens is left at once."""

    async def ask() -> int:
        listener = Listener(topics, cookie, method)
        task = asyncio.create_task(listener.listen())
        while not listener.status and not task.done():
            await asyncio.sleep(0.01)
        listener.gone.set()
        await asyncio.wait_for(task, 5)
        return listener.status

    return asyncio.run(ask())


def test_only_topics_that_one_may_see_are_streamed(stage):
    slow, case = (f"ticket:{stage.tickets[name].pk}" for name in ("slow", "case"))
    ines, sam, stranger = (cookie_of(stage.people[n]) for n in ("ines", "sam", "stranger"))
    assert status_for("queue") == 401
    assert status_for("queue", "sessionid=forged") == 401
    assert status_for("queue", ines) == 200
    assert status_for(slow, ines) == 200
    assert status_for(slow, stranger) == 404
    assert status_for(case, ines) == 404
    assert status_for(case, sam) == 200
    assert status_for(f"{slow},{case}", ines) == 404
    assert status_for("team:1", ines) == 404
    assert status_for("ticket:x", ines) == 404
    assert status_for("", ines) == 400
    assert status_for("queue", ines, "POST") == 405


def test_the_queue_listens_to_every_team_and_to_cleared_cases_only(stage):
    case = f"ticket:{stage.tickets['case'].pk}"
    assert case not in events._queue_topics(stage.ines)
    assert case in events._queue_topics(stage.sam)
    assert f"team:{stage.teams['desk'].pk}" in events._queue_topics(stage.ines)
    own = events._queue_topics(stage.ada)
    asked = {f"ticket:{stage.tickets[name].pk}" for name in ("slow", "report", "payroll")}
    assert own == asked | {f"person:{stage.ada.pk}"}


def test_a_list_hears_of_a_request_that_was_opened_after_it(stage):
    listener = Listener("queue", cookie_of(stage.ada))
    opened = {}

    def report() -> None:
        ines, ada = stage.ines, stage.ada
        opened["ticket"] = open_ticket(
            actor=ines, requester=ada, subject="By phone", source="phone"
        )

    async def go() -> list[bool]:
        task = asyncio.create_task(listener.listen())
        await settled(listener)
        heard = []
        for act in (report, lambda: take(ticket=opened["ticket"], actor=stage.ines)):
            await asyncio.to_thread(act)
            heard.append(await listener.until("event: change"))
            await asyncio.sleep(0.3)
            listener.text = ""
        listener.gone.set()
        await task
        return heard

    assert asyncio.run(go()) == [True, True]


def test_a_hint_arrives_within_a_second_and_only_where_it_belongs(stage):
    slow, vpn = (f"ticket:{stage.tickets[name].pk}" for name in ("slow", "vpn"))
    cookie = cookie_of(stage.nora)

    def announce() -> None:
        with transaction.atomic():
            publish([slow])

    async def go() -> tuple[bool, str]:
        near, far = Listener(slow, cookie), Listener(vpn, cookie)
        tasks = [asyncio.create_task(each.listen()) for each in (near, far)]
        await settled(near, far)
        await asyncio.to_thread(announce)
        heard = await near.until("event: change", 2)
        for each in (near, far):
            each.gone.set()
        await asyncio.gather(*tasks)
        assert not events.hub().clients
        return heard, far.text

    heard, elsewhere = asyncio.run(go())
    assert heard
    assert "change" not in elsewhere


def test_a_page_that_takes_nothing_in_delays_no_other(stage):
    slow = f"ticket:{stage.tickets['slow'].pk}"
    cookie = cookie_of(stage.nora)

    class Stuck(Listener):
        async def send(self, message: dict) -> None:
            await super().send(message)
            if "event:" in self.text:
                await asyncio.sleep(30)

    def announce() -> None:
        with transaction.atomic():
            publish([slow])

    async def go() -> bool:
        stuck, well = Stuck(slow, cookie), Listener(slow, cookie)
        tasks = [asyncio.create_task(each.listen()) for each in (stuck, well)]
        assert await stuck.until("event:")
        await settled(well)
        await asyncio.to_thread(announce)
        heard = await well.until("event: change", 2)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return heard

    assert asyncio.run(go())


def test_without_redis_the_page_is_told_to_ask(stage, settings, monkeypatch):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(events, "DEAF_POLL_S", 0.2)
    cookie = cookie_of(stage.ines)

    async def go() -> bool:
        listener = Listener("queue", cookie)
        task = asyncio.create_task(listener.listen())
        heard = await listener.until("event: poll", 20)
        listener.gone.set()
        await task
        return heard

    assert asyncio.run(go())


def test_a_stream_ends_by_itself(stage, monkeypatch):
    for name in ("LIFE_S", "LIFE_SPREAD_S", "HEARTBEAT_S"):
        monkeypatch.setattr(events, name, 0.1)
    cookie = cookie_of(stage.ines)

    async def go() -> str:
        listener = Listener("queue", cookie)
        await asyncio.wait_for(listener.listen(), 5)
        return listener.text

    assert asyncio.run(go()).startswith("retry: 3000")


def test_a_page_hears_at_once_what_changed_while_it_was_on_its_way():
    client = events.Client(frozenset({"ticket:1"}))
    here = events.Hub()
    here._recent.extend([(1000.0, frozenset({"ticket:9"})), (2000.0, frozenset({"ticket:1"}))])
    here.catch_up(client, since=2500.0)
    assert not client.hinted.is_set()
    here.catch_up(client, since=1999.0)
    assert client.hinted.is_set()
    client.hinted.clear()
    here.catch_up(client, since=500.0)  # older than all that is remembered
    assert client.hinted.is_set()


def told(client: events.Client) -> list[str]:
    return [word for word, _data in client.words()]


def test_a_page_hears_of_people_beside_changes_and_not_instead():
    client = events.Client(frozenset({"ticket:1", "here:1"}))
    client.hint(frozenset({"here:1"}))
    assert told(client) == ["here"]
    client.hint(frozenset({"here:1"}))
    client.hint(frozenset({"team:4", "ticket:1"}))
    assert told(client) == ["change", "here"]
    client.hint(frozenset({events.EVERYTHING}))
    assert told(client) == ["change", "here"]
    assert not client.hinted.is_set()
    queue = events.Client(frozenset({"team:4"}))
    queue.hint(frozenset({events.EVERYTHING}))
    assert told(queue) == ["change"]


def test_a_page_that_takes_no_rows_in_is_told_to_ask_in_the_end():
    client = events.Client(frozenset({"team:4"}))
    for number in range(events.MOST_GIVEN):
        client.give("rows", str(number))
    assert told(client) == ["rows"] * events.MOST_GIVEN
    for number in range(events.MOST_GIVEN + 1):
        client.give("rows", str(number))
    assert told(client) == ["change"]
    assert told(client) == []


def test_a_new_ticket_reaches_an_open_queue(stage):
    cookie = cookie_of(stage.ines)

    def open_one() -> None:
        open_ticket(requester=stage.bo, actor=stage.bo, subject="Brand new")

    async def go() -> bool:
        listener = Listener("queue", cookie)
        task = asyncio.create_task(listener.listen())
        await settled(listener)
        await asyncio.to_thread(open_one)
        heard = await listener.until("event: change", 2)
        listener.gone.set()
        await task
        return heard

    assert asyncio.run(go())
