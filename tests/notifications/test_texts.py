"""A site's own words: places are filled, nothing is run, and the row keeps what was decided."""

import pytest
from django.urls import reverse

from notifications import shipped
from notifications.channels import mattermost, slack, teams, voice
from notifications.models import MessageText
from notifications.texts import filled, unknown_places
from roles.models import AuditEntry, Person
from tests.notifications.conftest import deliver, letter, post
from tests.notifications.test_channels import page

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


# ---- Our own words, in each language -----------------------------------------------------------


@pytest.mark.parametrize(
    ("english", "german"),
    [
        (
            "[INC-000012] We have received your request: Mail: nothing comes",
            "[INC-000012] Wir haben Ihre Anfrage erhalten: Mail: nothing comes",
        ),
        (
            "[INC-000012] Your request has been passed to Network: Team: A",
            "[INC-000012] Ihre Anfrage wurde an Network übergeben: Team: A",
        ),
        ("[INC-000012] There is news on a case", "[INC-000012] Es gibt Neues zu einem Fall"),
        ("Mail: A major incident is over", "Mail: Eine Großstörung ist vorbei"),
        (
            "[INC-000012] P1 A case needs you: We need your answer",
            "[INC-000012] P1 Ein Fall braucht Sie: We need your answer",
        ),
        ("We need your answer", "Wir brauchen Ihre Antwort"),
        ("[INC-000012] Nobody answers: We need your answer", None),
        ("We need your answer, dear Bob", None),
    ],
)
def test_a_subject_of_ours_is_said_in_the_readers_language(english, german):
    assert shipped.subject_in("de", english) == (german or english)
    assert shipped.subject_in("en", english) == english


def test_in_a_text_only_lines_of_ours_are_said_in_another_language():
    text = "Your request has the key INC-000012. Desk will look at it.\n\nPlease sign in. {key}"
    said = shipped.body_in("de", text)
    assert said == "Ihre Anfrage hat die Nummer INC-000012. Desk sieht sie sich an." + text[58:]


def test_a_german_reads_german_mail_and_the_row_stays_as_it_was_decided(ann, mailbox):
    ann.language = "de"
    ann.save()
    [row] = post(letter(ann, subject="[INC-000012] We need your answer: Printer", kind="waiting"))
    deliver()
    assert mailbox.mails[0]["Subject"] == "[INC-000012] Wir brauchen Ihre Antwort: Printer"
    row.refresh_from_db()
    assert row.subject == "[INC-000012] We need your answer: Printer"


def test_every_channel_words_its_buttons_for_the_reader():
    german = page(language="de")
    assert "Bestätigen" in str(slack.blocks(german, 2900, acting=True))
    assert "Bestätigen" in str(mattermost.attachment(german, 4000))
    assert "Bestätigen" in str(teams.card(german, teams.TeamsChannel.limits))
    assert "Drücken Sie die 4" in voice.script(german, 400)
