"""The admin's pages by what one comes to do, its history in words, and its look."""

import pytest
from django.contrib import admin
from django.urls import reverse

from config.admin_groups import GROUPS
from roles.audit import record
from roles.models import AuditEntry, Duty, DutyAssignment, Organisation, Team
from tests.config.test_front_page import door, holder, story  # noqa: F401  (fixtures)
from tests.story import page, unacknowledged


def test_every_page_has_its_place_and_every_place_its_page():
    placed = [label for group in GROUPS for label in group.pages]
    assert len(placed) == len(set(placed))
    assert set(placed) == {model._meta.label for model in admin.site._registry}


@pytest.fixture
def client(story, door):  # noqa: F811
    return door(holder(story.person("ada"), "administrator"))


def test_the_front_page_lists_pages_by_purpose_and_leads_to_operations(client):
    shown = client.get(reverse("admin:index")).content.decode()
    assert "People and teams" in shown
    assert "Who is in which team, and as what" in shown
    assert reverse("web:operations") in shown
    assert "theme-system" in shown


def test_the_admin_follows_the_theme_that_was_chosen(client):
    client.cookies["theme"] = "dark"
    assert "theme-dark" in client.get(reverse("admin:index")).content.decode()


def test_no_page_of_the_admin_holds_inline_script_or_style(client):
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
        shown = client.get(reverse(name)).content.decode()
        assert "<style" not in shown, name
        assert " style=" not in shown, name
        assert "<script>" not in shown, name


def test_history_is_told_in_names_instead_of_numbers(client, story):  # noqa: F811
    team, lead = story.desk, story.lead
    record(actor=lead, action="team.changed", subject=team, changes={"lead": [None, lead.pk]})
    answer = client.get(reverse("admin:roles_team_history", args=[team.pk]), follow=True)
    shown = answer.content.decode()
    assert f"History of {team}" in shown
    assert f"Lead: \u2013 → {lead}" in shown
    entry = AuditEntry.objects.latest("pk")
    shown = client.get(reverse("admin:roles_auditentry_change", args=[entry.pk])).content.decode()
    assert f"<ins>{lead}</ins>" in shown


def test_a_page_of_the_audit_asks_few_queries(client, story, django_assert_max_num_queries):  # noqa: F811
    for number in range(20):
        row = Organisation.objects.create(slug=f"o{number}", name=f"O {number}")
        record(actor=story.lead, action="organisation.added", subject=row, changes={"name": "O"})
        record(
            actor=None,
            action="team.changed",
            subject=Team.objects.first(),
            changes={"lead": [None, story.lead.pk]},
        )
    with django_assert_max_num_queries(16):
        client.get(reverse("admin:roles_auditentry_changelist"))


def lists_of_the_admin() -> list[str]:
    models = admin.site._registry
    return [f"admin:{m._meta.app_label}_{m._meta.model_name}_changelist" for m in models]


def test_no_list_of_the_admin_asks_more_for_more_rows(story, door, django_assert_max_num_queries):  # noqa: F811
    """Twenty statements at most: a list that asked once for each row would go over it."""
    clerk = holder(story.person("ada"), "administrator")
    holder(clerk, "incident-manager")
    story.policy("any", unacknowledged(5, "Page", page("on_call")))
    for number in range(12):
        story.open()
        person = story.person(f"p{number}")
        story.team(f"t{number}", "l1", [person])
        duty = Duty.objects.create(slug=f"d{number}", name=f"D {number}")
        DutyAssignment.objects.create(duty=duty, person=person)
    story.forward(minutes=7)
    client = door(clerk)
    for name in lists_of_the_admin():
        with django_assert_max_num_queries(20, info=name):
            client.get(reverse(name))
