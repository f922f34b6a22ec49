"""What the tests of intake have in common: senders that speak each vendor's form."""

import base64
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.test import Client

from tickets.models import AlertSource
from tickets.sources import create_source

TABLE = "/api/now/table/incident"
PAGERDUTY_JSON = "application/vnd.pagerduty+json;version=2"


@dataclass
class Sender:
    """A program with a vendor's key, pointed at our mount; every method gives the answer."""

    source: AlertSource
    key: str
    base: str
    headers: dict[str, str] = field(default_factory=dict)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        more = {**self.headers, **headers}
        kind = more.pop("content_type", "application/json")
        data = body if isinstance(body, bytes | str) else b"" if body is None else json.dumps(body)
        client = Client(raise_request_exception=False, enforce_csrf_checks=True)
        return client.generic(
            method,
            self.base + path,
            data,
            content_type=kind,
            **{f"HTTP_{name.upper()}": value for name, value in more.items()},
        )

    def get(self, path: str, **headers: str) -> Any:
        return self.send("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.send("POST", path, {} if body is None else body, **headers)


def pagerduty(story: Any, slug: str = "pd", **more: Any) -> Sender:
    source, key = create_source(slug=slug, product="pagerduty", service=story.mail, **more)
    rest = {"authorization": f"Token token={key}", "accept": PAGERDUTY_JSON}
    return Sender(source, key, "/pagerduty", rest)


def opsgenie(story: Any, slug: str = "og", base: str = "/opsgenie", **more: Any) -> Sender:
    source, key = create_source(slug=slug, product="opsgenie", service=story.mail, **more)
    return Sender(source, key, base, {"authorization": f"GenieKey {key}"})


def servicenow(story: Any, slug: str = "snow", **more: Any) -> Sender:
    source, key = create_source(slug=slug, product="servicenow", service=story.mail, **more)
    basic = base64.b64encode(f"monitor:{key}".encode()).decode()
    return Sender(source, key, "/servicenow", {"authorization": f"Basic {basic}"})


def plain(story: Any, product: str, **more: Any) -> Sender:
    source, key = create_source(slug=product, product=product, service=story.mail, **more)
    return Sender(source, key, f"/intake/v1/{product}/{key}")


def recorded(captures: Path, name: str) -> list[dict[str, Any]]:
    """The recorded requests of one real client, in their order."""
    found: list[dict[str, Any]] = json.loads((captures / f"{name}.json").read_text())["requests"]
    return found


def told_keys(value: Any, **renamed: str) -> Any:
    """The value with recorded test keys put in place by those of the test's own source."""
    text = json.dumps(value)
    for old, new in renamed.items():
        text = text.replace(old, new)
    return json.loads(text)
