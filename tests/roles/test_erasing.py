"""Erasing a person: who it was goes from everywhere it may, what happened stays and verifies."""

from datetime import timedelta

import pytest
from django.test import Client

from notifications.models import ContactMethod, Message
from roles.erasing import erase_person, preview_erasure
from roles.models import AuditEntry, Person
from roles.people import deactivate
from roles.refusals import Conflict, Forbidden, Invalid
from roles.tokens import issue
from tickets.lifecycle import comment
from tickets.mailsources import create_mail_source
from tickets.models import EventBody, ReceivedMail, TimelineEvent
from tickets.verify import check_all


@pytest.fixture
def leaver(story) -> Person:
    """Somebody who asked, wrote and was told, and has left."""
    vera = story.person("vera", phone="+49 30 1")
    ticket = story.open(requester=vera, subject="The till is dead")
    comment(ticket=ticket, actor=vera, text="Call me, Rita", public=True, clock=story.clock)
    source, _key = create_mail_source(slug="help", address="help@desk.example", clock=story.clock)
    ReceivedMail.objects.create(
        source=source, identity="1" * 64, sender=vera.email.upper(), sender_name="Rita",
        subject="Till", raw=b"From: rita", size=10, text="Call me", html="<p>Call me</p>",
        via="http", received_at=story.now, outcome="opened", settled_at=story.now,
        ticket=ticket, person=vera,
    )  # fmt: skip
    ContactMethod.objects.create(person=vera, channel="sms", address="+49301")
    issue(person=vera, name="app", scopes=["tickets:read"], clock=story.clock)
    deactivate(person=vera, actor=story.admin, clock=story.clock)
    return vera


def erase(story, person, **more):
    given = {"reason": "asked for it", "actor": story.admin, "clock": story.clock, **more}
    return erase_person(person=person, **given)


def test_nothing_tells_who_it_was_and_the_timeline_verifies(story, leaver):
    events = TimelineEvent.objects.count()
    done = erase(story, leaver)
    gone = Person.objects.get(pk=leaver.pk)
    assert (gone.username, gone.email, gone.phone) == (f"erased-{leaver.pk}", "", "")
    assert str(gone) == f"Erased person {leaver.pk}"
    assert not gone.has_usable_password()
    mail = ReceivedMail.objects.get()
    assert (mail.sender, mail.text, mail.html, bytes(mail.raw)) == ("", "", "", b"")
    assert not ContactMethod.objects.filter(person=leaver).exists()
    assert not leaver.api_tokens.filter(revoked_at__isnull=True).exists()
    assert done.touched["mails received from them"] == 1
    letters = Message.objects.filter(recipient=leaver)
    assert letters.exists()
    assert not letters.exclude(subject="", body="").exists()
    assert not letters.filter(state="queued").exists()
    assert TimelineEvent.objects.count() == events
    assert [each for checked in check_all() for each in checked.findings] == []


def test_what_they_wrote_goes_only_where_that_is_asked_for(story, leaver):
    bodies = EventBody.objects.filter(event__actor_id=leaver.pk)
    erase(story, leaver)
    assert bodies.exists()
    Person.objects.filter(pk=leaver.pk).update(username="vera")
    leaver.refresh_from_db()
    erase(story, leaver, words=True)
    assert not bodies.exists()
    assert [each for checked in check_all() for each in checked.findings] == []


def test_a_look_at_it_erases_nothing(story, leaver):
    touched = preview_erasure(person=leaver, words=True, actor=story.admin, clock=story.clock)
    assert touched["words that they wrote"] >= 1
    leaver.refresh_from_db()
    assert leaver.username == "vera"
    assert ReceivedMail.objects.get().sender
    assert not AuditEntry.objects.filter(action="person.erased").exists()


def test_the_audit_keeps_who_erased_whom_by_pseudonym_and_why(story, leaver):
    erase(story, leaver)
    entry = AuditEntry.objects.get(action="person.erased")
    assert (entry.actor_id, entry.subject) == (story.admin.pk, f"Erased person {leaver.pk}")
    assert entry.reason == "asked for it"


def test_who_works_here_is_not_erased_and_nobody_twice(story, leaver):
    with pytest.raises(Conflict, match="Switch the account off"):
        erase(story, story.requester)
    deactivate(person=story.lead, actor=story.admin, clock=story.clock)
    with pytest.raises(Conflict, match="teams and duties"):
        erase(story, story.lead)
    erase(story, leaver)
    with pytest.raises(Conflict, match="already"):
        erase(story, leaver)
    with pytest.raises(Forbidden):
        erase(story, leaver, actor=story.lead)
    with pytest.raises(Invalid):
        erase(story, leaver, reason=" ")


def test_the_page_shows_what_goes_and_wants_the_user_name_once_more(story, leaver, settings):
    storage = "django.contrib.staticfiles.storage.StaticFilesStorage"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": storage}}
    story.admin.is_staff = True
    story.admin.save()
    story.now += timedelta(seconds=1)
    client = Client()
    client.force_login(story.admin)
    address = f"/admin/roles/person/{leaver.pk}/erase/"
    page = client.post(address, {"reason": "asked"}).content.decode()
    assert "Mails received from them" in page
    given = {"reason": "asked", "_erase": "1"}
    page = client.post(address, {**given, "again": "vara"}).content.decode()
    assert "not their user name" in page
    page = client.post(address, {**given, "again": "vera"}, follow=True).content.decode()
    assert "Vera is erased" in page
