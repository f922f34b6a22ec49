"""The admin of roles writes through the domain, leaves an audit entry, and guards its pages."""

import re

import pytest
from django.apps import apps
from django.contrib import admin as django_admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from roles.calendarlinks import make_link
from roles.models import (
    ApiToken,
    AuditEntry,
    Calendar,
    CalendarLink,
    CalendarRevision,
    Duty,
    DutyAssignment,
    Membership,
    Organisation,
    Override,
    Person,
    Retention,
    Rotation,
    Schedule,
    ScheduleRevision,
    Swap,
)
from roles.overrides import add_override
from roles.rosters import LayerSpec, publish_schedule, set_schedule
from roles.swaps import offer_swap
from roles.teams import assign_duty
from roles.tokens import authenticate, issue
from tests.roles.conftest import CLOCK, NOW

pytestmark = pytest.mark.django_db
MODELS = list(apps.get_app_config("roles").get_models())


@pytest.fixture(autouse=True)
def plain_static_files(settings):
    """No collected static files are needed to look at pages here."""
    storages = dict(settings.STORAGES)
    storages["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = storages


def browser(person: Person) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def door(admin) -> Client:
    """The administrator's browser."""
    return browser(admin)


def account(**fields) -> dict:
    """A filled-in form of an account, the lists of its teams and duties left as they are."""
    lists = ("memberships", "duty_assignments")
    untouched = {f"{name}-{n}_FORMS": 0 for name in lists for n in ("TOTAL", "INITIAL")}
    form = {"kind": "person", "zone": "UTC", "language": "en", "is_active": "on"}
    return {**untouched, **form, **fields}


def page(model, what: str = "changelist", *args) -> str:
    return reverse(f"admin:roles_{model._meta.model_name}_{what}", args=args)


def last() -> AuditEntry:
    return AuditEntry.objects.latest("id")


def said(response) -> str:
    return " ".join(str(message) for message in response.context["messages"])


@pytest.fixture
def everything(team, lead, admin):
    """At least one row of every model that has an admin page."""
    Organisation.objects.create(name="Acme", slug="acme")
    schedule = set_schedule(team=team, zone="UTC", clock=CLOCK)
    weekly = LayerSpec(
        name="Weekly", people=[lead], starts_on=NOW.date(), handover_time=NOW.time(), shift_days=7
    )
    publish_schedule(schedule=schedule, layers=[weekly], clock=CLOCK)
    add_override(schedule=schedule, person=lead, start=NOW, end=NOW.replace(hour=12), clock=CLOCK)
    helper = Person.objects.create_user("helper", name="Helper")
    hours = (NOW.replace(hour=14), NOW.replace(hour=15))
    offer_swap(schedule=schedule, giver=lead, taker=helper, during=hours, clock=CLOCK)
    make_link(person=lead, clock=CLOCK)
    issue(person=lead, name="monitor", scopes=["tickets:read"], clock=CLOCK)
    Retention.objects.create(kind="mails")
    CalendarRevision.objects.create(
        calendar=team.calendar, number=1, zone="UTC", spans=[[0, 540, 1020]]
    )


WITHIN_OTHERS = {"rotation", "rotationmember"}
REGISTERED = [model for model in MODELS if model._meta.model_name not in WITHIN_OTHERS]
HISTORY = [AuditEntry, CalendarRevision, ScheduleRevision]


@pytest.mark.parametrize("model", REGISTERED, ids=lambda m: m.__name__)
def test_every_model_has_its_pages(model, everything, door):
    assert model in django_admin.site._registry
    assert door.get(page(model), {"q": "a"}).status_code == 200
    row = model.objects.latest("pk")
    assert door.get(page(model, "change", row.pk)).status_code == 200
    if model not in (*HISTORY, Retention):
        assert door.get(page(model, "add")).status_code == 200


@pytest.mark.parametrize("model", REGISTERED, ids=lambda m: m.__name__)
def test_only_administrators_write_and_auditors_look(model, everything, person):
    clerk, auditor = person("clerk", is_staff=True), person("otto", is_staff=True)
    duty = Duty.objects.create(slug="auditor", name="Auditor")
    assign_duty(duty=duty, person=auditor, clock=CLOCK)
    row = model.objects.latest("pk")
    assert browser(clerk).get(page(model)).status_code == 403
    assert browser(auditor).get(page(model)).status_code == 200
    assert browser(auditor).get(page(model, "change", row.pk)).status_code == 200
    assert browser(auditor).get(page(model, "add")).status_code == 403
    assert browser(auditor).post(page(model, "change", row.pk), {}).status_code == 403


@pytest.mark.parametrize("model", [*HISTORY, Person, ApiToken, Schedule, Swap])
def test_history_people_and_tokens_are_not_deleted(model, everything, door):
    row = model.objects.latest("pk")
    assert door.post(page(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert model.objects.filter(pk=row.pk).exists()


def test_adding_changing_and_deleting_leave_audit_entries(door, admin):
    door.post(page(Organisation, "add"), {"name": "Acme", "slug": "acme"})
    assert (last().action, last().actor_id) == ("organisation.added", admin.pk)
    row = Organisation.objects.get()
    door.post(page(Organisation, "change", row.pk), {"name": "Acme Ltd", "slug": "acme"})
    assert last().action == "organisation.changed"
    assert last().changes == {"name": ["Acme", "Acme Ltd"]}
    door.post(page(Organisation, "delete", row.pk), {"post": "yes"})
    assert (last().action, last().subject) == ("organisation.deleted", "Acme Ltd")


def test_the_history_of_a_row_is_its_audit(door):
    row = Organisation.objects.create(name="Acme", slug="acme")
    answer = door.get(page(Organisation, "history", row.pk))
    assert answer.url == f"{page(AuditEntry)}?subject_type=roles.organisation&subject_id={row.pk}"
    assert door.get(answer.url).status_code == 200


def test_changing_an_account_keeps_its_password_out_of_the_audit(door, lead):
    form = account(username="lena", name="Lena L.", email="l@example.org")
    door.post(page(Person, "change", lead.pk), form)
    assert last().changes["name"] == ["Lena", "Lena L."]
    secret = "a-long-new-password"
    url = reverse("admin:auth_user_password_change", args=[lead.pk])
    door.post(url, {"password1": secret, "password2": secret, "usable_password": "true"})
    lead.refresh_from_db()
    assert lead.check_password(secret)
    assert last().changes == {"password": ["***", "***"]}


def test_an_administrator_makes_no_superuser_and_cannot_switch_themselves_off(door, admin, lead):
    form = account(username="lena", name="Lena", is_superuser="on", is_staff="on")
    door.post(page(Person, "change", lead.pk), form)
    lead.refresh_from_db()
    assert lead.is_staff
    assert not lead.is_superuser
    form = account(username="admin", name="A", is_active="")
    answer = door.post(page(Person, "change", admin.pk), form, follow=True)
    assert "own account" in said(answer)
    admin.refresh_from_db()
    assert (admin.is_active, admin.name) == (True, "Admin")


def test_accounts_are_switched_off_and_on_from_the_list(door, lead):
    chosen = {"_selected_action": [lead.pk]}
    door.post(page(Person), {"action": "switch_off", **chosen})
    lead.refresh_from_db()
    assert not lead.is_active
    assert last().action == "person.deactivated"
    door.post(page(Person), {"action": "switch_on", **chosen})
    lead.refresh_from_db()
    assert lead.is_active


def test_saving_hours_publishes_a_revision_once(door):
    form = {"name": "Office", "slug": "office", "zone": "Europe/Berlin", "days_off": "2026-12-25"}
    form["hours"] = "Mon-Fri 09:00-17:00"
    door.post(page(Calendar, "add"), form)
    calendar = Calendar.objects.get()
    assert calendar.current.spans == [[day, 540, 1020] for day in range(5)]
    assert calendar.current.days_off == ["2026-12-25"]
    assert "Mon-Fri 09:00-17:00" in door.get(page(Calendar)).content.decode()
    door.post(page(Calendar, "change", calendar.pk), form)
    assert CalendarRevision.objects.count() == 1
    door.post(page(Calendar, "change", calendar.pk), form | {"hours": "Sat 22:00-06:00"})
    calendar.refresh_from_db()
    assert (calendar.current.number, calendar.current.spans) == (2, [[5, 1320, 1800]])


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"hours": "always"}, "hours"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"days_off": "Christmas"}, "days_off"),
    ],
)
def test_bad_hours_are_said_beside_their_field(door, wrong, field):
    form = {"name": "Office", "slug": "office", "zone": "UTC", "hours": "Mon 09:00-17:00"}
    answer = door.post(page(Calendar, "add"), form | wrong)
    assert set(answer.context["adminform"].form.errors) == {field}
    assert not Calendar.objects.exists()


def test_a_new_token_is_shown_once_and_never_its_digest(door, lead):
    form = {"person": lead.pk, "name": "monitor", "scopes": ["tickets:read"]}
    answer = door.post(page(ApiToken, "add"), form)
    assert answer.context["adminform"].form.errors["person"] == [
        "People make their own tokens; choose the account of a program."
    ]
    Person.objects.filter(pk=lead.pk).update(kind="service", password="!")
    form = {"person": lead.pk, "name": "monitor", "scopes": ["tickets:read"]}
    answer = door.post(page(ApiToken, "add"), form, follow=True)
    [plain] = re.findall(r"tl_\w+", said(answer))[:1]
    token = authenticate(plain)
    assert token.person == lead
    assert last().action == "token.issued"
    shown = door.get(page(ApiToken, "change", token.pk)).content.decode()
    assert token.digest not in shown
    assert plain not in shown
    door.post(page(ApiToken, "change", token.pk), {"name": "other", "scopes": ["catalog:read"]})
    token.refresh_from_db()
    assert (token.name, token.scopes, token.person) == ("other", ["catalog:read"], lead)
    assert "digest" not in last().changes
    door.post(page(ApiToken), {"action": "revoke_chosen", "_selected_action": [token.pk]})
    assert authenticate(plain) is None


def test_members_and_duties_go_through_the_domain(door, team, person):
    ann = person("ann")
    form = {"team": team.pk, "person": ann.pk, "role": "member"}
    door.post(page(Membership, "add"), form)
    assert last().action == "member.added"
    row = Membership.objects.get(person=ann)
    door.post(page(Membership, "change", row.pk), {"role": "lead"})
    assert last().changes == {"person": "ann", "role": ["member", "lead"]}
    door.post(
        page(Membership), {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    )
    assert last().action == "member.removed"
    duty = Duty.objects.create(slug="ciso", name="CISO")
    door.post(page(DutyAssignment, "add"), {"duty": duty.pk, "person": ann.pk})
    assert last().action == "duty.assigned"
    assert AuditEntry.objects.filter(action__startswith="membership.").count() == 0


def stand_in(door, schedule, person, start, end):
    form = {"schedule": schedule.pk, "person": person.pk, "reason": "ill"}
    for number, moment in enumerate((start, end)):
        form[f"during_{number}"] = moment
    return door.post(page(Override, "add"), form, follow=True)


def test_overrides_are_made_by_the_domain_and_refused_in_words(door, team, lead, person):
    schedule = set_schedule(team=team, zone="UTC", clock=CLOCK)
    stand_in(door, schedule, lead, "2099-11-02 10:00", "2099-11-02 12:00")
    assert last().action == "override.added"
    answer = stand_in(door, schedule, lead, "2099-11-02 11:00", "2099-11-02 13:00")
    assert "covers part of that time" in answer.content.decode()
    gone = person("gone", is_active=False)
    answer = stand_in(door, schedule, gone, "2099-11-03 11:00", "2099-11-03 13:00")
    assert "Nothing was changed" in said(answer)
    assert Override.objects.count() == 1
    door.post(page(Override, "delete", Override.objects.get().pk), {"post": "yes"})
    assert last().action == "override.removed"


def layer_form(number: int, **fields) -> dict:
    values = {
        "name": "Weekly",
        "starts_on": "2026-11-02",
        "handover_time": "09:00",
        "handover_weekday": 0,
        "length": 7,
        "unit": "days",
        "ORDER": number + 1,
        **fields,
    }
    return {f"layers-{number}-{name}": value for name, value in values.items()}


def schedule_form(*layers: dict, kept: int = 0, **fields) -> dict:
    form = {"name": "Network", "zone": "UTC", **fields}
    form |= {"layers-TOTAL_FORMS": len(layers), "layers-INITIAL_FORMS": kept}
    form |= {"revisions-TOTAL_FORMS": 0, "revisions-INITIAL_FORMS": 0}
    for number, layer in enumerate(layers):
        form |= layer_form(number, **layer)
    return form


def test_saving_layers_publishes_a_revision_once_and_the_past_stays(door, team, lead, person):
    person("ben")
    nights = {"name": "Nights", "people": "ben", "hours": "Mon-Fri 18:00-08:00"}
    given = [{"people": "lena, ben"}, nights | {"length": 12, "unit": "hours"}]
    door.post(page(Schedule, "add"), schedule_form(*given, team=team.pk))
    schedule = Schedule.objects.get()
    assert last().action == "schedule.published"
    rows = list(Rotation.objects.order_by("position"))
    assert [(row.name, row.shift_days, row.shift_hours) for row in rows] == [
        ("Weekly", 7, None),
        ("Nights", None, 12),
    ]
    assert rows[1].restrictions == [[day, 1080, 1920] for day in range(5)]
    address = page(Schedule, "change", schedule.pk)
    shown = door.get(address).content.decode()
    assert "Mon-Fri 18:00-08:00" in shown
    assert "final shifts" in shown.lower()
    door.post(address, schedule_form(*given, kept=2))
    assert ScheduleRevision.objects.count() == 1
    door.post(address, schedule_form(given[0], nights | {"DELETE": "on"}, kept=2))
    assert [r.rotations.count() for r in ScheduleRevision.objects.order_by("number")] == [2, 1]


def test_a_layer_with_an_unknown_person_or_bad_hours_is_refused_beside_it(door, team, lead):
    given = {"people": "lena nobody", "hours": "sometimes"}
    answer = door.post(page(Schedule, "add"), schedule_form(given, team=team.pk))
    shown = answer.content.decode()
    assert "Nobody has the user name nobody" in shown
    assert "is not like" in shown
    assert not Schedule.objects.exists()


def test_who_was_on_call_is_looked_up_at_any_time(door, everything):
    address = reverse("admin:roles_schedule_who")
    assert "nobody: a gap" in door.get(address, {"at": "2020-01-01T00:00"}).content.decode()
    assert "Lena" in door.get(address, {"at": "2026-11-02T11:00"}).content.decode()
    assert browser(Person.objects.get(username="lena")).get(address).status_code == 302


def test_a_calendar_file_is_planned_and_then_applied(door, everything, lead):
    schedule = Schedule.objects.get()
    address = reverse("admin:roles_schedule_import", args=[schedule.pk])
    year = NOW.year + 1
    event = f"DTSTART:{year}0203T080000Z\r\nDTEND:{year}0203T090000Z\r\nSUMMARY:"
    text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n"
    for number, title in enumerate(("lena", "nobody")):
        text += f"BEGIN:VEVENT\r\nUID:{number}\r\n{event}{title}\r\nEND:VEVENT\r\n"
        event = event.replace("0203T", "0204T")
    text += "END:VCALENDAR\r\n"
    before = Override.objects.count()
    upload = SimpleUploadedFile("shifts.ics", text.encode())
    shown = door.post(address, {"file": upload}).content.decode()
    assert "Nobody here is known as nobody." in shown
    assert Override.objects.count() == before
    answer = door.post(address, {"text": text, "_apply": "1"}, follow=True)
    assert "1 overrides are made, 1 events left out." in said(answer)
    assert Override.objects.count() == before + 1
    assert "not a readable" in door.post(address, {"text": "x"}).content.decode()


def test_swaps_and_links_are_made_and_ended_in_the_admin(door, everything):
    swap = Swap.objects.get()
    door.post(page(Swap), {"action": "decline", "_selected_action": [swap.pk]})
    assert (Swap.objects.get().state, last().action) == ("declined", "swap.declined")
    lena = Person.objects.get(username="lena")
    answer = door.post(page(CalendarLink, "add"), {"person": lena.pk, "name": ""}, follow=True)
    [path] = re.findall(r"/calendar/\S+/mine.ics", said(answer))
    assert Client().get(path).status_code == 200
    chosen = list(CalendarLink.objects.values_list("pk", flat=True))
    door.post(page(CalendarLink), {"action": "revoke", "_selected_action": chosen})
    assert Client().get(path).status_code == 404


def test_public_holidays_are_published_from_the_form_and_their_end_is_warned_of(door):
    form = {"name": "Office", "slug": "office", "zone": "UTC", "hours": "Mon-Fri 09:00-17:00"}
    form |= {"country": "de", "region": "by", "first_year": 2024, "last_year": 2025}
    door.post(page(Calendar, "add"), form)
    revision = CalendarRevision.objects.get()
    assert ["2025-12-25", "Christmas Day"] in revision.holidays
    assert "until 2025 only" in said(door.get(page(Calendar)))
    answer = door.post(page(Calendar, "change", revision.calendar_id), form | {"region": "ZZ"})
    assert set(answer.context["adminform"].form.errors) == {"region"}
