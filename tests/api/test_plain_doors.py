"""What Grafana, CloudEvents and Amazon SNS say is understood as their documents mean it."""

import hmac
import json
from hashlib import sha256
from typing import Any

import pytest

from roles.instants import database_now
from tests.api.intake import Sender, plain
from tickets import states
from tickets.models import Alert, IntakeRequest, Ticket
from tickets.sources import signing_secret

EVENT = {
    "specversion": "1.0",
    "id": "a-1",
    "source": "/sensors/hall",
    "type": "org.example.temperature.high",
    "subject": "rack-7",
    "time": "2026-03-02T08:59:00Z",
    "data": {"summary": "Rack 7 is hot", "severity": "critical", "state": "firing"},
}
STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"


def told(answer: Any) -> list[str]:
    """What became of each alert of a request."""
    assert answer.status_code == 200, answer.content
    return [item["result"] for item in answer.json()["alerts"]]


# ---- Grafana ------------------------------------------------------------------------------------


@pytest.fixture
def grafana(story) -> Sender:
    sender = plain(story, "grafana")
    sender.source.is_signed = True
    sender.source.save()
    return sender


RULE = {
    "version": "1",
    "status": "firing",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "DiskFull", "severity": "critical"},
            "annotations": {"summary": "The disk of db-1 is full"},
            "startsAt": "2026-03-02T08:59:00Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "fingerprint": "c6eadffa33fcdf37",
            "values": None,
        }
    ],
}


def signature(sender: Sender, signed: bytes) -> str:
    return hmac.new(signing_secret(sender.source).encode(), signed, sha256).hexdigest()


def test_a_signed_grafana_is_taken_by_the_hmac_of_its_body_alone(grafana):
    body = json.dumps(RULE).encode()
    right = {"x_grafana_alerting_signature": signature(grafana, body)}
    assert grafana.post("", body).status_code == 401
    other = body.replace(b"full", b"fine")
    assert grafana.post("", other, **right).status_code == 401
    wrong = {"x_grafana_alerting_signature": hmac.new(b"guessed", body, sha256).hexdigest()}
    assert grafana.post("", body, **wrong).status_code == 401
    assert not Alert.objects.exists()
    assert told(grafana.post("", body, **right)) == ["opened"]
    assert Alert.objects.get().summary == "The disk of db-1 is full"


def test_a_named_time_header_is_signed_with_the_body(grafana):
    grafana.source.mapping = {"timestamp_header": "X-Sent-At"}
    grafana.source.save()
    body, now = json.dumps(RULE).encode(), int(database_now().timestamp())

    def signed(stamp: object) -> dict[str, str]:
        of_both = signature(grafana, f"{stamp}:".encode() + body)
        return {"x_sent_at": str(stamp), "x_grafana_alerting_signature": of_both}

    for stamp in (now - 3600, now + 3600, "yesterday", "9" * 30):
        assert grafana.post("", body, **signed(stamp)).status_code == 401
    moved = {**signed(now - 60), "x_sent_at": str(now)}
    assert grafana.post("", body, **moved).status_code == 401
    assert not Alert.objects.exists()
    assert told(grafana.post("", body, **signed(now - 60))) == ["opened"]


def test_grafana_resolves_what_it_fired_also_by_put(story):
    sender = plain(story, "grafana")
    assert told(sender.send("PUT", "", RULE)) == ["opened"]
    over = {**RULE["alerts"][0], "status": "resolved", "endsAt": "2026-03-02T09:30:00Z"}
    assert told(sender.send("PUT", "", {**RULE, "alerts": [over]})) == ["cleared"]
    assert Ticket.objects.get().status == states.RESOLVED


def test_a_rule_that_grafana_cannot_judge_opens_a_ticket_that_says_so(story):
    nothing = {**RULE["alerts"][0], "labels": {"alertname": "DatasourceNoData", "rulename": "Disk"}}
    assert told(plain(story, "grafana").post("", {**RULE, "alerts": [nothing]})) == ["opened"]


# ---- CloudEvents --------------------------------------------------------------------------------


@pytest.fixture
def events(story) -> Sender:
    return plain(story, "cloudevents")


def in_headers(event: dict[str, Any]) -> dict[str, str]:
    """The attributes of an event as the binary mode carries them."""
    return {f"ce_{name}": str(value) for name, value in event.items() if name != "data"}


def test_an_event_is_the_same_in_structured_and_in_binary_mode(events):
    assert told(events.post("", EVENT, content_type=STRUCTURED)) == ["opened"]
    binary = events.post("", EVENT["data"], **in_headers(EVENT))
    assert told(binary) == ["repeated"]
    alert = Alert.objects.get()
    assert (alert.dedup_key, alert.severity) == ("/sensors/hall rack-7", "critical")
    assert alert.summary == "Rack 7 is hot"
    assert alert.started_at.isoformat() == "2026-03-02T08:59:00+00:00"
    assert alert.details["type"] == "org.example.temperature.high"


def test_headers_of_the_binary_mode_are_percent_decoded_and_data_may_be_text(events):
    odd = in_headers({**EVENT, "subject": "R%C3%BCck%20wand"})
    answer = events.post("", b"The wall is warm", content_type="text/plain", **odd)
    assert told(answer) == ["opened"]
    assert Alert.objects.get().dedup_key == "/sensors/hall Rück wand"


def test_a_batch_is_told_event_by_event_and_refused_whole_for_one_bad_event(events):
    second = {**EVENT, "id": "a-2", "subject": "rack-8"}
    assert told(events.post("", [EVENT, second], content_type=BATCH)) == ["opened", "opened"]
    worse = [{**EVENT, "subject": "rack-9"}, {"id": "no more"}]
    refused = events.post("", worse, content_type=BATCH)
    assert refused.status_code == 400
    assert "Event 1 lacks source, specversion, type" in refused.json()["detail"]
    assert Alert.objects.count() == 2
    assert told(events.post("", [], content_type=BATCH)) == []


def test_an_event_that_says_it_is_over_ends_what_an_earlier_one_began(events):
    events.post("", EVENT, content_type=STRUCTURED)
    over = {**EVENT, "id": "a-3", "data": {"state": "resolved"}}
    assert told(events.post("", over, content_type=STRUCTURED)) == ["cleared"]


def test_a_sender_that_asks_whether_it_may_deliver_gets_the_webhook_handshake(events):
    asking = {"webhook_request_origin": "eventemitter.example.com", "webhook_request_rate": "120"}
    answer = events.send("OPTIONS", "", **asking)
    assert answer.status_code == 200
    assert answer["WebHook-Allowed-Origin"] == "eventemitter.example.com"
    assert answer["WebHook-Allowed-Rate"] == "120"
    assert "POST" in answer["Allow"]
    stranger = Sender(events.source, "", events.base[:-1] + "x")
    assert stranger.send("OPTIONS", "", **asking).status_code == 404
    assert "WebHook-Allowed-Origin" not in events.send("OPTIONS", "")


# ---- Amazon SNS ---------------------------------------------------------------------------------

TOPIC = "arn:aws:sns:eu-central-1:123456789012:alarms"
CONFIRM = "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=2336412f37"


@pytest.fixture
def sns(story) -> Sender:
    return plain(story, "sns")


def letter(message: Any, **more: str) -> bytes:
    """What SNS posts, as text/plain."""
    words = message if isinstance(message, str) else json.dumps(message)
    about = {"Type": "Notification", "MessageId": "22b80b92", "TopicArn": TOPIC, "Message": words}
    return json.dumps({**about, **more}).encode()


def alarm(state: str) -> dict[str, Any]:
    """The message of a CloudWatch alarm that has come into this state."""
    return {
        "AlarmName": "cpu-high",
        "AlarmArn": "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:cpu-high",
        "AlarmDescription": "The processor is busy",
        "NewStateValue": state,
        "NewStateReason": "Threshold Crossed: 1 datapoint [97.0] was greater than 90.0.",
        "StateChangeTime": "2026-03-02T08:59:00.000+0000",
        "Region": "EU (Frankfurt)",
    }


def deliver(sender: Sender, body: bytes, kind: str = "Notification") -> Any:
    headers = {"x_amz_sns_message_type": kind, "x_amz_sns_topic_arn": TOPIC}
    return sender.post("", body, content_type="text/plain; charset=UTF-8", **headers)


def test_a_subscription_is_left_for_a_person_to_confirm_and_nothing_is_fetched(sns):
    asking = letter("You have chosen to subscribe.", SubscribeURL=CONFIRM)
    body = asking.replace(b'"Notification"', b'"SubscriptionConfirmation"')
    answer = deliver(sns, body, "SubscriptionConfirmation")
    assert answer.status_code == 200
    assert not Alert.objects.exists()
    noted = IntakeRequest.objects.get(act="confirmation")
    assert CONFIRM in noted.told
    for host in (b"sns.example.com", b"sns.eu-central-1.amazonaws.com:99999", b"[sns"):
        elsewhere = body.replace(b"sns.eu-central-1.amazonaws.com", host)
        assert deliver(sns, elsewhere, "SubscriptionConfirmation").status_code == 400


def test_a_cloudwatch_alarm_opens_a_ticket_and_its_ok_resolves_it(sns):
    assert told(deliver(sns, letter(alarm("ALARM")))) == ["opened"]
    found = Alert.objects.get()
    assert found.summary == "cpu-high: The processor is busy"
    assert found.severity == "error"
    assert found.started_at.isoformat() == "2026-03-02T08:59:00+00:00"
    assert told(deliver(sns, letter(alarm("OK"), MessageId="b"))) == ["cleared"]
    assert Ticket.objects.get().status == states.RESOLVED


def test_a_message_in_plain_words_is_an_alert_of_its_own(sns):
    assert told(deliver(sns, letter("The night job failed.", Subject="Nightly"))) == ["opened"]
    assert Alert.objects.get().summary == "Nightly"
    assert told(deliver(sns, letter("The night job failed.", Subject="Nightly"))) == ["repeated"]
    assert told(deliver(sns, letter("Again.", MessageId="c"))) == ["opened"]
