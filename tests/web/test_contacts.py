"""Contact lists on their pages, where they are shown, and words kept ready in a major's room."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from notifications.models import Message
from tests.web.test_rooms import give_duty
from tickets.contactlists import keep_list, put_on_list
from tickets.incidents import declare_major
from tickets.models import ContactList, Ticket


@pytest.fixture
def major(stage) -> Ticket:
    slow = stage.tickets["slow"]
    declare_major(ticket=slow, actor=stage.mara, reason="Nobody can order.", severity=1)
    return Ticket.objects.get(pk=slow.pk)


def listed(stage, scenario: str = "outage", name: str = "Owners", **more) -> ContactList:
    made = keep_list(actor=None, name=name, scenario=scenario, **more)
    put_on_list(actor=None, listed=made, person=stage.nora, part="shop owner")
    return made


def read(client, name: str, *args) -> str:
    return client.get(reverse(f"web:{name}", args=args)).content.decode()


def test_a_list_is_made_filled_changed_and_ended(stage, sign_in):
    client = sign_in(stage.mara)
    assert "New list" in read(client, "contacts")
    given = {"name": "Shop owners", "scenario": "outage", "severity": "2", "advice": "By phone."}
    made = client.post(reverse("web:contact-list-new"), given, follow=True)
    kept = ContactList.objects.get()
    assert "Now name who is on it" in made.content.decode()
    add = reverse("web:contact-add", args=[kept.pk])
    assert client.post(add, {"person": "nora", "part": "shop owner"}).status_code == 302
    page = read(client, "contact-list", kept.pk)
    assert "Nora Weiss" in page
    assert "tel:" in page
    wrong = client.post(add, {"person": "nobody at all"})
    assert wrong.status_code == 422
    assert "nobody at all" in wrong.content.decode()
    one = reverse("web:contact-list", args=[kept.pk])
    assert client.post(one, {**given, "name": ""}).status_code == 422
    client.post(one, {**given, "name": "Owners"})
    assert "Owners" in read(client, "contacts")
    gone = reverse("web:contact-remove", args=[kept.pk, stage.nora.pk])
    assert client.post(gone).status_code == 302
    client.post(reverse("web:contact-list-end", args=[kept.pk]))
    assert client.get(one).status_code == 404


def test_who_only_reads_is_offered_nothing_and_refused(stage, sign_in):
    kept = listed(stage)
    client = sign_in(stage.teo)
    assert "New list" not in read(client, "contacts")
    page = read(client, "contact-list", kept.pk)
    assert "Nora Weiss" in page
    assert "Put on the list" not in page
    client.post(reverse("web:contact-add", args=[kept.pk]), {"person": "teo"})
    client.post(reverse("web:contact-list-end", args=[kept.pk]))
    assert kept.contacts.count() == 1
    kept.refresh_from_db()
    assert kept.is_active
    assert sign_in(stage.ada).get(reverse("web:contacts")).status_code == 404


def test_the_lists_ask_the_same_however_many_there_are(stage, sign_in):
    client = sign_in(stage.mara)
    listed(stage)
    read(client, "contacts")
    with CaptureQueriesContext(connection) as few:
        read(client, "contacts")
    for number in range(4):
        listed(stage, name=f"List {number}")
    with CaptureQueriesContext(connection) as many:
        read(client, "contacts")
    assert len(many) == len(few)


def test_a_room_shows_whom_to_call(stage, sign_in, major):
    listed(stage)
    listed(stage, "security", name="Hushed")
    page = read(sign_in(stage.mara), "major", major.key)
    assert "Owners" in page
    assert "shop owner" in page
    assert "Hushed" not in page


def test_words_kept_ready_join_what_is_typed_and_send_nothing(stage, sign_in, major):
    client = sign_in(stage.mara)
    before = Message.objects.count()
    typed = {"words": "working", "text": "My own words.", "next_in_min": "20"}
    page = client.post(reverse("web:major", args=[major.key]), typed).content.decode()
    assert "My own words." in page
    assert f"We are still working on the disturbance of {major.key}" in page
    assert "in 20 minutes" in page
    assert Message.objects.count() == before
    given = {"text": "Fine.", "audience": "everybody", "next_in_min": "30", "phase": "watching"}
    client.post(reverse("web:act-update-major", args=[major.key]), given)
    assert "updated the stakeholders (watching whether it holds)" in read(
        client, "major", major.key
    )
    assert "<b>Watching whether it holds</b>" in read(client, "status")


def test_a_coordinator_words_updates_without_leading(stage, sign_in, major):
    client = sign_in(give_duty(stage.teo, "communication-coordinator"))
    page = read(client, "major", major.key)
    assert "Words kept ready" in page
    assert "Name roles and places" not in page


def test_a_lead_says_how_the_team_is_told_and_members_read_it(stage, sign_in):
    desk = stage.teams["desk"]
    client = sign_in(stage.ines)
    assert "When they are paged" in read(client, "team-rules", desk.slug)
    save = reverse("web:team-rules-set", args=[desk.slug, "high"])
    assert client.post(save, {"high-email": "120"}).status_code == 302
    assert client.post(save, {"high-email": "soon"}).status_code == 422
    colleague = sign_in(stage.omar)
    page = read(colleague, "team-rules", desk.slug)
    assert "E-mail after 2 minutes" in page
    assert page.count("by e-mail at once") == 1, "of other news nothing was said"
    assert "When they are paged" not in page
    assert "by your team" in read(colleague, "told")
    colleague.post(save, {"high-email": "0"})
    assert desk.contact_rules.get().delay_s == 120
