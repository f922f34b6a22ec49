"""Writing on a ticket: drafts, files, ready texts, what follows, and who was faster."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from notifications.models import Message
from tickets.assignment import take
from tickets.attachments import plain_name
from tickets.lifecycle import comment
from tickets.models import Attachment, CannedText, Draft, Ticket, TimelineEvent

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 32


@pytest.fixture(autouse=True)
def kept_apart(settings, tmp_path):
    """Uploads of a test go where only that test looks."""
    settings.MEDIA_ROOT = str(tmp_path)


def address(stage, name: str, part: str = "") -> str:
    return f"/tickets/{stage.tickets[name].key}" + (f"/{part}" if part else "")


def reload(stage, name: str) -> Ticket:
    return Ticket.objects.get(pk=stage.tickets[name].pk)


def send(client: Client, url: str, **given):
    return client.post(f"{url}/comment", {"mode": "note", "text": "x", **given})


def seen(client: Client, url: str) -> int:
    return client.get(url).context["writing"].seen


def upload(client: Client, url: str, name: str = "log.txt", body: bytes = b"a line"):
    return client.post(f"{url}/files", {"files": SimpleUploadedFile(name, body)})


# ---- Whom it reaches ----------------------------------------------------------------------------


def test_the_button_says_whom_a_reply_reaches(stage, sign_in):
    stage.tickets["slow"].watchers.create(person=stage.teo)
    stage.tickets["slow"].watchers.create(person=stage.ines)
    page = sign_in(stage.nora).get(address(stage, "slow")).content.decode()
    assert f"Reply to {stage.ada} and 2 others" in page
    assert "Only people of the service read this." in page


def test_a_note_is_chosen_unless_one_says_otherwise(stage, sign_in):
    client = sign_in(stage.nora)
    form = client.get(address(stage, "slow")).context["form"]
    assert not form.is_reply


# ---- Who was faster -----------------------------------------------------------------------------


def test_a_reply_is_held_back_when_somebody_has_answered_meanwhile(stage, sign_in):
    client, url = sign_in(stage.nora), address(stage, "slow")
    known = seen(client, url)
    comment(ticket=reload(stage, "slow"), actor=stage.teo, text="I am on it", public=True)
    held = send(client, url, mode="reply", text="We look into it", seen=known)
    page = held.content.decode()
    assert held.status_code == 409
    assert "I am on it" in page
    assert "We look into it" in page
    assert "Send anyway" in page
    assert reload(stage, "slow").events.filter(
        kind="commented", actor_id=stage.nora.pk
    ).count() == (
        stage.tickets["slow"].events.filter(kind="commented", actor_id=stage.nora.pk).count()
    )
    again = send(
        client, url, mode="reply", text="We look into it", seen=held.context["writing"].seen
    )
    assert again.status_code == 302


def test_what_one_has_written_oneself_holds_nothing_back(stage, sign_in):
    client, url = sign_in(stage.nora), address(stage, "slow")
    known = seen(client, url)
    assert send(client, url, text="one", seen=known).status_code == 302
    assert send(client, url, text="two", seen=known).status_code == 302


def test_a_requester_is_not_held_back_by_a_note_that_they_cannot_know(stage, sign_in):
    client, slow = sign_in(stage.ada), reload(stage, "slow")
    client.get(f"/requests/{slow.key}")
    comment(ticket=slow, actor=stage.nora, text="secret", public=False)
    assert client.post(f"/requests/{slow.key}/reply", {"text": "Any news?"}).status_code == 302


# ---- What follows -------------------------------------------------------------------------------


def test_a_reply_can_put_the_ticket_on_hold_in_the_same_act(stage, sign_in):
    take(ticket=reload(stage, "slow"), actor=stage.nora)
    client, url = sign_in(stage.nora), address(stage, "slow")
    given = {"then": "pend", "status": "pending_requester", "reason": "Which browser?"}
    answer = send(
        client, url, mode="reply", text="One question", wake_at="2099-01-01T09:00", **given
    )
    assert answer.status_code == 422  # within a year, please
    assert reload(stage, "slow").status == "in_progress"
    before = Message.objects.filter(recipient=stage.ada).count()
    assert send(client, url, mode="reply", text="One question", **given).status_code == 302
    held = reload(stage, "slow")
    assert (held.status, held.pending_reason) == ("pending_requester", "Which browser?")
    told = Message.objects.filter(recipient=stage.ada).order_by("-id")
    assert told.count() == before + 1  # one letter says both
    assert "One question" in told[0].body
    assert "Which browser?" in told[0].body


def test_a_reply_can_resolve_and_a_note_cannot(stage, sign_in):
    take(ticket=reload(stage, "slow"), actor=stage.nora)
    client, url = sign_in(stage.nora), address(stage, "slow")
    given = {"then": "resolve", "code": "fixed"}
    assert send(client, url, mode="note", text="done", **given).status_code == 422
    assert send(client, url, mode="reply", text="It is fast again", **given).status_code == 302
    solved = reload(stage, "slow")
    assert (solved.status, solved.resolution) == ("resolved", "It is fast again")


def test_what_cannot_follow_leaves_nothing_behind(stage, sign_in):
    client, url = sign_in(stage.nora), address(stage, "slow")
    before = reload(stage, "slow").last_seq
    given = {"then": "pend", "status": "pending_vendor", "reason": "A part"}
    answer = send(client, url, mode="reply", text="Please wait", **given)  # nobody has taken it
    assert answer.status_code == 409
    assert "Please wait" in answer.content.decode()
    assert reload(stage, "slow").last_seq == before


# ---- The draft ----------------------------------------------------------------------------------


def test_a_draft_outlives_the_browser_and_ends_with_sending(stage, sign_in):
    url = address(stage, "slow")
    kept = sign_in(stage.nora).post(f"{url}/draft", {"mode": "reply", "text": "Half a sent"})
    assert kept.status_code == 204
    client = sign_in(stage.nora)
    form = client.get(url).context["form"]
    assert (form["text"].value(), form.is_reply) == ("Half a sent", True)
    assert "Half a sent" not in sign_in(stage.teo).get(url).content.decode()
    send(client, url, mode="reply", text="Half a sentence")
    assert not Draft.objects.exists()


def test_a_draft_needs_the_right_to_write(stage, sign_in):
    url = address(stage, "slow")
    assert sign_in(stage.ada).post(f"{url}/draft", {"mode": "note", "text": "x"}).status_code == 403
    assert sign_in(stage.bo).post(f"{url}/draft", {"mode": "reply", "text": "x"}).status_code == 404
    assert not Draft.objects.exists()


# ---- Files --------------------------------------------------------------------------------------


def test_a_file_goes_out_with_the_message_and_the_chain_knows_its_bytes(stage, sign_in):
    client, url = sign_in(stage.nora), address(stage, "slow")
    assert upload(client, url, "shot.png", PNG).status_code == 200
    (waiting,) = Attachment.objects.all()
    assert waiting.event is None
    send(client, url, mode="reply", text="See the picture", attached=[waiting.pk])
    sent = Attachment.objects.get(pk=waiting.pk)
    told = sent.event.facts["files"][0]
    assert (told["sha256"], told["name"]) == (sent.sha256, "shot.png")
    answer = sign_in(stage.ada).get(f"{url}/files/{sent.pk}")
    assert b"".join(answer.streaming_content) == PNG
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Type"] == "image/png"


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("page.html", b"<script>alert(1)</script>"),
        ("drawing.svg", b"<svg onload='alert(1)'/>"),
        ("photo.png", b"<html><script>alert(1)</script>"),
    ],
)
def test_nothing_that_could_run_is_served_as_what_it_is(stage, sign_in, name, body):
    client, url = sign_in(stage.nora), address(stage, "slow")
    upload(client, url, name, body)
    answer = client.get(f"{url}/files/{Attachment.objects.get().pk}")
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment")


WHO_READS = {"ada": (200, 404), "nora": (200, 200), "omar": (200, 200), "bo": (404, 404)}


def test_a_file_is_read_by_those_who_read_its_message(stage, sign_in):
    client, url = sign_in(stage.nora), address(stage, "slow")
    numbers = []
    for mode in ("reply", "note"):
        upload(client, url)
        numbers.append(Attachment.objects.get(event=None).pk)
        send(client, url, mode=mode, text="x", attached=[numbers[-1]])
    for name, expected in WHO_READS.items():
        reader = sign_in(stage.people[name])
        found = tuple(reader.get(f"{url}/files/{number}").status_code for number in numbers)
        assert found == expected, name


def test_files_of_a_case_are_for_the_cleared_and_are_not_found_under_another_ticket(stage, sign_in):
    client, url = sign_in(stage.sam), address(stage, "case")
    upload(client, url)
    number = Attachment.objects.get().pk
    send(client, url, text="evidence", attached=[number])
    assert client.get(f"{url}/files/{number}").status_code == 200
    for reader in (stage.mara, stage.ines, stage.stranger):
        other = sign_in(reader)
        assert other.get(f"{url}/files/{number}").status_code == 404
        assert other.get(f"{address(stage, 'vpn')}/files/{number}").status_code == 404
        assert upload(other, url).status_code == 404


def test_an_unsent_file_is_its_writers_alone(stage, sign_in):
    url = address(stage, "slow")
    upload(sign_in(stage.nora), url)
    number = Attachment.objects.get().pk
    other = sign_in(stage.teo)
    assert other.get(f"{url}/files/{number}").status_code == 404
    assert send(other, url, text="mine now", attached=[number]).status_code == 422
    other.post(f"{url}/files/{number}/drop")
    assert Attachment.objects.filter(pk=number).exists()
    sign_in(stage.nora).post(f"{url}/files/{number}/drop")
    assert not Attachment.objects.exists()


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("empty.txt", b""),
        ("run.exe", b"text"),
        ("holiday.jpg", b"MZ\x90\x00"),
        ("big.log", b"x" * (1024 * 1024 + 1)),
    ],
)
def test_empty_large_and_running_files_are_refused(stage, sign_in, settings, name, body):
    settings.ATTACHMENT_MAX_MB = 1
    answer = upload(sign_in(stage.nora), address(stage, "slow"), name, body)
    assert answer.status_code == 422
    assert not Attachment.objects.exists()


def test_a_file_too_many_is_refused(stage, sign_in):
    client, url = sign_in(stage.nora), address(stage, "slow")
    codes = [upload(client, url, f"{number}.txt").status_code for number in range(11)]
    assert codes == [200] * 10 + [422]


def test_a_file_that_came_with_the_form_is_sent_without_script(stage, sign_in):
    client, url = sign_in(stage.nora), address(stage, "slow")
    send(client, url, text="as promised", files=SimpleUploadedFile("plan.txt", b"a plan"))
    assert Attachment.objects.get().event.kind == "commented"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\log.txt", "log.txt"),
        ("gnp.\u202eexe", "gnp.exe"),
        ("a\x00b.txt", "ab.txt"),
        ("", "file"),
        ("x" * 300 + ".pdf", "x" * 100 + ".pdf"),
    ],
)
def test_a_files_name_hides_nothing(given, kept):
    assert plain_name(given) == kept


# ---- Ready texts --------------------------------------------------------------------------------


def test_ready_texts_are_filled_in_and_are_a_teams_own(stage, sign_in):
    CannedText.objects.create(name="Hello", text="Dear {requester}, {team} has {key}. {agent} {x}")
    CannedText.objects.create(name="Ours", text="secret recipe", team=stage.teams["soc"])
    url = address(stage, "slow", "canned")
    page = sign_in(stage.nora).get(url).content.decode()
    key = stage.tickets["slow"].key
    assert f"Dear {stage.ada}, Application Support has {key}. {stage.nora} {{x}}" in page
    assert "secret recipe" not in page
    assert "secret recipe" in sign_in(stage.sam).get(url).content.decode()
    assert sign_in(stage.ada).get(url).status_code == 404
    assert "Hello" not in sign_in(stage.nora).get(f"{url}?q=goodbye").content.decode()


# ---- How it looks -------------------------------------------------------------------------------


def test_a_preview_shows_what_the_page_will_show(stage, sign_in):
    client, url = sign_in(stage.nora), address(stage, "slow", "preview")
    text = "**bold** <script>alert(1)</script> [x](javascript:alert(1)) https://example.com"
    page = client.post(url, {"text": text}, headers={"hx-request": "true"}).content.decode()
    assert "<strong>bold</strong>" in page
    assert "<script>" not in page
    assert 'href="javascript' not in page
    assert 'href="https://example.com"' in page
    whole = client.post(url, {"text": text, "mode": "note"}).content.decode()
    assert "<strong>bold</strong>" in whole
    assert "**bold**" in whole  # and what was typed is still there


def test_a_long_story_is_told_by_pages_and_by_kind(stage, sign_in):
    ticket = reload(stage, "slow")
    for number in range(70):
        comment(ticket=ticket, actor=stage.nora, text=f"word {number:03}", public=False)
    client, url = sign_in(stage.nora), address(stage, "slow")
    page = client.get(url)
    assert "word 069" in page.content.decode()
    assert "word 001" not in page.content.decode()
    earlier = page.context["story"].earlier
    part = {"hx-request": "true", "hx-target": "story-earlier"}
    older = client.get(f"{url}?before={earlier}", headers=part).content.decode()
    assert "word 001" in older
    assert "word 069" not in older
    assert "word 069" not in client.get(f"{url}?show=climb").content.decode()
    known = {event.kind for event in TimelineEvent.objects.filter(ticket=ticket.pk)}
    kinds = {item.icon for item in client.get(f"{url}?show=mail").context["story"].items}
    assert kinds <= {"mail", "siren"}
    assert "commented" in known


def test_a_requester_reads_of_the_moves_that_a_mail_told_and_of_no_reason(stage, sign_in):
    page = sign_in(stage.ada).get(address(stage, "slow"), follow=True).content.decode()
    assert "Application Support has it now" in page
    assert "Nora Lind" not in page or "I see the delay too" in page


def test_similar_tickets_are_those_that_the_reader_may_see(stage, sign_in):
    near = Ticket.objects.get(pk=stage.tickets["mail"].pk)
    Ticket.objects.filter(pk=near.pk).update(subject="Checkout fails for suppliers")
    Ticket.objects.filter(pk=stage.tickets["case"].pk).update(subject="Checkout fails, secretly")
    page = sign_in(stage.nora).get(address(stage, "slow", "similar")).content.decode()
    assert near.key in page
    assert "secretly" not in page
    assert sign_in(stage.ada).get(address(stage, "slow", "similar")).status_code == 404


def test_the_print_has_everything_the_reader_may_know_and_no_button(stage, sign_in):
    url = address(stage, "slow", "print")
    page = sign_in(stage.nora).get(url).content.decode()
    assert "after the index rebuild" in page
    assert "<button" not in page.partition("<article")[2].partition("</article>")[0]
    told = sign_in(stage.ada).get(url).content.decode()
    assert "I see the delay too" in told
    assert "after the index rebuild" not in told
    assert sign_in(stage.bo).get(url).status_code == 404
