"""The first run: from a printed link on an empty site to the first page that arrives."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from escalation.configuration.applying import plan_text
from escalation.engine import tick
from escalation.models import Policy, Target
from notifications.delivery import deliver_batch
from notifications.models import Message
from notifications.welcome import invite_again, invite_person
from roles.instants import database_now, fixed
from roles.models import AuditEntry, Calendar, Person, Team, Tier
from roles.refusals import Conflict, Forbidden
from roles.rotation import RotationSpec, on_duty
from tickets.models import Ticket
from web import firstlink, firstrun

SECRET = "three quiet green owls"
FIRST = {"name": "Ada Root", "email": "ada@example.org", "zone": "UTC", "password": SECRET}
EMPTY = pytest.mark.django_db


def path_of(link: str) -> str:
    return re.sub(r"^https?://[^/]+", "", link)


@pytest.fixture
def root(db) -> Client:
    """The first administrator, made through the printed link and signed in by it."""
    client = Client()
    assert client.post(path_of(firstlink.first_link()), FIRST)["Location"] == "/setup"
    return client


def step(client: Client, slug: str, **given):
    answer = client.post(f"/setup/{slug}", given)
    assert answer.status_code == 302, answer.content.decode()
    return answer["Location"]


def done(client: Client) -> list[str]:
    return [each.slug for each in client.get("/setup/ladder").context["steps"] if each.is_done]


# ---- The first account ---------------------------------------------------------------------------


@EMPTY
def test_the_printed_link_makes_one_administrator_and_then_nobody_any_more(capsys) -> None:
    call_command("first_link")
    link = path_of(capsys.readouterr().out.strip())
    client = Client()
    assert client.get(link).status_code == 200
    weak = client.post(link, {**FIRST, "password": "password12"})
    assert weak.status_code == 422
    assert not Person.objects.exists()
    assert client.post(link, FIRST).status_code == 302
    person = Person.objects.get()
    assert (person.username, person.is_superuser, person.check_password(SECRET)) == (
        "ada",
        True,
        True,
    )
    for other in (Client(), client):
        assert other.get(link).status_code == 404
        assert other.post(link, {**FIRST, "email": "eve@example.org"}).status_code == 404
    assert Person.objects.count() == 1
    assert AuditEntry.objects.filter(action="person.first").count() == 1
    with pytest.raises(CommandError):
        call_command("first_link")


@EMPTY
def test_a_forged_or_old_link_makes_nobody(settings, monkeypatch) -> None:
    client = Client()
    assert client.get("/setup/first/first").status_code == 404
    forged = path_of(firstlink.first_link(secret_key="x" * 50))
    assert client.post(forged, FIRST).status_code == 404
    monkeypatch.setattr(firstlink, "GOOD_FOR", timedelta(seconds=-1))
    assert client.post(path_of(firstlink.first_link()), FIRST).status_code == 404
    assert not Person.objects.exists()


@EMPTY
def test_the_sign_in_page_of_an_empty_site_says_where_the_link_is() -> None:
    assert "first_link" in Client().get("/sign-in").content.decode()


def test_only_administrators_set_up(stage, sign_in) -> None:
    for person in (stage.ada, stage.ines, stage.mara):
        client = sign_in(person)
        for url in ("/setup", "/setup/ladder"):
            assert client.get(url).status_code == 404
        assert client.post("/setup/ladder", {"choice": "ladder-small"}).status_code == 404
        assert client.post("/setup/link", {"id": str(stage.bo.pk)}).status_code == 404
    assert Client().get("/setup")["Location"].startswith("/sign-in")


# ---- Step by step --------------------------------------------------------------------------------


def test_the_whole_way_from_nothing_to_a_page_that_arrives(root: Client, mailoutbox) -> None:
    assert root.get("/setup")["Location"] == "/setup/ladder"
    assert done(root) == []
    assert step(root, "ladder", choice="ladder-small") == "/setup/hours"
    given = {"zone": "Europe/Berlin", "opens": "09:00", "closes": "17:30", "country": "DE"}
    assert step(root, "hours", **given) == "/setup/teams"
    named = {"team_l1": "Service Desk", "team_l2": "Experts", "team_incident-management": "IM"}
    assert step(root, "teams", hours="office", **named) == "/setup/people"
    desk = Team.objects.get(is_service_desk=True)
    assert (desk.name, desk.tier.slug, desk.calendar.slug) == ("Service Desk", "l1", "office")
    experts = Team.objects.get(slug="experts")
    myself = {"name": "Ada Root", "email": "ada@example.org", "team": desk.pk, "part": "lead"}
    assert step(root, "people", **myself) == "/setup/people"
    ben = {
        "name": "Ben",
        "email": "ben@example.org",
        "team": experts.pk,
        "part": "incident_manager",
    }
    step(root, "people", **ben)
    assert step(root, "on-call", teams=[str(desk.pk), str(experts.pk)]) == "/setup/policy"
    assert step(root, "policy", choice="policy-standard") == "/setup/ticket"
    assert done(root) == ["ladder", "hours", "teams", "people", "on-call", "policy"]
    step(root, "ticket", subject="Trial")
    assert done(root)[-1] == "ticket"
    tick()
    page = Message.objects.get(kind="page")
    assert (page.recipient.username, page.topic) == ("ada", Ticket.objects.get().topic)
    deliver_batch()
    arrived = root.get("/setup/ticket").content.decode()
    assert "Ada Root was paged by e-mail" in arrived
    assert any("Trial" in mail.subject for mail in mailoutbox)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Kathmandu"])
def test_the_first_of_the_people_is_on_call_at_once_whenever_turns_are_set_up(zone: str) -> None:
    """Also on a Monday after nine, when turns change hands: the trial's page must reach them."""
    for half_hours in range(2 * 24 * 8):
        now = datetime(2026, 11, 20, tzinfo=UTC) + timedelta(minutes=30 * half_hours)
        spec = RotationSpec(
            zone=zone,
            starts_on=firstrun.first_day(now, zone),
            handover_time=firstrun.HANDOVER,
            handover_weekday=0,
            shift_days=7,
            people=(1, 2, 3),
        )
        assert on_duty(spec, now) == 1, now


def test_a_page_that_cannot_come_says_why(root: Client) -> None:
    step(root, "ladder", choice="ladder-full")
    step(root, "hours", zone="UTC", opens="09:00", closes="17:00", country="")
    step(root, "teams", hours="always", team_l1="Desk")
    step(root, "policy", choice="policy-office")
    step(root, "ticket", subject="Trial")
    tick()
    waiting = root.get("/setup/ticket").content.decode()
    assert "No page yet." in waiting
    assert "arrival-why" not in waiting, "it may still be under way"
    Ticket.objects.update(opened_at=database_now() - timedelta(minutes=1))
    assert '<ul class="arrival-why' in root.get("/setup/ticket").content.decode()


@pytest.mark.parametrize("ladder", firstrun.LADDERS)
@pytest.mark.parametrize("policy", firstrun.POLICIES)
def test_every_shipped_starter_applies_and_applies_again(root: Client, ladder, policy) -> None:
    step(root, "ladder", choice=ladder)
    step(root, "hours", zone="UTC", opens="08:00", closes="16:00", country="")
    step(root, "policy", choice=policy)
    for name in (ladder, policy):
        assert plan_text(text=firstrun.starter(name)).plan.changes == ()
    assert Target.objects.exists()
    assert Policy.objects.filter(current__isnull=False).count() >= 2
    assert Tier.objects.filter(rank=1).exists()


def test_what_is_wrong_is_said_and_changes_nothing(root: Client) -> None:
    step(root, "ladder", choice="ladder-small")
    assert root.post("/setup/hours", {"zone": "Nowhere"}).status_code == 422
    turned = {"zone": "UTC", "opens": "17:00", "closes": "17:00", "country": ""}
    assert root.post("/setup/hours", turned).status_code in (302, 422)
    assert root.post("/setup/teams", {"hours": "office", "team_l1": ""}).status_code == 422
    assert root.post("/setup/nonsense", {}).status_code == 404
    assert not Team.objects.exists()
    assert not Calendar.objects.filter(current__isnull=True).exists()


# ---- Invitations ---------------------------------------------------------------------------------


def test_an_invited_person_chooses_a_password_once(root: Client, mailoutbox) -> None:
    actor = Person.objects.get()
    person, link = invite_person(actor=actor, name="Ben", email="ben@example.org")
    deliver_batch()
    (mail,) = mailoutbox
    assert re.search(r"http\S+/m/\S+/welcome", mail.body)
    guest, address = Client(), path_of(link)
    assert "Welcome, Ben" in guest.get(address).content.decode()
    assert guest.post(address, {"password": "short"}).status_code == 422
    assert guest.post(address, {"password": SECRET}).status_code == 302
    assert guest.get("/portal").status_code == 200
    assert Client().get(address).status_code == 409
    assert Client().post(address, {"password": "another quiet word"}).status_code == 409
    person.refresh_from_db()
    assert person.check_password(SECRET)
    with pytest.raises(Conflict):
        invite_again(actor=actor, person=person)


def test_a_new_link_makes_the_old_one_worthless(root: Client) -> None:
    actor = Person.objects.get()
    person, old = invite_person(actor=actor, name="Ben", email="ben@example.org")
    new = invite_again(actor=actor, person=person)
    assert Client().get(path_of(old)).status_code == 409
    assert Client().get(path_of(new)).status_code == 200


def test_an_invitation_is_good_for_a_day_and_only_from_an_administrator(root: Client) -> None:
    actor = Person.objects.get()
    yesterday = fixed(database_now() - timedelta(hours=25))
    person, link = invite_person(actor=actor, name="Ben", email="ben@example.org", clock=yesterday)
    assert Client().get(path_of(link)).status_code == 422
    with pytest.raises(Forbidden):
        invite_person(actor=person, name="Eve", email="eve@example.org")
    with pytest.raises(Conflict):
        invite_person(actor=actor, name="Ben again", email="BEN@example.org")
