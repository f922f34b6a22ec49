"""Who watches a ticket, and files that are sent and erased."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.web.stage import Stage
from tickets.models import Attachment, Ticket, TimelineEvent

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 32


@pytest.fixture(autouse=True)
def kept_apart(settings, tmp_path):
    """Uploads of a test go where only that test looks."""
    settings.MEDIA_ROOT = str(tmp_path)


def picture(name: str = "screen.png", body: bytes = PNG) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, body)


def told(ticket: Ticket, kind: str) -> list[TimelineEvent]:
    return list(TimelineEvent.objects.filter(ticket=ticket.pk, kind=kind).order_by("seq"))


def press(client: Client, ticket: Ticket, act: str, **given):
    return client.post(f"/tickets/{ticket.key}/{act}", given, follow=True)


# ---- Those who watch -----------------------------------------------------------------------------


def test_watchers_are_taken_off_together_in_one_event(stage: Stage, sign_in):
    slow = stage.tickets["slow"]
    for person in (stage.teo, stage.petra):
        slow.watchers.create(person=person)
    client = sign_in(stage.nora)
    assert "Take watchers off" in client.get(f"/tickets/{slow.key}").content.decode()
    press(client, slow, "watchers", people=[stage.teo.pk, stage.petra.pk])
    assert not slow.watchers.filter(person__in=[stage.teo, stage.petra]).exists()
    (event,) = told(slow, "watched")
    assert event.facts["removed"] == sorted([stage.teo.pk, stage.petra.pk])


def test_nothing_is_offered_where_nobody_else_watches(stage: Stage, sign_in):
    page = sign_in(stage.nora).get(f"/tickets/{stage.tickets['slow'].key}").content.decode()
    assert "Take watchers off" not in page
    assert "Erase a file" not in page


# ---- Files ---------------------------------------------------------------------------------------


def test_a_request_and_a_reply_on_the_portal_carry_files(stage: Stage, sign_in):
    client = sign_in(stage.ada)
    given = {"subject": "Till", "kind": "incident", "impact": "3", "urgency": "3"}
    done = client.post("/portal/ask", {**given, "files": [picture(), picture("b.png")]})
    ticket = Ticket.objects.get(subject="Till")
    assert done.url == f"/requests/{ticket.key}"
    (opened,) = told(ticket, "opened")
    assert [each["name"] for each in opened.facts["files"]] == ["screen.png", "b.png"]
    client.post(f"/requests/{ticket.key}/reply", {"text": "More", "files": picture("c.png")})
    page = client.get(f"/requests/{ticket.key}").content.decode()
    for file in Attachment.objects.filter(ticket=ticket.pk, event__isnull=False):
        address = f"/tickets/{ticket.key}/files/{file.pk}"
        assert address in page
        assert client.get(address).status_code == 200


def test_a_file_that_is_refused_opens_no_request_and_says_why(stage: Stage, sign_in):
    given = {"subject": "Till", "kind": "incident", "impact": "3", "urgency": "3"}
    files = {"files": picture("run.exe", b"MZ" + b"0" * 20)}
    done = sign_in(stage.ada).post("/portal/ask", {**given, **files})
    assert done.status_code == 422
    assert "is a program" in done.content.decode()
    assert not Ticket.objects.filter(subject="Till").exists()


def test_an_erased_file_is_gone_everywhere_and_the_timeline_says_that_it_was_there(
    stage: Stage, sign_in, django_capture_on_commit_callbacks
):
    slow = stage.tickets["slow"]
    asker, keeper = sign_in(stage.ada), sign_in(stage.ines)
    asker.post(f"/requests/{slow.key}/reply", {"text": "Look", "files": picture()})
    file = Attachment.objects.get(ticket=slow.pk)
    address = f"/tickets/{slow.key}/files/{file.pk}"
    assert "Erase a file" in keeper.get(f"/tickets/{slow.key}").content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        done = press(keeper, slow, "erase-file", file=file.pk, reason="Shows a password")
    told_of = done.content.decode()
    assert "erased the file screen.png: Shows a password" in told_of
    assert address not in told_of
    assert keeper.get(address).status_code == asker.get(address).status_code == 404
    assert address not in asker.get(f"/requests/{slow.key}").content.decode()
    assert not file.file.storage.exists(file.file.name)


def test_who_may_not_erase_a_file_is_not_offered_it(stage: Stage, sign_in):
    slow = stage.tickets["slow"]
    client = sign_in(stage.ada)
    client.post(f"/requests/{slow.key}/reply", {"text": "Look", "files": picture()})
    file = Attachment.objects.get(ticket=slow.pk)
    assert "Erase a file" not in client.get(f"/tickets/{slow.key}").content.decode()
    assert press(client, slow, "erase-file", file=file.pk, reason="x").status_code == 403
    assert Attachment.objects.get(pk=file.pk).erased_at is None
