"""Every address of intake by the URL map: nothing without a key of its own product, no redirect."""

import re
from collections.abc import Iterator

import pytest
from django.urls import URLPattern

from api.intake.urls import ADDRESSES
from tests.api.intake import PAGERDUTY_JSON, Sender, opsgenie, pagerduty, plain
from tickets.models import Alert, ChangeNotice, Pulse, Ticket
from tickets.restriction import restrict

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
OTHERS = ("", "Bearer {}", "GenieKey {}", "Token token={}", "Basic {}")


def filled(pattern: URLPattern) -> str:
    route = str(pattern.pattern)
    if route.startswith("^"):
        return "/" + route[1:].partition("(?")[0] + "/nowhere"
    return "/" + re.sub(r"<[^>]+>", "alertmanager", route)


def addresses() -> Iterator[str]:
    yield from dict.fromkeys(map(filled, ADDRESSES))


def stored() -> list[int]:
    return [model.objects.count() for model in (Alert, Ticket, ChangeNotice, Pulse)]


def test_no_address_takes_or_tells_anything_without_a_key_of_its_own_product(story):
    foreign = plain(story, "sns").key
    wrong: list[str] = []
    count = 0
    for address in addresses():
        for method in METHODS:
            for form in OTHERS if method in ("GET", "POST") else OTHERS[:1]:
                headers = {"authorization": form.format(foreign)} if form else {}
                sender = Sender(None, "", "", headers)
                answer = sender.send(method, address, {"routing_key": foreign, "alerts": []})
                count += 1
                if not 400 <= answer.status_code < 500:
                    wrong.append(f"{method} {address} by {form!r}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)
    assert stored() == [0, 0, 0, 0]
    assert count > 1000


def test_no_answer_carries_a_cookie_or_may_be_cached_as_a_page(story):
    for address in addresses():
        answer = Sender(None, "", "").post(address, {})
        assert not answer.cookies
        assert not answer["Content-Type"].startswith("text/html")


READS = (
    ("pd", "/incidents?limit=100&total=true"),
    ("pd", "/incidents?statuses[]=triggered&statuses[]=acknowledged&statuses[]=resolved"),
    ("pd", "/incidents?incident_key=zebrafish"),
    ("pd", "/users"),
    ("pd", "/oncalls"),
    ("og", "/v2/alerts"),
    ("og", "/v2/alerts?query=zebrafish"),
    ("og", "/v2/alerts/count"),
    ("og", "/v2/alerts/zebrafish?identifierType=alias"),
    ("og", "/v2/alerts/zebrafish/notes?identifierType=alias"),
    ("og", "/v2/alerts/zebrafish/logs?identifierType=alias"),
    ("og", "/v2/alerts/zebrafish/recipients?identifierType=alias"),
    ("og", "/v2/alerts/1?identifierType=tiny"),
)
PASSING = re.compile(rb'"(took|requestId)": ?("[^"]*"|[\d.]+)')


@pytest.mark.parametrize("name", ["pd", "og"])
def test_a_sender_reads_the_same_with_and_without_its_restricted_case(story, name):
    make = pagerduty if name == "pd" else opsgenie
    sender = make(story, reads_directory=True)
    wheres = [where for product, where in READS if product == name]

    def read() -> list[tuple[int, bytes]]:
        answers = [sender.get(where, accept=PAGERDUTY_JSON) for where in wheres]
        return [(answer.status_code, PASSING.sub(b"", answer.content)) for answer in answers]

    before = read()
    if name == "pd":
        payload = {"summary": "zebrafish", "source": "x", "severity": "info"}
        event = {"routing_key": sender.key, "event_action": "trigger", "dedup_key": "zebrafish"}
        sender.post("/v2/enqueue", {**event, "payload": payload})
    else:
        sender.post("/v2/alerts", {"message": "zebrafish", "alias": "zebrafish", "note": "x"})
    assert read() != before
    restrict(ticket=Ticket.objects.get(), actor=story.agent, reason="a break-in")
    assert read() == before
