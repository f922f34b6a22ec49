"""What the admin will not break: its own door, short names, what is in use, acts on many rows."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from roles.models import Calendar, Duty, DutyAssignment, Person, Retention, Team, Tier
from tests.roles.test_admin import account, browser, page, plain_static_files, said  # noqa: F401

pytestmark = pytest.mark.django_db


@pytest.fixture
def own(admin):
    """The administrator's browser."""
    return browser(admin)


def words_at(answer, field: str) -> str:
    return " ".join(answer.context["adminform"].form.errors.get(field, []))


def test_a_short_name_stays_since_access_and_policies_go_by_it(own, team):
    duty = Duty.objects.get(slug="administrator")
    form = {"name": "Head", "slug": "head", "assignments-TOTAL_FORMS": 0}
    own.post(page(Duty, "change", duty.pk), {**form, "assignments-INITIAL_FORMS": 0})
    duty.refresh_from_db()
    assert (duty.name, duty.slug) == ("Head", "administrator")
    assert own.get(page(Duty)).status_code == 200
    for row in (team, team.tier, team.calendar):
        shown = own.get(page(type(row), "change", row.pk))
        assert shown.status_code == 200
        assert "slug" not in shown.context["adminform"].form.fields


def test_nobody_shuts_themselves_out(own, admin):
    held = DutyAssignment.objects.get(person=admin)
    answer = own.post(page(DutyAssignment, "delete", held.pk), {"post": "yes"}, follow=True)
    assert "Another administrator takes this duty from you." in said(answer)
    answer = own.post(page(Person, "change", admin.pk), account(username="admin", name="Admin"))
    assert words_at(answer, "is_staff") == "Another administrator takes the way in here from you."
    admin.refresh_from_db()
    assert admin.is_staff
    assert DutyAssignment.objects.filter(person=admin).exists()


def test_an_act_on_many_rows_is_done_for_all_or_for_none(own, admin, person):
    ben = person("ben")
    chosen = {"action": "switch_off", "_selected_action": [ben.pk, admin.pk]}
    answer = own.post(page(Person), chosen, follow=True)
    assert "Nothing was changed. You cannot switch off your own account." in said(answer)
    ben.refresh_from_db()
    assert ben.is_active


def test_what_is_in_use_says_so_and_stays(own, team):
    answer = own.get(page(Tier, "delete", team.tier_id))
    assert f"{team.tier} is in use by teams and stays." in answer.content.decode()
    own.post(page(Calendar, "delete", team.calendar_id), {"post": "yes"})
    chosen = {"action": "delete_selected", "_selected_action": [team.tier_id], "post": "yes"}
    answer = own.post(page(Tier), chosen)
    assert "in use by teams and stays." in answer.content.decode()
    assert Tier.objects.filter(pk=team.tier_id).exists()
    assert Calendar.objects.filter(pk=team.calendar_id).exists()


def test_the_service_desk_stays_on_and_a_rank_begins_at_nought(own, team):
    Team.objects.filter(pk=team.pk).update(is_service_desk=True)
    inline = {"memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0}
    form = {"name": team.name, "tier": team.tier_id, "calendar": team.calendar_id, **inline}
    answer = own.post(page(Team, "change", team.pk), {**form, "is_service_desk": "on"})
    assert "make another team that first" in words_at(answer, "is_active")
    answer = own.post(page(Team, "change", team.pk), {**form, "is_active": "on"}, follow=True)
    assert "No team is the service desk now" in said(answer)
    tier = {"name": "Cellar", "slug": "cellar", "kind": "ladder", "rank": "-1"}
    assert words_at(own.post(page(Tier, "add"), tier), "rank") == "The lowest rank is 0."


def test_a_period_beyond_all_measure_is_refused_beside_its_field(own):
    own.get(page(Retention))
    row = Retention.objects.get(kind="mails")
    answer = own.post(page(Retention, "change", row.pk), {"days": "99999999"})
    assert "36,500 at most" in words_at(answer, "days")


def test_the_erasing_of_a_person_needs_an_administrator(own, person):
    ben = person("ben", is_staff=True)
    address = reverse("admin:roles_person_erase", args=[ben.pk])
    assert browser(ben).post(address, {"reason": "x", "again": "ben"}).status_code == 403


def test_rows_that_no_list_can_have_are_refused_in_words(own):
    chosen = {"action": "switch_off", "_selected_action": ["x"]}
    answer = own.post(page(Person), chosen, follow=True)
    assert "There is no such row in this list." in said(answer)


@pytest.mark.parametrize("text", ["slug\nx\0y\n", "slug,name\nx,\0\n"])
def test_a_file_with_characters_that_no_text_has_is_none(own, text):
    file = SimpleUploadedFile("tiers.csv", text.encode())
    answer = own.post(reverse("admin:roles_tier_sheet_import"), {"file": file})
    assert "no CSV file" in answer.context["form"].errors["file"][0]


def test_what_the_domain_refuses_is_said_at_the_box_where_it_was_asked(own):
    form = {"name": "Office", "slug": "office", "zone": "UTC", "hours": "Mon 09:00-17:00"}
    years = {"country": "DE", "first_year": "2030", "last_year": "2020"}
    answer = own.post(page(Calendar, "add"), form | years)
    assert words_at(answer, "last_year") == "Store 1 to 30 years between 1970 and 2200."
