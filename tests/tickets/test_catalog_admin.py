"""The admin's catalog keeps the rules of the catalog: no circles, routes on their own tier."""

import pytest
from django.urls import reverse

from roles.refusals import Invalid
from tests.tickets.test_admin import admin, door, story  # noqa: F401
from tickets.catalog import set_category
from tickets.models import Category, Route


def words_at(answer, field: str) -> str:
    return " ".join(answer.context["adminform"].form.errors.get(field, []))


def test_a_category_stands_not_under_itself(story, admin):  # noqa: F811
    upper = Category.objects.create(slug="upper", name="Upper")
    lower = Category.objects.create(slug="lower", name="Lower", parent=upper)
    address = reverse("admin:tickets_category_change", args=[upper.pk])
    for parent in (upper, lower):
        answer = admin.post(address, {"name": "Upper", "parent": parent.pk, "is_active": "on"})
        assert words_at(answer, "parent") == "A category cannot stand under itself."
    upper.refresh_from_db()
    assert upper.parent is None


def test_a_circle_that_was_made_before_holds_nothing_up(story):  # noqa: F811
    one = Category.objects.create(slug="one", name="One")
    two = Category.objects.create(slug="two", name="Two", parent=one)
    Category.objects.filter(pk=one.pk).update(parent=two)
    with pytest.raises(Invalid):
        set_category(slug="three", name="Three", parent=Category.objects.get(slug="two"))


def test_a_route_leads_to_a_team_of_its_tier(story, admin):  # noqa: F811
    before = Route.objects.count()
    form = {"tier": story.apps.tier_id, "team": story.desk.pk, "is_active": "on"}
    form["category"] = Category.objects.create(slug="odd", name="Odd").pk
    answer = admin.post(reverse("admin:tickets_route_add"), form)
    assert "sits on" in words_at(answer, "team")
    assert Route.objects.count() == before
