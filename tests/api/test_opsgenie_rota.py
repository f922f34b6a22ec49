"""Opsgenie's heartbeats, and its reads of who is on call."""

from datetime import timedelta
from urllib.parse import quote

import pytest

from tests.api.intake import Sender, opsgenie
from tickets.models import Pulse


@pytest.fixture
def og(story) -> Sender:
    return opsgenie(story)


def test_a_heartbeat_lives_its_life(og):
    body = {"name": "hb/1", "interval": 5, "intervalUnit": "minutes", "enabled": True}
    made = og.post("/v2/heartbeats", {**body, "alertPriority": "P1", "alertTags": ["x"]})
    assert (made.status_code, made.json()["data"]["enabled"]) == (201, True)
    for method in ("GET", "POST", "PUT", "PATCH"):
        pong = og.send(method, "/v2/heartbeats/hb%2F1/ping")
        assert (pong.status_code, pong.json()["result"]) == (202, "PONG - Heartbeat received")
    told = og.get("/v2/heartbeats/hb%2F1").json()["data"]
    assert (told["interval"], told["expired"]) == (5, False)
    assert told["lastPingTime"].endswith("Z")
    changed = og.send("PATCH", "/v2/heartbeats/hb%2F1", {"interval": 10, "intervalUnit": "hours"})
    assert changed.status_code == 200
    assert Pulse.objects.get().span == timedelta(hours=10)
    assert og.post("/v2/heartbeats/hb%2F1/disable").json()["data"]["enabled"] is False
    assert og.post("/v2/heartbeats/hb%2F1/enable").json()["data"]["enabled"] is True
    assert len(og.get("/v2/heartbeats").json()["data"]["heartbeats"]) == 1
    assert og.send("DELETE", "/v2/heartbeats/hb%2F1").status_code == 200
    assert og.get("/v2/heartbeats/hb%2F1").status_code == 404
    for bad in ({}, {**body, "interval": 0}, {**body, "intervalUnit": "years"}):
        assert og.post("/v2/heartbeats", bad).status_code == 422
    assert og.post("/v2/heartbeats/none/ping").status_code == 202


def test_who_is_on_call_is_told_to_a_key_that_may_read_it(og, story):
    assert og.get("/v2/schedules").status_code == 403
    og.source.reads_directory = True
    og.source.save()
    listed = og.get("/v2/schedules").json()["data"]
    desk = next(row for row in listed if row["ownerTeam"]["name"] == "Desk")
    who = f"/v2/schedules/{desk['id']}/on-calls?flat=true"
    assert og.get(who).json()["data"]["onCallRecipients"] == ["ann@example.org"]
    name = f"/v2/schedules/{quote(desk['name'])}/on-calls?scheduleIdentifierType=name"
    assert og.get(name).json()["data"]["onCallParticipants"][0]["name"] == "ann@example.org"
    assert len(og.get("/v2/schedules/on-calls").json()["data"]) == len(listed)
    assert og.get(f"/v2/schedules/{desk['id']}/next-on-calls?flat=true").status_code == 200
    assert og.get("/v2/schedules/999/on-calls").status_code == 404
    assert og.get(f"{who}&date=nonsense").status_code == 422
