"""What Opsgenie's senders ask for is carried out whole, and what they say of people is heeded."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.test import Client
from django.urls import resolve

from tests.api.intake import Sender, opsgenie
from tickets.models import AlertEntry, Attachment, Ticket
from tickets.restriction import restrict

BY_ALIAS = "identifierType=alias"


@pytest.fixture
def og(story) -> Sender:
    return opsgenie(story)


def create(og: Sender, **more: Any) -> dict[str, Any]:
    """Create the alert `disk`; what became of the request."""
    body = {"message": "disk full on db1", "alias": "disk", **more}
    return status(og, og.post("/v2/alerts", body))


def act(og: Sender, verb: str, **body: Any) -> Any:
    return og.post(f"/v2/alerts/disk/{verb}?{BY_ALIAS}", body)


def one(og: Sender) -> dict[str, Any]:
    found: dict[str, Any] = og.get(f"/v2/alerts/disk?{BY_ALIAS}").json()["data"]
    return found


def status(og: Sender, answer: Any) -> dict[str, Any]:
    assert answer.status_code == 202, answer.content
    told = og.get(f"/v2/alerts/requests/{answer.json()['requestId']}").json()
    found: dict[str, Any] = told["data"]
    return found


def be_away(*args: Any, **kwargs: Any) -> None:
    raise OperationalError("server closed the connection")


def test_a_verb_is_carried_out_whole_or_not_at_all(og, monkeypatch):
    create(og)
    with monkeypatch.context() as wire:
        wire.setattr(AlertEntry.objects, "create", be_away)
        assert act(og, "acknowledge", note="mine").status_code == 503
    assert not one(og)["acknowledged"]
    assert not Ticket.objects.get().events.filter(kind="commented").exists()
    assert status(og, act(og, "acknowledge", note="mine"))["isSuccess"]
    assert one(og)["acknowledged"]


def helping(ticket: Ticket) -> set[str]:
    return set(ticket.involvements.values_list("person__username", flat=True))


def test_whom_a_new_alert_names_is_called_in_where_we_know_them(og):
    responders = [
        {"name": "apps", "type": "team"},
        {"username": "dora@example.org", "type": "user"},
        {"name": "Nobody's", "type": "escalation"},
        {"id": "4513b7ea-3b91-438f-b7e4-e3e54af9147c", "type": "schedule"},
    ]
    assert create(og, responders=responders, note="look")["isSuccess"]
    ticket = Ticket.objects.get()
    assert helping(ticket) == {"cleo", "dora"}
    logs = [row["log"] for row in og.get(f"/v2/alerts/disk/logs?{BY_ALIAS}").json()["data"]]
    assert "Responder Nobody's does not exist" in logs
    assert "Responder apps added" in logs
    create(og, responders=[{"name": "platform", "type": "team"}])
    assert helping(ticket) == {"cleo", "dora"}


def test_the_team_that_has_the_ticket_is_not_called_to_it_once_more(og, story):
    create(og, teams=[{"name": story.desk.name}])
    ticket = Ticket.objects.get()
    assert ticket.team == story.desk
    assert not helping(ticket)


def test_responders_are_called_or_the_alert_is_not_taken(og, monkeypatch):
    body = {"message": "x", "alias": "disk", "responders": [{"name": "apps", "type": "team"}]}
    with monkeypatch.context() as wire:
        wire.setattr(AlertEntry.objects, "create", be_away)
        assert og.post("/v2/alerts", body).status_code == 503
    assert not Ticket.objects.exists()
    assert status(og, og.post("/v2/alerts", body))["status"] == "Created alert"
    assert helping(Ticket.objects.get()) == {"cleo"}


# ---- Files ----


def attach(og: Sender, name: str = "top.txt", content: bytes = b"load 90", alias: str = "disk"):
    """Add a file as the vendor's SDK does."""
    form = {"file": SimpleUploadedFile(name, content), "user": "ada"}
    where = f"{og.base}/v2/alerts/{alias}/attachments?alertIdentifierType=alias"
    return Client().post(where, form, headers={"authorization": og.headers["authorization"]})


def files_of(og: Sender) -> list[dict[str, str]]:
    where = "/v2/alerts/disk/attachments?alertIdentifierType=alias"
    found: list[dict[str, str]] = og.get(where).json()["data"]
    return found


def test_a_file_goes_to_the_ticket_in_a_note_and_is_listed(og, story):
    create(og)
    added = attach(og)
    assert (added.status_code, added.json()["result"]) == (201, "Created")
    (told,) = files_of(og)
    assert told == {"name": "top.txt", "id": added.json()["data"]["id"]}
    kept = Attachment.objects.get()
    assert kept.file.read() == b"load 90"
    assert kept.event is not None
    assert not kept.event.is_public
    where = f"/v2/alerts/disk/attachments/{told['id']}?alertIdentifierType=alias"
    key = Ticket.objects.get().key
    found = og.get(where).json()["data"]
    assert found["name"] == "top.txt"
    assert found["url"].endswith(f"/tickets/{key}/files/{told['id']}")
    page = resolve(urlsplit(found["url"]).path)
    assert (page.view_name, page.kwargs["key"]) == ("web:attachment", key)
    assert opsgenie(story, "other").get(where).status_code == 404
    assert og.send("DELETE", where).status_code == 200
    assert files_of(og) == []
    assert og.get(where).status_code == 404
    assert Attachment.objects.filter(erased_at=None).exists()


def test_a_file_that_will_not_do_is_refused_and_nothing_is_kept(og, story):
    create(og)
    for answer, status_code in (
        (attach(og, content=b""), 422),
        (attach(og, name="run.exe"), 422),
        (attach(og, alias="unheard-of"), 404),
        (act(og, "attachments"), 422),
        (act(og, "attachments/x"), 405),
    ):
        assert answer.status_code == status_code
        assert {"message", "took", "requestId"} <= set(answer.json())
    broken = {"content_type": "multipart/form-data"}
    assert (
        og.post("/v2/alerts/disk/attachments?identifierType=alias", b"x", **broken).status_code
        == 400
    )
    assert not Attachment.objects.exists()
    restrict(ticket=Ticket.objects.get(), actor=story.agent, reason="a break-in")
    assert attach(og).status_code == 404
    assert not Attachment.objects.exists()
