"""Lists as CSV files: what comes in goes the way of the page, is seen first, and whole or not."""

import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from roles.models import AuditEntry, Calendar, Membership, Organisation, Person, Team
from roles.refusals import Invalid
from roles.sheetfiles import read_sheet, write_sheet
from tests.roles.test_admin import browser
from tickets.models import Category, Route, Service

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def plain_static_files(settings):
    storages = dict(settings.STORAGES)
    storages["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = storages


@pytest.fixture
def door(admin):
    return browser(admin)


def address(model, what: str = "") -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_sheet{what}")


def taken_out(door, model, **query) -> list[dict[str, str]]:
    text = door.get(address(model), query).content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def look(door, model, text: str):
    file = SimpleUploadedFile("rows.csv", text.encode())
    return door.post(address(model, "_import"), {"file": file}).context


def bring_in(door, model, text: str):
    """Look at a file and apply what was seen."""
    shown = look(door, model, text)
    given = {**shown["form"].initial, "_apply": "1"}
    return door.post(address(model, "_import"), given, follow=True)


def test_a_preview_says_what_would_change_and_changes_nothing(door):
    Organisation.objects.create(slug="acme", name="Acme")
    before = AuditEntry.objects.count()
    plan = look(door, Organisation, "slug,name\nacme,Acme Ltd\nnew-one,New\n")["plan"]
    assert [(each.name, each.what) for each in plan.written] == [
        ("acme", "changed"),
        ("new-one", "new"),
    ]
    assert ("name", "Acme", "Acme Ltd") in plan.written[0].changes
    assert Organisation.objects.get().name == "Acme"
    assert AuditEntry.objects.count() == before


def test_applying_writes_all_rows_with_an_audit_entry_each(door, admin):
    Organisation.objects.create(slug="acme", name="Acme")
    Organisation.objects.create(slug="same", name="Same")
    page = bring_in(door, Organisation, "slug;name\nacme;Acme Ltd\nnew-one;New\nsame;Same\n")
    assert "Written: 1 new, 1 changed." in page.content.decode()
    assert set(Organisation.objects.values_list("name", flat=True)) == {"Acme Ltd", "New", "Same"}
    told = AuditEntry.objects.filter(actor_id=admin.pk).order_by("id")
    assert [entry.action for entry in told] == ["organisation.changed", "organisation.added"]
    assert told[0].changes == {"name": ["Acme", "Acme Ltd"]}


def test_one_bad_row_keeps_all_of_the_file_out(door, team):
    tier, hours = team.tier.slug, team.calendar.slug
    text = f"slug,name,tier,calendar\nfresh,Fresh,{tier},{hours}\nodd,Odd,nowhere,{hours}\n,,,\n"
    shown = look(door, Team, text)
    [wrong] = shown["plan"].wrong
    assert (wrong.number, wrong.trouble) == (3, "There is no “nowhere”.")
    given = {**shown["form"].initial, "_apply": "1"}
    door.post(address(Team, "_import"), given)
    assert not Team.objects.filter(slug="fresh").exists()


def test_what_would_do_something_else_by_now_is_shown_again_instead_of_written(door):
    row = Organisation.objects.create(slug="acme", name="Acme")
    shown = look(door, Organisation, "slug,name\nacme,Acme Ltd\n")
    Organisation.objects.filter(pk=row.pk).update(name="Acme Inc")
    given = {**shown["form"].initial, "_apply": "1"}
    answer = door.post(address(Organisation, "_import"), given)
    assert "something else by now" in answer.content.decode()
    assert Organisation.objects.get().name == "Acme Inc"


def test_people_come_in_with_all_their_columns_and_without_a_password(door):
    Organisation.objects.create(slug="acme", name="Acme")
    bring_in(
        door,
        Person,
        "username,name,email,organisation,is_vip,zone\nzoe,Zoe,z@x.example,acme,yes,Europe/Berlin\n",
    )
    zoe = Person.objects.get(username="zoe")
    assert (zoe.organisation.slug, zoe.is_vip, zoe.zone) == ("acme", True, "Europe/Berlin")
    assert not zoe.has_usable_password()
    bring_in(door, Person, "username,is_active\nzoe,no\n")
    zoe.refresh_from_db()
    assert not zoe.is_active
    assert zoe.left_at is not None, "switched off by the domain function"
    wrong = look(door, Person, "username,name,zone\nyan,Yan,Nowhere/Land\n")["plan"].wrong
    assert "zone" in wrong[0].trouble


def test_memberships_go_through_their_domain_function(door, team, lead):
    zoe = Person.objects.create_user("zoe", name="Zoe")
    bring_in(door, Membership, f"team,person,role\n{team.slug},zoe,member\n")
    assert Membership.objects.get(person=zoe).team == team
    assert AuditEntry.objects.filter(action__contains="member").exists()


def test_a_calendars_own_days_publish_a_revision(door, team):
    calendar = Calendar.objects.create(slug="berlin", name="Berlin")
    text = (
        "slug,zone,hours,days_off\nberlin,Europe/Berlin,Mon-Fri 09:00-17:00,2026-12-24 2026-12-31\n"
    )
    bring_in(door, Calendar, text)
    calendar.refresh_from_db()
    assert [str(day) for day in calendar.current.days_off] == ["2026-12-24", "2026-12-31"]
    [row] = [row for row in taken_out(door, Calendar) if row["slug"] == "berlin"]
    assert row["days_off"] == "2026-12-24 2026-12-31"
    assert (
        "99" in look(door, Calendar, "slug,days_off\nberlin,2026-99-01\n")["plan"].wrong[0].trouble
    )


def test_routes_are_known_by_what_they_are_about(door, team):
    service = Service.objects.create(slug="mail", name="Mail")
    Category.objects.create(slug="slow", name="Slow")
    row = f"mail,,{team.tier.slug},{team.slug},yes,yes\n"
    heading = "service,category,tier,team,takes_new,is_active\n"
    bring_in(door, Route, heading + row)
    assert Route.objects.get().takes_new
    bring_in(door, Route, heading + row.replace(",yes,yes", ",no,yes"))
    assert Route.objects.get(service=service).takes_new is False


def test_what_is_taken_out_comes_back_in_as_it_is(door, team):
    Organisation.objects.create(slug="evil", name='=HYPERLINK("x")')
    text = door.get(address(Organisation)).content.decode("utf-8-sig")
    assert "'=HYPERLINK" in text
    assert look(door, Organisation, text)["plan"].written == []
    teams = door.get(address(Team)).content.decode("utf-8-sig")
    assert look(door, Team, teams)["plan"].outcomes[0].what == "as it is"


def test_the_list_is_taken_out_as_it_is_filtered(door):
    Organisation.objects.create(slug="acme", name="Acme")
    Organisation.objects.create(slug="other", name="Other")
    assert [row["slug"] for row in taken_out(door, Organisation, q="acm")] == ["acme"]


def test_only_who_may_write_the_list_brings_one_in(person):
    clerk = person("clerk", is_staff=True)
    assert browser(clerk).get(address(Organisation)).status_code == 403
    assert browser(clerk).post(address(Organisation, "_import"), {}).status_code == 403


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "empty"),
        ("slug,odd\na,b\n", "“odd” is not known"),
        ("slug,slug\na,b\n", "twice"),
        ("name\na\n", "“slug” is missing"),
        ("slug,name\na,b,c\n", "Line 2 has more cells"),
    ],
)
def test_a_file_that_is_none_is_refused_with_the_reason(text, problem):
    with pytest.raises(Invalid, match=problem):
        read_sheet(text, names=("slug", "name"), key=("slug",))


def test_a_sheet_is_read_as_it_was_written():
    rows = [{"slug": "a", "name": "=1+1"}, {"slug": "b", "name": 'two\n"lines"'}]
    text = write_sheet(("slug", "name"), rows)
    assert [row.cells for row in read_sheet(text, names=("slug", "name"), key=("slug",))] == rows
