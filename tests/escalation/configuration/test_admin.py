"""Policy as code in the admin: download, plan, apply exactly what was seen, and who may."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from roles.models import AuditEntry, Duty, Person, Team, Tier
from roles.teams import assign_duty

FILE = """\
version: 1
tiers:
  l5: {name: Makers, kind: ladder, rank: 5}
teams:
  makers: {name: Makers, tier: l5, calendar: always}
"""


def signed_in(person: Person) -> Client:
    Person.objects.filter(pk=person.pk).update(is_staff=True)
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def page(story) -> Client:
    return signed_in(story.admin)


def address() -> str:
    return reverse("admin:escalation_configuration")


def planned(page: Client, text: str, **given: str) -> str:
    upload = SimpleUploadedFile("site.yaml", text.encode())
    answer = page.post(address(), {"file": upload, "_plan": "1", **given})
    assert answer.status_code == 200
    return answer.content.decode()


def hidden(shown: str, name: str) -> str:
    return re.search(rf'name="{name}" value="([^"]*)"', shown)[1]


def apply(page: Client, shown: str, **given: str):
    fields = {"token": hidden(shown, "token"), "text": FILE, "prune": "False", "_apply": "1"}
    return page.post(address(), {**fields, "reason": "Makers join", **given}, follow=True)


def test_the_site_is_downloaded_as_a_file(page):
    answer = page.get(reverse("admin:escalation_configuration_file"))
    assert answer["Content-Disposition"] == 'attachment; filename="site.yaml"'
    assert answer.content.decode().startswith("# The configuration")
    assert "Nothing to change" in planned(page, answer.content.decode())


def test_an_upload_shows_a_plan_and_is_applied_with_a_reason(page, story):
    shown = planned(page, FILE)
    assert "+ teams.makers" in shown
    assert "2 new." in shown
    assert not Team.objects.filter(slug="makers").exists()
    done = apply(page, shown)
    assert "Applied: 2 new." in done.content.decode()
    assert Team.objects.get(slug="makers").tier.slug == "l5"
    entry = AuditEntry.objects.get(action="configuration.applied")
    assert (entry.actor_id, entry.reason) == (story.admin.pk, "Makers join")


def test_nothing_is_applied_without_a_reason(page):
    shown = planned(page, FILE)
    done = apply(page, shown, reason=" ")
    assert "This field is required." in done.content.decode()
    assert "+ teams.makers" in done.content.decode()
    assert not Tier.objects.filter(slug="l5").exists()


def test_a_site_that_changed_after_the_plan_shows_the_new_plan_instead(page, story):
    shown = planned(page, FILE)
    Tier.objects.create(slug="l5", name="Somebody else's", kind="ladder", rank=5)
    done = apply(page, shown).content.decode()
    assert "changed after this plan" in done
    assert "~ tiers.l5.name: Somebody else&#x27;s → Makers" in done
    assert not Team.objects.filter(slug="makers").exists()
    assert "Applied: 1 new, 1 changed." in apply(page, done).content.decode()


def test_mistakes_are_shown_with_their_lines(page):
    shown = planned(page, FILE.replace("calendar", "calender").replace("rank: 5", "rank: high"))
    assert "Line 3, tiers.l5.rank: &quot;high&quot; is not a whole number." in shown
    assert "Line 5, teams.makers.calender: Unknown key" in shown
    assert 'name="_apply"' not in shown


def test_what_is_no_text_or_too_large_is_refused(page):
    upload = SimpleUploadedFile("site.yaml", b"\xff\xfe\x00")
    assert "not text in UTF-8" in page.post(address(), {"file": upload}).content.decode()
    upload = SimpleUploadedFile("site.yaml", b"x" * 1_000_001)
    assert "larger than" in page.post(address(), {"file": upload}).content.decode()


def test_only_who_manages_policies_finds_it(story):
    manager = signed_in(story.incident_manager)
    assert manager.get(address()).status_code == 200
    executive = Duty.objects.create(slug="executive", name="Executive")
    assign_duty(duty=executive, person=story.stranger)
    for person in (story.stranger, story.agent):
        client = signed_in(person)
        assert client.get(address()).status_code == 403
        assert client.get(reverse("admin:escalation_configuration_file")).status_code == 403
        assert client.post(address(), {"_apply": "1"}).status_code == 403


def test_the_list_of_policies_leads_to_it(page):
    listed = page.get(reverse("admin:escalation_policy_changelist")).content.decode()
    assert address() in listed
