"""PagerDuty and OnCall are read page by page from their own REST APIs, with the token alone."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from threading import Thread
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.management import CommandError, call_command

from roles.models import Person, Schedule, Team, Tier
from tests.api import accounts

pytestmark = pytest.mark.django_db
PAGE = 2


class Vendor(BaseHTTPRequestHandler):
    """Answers as PagerDuty's REST API v2 and OnCall's API v1 do, two entries a page."""

    token: ClassVar[str] = "Token token=secret"
    pagerduty: ClassVar[dict[str, Any]] = {}
    oncall: ClassVar[dict[str, Any]] = {}
    asked: ClassVar[list[str]] = []
    names_itself: ClassVar[str] = "http"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        self.asked.append(self.path)
        if self.headers["Authorization"] != self.token:
            self.say(401, {"error": {"message": "who?", "code": 2006}})
        elif parts.path.startswith("/api/v1/"):
            name = parts.path.removeprefix("/api/v1/").strip("/")
            self.say(200, self.next_page(name, int(query.get("page", ["1"])[0])))
        else:
            self.say(200, self.offset_page(parts.path.strip("/"), query))

    def next_page(self, name: str, page: int) -> dict[str, Any]:
        held = self.oncall[name]
        rows = held["results"] if isinstance(held, dict) else held
        base = f"{self.names_itself}://{self.headers['Host']}/api/v1/{name}/"
        more = f"{base}?page={page + 1}" if len(rows) > page * PAGE else None
        return {"count": len(rows), "next": more, "results": rows[(page - 1) * PAGE : page * PAGE]}

    def offset_page(self, path: str, query: dict[str, list[str]]) -> dict[str, Any]:
        name, _, rest = path.partition("/")
        if name == "schedules" and rest:
            assert {"since", "until"} <= set(query)
            (found,) = [each for each in self.pagerduty[name] if each["id"] == rest]
            return {"schedule": found}
        rows = self.pagerduty[name]
        if rest.endswith("/members"):
            (team,) = [each for each in rows if each["id"] == rest.partition("/")[0]]
            name, rows = "members", team["members"]
        first = int(query["offset"][0])
        more = len(rows) > first + PAGE
        return {name: rows[first : first + PAGE], "offset": first, "more": more}

    def say(self, status: int, body: Any) -> None:
        told = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing on the test's own output."""


@pytest.fixture
def vendor(db) -> Iterator[str]:
    for rank in (1, 2):
        Tier.objects.create(slug=f"l{rank}", name=f"L{rank}", kind="ladder", rank=rank)
    rule = {"id": "N1", "user_id": "U2", "type": "notify_by_sms"}
    Vendor.pagerduty, Vendor.asked = accounts.pagerduty(), []
    Vendor.pagerduty["users"][0]["notification_rules"] = [rule]
    Vendor.oncall = {**accounts.oncall(), "personal_notification_rules": [rule]}
    with ThreadingHTTPServer(("127.0.0.1", 0), Vendor) as server:
        serving = Thread(target=server.serve_forever, daemon=True)
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()


def take_over(command: str, address: str) -> str:
    out = StringIO()
    call_command(command, address, stdout=out)
    return out.getvalue()


def test_pagerduty_is_taken_over_from_its_rest_api(vendor, monkeypatch):
    monkeypatch.setenv("PAGERDUTY_TOKEN", "secret")
    told = take_over("import_pagerduty", vendor)
    assert Person.objects.filter(email__in=[f"{who}@example.net" for who in ("ada", "dan")])[1:]
    assert Schedule.objects.filter(team__name="Network").exists()
    assert "notification rules of ada@example.net: everybody is told by mail" in told
    assert any("offset=2" in path for path in Vendor.asked)
    assert "0 things changed" in take_over("import_pagerduty", vendor)


def test_oncall_is_taken_over_from_its_api(vendor, monkeypatch):
    monkeypatch.setenv("ONCALL_TOKEN", "Token token=secret")
    told = take_over("import_oncall", f"{vendor}/api/v1")
    assert Team.objects.filter(name="Network").exists()
    assert "notification rules of bea@example.net: everybody is told by mail" in told
    assert "0 things changed" in take_over("import_oncall", f"{vendor}/api/v1")


def test_pages_are_read_in_the_way_that_was_asked_for(vendor, monkeypatch):
    """Behind a proxy a server may name its next page by another scheme than it is reached by."""
    monkeypatch.setenv("ONCALL_TOKEN", "Token token=secret")
    monkeypatch.setattr(Vendor, "names_itself", "https")
    take_over("import_oncall", f"{vendor}/api/v1")
    assert any("page=2" in path for path in Vendor.asked)


@pytest.mark.parametrize("command", ["import_pagerduty", "import_oncall"])
def test_a_wrong_token_or_a_page_that_leads_elsewhere_changes_nothing(vendor, monkeypatch, command):
    for name in ("PAGERDUTY_TOKEN", "ONCALL_TOKEN"):
        monkeypatch.setenv(name, "wrong")
    with pytest.raises(CommandError, match="401"):
        take_over(command, f"{vendor}/api/v1")
    assert not Person.objects.exists()
    monkeypatch.delenv("PAGERDUTY_TOKEN")
    monkeypatch.delenv("ONCALL_TOKEN")
    with pytest.raises(CommandError, match="_TOKEN"):
        take_over(command, vendor)
