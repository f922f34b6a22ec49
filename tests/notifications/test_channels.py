"""Every channel over the wire: what it sends, and what it makes of each way to fail."""

import base64
import hashlib
import hmac
import time
from urllib.parse import parse_qs
from xml.etree import ElementTree

import orjson
import pytest

from notifications.channels import slack, telephony
from notifications.channels.http import Caller
from notifications.channels.mattermost import MattermostChannel
from notifications.channels.message import OutgoingMessage
from notifications.channels.pacing import Breaker, Pace
from notifications.channels.registry import CHANNELS, PERSONAL
from notifications.channels.slack import SlackChannel
from notifications.channels.sms import SmsChannel
from notifications.channels.teams import TeamsChannel
from notifications.channels.voice import VoiceChannel
from tests.notifications.receiver import Receiver, receiving

ROADS = {
    "sms": (SmsChannel, "+491701234567"),
    "voice": (VoiceChannel, "+491701234567"),
    "slack": (SlackChannel, "U012AB3CD"),
    "mattermost": (MattermostChannel, "@ann"),
    "teams": (TeamsChannel, ""),
}
HOSTILE = "<!channel> *bold* [x](http://evil) @all &<b>"


@pytest.fixture
def receiver(settings):
    with receiving() as found:
        settings.WEBHOOK_HOSTS = [found.host]
        settings.TELEPHONY_URL = settings.SLACK_URL = f"http://{found.host}"
        settings.TELEPHONY_ACCOUNT, settings.TELEPHONY_TOKEN = "AC1", "secret"
        settings.TELEPHONY_FROM = "+15005550006"
        settings.SLACK_BOT_TOKEN, settings.SLACK_SIGNING_SECRET = "xoxb-1", "shh"
        settings.MATTERMOST_HOOK = found.url
        settings.PUBLIC_URL = "https://desk.example"
        found.says("200 OK", body=b'{"ok":true}')
        yield found


def page(**changes) -> OutgoingMessage:
    given = {
        "key": "11111111-2222-3333-4444-555555555555",
        "topic": "ticket:12",
        "kind": "page",
        "urgency": "high",
        "subject": "[INC-000012] P1 Nobody answers",
        "body": "The shop is down.",
        "ack_url": "https://desk.example/m/tok/",
        "ack_token": "tok:en",
        "take_url": "https://desk.example/m/tok/take",
        "reply_code": "0042",
        "open_url": "https://desk.example/tickets/INC-000012",
    }
    return OutgoingMessage(**{**given, **changes})


def send(name: str, receiver: Receiver, message: OutgoingMessage | None = None, deadline_s=5.0):
    kind, address = ROADS[name]
    telephony._caller = telephony.Caller(per_second=50.0)  # a breaker of this test's own
    return kind().send(message or page(), address or receiver.url, deadline_s)


@pytest.mark.parametrize("name", ROADS)
def test_a_message_is_handed_over_under_its_key(receiver, name):
    assert send(name, receiver).ok
    [call] = receiver.calls
    if name != "slack":  # whose API knows no such header
        assert call.headers["idempotency-key"] == page().key
    assert "INC-000012" in call.body.decode()


@pytest.mark.parametrize("name", ROADS)
@pytest.mark.parametrize("status", ["429 Too Many Requests", "500 No", "401 Who"])
def test_what_passes_is_tried_again_when_the_provider_says(receiver, name, status):
    receiver.says(status, "Retry-After: 17")
    result = send(name, receiver)
    assert (result.ok, result.permanent, result.retry_after_s) == (False, False, 17.0)


@pytest.mark.parametrize("name", ROADS)
def test_a_redirect_is_not_followed(receiver, name):
    receiver.says("302 Found", "Location: http://169.254.169.254/")
    result = send(name, receiver)
    assert not result.ok
    assert len(receiver.calls) == 1


@pytest.mark.parametrize("name", ROADS)
@pytest.mark.parametrize("way", ["hang", "drip"])
def test_a_provider_that_hangs_or_drips_is_left_at_the_deadline(receiver, name, way):
    receiver.answer = way
    begun = time.monotonic()
    result = send(name, receiver, deadline_s=0.4)
    assert not result.ok
    assert not result.permanent
    assert time.monotonic() - begun < 2


@pytest.mark.parametrize("name", ROADS)
@pytest.mark.parametrize("way", ["huge", "reset"])
def test_a_huge_or_torn_answer_counts_as_its_status(receiver, name, way):
    receiver.answer = way
    assert send(name, receiver).ok


def test_a_number_that_never_takes_it_is_final_and_a_wrong_account_is_not(receiver):
    receiver.says("400 Bad Request", body=b'{"code":21211,"message":"no such number"}')
    assert send("sms", receiver).permanent
    receiver.says("400 Bad Request", body=b'{"code":21606,"message":"bad From"}')
    assert not send("sms", receiver).permanent


@pytest.mark.parametrize(
    ("error", "final"),
    [("channel_not_found", True), ("ratelimited", False), ("invalid_auth", False)],
)
def test_slack_says_in_its_body_what_is_wrong(receiver, error, final):
    receiver.says("200 OK", body=orjson.dumps({"ok": False, "error": error}))
    result = send("slack", receiver)
    assert (result.ok, result.permanent) == (False, final)
    assert error in result.detail


def test_a_text_message_keeps_its_way_to_reply_and_its_link(receiver):
    send("sms", receiver, page(subject="[INC-000012] " + "very long " * 100))
    body = parse_qs(receiver.calls[-1].body.decode())["Body"][0]
    assert len(body) <= SmsChannel.limits.length
    assert body.endswith("Reply 0042 to acknowledge. https://desk.example/tickets/INC-000012")
    send("sms", receiver, page(ack_token="", reply_code="", subject="line\nbreak\x00"))
    assert "line break" in parse_qs(receiver.calls[-1].body.decode())["Body"][0]


def test_a_call_reads_the_words_and_a_key_comes_back(receiver):
    send("voice", receiver, page(subject='A & B <Hangup/> "x"'))
    markup = parse_qs(receiver.calls[-1].body.decode())["Twiml"][0]
    tree = ElementTree.fromstring(markup)
    gather = tree.find("Gather")
    assert gather.get("action") == "https://desk.example/answers/voice/tok:en"
    assert gather.find("Say").text == 'A & B <Hangup/> "x"'
    assert tree.find(".//Hangup") is None
    send("voice", receiver, page(ack_token=""))
    assert "Gather" not in receiver.calls[-1].body.decode()


def test_no_words_of_a_ticket_become_markup_or_call_a_channel(receiver):
    hostile = page(subject=HOSTILE, body=HOSTILE)
    send("slack", receiver, hostile)
    assert "<!channel>" not in receiver.calls[-1].body.decode()
    send("mattermost", receiver, hostile)
    told = orjson.loads(receiver.calls[-1].body)["attachments"][0]["text"]
    assert "@all" not in told
    assert r"\[x\]\(http" in told
    send("teams", receiver, hostile)
    assert r"\\[x\\]" in receiver.calls[-1].body.decode()


def test_slack_gets_blocks_that_it_accepts(receiver):
    send("slack", receiver, page(body="x" * 9000))
    said = orjson.loads(receiver.calls[-1].body)
    assert said["channel"] == "U012AB3CD"
    assert receiver.calls[-1].headers["authorization"] == "Bearer xoxb-1"
    section, actions = said["blocks"]
    assert len(section["text"]["text"]) <= 3000
    assert [each["action_id"] for each in actions["elements"]] == ["acknowledge", "take", "open"]
    assert all(len(each.get("value", "")) <= 2000 for each in actions["elements"])
    assert len(said["blocks"]) <= 50


def test_a_webhook_of_slack_gets_links_instead_of_buttons(receiver):
    _, actions = slack.blocks(page(), 2900, acting=False)
    links = [each["url"] for each in actions["elements"]]
    assert links == [page().ack_url, page().take_url, page().open_url]


def test_a_card_for_teams_offers_the_signed_links(receiver):
    send("teams", receiver)
    card = orjson.loads(receiver.calls[-1].body)["attachments"][0]["content"]
    links = [(act["type"], act["url"]) for act in card["actions"]]
    offered = (page().ack_url, page().take_url, page().open_url)
    assert links == [("Action.OpenUrl", url) for url in offered]


@pytest.mark.parametrize("name", ["teams", "mattermost", "slack"])
def test_what_is_kept_of_a_failed_line_does_not_hold_the_webhooks_address(receiver, settings, name):
    """Whoever reads it could write there; and everybody who works on a ticket reads its tries."""
    settings.WEBHOOK_HOSTS = ["127.0.0.1:9"]
    settings.MATTERMOST_HOOK = address = "https://127.0.0.1:9/hooks/T000/s3cr3t"
    kind, _ = ROADS[name]
    result = kind().send(page(), "@ann" if name == "mattermost" else address, 5.0)
    assert not result.ok
    assert result.detail
    assert "s3cr3t" not in result.detail


def slack_signature(secret: str, sent_at: str, body: bytes) -> str:
    text = b":".join([b"v0", sent_at.encode(), body])
    return "v0=" + hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


def test_only_slack_itself_and_only_now_presses_a_button(receiver):
    body, sent_at = b"payload=%7B%7D", "1531420618"
    good = slack_signature("shh", sent_at, body)
    assert slack.is_genuine(body, sent_at, good, 1531420618 + 300)
    assert not slack.is_genuine(body, sent_at, good, 1531420618 + 301)
    assert not slack.is_genuine(body + b"x", sent_at, good, 1531420618)
    assert not slack.is_genuine(body, "1531420619", good, 1531420618)
    assert not slack.is_genuine(body, "soon", good, 1531420618)


def test_the_example_that_slack_publishes_verifies(settings):
    """The secret, time, body and signature of Slack's own documentation."""
    settings.SLACK_SIGNING_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow"
        b"&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner"
        b"&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands"
        b"%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121"
        b".803a0bc887a14d10d2c447fce8b6703c"
    )
    signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    assert slack.is_genuine(body, "1531420618", signature, 1531420618)


def test_the_example_that_twilio_publishes_verifies(settings):
    """The address, form and signature of Twilio's own documentation."""
    settings.TELEPHONY_TOKEN = "12345"
    given = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675310",
        "Digits": "1234",
        "From": "+14158675310",
        "To": "+18005551212",
    }
    url = "https://example.com/myapp.php?foo=1&bar=2"
    made = hmac.new(
        b"12345", (url + "".join(k + given[k] for k in sorted(given))).encode(), hashlib.sha1
    )
    signature = base64.b64encode(made.digest()).decode()
    assert telephony.is_genuine(url, given, signature)
    assert not telephony.is_genuine(url, {**given, "Digits": "4"}, signature)
    settings.TELEPHONY_TOKEN = ""
    assert not telephony.is_genuine(url, given, signature)


# ---- Pace and breaker --------------------------------------------------------------------------


def test_a_target_that_is_down_is_tried_by_one_message_at_a_time():
    breaker = Breaker(rest_s=0.05)
    assert breaker.wait_s("a") == 0.0
    breaker.hold("a")
    assert breaker.wait_s("a") > 0
    assert breaker.wait_s("b") == 0.0, "each target by itself"
    time.sleep(0.06)
    assert breaker.wait_s("a") == 0.0
    assert breaker.wait_s("a") > 0, "the second waits for the first one's answer"
    breaker.heal("a")
    assert breaker.wait_s("a") == 0.0


def test_a_dead_provider_holds_no_lane(receiver):
    channel = SmsChannel()
    telephony._caller = telephony.Caller(per_second=50.0)
    receiver.answer = "hang"
    channel.send(page(), "+491701234567", 0.2)
    begun = time.monotonic()
    result = channel.send(page(), "+491707654321", 5.0)
    assert not result.ok
    assert result.retry_after_s > 0
    assert time.monotonic() - begun < 0.2


def test_waiting_for_ones_turn_counts_against_the_deadline(receiver):
    caller = Caller(per_second=4.0)
    send_to = {"body": b"{}", "headers": {}, "deadline_s": 0.5}
    assert caller.post(receiver.url, **send_to).status == 200
    receiver.answer = "hang"
    begun = time.monotonic()
    assert not caller.post(receiver.url, **send_to).ok
    assert time.monotonic() - begun < 0.7, "a quarter of a second of it was waited for"


def test_calls_to_one_target_are_spaced_and_a_long_queue_is_sent_away():
    pace = Pace(per_second=20.0, patience_s=0.12)
    begun = time.monotonic()
    waits = [pace.wait_s("a") for _ in range(3)]
    assert waits == [0.0, 0.0, 0.0]
    assert 0.09 <= time.monotonic() - begun < 0.5
    assert pace.wait_s("b") == 0.0
    slow = Pace(per_second=0.1, patience_s=0.1)
    assert slow.wait_s("a") == 0.0
    assert slow.wait_s("a") > 9


def test_every_channel_declares_its_limits_and_personal_ones_are_registered():
    assert set(PERSONAL) < set(CHANNELS)
    for channel in CHANNELS.values():
        assert channel.limits.length > 0
        assert channel.limits.per_second > 0
        assert channel.limits.buttons >= 0
