"""A site's own words: places are filled, nothing is run, and the row keeps what was decided."""

import pytest
from django.urls import reverse

from notifications.models import MessageText
from notifications.texts import filled, unknown_places
from roles.models import AuditEntry, Person
from tests.notifications.conftest import deliver, letter, post

HOSTILE = "{body.__class__} {0} {{ 7*7 }} {% debug %} {body!r:>99} ${x}"


def test_a_kind_is_told_in_the_sites_words(ann, mailbox):
    MessageText.objects.create(
        kind="page", language="en", subject="Alarm {key}", body="Dear {person},\n{body}"
    )
    other = letter(ann, kind="other", cause="event:2", topic="ticket:13")
    row, _ = post(letter(ann, data={"ticket": "INC-000012"}), other)
    deliver()
    subjects = {mail["Subject"] for mail in mailbox.mails}
    plain = [mail.get_body(("plain",)).get_content() for mail in mailbox.mails]
    texts = "".join(plain).replace("\r\n", "\n")
    assert "Dear ann,\nNobody has answered for 20 minutes." in texts
    assert subjects == {"Alarm INC-000012", other.subject}
    row.refresh_from_db()
    assert row.subject == "INC-000012 is overdue"


def test_the_most_particular_words_win_and_other_languages_keep_theirs(ann, mailbox):
    ann.language = "de"
    ann.save()
    MessageText.objects.create(kind="page", language="en", subject="English")
    MessageText.objects.create(kind="page", language="de", subject="Allgemein")
    MessageText.objects.create(kind="page", language="de", channel="email", subject="Per Mail")
    MessageText.objects.create(kind="page", language="de", channel="sms", subject="Per SMS")
    post(letter(ann))
    deliver()
    assert [mail["Subject"] for mail in mailbox.mails] == ["Per Mail"]


def test_nothing_in_a_text_is_run():
    assert filled(HOSTILE, {"body": "x", "subject": "{body}"}) == HOSTILE
    assert filled("{subject}", {"body": "x", "subject": "{body}"}) == "{body}"
    assert unknown_places("{body} {body.x} {}") == ["body.x", ""]


def test_words_are_escaped_where_they_arrive(ann, mailbox):
    MessageText.objects.create(kind="page", language="en", body="<script>alert(1)</script> {body}")
    post(letter(ann))
    deliver()
    page = mailbox.mails[0].get_body(("html",)).get_content()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


@pytest.fixture
def root(client, db) -> Person:
    person = Person.objects.create_superuser("root", email="root@example.org", password="x" * 12)
    client.force_login(person)
    return person


def test_an_administrator_edits_words_and_sees_how_they_read(client, root):
    add = reverse("admin:notifications_messagetext_add")
    given = {"kind": "page", "channel": "", "language": "en", "is_active": "on"}
    wrong = client.post(add, {**given, "subject": "{secret}", "body": ""})
    assert "means nothing" in wrong.content.decode()
    saved = client.post(add, {**given, "subject": "Alarm {key}", "body": "{body}"})
    assert saved.status_code == 302
    text = MessageText.objects.get()
    page = client.get(reverse("admin:notifications_messagetext_change", args=[text.pk]))
    assert "Alarm INC-000123" in page.content.decode()
    assert AuditEntry.objects.filter(subject_type="notifications.messagetext").exists()
