"""The outbox in the admin: to be read, dead letters sent again, nothing written by hand."""

import re

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from notifications.delivery import deliver_batch
from notifications.models import ContactMethod, Message
from notifications.outbox import VEILED
from roles.instants import fixed
from roles.models import AuditEntry, Duty, DutyAssignment, Person
from tests.notifications.conftest import NOON, letter, person, post

LIST = "admin:notifications_message_changelist"


@pytest.fixture
def root(db, client) -> Person:
    root = person("root")
    root.is_staff = root.is_superuser = True
    root.save()
    client.force_login(root)
    return root


@pytest.fixture
def dead(root, mailbox) -> Message:
    mailbox.refused.add("bob@example.org")
    [message] = post(letter(person("bob")))
    deliver_batch(clock=fixed(NOON))
    return message


def press_send_again(client, message: Message):
    form = {"action": "send_dead_again", "_selected_action": [message.pk]}
    response = client.post(reverse(LIST), form)
    message.refresh_from_db()
    return [str(said) for said in get_messages(response.wsgi_request)]


def test_an_administrator_sends_a_dead_letter_again(client, root, dead):
    assert press_send_again(client, dead) == ["Dead letters queued again: 1."]
    assert dead.state == "queued"
    assert AuditEntry.objects.get(action="message.sent_again").actor_id == root.pk


def test_an_auditor_may_look_but_not_send_again(client, root, dead):
    root.is_superuser = False
    root.save()
    assert client.get(reverse(LIST)).status_code == 403
    auditor = Duty.objects.create(slug="auditor", name="Auditor")
    DutyAssignment.objects.create(duty=auditor, person=root)
    [said] = press_send_again(client, dead)
    assert "may not" in said
    assert dead.state == "dead"


def test_a_message_is_shown_with_its_tries_and_cannot_be_edited(client, root, dead):
    page = reverse("admin:notifications_message_change", args=[dead.pk])
    assert b"No such mailbox" in client.get(page).content
    assert client.post(page, {"subject": "Other"}).status_code == 403
    assert client.get(reverse("admin:notifications_message_add")).status_code == 403
    delete = reverse("admin:notifications_message_delete", args=[dead.pk])
    assert client.post(delete, {"post": "yes"}).status_code == 403


def test_a_message_that_needs_a_clearance_is_not_in_the_admin(client, root):
    [secret, _] = post(
        letter(root, clearance="ticket:66", subject="Breach"),
        letter(root, rung=1),
    )
    listed = client.get(reverse(LIST) + "?q=ticket:12")
    assert listed.context["cl"].result_count == 1
    page = reverse("admin:notifications_message_change", args=[secret.pk])
    assert client.get(page).status_code == 302


def test_the_list_asks_a_fixed_number_of_queries(client, root, django_assert_max_num_queries):
    post(*(letter(person(f"p{n}")) for n in range(30)))
    with django_assert_max_num_queries(12):
        assert client.get(reverse(LIST)).status_code == 200


def test_changes_of_contact_methods_are_written_down(client, root):
    add = reverse("admin:notifications_contactmethod_add")
    form = {"person": root.pk, "channel": "email", "address": "a@example.org"}
    assert client.post(add, {**form, "is_active": "on"}).status_code == 302
    method = ContactMethod.objects.get()
    change = reverse("admin:notifications_contactmethod_change", args=[method.pk])
    client.post(change, {**form, "address": "b@example.org", "is_active": "on"})
    client.post(
        reverse("admin:notifications_contactmethod_changelist"),
        {"action": "delete_selected", "_selected_action": [method.pk], "post": "yes"},
    )
    assert not ContactMethod.objects.exists()
    entries = AuditEntry.objects.filter(subject_type="notifications.contactmethod").order_by("id")
    acts = {entry.action: entry.changes for entry in entries}
    assert acts["contactmethod.changed"] == {"address": ["a@example.org", "b@example.org"]}
    assert acts["contactmethod.deleted"]["address"] == "b@example.org"
    assert entries.count() == 3


def test_a_letter_that_names_no_case_is_not_shown_with_one_either(client, root):
    [veiled] = post(
        letter(person("bob"), topic="ticket:17", cause="alarm:silence:17", data=dict(VEILED))
    )
    plain = post(letter(person("ann"), topic="ticket:18", cause="alarm:silence:18"))[0]
    listed = client.get(reverse(LIST)).content.decode()
    assert "not said" in listed
    assert "ticket:17" not in listed
    assert "ticket:18" in listed
    page = client.get(reverse("admin:notifications_message_change", args=[veiled.pk]))
    assert not re.search(r"\bticket:17|silence:17", page.content.decode())
    for word, found in (
        ("ticket:17", 0), ("alarm:silence:17", 0), ("ticket:18", 1), (plain.cause, 1), ("bob", 1),
    ):  # fmt: skip
        shown = client.get(reverse(LIST), {"q": word})
        assert shown.context["cl"].result_count == found, word


def test_a_list_says_in_words_what_was_told_and_shows_no_code(client, root):
    post(
        letter(root, kind="major_updated", data={"ticket": "INC-000012"}),
        letter(root, kind="page", channel="sms", rung=2),
        letter(root, kind="code", subject="Your Tierline code is 123456", channel="sms", rung=3),
    )
    listed = client.get(reverse(LIST)).content.decode()
    for word in ("Major updated", "INC-000012 is overdue", "E-mail", "Text message"):
        assert word in listed
    code = Message.objects.get(kind="code")
    page = client.get(reverse("admin:notifications_message_change", args=[code.pk]), follow=True)
    assert "123456" not in listed + page.content.decode()
