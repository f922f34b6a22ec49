"""The vendors' own Python clients, unmodified, against our mounts."""

import ssl
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from roles.instants import database_now
from tests.api.live import Site, own_certificate
from tests.story import Story
from tickets.models import Alert, ChangeNotice, Pulse, Ticket
from tickets.sources import create_source

opsgenie_sdk = pytest.importorskip("opsgenie_sdk", reason="no opsgenie-sdk (PyPI)")
pagerduty = pytest.importorskip("pagerduty", reason="no pagerduty (PyPI)")


@pytest.fixture
def story(live_db) -> Story:
    return Story(start=database_now() - timedelta(hours=1))


@pytest.fixture
def site(story) -> Iterator[Site]:
    site = Site()
    site.start()
    yield site
    site.stop()


@pytest.fixture
def secure(story, tmp_path: Path) -> Iterator[tuple[Site, ssl.SSLContext]]:
    """The application over TLS, which this client insists on, and how to trust it."""
    certificate = own_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    site = Site(context)
    site.start()
    yield site, ssl.create_default_context(cafile=str(certificate))
    site.stop()


# ---- opsgenie-sdk ----


@pytest.fixture
def og(site, story) -> Any:
    """A configured client of the SDK, as its own documentation makes one."""
    _, key = create_source(slug="og", product="opsgenie", service=story.mail)
    configuration = opsgenie_sdk.Configuration()
    configuration.host = f"{site.address}/opsgenie"
    configuration.api_key["Authorization"] = key
    configuration.api_key_prefix["Authorization"] = "GenieKey"
    return opsgenie_sdk.ApiClient(configuration=configuration)


def test_the_opsgenie_sdk_creates_and_works_on_an_alert(og, story):
    api = opsgenie_sdk.AlertApi(api_client=og)
    alias = f"drv/{uuid.uuid4().hex}"
    body = opsgenie_sdk.CreateAlertPayload(
        message="disk full on db1",
        alias=alias,
        description="long text",
        responders=[{"name": "Apps", "type": "team"}],
        tags=["db", "prod"],
        details={"k": "v"},
        entity="db1",
        priority="P2",
        note="first",
    )
    made = api.create_alert(create_alert_payload=body)
    assert made.result == "Request will be processed"
    done = api.get_request_status(request_id=made.request_id).data
    assert (done.is_success, done.action, done.alias) == (True, "Create", alias)
    alert = api.get_alert(identifier=alias, identifier_type="alias").data
    assert (alert.id, alert.message, alert.status) == (done.alert_id, "disk full on db1", "open")
    assert (alert.priority, alert.details, alert.tags) == ("P2", {"k": "v"}, ["db", "prod"])
    assert api.get_alert(identifier=alert.tiny_id, identifier_type="tiny").data.id == alert.id
    by_alias = {"identifier": alias, "identifier_type": "alias"}
    acknowledge = opsgenie_sdk.AcknowledgeAlertPayload(user="ada@example.org", note="mine")
    api.acknowledge_alert(**by_alias, acknowledge_alert_payload=acknowledge)
    assert api.get_alert(**by_alias).data.acknowledged
    api.add_note(**by_alias, add_note_to_alert_payload={"note": "a note", "user": "ada"})
    assert {note.note for note in api.list_notes(**by_alias).data} == {"first", "mine", "a note"}
    api.add_tags(**by_alias, add_tags_to_alert_payload={"tags": ["t1"]})
    api.remove_tags(**by_alias, tags=["db"])
    api.update_alert_priority(**by_alias, update_alert_priority_payload={"priority": "P1"})
    found = api.list_alerts(query=f'alias: "{alias}" AND status: open', limit=100)
    assert [one.id for one in found.data] == [alert.id]
    assert (found.data[0].tags, found.data[0].priority) == (["prod", "t1"], "P1")
    assert api.count_alerts(query="status: open").data.count == 1
    assert api.list_logs(**by_alias).data
    api.close_alert(**by_alias, close_alert_payload={"user": "ada", "note": "fixed"})
    assert api.get_alert(**by_alias).data.status == "closed"
    assert Ticket.objects.get().priority == 1
    with pytest.raises(opsgenie_sdk.exceptions.ApiException) as none:
        api.get_alert(identifier="no-such", identifier_type="alias")
    assert none.value.status == 404


def test_the_opsgenie_sdk_attaches_a_file(og, story, tmp_path: Path):
    api = opsgenie_sdk.AlertApi(api_client=og)
    api.create_alert(create_alert_payload=opsgenie_sdk.CreateAlertPayload(message="x", alias="a"))
    shown = tmp_path / "top.txt"
    shown.write_text("load 90")
    by_alias = {"identifier": "a", "alert_identifier_type": "alias"}
    assert api.add_attachment(**by_alias, file=str(shown), user="ada").result == "Created"
    (listed,) = api.list_attachments(**by_alias).data
    found = api.get_attachment(**by_alias, attachment_id=int(listed.id)).data
    assert (found.name, listed.name) == ("top.txt", "top.txt")
    (ticket,) = Ticket.objects.all()
    assert found.url.endswith(f"/tickets/{ticket.key}/files/{listed.id}")
    api.remove_attachment(**by_alias, attachment_id=int(listed.id), user="ada")
    assert api.list_attachments(**by_alias).data == []


def test_the_opsgenie_sdk_keeps_a_heartbeat(og):
    api = opsgenie_sdk.HeartbeatApi(api_client=og)
    body = opsgenie_sdk.CreateHeartbeatPayload(
        name="backup", interval=5, interval_unit="minutes", enabled=True
    )
    assert api.create_heartbeat(body).data.name == "backup"
    assert "PONG" in api.ping("backup").result
    assert api.get_heartbeat("backup").data.expired is False
    assert [one.name for one in api.list_heart_beats().data.heartbeats] == ["backup"]
    assert api.disable_heartbeat("backup").data.enabled is False
    api.delete_heartbeat("backup")
    assert not Pulse.objects.exists()


# ---- pagerduty ----


def test_the_pagerduty_client_sends_events_and_changes(secure, story):
    site, trust = secure
    _, key = create_source(slug="pd", product="pagerduty", service=story.mail)
    events = pagerduty.EventsApiV2Client(key, base_url=f"{site.address}/pagerduty", verify=trust)
    name = events.trigger("disk 99% on db1", "db1", severity="error", custom_details={"n": 3})
    assert events.trigger("disk 100%", "db1", dedup_key=name, severity="critical") == name
    events.acknowledge(name)
    assert Ticket.objects.get().is_acknowledged
    events.resolve(name)
    assert Alert.objects.get().state == "resolved"
    assert Alert.objects.get().count == 2
    with pytest.raises(pagerduty.Error):
        events.trigger("x", "y", severity="bogus")
    events.send_change_event(payload={"summary": "deploy 1.2.3", "source": "ci"})
    assert ChangeNotice.objects.get().summary == "deploy 1.2.3"


def test_the_pagerduty_client_reads_and_changes_incidents(secure, story):
    site, trust = secure
    _, key = create_source(slug="pd", product="pagerduty", service=story.mail, reads_directory=True)
    base = f"{site.address}/pagerduty"
    rest = pagerduty.RestApiV2Client(
        key, default_from="ada@example.org", base_url=base, verify=trust
    )
    events = pagerduty.EventsApiV2Client(key, base_url=base, verify=trust)
    events.trigger("disk full", "db1", dedup_key="disk")
    (found,) = rest.list_all("incidents", params={"incident_key": "disk"})
    assert (found["status"], found["title"]) == ("triggered", "disk full")
    change = {"type": "incident_reference", "status": "acknowledged"}
    told = rest.rput(f"incidents/{found['id']}", json=change)
    assert told["status"] == "acknowledged"
    rest.rpost(f"incidents/{found['id']}/notes", json={"content": "hello"})
    made = rest.rpost("incidents", json={"type": "incident", "title": "made by REST"})
    resolved = {"id": made["id"], "type": "incident_reference", "status": "resolved"}
    rest.rput("incidents", json=[resolved])
    assert rest.rget(f"incidents/{made['id']}")["status"] == "resolved"
    assert rest.find("users", "ann@example.org", attribute="email")["name"] == "Ann"
    for name in ("services", "teams", "schedules", "escalation_policies"):
        assert isinstance(rest.list_all(name), list)
    assert {call["user"]["summary"] for call in rest.iter_all("oncalls")} >= {"Ann"}
