"""The feed and what follows from it: pages, the stream, and webhooks that subscribe to events."""

import asyncio
import hmac
import json

import pytest
from django.conf import settings
from django.db import OperationalError
from standardwebhooks import Webhook

from api import stream
from api.places import seal, unseal
from api.stream import is_stream, stream_app
from notifications import subscriptions
from notifications.channels.webhook import signed
from notifications.models import Hook, Message, MessageState
from notifications.sending import backoff_s, outgoing, steps_of, tries_of
from notifications.subscriptions import retire
from notifications.webhooks import secrets_of
from roles.instants import database_now
from roles.models import ApiToken
from tests.api.conftest import assert_problem
from tests.story import Story
from tickets.assignment import take
from tickets.feed import relay_all
from tickets.lifecycle import comment
from tickets.models import Clearance, FeedEntry
from tickets.restriction import restrict

V1 = "/api/v1/"
EVENTS = f"{V1}events/"


@pytest.fixture
def admin(story, calling):
    relay_all()  # the feed begins here
    return calling(story.admin)


def types_of(answer) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [event["type"] for event in answer.json()["results"]]


def test_places_say_nothing_and_lead_back():
    names = [seal(place) for place in range(200)]
    assert len(set(names)) == 200
    assert [unseal(name) for name in names] == list(range(200))
    assert names != sorted(names)
    assert unseal("nonsense") is None


def test_who_resumes_misses_nothing_and_hears_nothing_twice(story, agent):
    relay_all()
    ticket = story.open()
    relay_all()
    first = agent.get(EVENTS)
    assert "ticket.opened" in types_of(first)
    assert relay_all() == 0
    take(ticket=ticket, actor=story.agent, clock=story.clock)
    relay_all()
    after = first.json()["last"]
    assert types_of(agent.get(f"{EVENTS}?after={after}"))[0] == "ticket.taken"
    assert types_of(agent.get(f"{EVENTS}?after={after}&types=ticket.opened")) == []
    assert_problem(agent.get(f"{EVENTS}?after={seal(10**9)}"), 400)
    assert_problem(agent.get(f"{EVENTS}?types=ticket.nonsense"), 400)


def test_the_next_page_of_events_asks_for_the_same_types(story, agent):
    relay_all()
    for _ in range(3):
        take(ticket=story.open(), actor=story.agent, clock=story.clock)
    relay_all()
    page = agent.get(f"{EVENTS}?types=ticket.opened&limit=2")
    assert types_of(page) == ["ticket.opened"] * 2
    assert f'<{page.json()["next"]}>; rel="next"' in page["Link"]
    rest = agent.get(page.json()["next"].removeprefix(settings.PUBLIC_URL))
    assert types_of(rest) == ["ticket.opened"]


def test_a_place_that_was_forgotten_with_the_whole_feed_is_told_as_a_gap(story, agent):
    relay_all()
    story.open()
    relay_all()
    after = agent.get(EVENTS).json()["last"]
    FeedEntry.objects.all().delete()
    assert_problem(agent.get(f"{EVENTS}?after={after}"), 410)


def test_each_reader_hears_what_that_reader_may_know(story, agent, requester, calling):
    relay_all()
    ticket = story.open()
    comment(ticket=ticket, actor=story.agent, text="inner", public=False, clock=story.clock)
    secret = story.open(kind="security", restricted=True, requester=story.analyst, service=None)
    relay_all()
    assert secret.key not in agent.get(EVENTS).content.decode()
    assert "inner" in agent.get(EVENTS).content.decode()
    assert "inner" not in requester.get(EVENTS).content.decode()
    assert ticket.key in requester.get(EVENTS).content.decode()
    assert secret.key in calling(story.analyst).get(EVENTS).content.decode()
    before = agent.get(EVENTS).json()
    restrict(ticket=ticket, actor=story.agent, reason="A break-in", clock=story.clock)
    relay_all()
    assert ticket.key not in calling(story.colleague).get(EVENTS).content.decode()
    assert before["results"]


def subscribe_to(admin, **given):
    body = {"slug": "chat", "url": "https://chat.example.com/in", "events": ["ticket.*"], **given}
    made = admin.post(f"{V1}webhooks/", body)
    assert made.status_code == 201, made.content
    return Hook.objects.get(slug=body["slug"]), made.json()["secret"]


def deliveries(hook) -> list[Message]:
    return list(Message.objects.filter(recipient=hook.account).order_by("pk"))


def test_a_subscription_gets_what_it_asks_for_and_no_case(story, admin):
    relay_all()
    some, _ = subscribe_to(admin, events=["ticket.taken"], filters={"team": ["desk"]})
    none, _ = subscribe_to(admin, slug="other", events=["ticket.*"], filters={"team": ["dba"]})
    ticket = story.open()
    story.open(kind="security", restricted=True, requester=story.analyst, service=None)
    take(ticket=ticket, actor=story.agent, clock=story.clock)
    relay_all()
    relay_all()
    (message,) = deliveries(some)
    assert message.data["event"]["type"] == "ticket.taken"
    assert message.data["event"]["data"]["ticket"]["key"] == ticket.key
    assert deliveries(none) == []
    assert_problem(admin.call("PATCH", f"{V1}webhooks/chat/", {"events": ["ticket.nonsense"]}), 422)
    assert_problem(admin.call("PATCH", f"{V1}webhooks/chat/", {"filters": {"colour": [1]}}), 422)


@pytest.mark.parametrize("shape", ["standard", "opsgenie"])
def test_no_webhook_names_a_case_that_an_open_ticket_speaks_of(story, admin, shape):
    hook, _ = subscribe_to(admin, shape=shape)
    secret = story.open(kind="security", restricted=True, requester=story.analyst, service=None)
    ticket = story.open()
    comment(ticket=ticket, actor=story.agent, text=f"See {secret.key}.", public=False)
    relay_all()
    told = str([message.data for message in deliveries(hook)])
    assert "See " in told
    assert secret.key not in told


def test_while_a_secret_is_changed_both_sign(story, admin):
    hook, old = subscribe_to(admin)
    new = admin.post(f"{V1}webhooks/chat/rotate/").json()["secret"]
    story.open()
    relay_all()
    hook.refresh_from_db()
    assert secrets_of(hook, database_now()) == [new, old]
    leaving = outgoing(deliveries(hook)[0], database_now())
    body = json.dumps(leaving.event).encode()
    headers = signed(leaving, body)
    for secret in (old, new):
        Webhook(secret).verify(body, headers)
    assert secrets_of(hook, hook.former_until) == [new]


@pytest.mark.parametrize(
    ("shape", "kind"), [("pagerduty", "incident.triggered"), ("opsgenie", "Create")]
)
def test_other_products_forms_are_spoken(story, admin, shape, kind):
    hook, secret = subscribe_to(admin, shape=shape, events=["ticket.opened", "ticket.targeted"])
    ticket = story.open()
    relay_all()
    (message,) = deliveries(hook)
    event = message.data["event"]
    if shape == "opsgenie":
        assert (event["action"], event["alert"]["alias"]) == (kind, ticket.key)
        return
    assert event["event"]["event_type"] == kind
    assert event["event"]["data"]["title"] == ticket.subject
    headers = signed(outgoing(message, database_now()), b"{}")
    digest = hmac.new(secret.encode(), b"{}", "sha256").hexdigest()
    assert headers["X-PagerDuty-Signature"] == f"v1={digest}"


def test_an_event_is_tried_for_days_and_410_ends_the_subscription(story, admin):
    hook, _ = subscribe_to(admin)
    story.open()
    relay_all()
    message = deliveries(hook)[0]
    assert tries_of(message) == subscriptions.TRIES
    how = {"steps": steps_of(message), "least": subscriptions.BACKOFF_LEAST}
    unlucky = [backoff_s(n, draw=lambda: 0.0, **how) for n in range(1, tries_of(message))]
    assert sum(unlucky) > 2 * 24 * 3600, "however the dice fall"
    retire(account_id=hook.account_id, reason="HTTP 410 Gone")
    shown = admin.get(f"{V1}webhooks/chat/").json()
    assert (shown["is_active"], shown["ended_because"]) == (False, "HTTP 410 Gone")
    story.open()
    count = len(deliveries(hook))
    relay_all()
    assert len(deliveries(hook)) == count


def test_the_log_tells_of_deliveries_and_sends_one_again(story, admin):
    subscribe_to(admin, events=["ticket.opened"])
    story.open()
    relay_all()
    (shown,) = admin.get(f"{V1}webhooks/chat/deliveries/").json()["results"]
    again = {"key": shown["key"]}
    assert_problem(admin.post(f"{V1}webhooks/chat/resend/", again), 409, "under_way")
    now = database_now()
    sent = {"state": MessageState.SENT, "sent_at": now, "finished_at": now}
    Message.objects.filter(key=shown["key"]).update(**sent)
    queued = admin.post(f"{V1}webhooks/chat/resend/", again)
    assert (queued.status_code, queued.json()["state"]) == (202, "queued")
    assert admin.post(f"{V1}webhooks/chat/ping/").json()["event"]["type"] == "ping"


def scope_of(path: str, **headers: str) -> dict:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    path, _, query = path.partition("?")
    return {
        "type": "http",
        "method": "GET",
        "path": path,
        "headers": pairs,
        "query_string": query.encode(),
    }


def listen(scope: dict, wanted: bytes) -> list[dict]:
    """What the stream sends until something stands in it, or it has refused."""
    sent: list[dict] = []

    async def run() -> None:
        done = asyncio.Event()

        async def receive() -> dict:
            await done.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict) -> None:
            sent.append(message)
            if wanted in message.get("body", b"") or message.get("status", 200) != 200:
                done.set()

        await asyncio.wait_for(stream_app(scope, receive, send), 20)

    asyncio.run(run())
    return sent


def test_the_stream_goes_on_after_the_event_named_and_tells_of_no_case(live_db, calling):
    story = Story()
    relay_all()
    agent = calling(story.agent)
    first, second = story.open(subject="First"), story.open(subject="Second")
    relay_all()
    known = agent.get(EVENTS).json()["results"][0]["id"]
    secret = story.open(kind="security", restricted=True, requester=story.analyst, service=None)
    relay_all()
    given = {"accept": "text/event-stream", "last_event_id": known}
    sent = listen(scope_of(EVENTS, authorization=f"Bearer {agent.plain}", **given), b"Second")
    words = b"".join(message.get("body", b"") for message in sent).decode()
    assert sent[0]["status"] == 200
    assert known not in words
    assert first.key in words
    assert second.key in words
    assert secret.key not in words
    lost = scope_of(EVENTS, accept="text/event-stream", authorization="Bearer nonsense")
    assert is_stream(lost)
    assert listen(lost, b"nothing")[0]["status"] == 401
    assert not is_stream(scope_of(EVENTS, accept="application/json"))


def test_a_stream_refuses_what_it_does_not_know_and_says_when_it_cannot_look(
    live_db, calling, monkeypatch
):
    agent = calling(Story().agent)
    given = {"accept": "text/event-stream", "authorization": f"Bearer {agent.plain}"}
    for query in ("type=ticket.resolved", "types=ticket.nonsense", "after=nonsense"):
        assert listen(scope_of(f"{EVENTS}?{query}", **given), b"nothing")[0]["status"] == 400, query

    def away(plain: str) -> None:
        raise OperationalError("the database is away")

    monkeypatch.setattr(stream, "authenticate", away)
    sent = listen(scope_of(EVENTS, **given), b"nothing")
    assert sent[0]["status"] == 503
    assert (b"retry-after", b"5") in sent[0]["headers"]


def test_a_reader_who_takes_nothing_is_let_go(live_db, calling, monkeypatch):
    """A line that is not read fills up; it must not keep its place among the streams for ever."""
    agent = calling(Story().agent)
    monkeypatch.setattr(stream, "PATIENCE_S", 0.2)
    scope = scope_of(EVENTS, accept="text/event-stream", authorization=f"Bearer {agent.plain}")

    async def send(message: dict) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    async def receive() -> dict:
        await asyncio.Event().wait()
        return {}

    async def run() -> None:
        await asyncio.wait_for(stream_app(scope, receive, send), 10)

    asyncio.run(run())


def test_one_token_cannot_take_the_places_of_all_others(live_db, calling):
    """Opened all at once, as a program that has gone wrong would; who leaves makes room."""
    story = Story()
    greedy, other = calling(story.agent), calling(story.lead)

    async def run() -> None:
        leave, told = [], []

        def open_one(caller) -> asyncio.Task:
            gone, sent = asyncio.Event(), []
            leave.append(gone)
            told.append(sent)

            async def receive() -> dict:
                await gone.wait()
                return {"type": "http.disconnect"}

            async def send(message: dict) -> None:
                sent.append(message)

            given = {"accept": "text/event-stream", "authorization": f"Bearer {caller.plain}"}
            return asyncio.create_task(stream_app(scope_of(EVENTS, **given), receive, send))

        async def answers(first: int) -> list[int]:
            async with asyncio.timeout(20):
                while not all(told[first:]):
                    await asyncio.sleep(0.02)
            return sorted(sent[0]["status"] for sent in told[first:])

        tasks = [open_one(greedy) for _ in range(stream.MAX_OF_ONE + 2)]
        assert await answers(0) == [200] * stream.MAX_OF_ONE + [429] * 2
        (head, body), *_ = [sent for sent in told if sent[0]["status"] == 429]
        assert (b"retry-after", b"10") in head["headers"]
        assert (b"content-type", b"application/problem+json") in head["headers"]
        assert json.loads(body["body"])["status"] == 429
        tasks.append(open_one(other))
        assert await answers(len(tasks) - 1) == [200]
        (at, *_) = [at for at, sent in enumerate(told) if sent[0]["status"] == 200]
        leave[at].set()
        await asyncio.wait_for(tasks[at], 20)
        tasks.append(open_one(greedy))
        assert await answers(len(tasks) - 1) == [200]
        for gone in leave:
            gone.set()
        await asyncio.wait_for(asyncio.gather(*tasks), 20)

    asyncio.run(run())


def test_a_stream_ends_with_its_token_and_tells_no_more_of_what_was_closed(live_db, calling):
    story = Story()
    relay_all()
    agent = calling(story.agent)
    listener = stream.Listener(agent.plain, (), 0, 0)
    ticket = story.open(subject="Soon closed")
    relay_all()
    words, place, is_full = stream._read(listener, 0)
    assert ticket.key in words
    assert not is_full
    restrict(ticket=ticket, actor=story.agent, reason="A break-in", clock=story.clock)
    Clearance.objects.filter(ticket=ticket, person=story.agent).delete()
    relay_all()
    assert stream._read(listener, place)[0] == ""
    assert stream._read(listener, 0)[0] == ""
    ApiToken.objects.update(revoked_at=database_now())
    assert stream._read(listener, 0) is None


def test_the_feed_holds_each_event_once(story):
    relay_all()
    story.open()
    count = relay_all()
    assert count
    assert FeedEntry.objects.count() == FeedEntry.objects.values("event").distinct().count()
