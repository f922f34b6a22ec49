"""How long things are kept: set by an administrator, let go of by night, and the past verifies."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from notifications.models import Message
from roles import retention
from roles.models import AuditEntry, Retention
from roles.refusals import Forbidden, Invalid
from roles.retention import KINDS, count_over, let_go_nightly, set_period
from tests.story import Story
from tickets.answering import Answer, answer
from tickets.attachments import keep_upload
from tickets.lifecycle import cancel, comment
from tickets.mailsources import create_mail_source
from tickets.models import Attachment, EventBody, ReceivedMail, Ticket
from tickets.verify import check_all

LONG = timedelta(days=400)


@pytest.fixture
def story(story: Story, settings, tmp_path) -> Story:
    settings.MEDIA_ROOT = str(tmp_path)
    return story


@pytest.fixture
def closed(story) -> Ticket:
    """A ticket with a mail and words on it, closed long ago."""
    ticket = story.open(subject="The till is dead")
    comment(ticket=ticket, actor=story.requester, text="Hurry", public=True, clock=story.clock)
    source, _key = create_mail_source(slug="help", address="help@desk.example", clock=story.clock)
    ReceivedMail.objects.create(
        source=source, identity="1" * 64, sender="r@example.org", subject="Till", raw=b"From: r",
        size=7, text="Hurry", html="<p>Hurry</p>", via="http", received_at=story.now,
        outcome="opened", settled_at=story.now, ticket=ticket, person=story.requester,
    )  # fmt: skip
    cancel(ticket=ticket, actor=story.requester, reason="It works again", clock=story.clock)
    story.now += LONG
    return ticket


def keep(story, slug: str, days: int | None) -> None:
    set_period(slug=slug, days=days, actor=story.admin, clock=story.clock)


def findings() -> list[str]:
    return [str(each) for checked in check_all() for each in checked.findings]


def test_without_a_period_everything_is_kept(story, closed):
    assert let_go_nightly(clock=story.clock) == 0
    assert EventBody.objects.filter(event__ticket=closed).exists()
    assert bytes(ReceivedMail.objects.get().raw) == b"From: r"


def test_what_is_over_goes_by_night_and_what_is_not_stays(story, closed):
    fresh = story.open()
    comment(ticket=fresh, actor=story.requester, text="New", public=True, clock=story.clock)
    keep(story, "words", 365)
    keep(story, "mails", 365)
    assert count_over(KINDS["mails"], 365, story.now).count == 1
    assert let_go_nightly(clock=story.clock) > 0
    assert not EventBody.objects.filter(event__ticket=closed).exists()
    assert EventBody.objects.filter(event__ticket=fresh).exists()
    mail = ReceivedMail.objects.get()
    assert (bytes(mail.raw), mail.html, mail.sender) == (b"", "", "r@example.org")
    assert findings() == []
    assert AuditEntry.objects.filter(action="retention.kept", actor_id=None).count() == 2


def test_a_night_has_one_turn(story, closed):
    keep(story, "words", 365)
    let_go_nightly(clock=story.clock)
    row = Retention.objects.get(kind="words")
    assert (row.erased_at, row.erased_count > 0) == (story.now, True)
    story.now += timedelta(hours=1)
    assert let_go_nightly(clock=story.clock) == 0
    assert Retention.objects.get(kind="words").erased_at == row.erased_at


def test_how_far_a_pass_has_come_is_shown_while_it_runs(story, closed, settings, monkeypatch):
    storage = "django.contrib.staticfiles.storage.StaticFilesStorage"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": storage}}
    story.admin.is_staff = True
    story.admin.save()
    client = Client()
    client.force_login(story.admin)
    keep(story, "words", 365)
    shown, bodies = [], EventBody.objects.filter(event__ticket=closed)

    def one_by_one(*, before, limit, now):
        shown.append(client.get("/admin/roles/retention/"))
        first = bodies.order_by("pk").values("pk")[:1]
        return bodies.filter(pk__in=first).delete()[0]

    kind = replace(KINDS["words"], count=lambda before, most: bodies.count(), erase=one_by_one)
    monkeypatch.setitem(KINDS, "words", kind)
    monkeypatch.setattr(retention, "BATCH", 1)
    whole = bodies.count()
    let_go_nightly(clock=story.clock)
    words = [answer.content.decode() for answer in shown]
    assert f'<progress max="{whole}" value="0"' in words[0]
    assert f'<progress max="{whole}" value="1"' in words[1]
    assert shown[0].headers["Refresh"] == "10"
    after = client.get("/admin/roles/retention/")
    assert "<progress" not in after.content.decode()
    assert "Refresh" not in after.headers


def test_the_bytes_of_files_go_and_the_timeline_tells_why(
    story, django_capture_on_commit_callbacks
):
    ticket = story.open()
    file = SimpleUploadedFile("till.txt", b"broken")
    kept = keep_upload(ticket=ticket, actor=story.requester, upload=file, clock=story.clock)
    given = Answer(text="See the file", public=True, files=[kept.pk])
    answer(ticket=ticket, actor=story.requester, given=given, clock=story.clock)
    cancel(ticket=ticket, actor=story.requester, reason="It works again", clock=story.clock)
    story.now += LONG
    keep(story, "files", 90)
    with django_capture_on_commit_callbacks(execute=True):
        let_go_nightly(clock=story.clock)
    row = Attachment.objects.get()
    assert row.erased_at is not None
    assert not row.file.storage.exists(row.file.name)
    told = ticket.events.get(kind="file_erased")
    assert "Its time was over" in told.canonical
    assert findings() == []


def test_letters_that_are_done_with_lose_their_words_and_dead_ones_wait(story):
    now = story.now
    given = {"recipient": story.agent, "kind": "page", "subject": "s", "body": "b", "topic": "t",
             "next_attempt_at": now, "created_at": now}  # fmt: skip
    ended = {"finished_at": now, "finished_reason": "gone"}
    for state, more in (("dropped", ended), ("dead", ended), ("queued", {})):
        Message.objects.create(key=state, cause=state, state=state, **given, **more)
    story.now += LONG
    keep(story, "letters", 30)
    assert let_go_nightly(clock=story.clock) == 1
    texts = dict(Message.objects.values_list("state", "body"))
    assert texts == {"dropped": "", "dead": "b", "queued": "b"}


def test_a_period_is_an_administrators_and_not_below_what_is_needed(story):
    with pytest.raises(Forbidden):
        set_period(slug="mails", days=90, actor=story.lead, clock=story.clock)
    with pytest.raises(Invalid):
        keep(story, "mails", 3)
    with pytest.raises(Invalid):
        keep(story, "tickets", 365)
    keep(story, "mails", 90)
    keep(story, "mails", 90)
    entry = AuditEntry.objects.get(action="retention.set")
    assert entry.changes == {"days": [None, 90]}


def test_the_page_shows_what_would_go_before_a_period_is_set(story, closed, settings):
    storage = "django.contrib.staticfiles.storage.StaticFilesStorage"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": storage}}
    story.admin.is_staff = True
    story.admin.save()
    client = Client()
    client.force_login(story.admin)
    page = client.get("/admin/roles/retention/").content.decode()
    assert all(kind.label in page for kind in KINDS.values())
    row = Retention.objects.get(kind="mails")
    page = client.get(f"/admin/roles/retention/{row.pk}/change/").content.decode()
    assert "kept for 90 days: 1" in page
    client.post(f"/admin/roles/retention/{row.pk}/change/", {"days": "3"})
    assert Retention.objects.get(pk=row.pk).days is None
    client.post(f"/admin/roles/retention/{row.pk}/change/", {"days": "365"})
    assert Retention.objects.get(pk=row.pk).days == 365
    assert AuditEntry.objects.filter(action="retention.set").count() == 1
