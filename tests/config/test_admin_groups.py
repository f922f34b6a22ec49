"""The admin's pages by what one comes to do, its history in words, and its look."""

from html.parser import HTMLParser

import pytest
from django.contrib import admin
from django.urls import reverse

from config.admin_groups import GROUPS
from roles.audit import record
from roles.models import AuditEntry, Duty, DutyAssignment, Organisation, Person, Team
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


class Boxes(HTMLParser):
    """The boxes of a page that somebody fills in, and the names that they have."""

    def __init__(self, page_text: str) -> None:
        super().__init__()
        self.boxes: dict[str, bool] = {}
        self.labelled: set[str] = set()
        self.bare_numbers: list[str] = []
        self.depth = 0
        self.feed(page_text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.depth += tag == "label"
        self.labelled.add(given.get("for") or "" if tag == "label" else "")
        if given.get("type") == "number" and not given.get("aria-describedby"):
            self.bare_numbers.append(given.get("name") or "?")
        silent = given.get("type") in ("hidden", "submit", "button")
        if tag in ("input", "select", "textarea") and not silent:
            named = self.depth or given.get("aria-label") or given.get("aria-labelledby")
            self.boxes[given.get("id") or given.get("name") or "?"] = bool(named)

    def handle_endtag(self, tag):
        self.depth -= tag == "label"

    @property
    def nameless(self) -> list[str]:
        return [box for box, named in self.boxes.items() if not named and box not in self.labelled]


def test_every_box_of_every_form_has_a_name_and_every_list_too(client):
    """Rows of a table and the two halves of a date included, which Django leaves without.

    What a number counts, and in which unit, stands below it.
    """
    forms = 0
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        shown = client.get(reverse(f"{name}_changelist")).content.decode()
        assert Boxes(shown).nameless == [], name
        answer = client.get(reverse(f"{name}_add"))
        if answer.status_code == 200:
            forms += 1
            boxes = Boxes(answer.content.decode())
            assert boxes.nameless == [], name
            # Where rows are put in order, the number is only a place.
            assert [box for box in boxes.bare_numbers if not box.endswith("-ORDER")] == [], name
            assert len(boxes.boxes) > 1, name
    assert forms > 30


def test_a_zone_and_a_language_are_chosen_and_an_odd_one_is_kept(client, story):  # noqa: F811
    Person.objects.filter(pk=story.agent.pk).update(zone="CET", language="pl")
    page_text = client.get(reverse("admin:roles_person_change", args=[story.agent.pk])).content
    shown = page_text.decode()
    assert '<option value="CET" selected>' in shown
    assert '<option value="Europe/Berlin">' in shown
    assert '<option value="pl" selected>' in shown
    assert '<option value="de">Deutsch</option>' in shown


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
