"""The example site: made once, alive at once, and a climb to watch within two minutes."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db.models import Min
from django.test import Client
from django.urls import reverse

from config.climb import REST, STARTED, TAG, start_climb, start_first_climb
from config.example.past import live_through
from config.example.sign_ins import keep_password, password_path
from config.example.site import build_site
from escalation.checking import STEP_FIELDS, check_policy
from escalation.engine import tick
from escalation.models import Clock, Escalation, Firing, Policy, Quarantine, Run, Target
from insights.models import Review
from notifications.models import Message
from roles.calendars import running_out
from roles.instants import database_now, fixed
from roles.models import AuditEntry, Calendar, Duty, Person, Swap, Team, Tier
from roles.oncall import coming_gaps, on_call
from roles.people import roles_of
from roles.refusals import Conflict, Forbidden, Invalid
from tickets import states
from tickets.models import Ticket, TimelineEvent

PASSWORD = "not-a-secret-here"


@pytest.fixture
def site(db, settings, tmp_path):
    """The example's people, teams and rules, without its past."""
    settings.EXAMPLE_SITE = True
    settings.HOME = tmp_path
    build_site(PASSWORD)


@pytest.fixture
def signed_in(site):
    def make(username: str) -> Client:
        client = Client()
        client.force_login(Person.objects.get(username=username))
        return client

    # The first sign-in starts a live example; here it must not be that of the test itself.
    start_first_climb(clock=fixed(database_now() - timedelta(hours=1)))
    return make


def counts() -> dict[str, int]:
    models = (Person, Team, Tier, Duty, Policy, Target, Ticket, TimelineEvent, Firing, AuditEntry)
    return {model.__name__: model.objects.count() for model in models}


def test_the_command_makes_the_site_once_and_prints_who_may_sign_in(db, settings, tmp_path, capsys):
    settings.HOME = tmp_path
    call_command("example_site")
    told = capsys.readouterr().out
    password = re.search(r"password (\S+)", told)[1]
    assert password_path().read_text().strip() == password
    assert password_path().stat().st_mode & 0o777 == 0o600
    assert Person.objects.get(username="marta").check_password(password)
    made = counts()
    call_command("example_site")
    assert counts() == made
    assert capsys.readouterr().out == told


def test_each_site_has_a_password_of_its_own(settings, tmp_path):
    found = set()
    for name in ("one", "two"):
        settings.HOME = tmp_path / name
        found.add(keep_password()[0])
    assert len(found) == 2


def test_a_lost_password_is_made_anew_for_everybody(site):
    build_site("another-word-12", renew_password=True)
    assert Person.objects.get(username="rita").check_password("another-word-12")
    assert not Person.objects.get(username="monitor").has_usable_password()


def test_there_are_thirty_people_eleven_teams_and_somebody_on_call_in_each(site):
    assert Person.objects.filter(kind="person").count() == 30
    assert set(Person.objects.values_list("email", flat=True)) <= {""} | {
        f"{name}@example.org" for name in Person.objects.values_list("username", flat=True)
    }
    teams = list(Team.objects.all())
    assert len(teams) == 11
    now = database_now()
    for moment in (now, now + timedelta(days=6), now + timedelta(days=30)):
        assert all(on_call([team.pk for team in teams], moment).values())
    assert all(team.lead and team.manager for team in teams)
    assert coming_gaps(timedelta(days=60), now) == []


def test_nights_weekends_and_holidays_are_somebody_elses_and_one_shift_is_swapped(site):
    people = {row.username: row.pk for row in Person.objects.all()}
    desk = Team.objects.get(slug="service-desk")
    night = datetime(2026, 7, 1, 1, 0, tzinfo=UTC)  # three in the morning of a Wednesday
    assert on_call([desk.pk], night)[desk.pk][0] in {people["chloe"], people["david"]}
    saturday = datetime(2026, 7, 4, 12, 0, tzinfo=UTC)
    assert on_call([desk.pk], saturday)[desk.pk][0] in {people["anna"], people["ben"]}
    assert Swap.objects.get().state == "accepted"
    berlin = Calendar.objects.get(slug="office-berlin").current
    closed = {name for _, name in berlin.holidays}
    assert {"Christmas Day", "Women's Day"} <= closed
    assert running_out(database_now()) == []


def test_every_tier_team_and_duty_says_what_it_does_and_where_it_escalates(site):
    for model in (Tier, Team, Duty):
        for row in model.objects.all():
            assert row.responsibilities, row
            assert row.hands_over, row
            assert row.escalates_to, row


def test_every_duty_is_held_and_only_some_open_the_admin(site):
    assert not Duty.objects.filter(assignments=None).exists()
    staff = Person.objects.filter(is_staff=True)
    assert {role for person in staff for role in roles_of(person)} >= {"administrator", "auditor"}
    assert not Person.objects.filter(is_superuser=True).exists()


def test_the_policies_are_sound_and_published(site):
    slugs = set(Policy.objects.values_list("slug", flat=True))
    assert {"outage", "security", "standard", "vendor"} <= slugs
    for policy in Policy.objects.select_related("current"):
        assert policy.current.published_at
        steps = list(policy.current.steps.values(*STEP_FIELDS))
        assert check_policy(policy.current.conditions, steps) == {}


def test_the_past_shows_every_kind_of_ticket_and_sends_no_mail(site):
    live_through()
    assert {"new", "cancelled"} == states.ALL - set(Ticket.objects.values_list("status", flat=True))
    assert Ticket.objects.filter(restricted=True).count() == 1
    assert Escalation.objects.filter(state="handed_back").count() == 1
    assert Firing.objects.filter(outcome="fired").count() > 5
    assert set(Message.objects.values_list("state", flat=True)) == {"withdrawn"}
    late, signed = Review.objects.order_by("drafted_at")
    assert late.signed_at is None
    assert late.due_at < database_now()
    assert (signed.signed_by.username, signed.ticket.is_major) == ("samuel", True)
    assert sorted(bool(each.done_at) for each in signed.actions.all()) == [False, True]
    assert not Quarantine.objects.exists()
    assert not Run.objects.filter(state="active", next_at__lt=database_now()).exists()


# ---- The live example ----


def watch(seconds: int) -> None:
    """Let the engine act at each due moment of the coming seconds."""
    now = database_now()
    goal = now + timedelta(seconds=seconds)
    while True:
        step = Run.objects.filter(state="active").aggregate(at=Min("next_at"))["at"]
        clocks = Clock.objects.filter(state="running", noted_breach=False)
        moment = min(filter(None, (step, clocks.aggregate(at=Min("due_at"))["at"])), default=None)
        if moment is None or moment > goal:
            return
        now = max(now, moment)
        tick(clock=fixed(now))


def test_a_newcomer_watches_a_climb_to_the_incident_manager_in_two_minutes(site):
    began = database_now()
    climbing, *_ = start_climb(actor=None, clock=fixed(began))
    watch(120)
    firings = list(Firing.objects.filter(ticket=climbing).order_by("id").select_related("step"))
    last = firings[-1] if firings[-1].step.trigger == "unacknowledged" else firings[-2]
    assert "incident manager" in last.step.name
    assert (last.fired_at - began).total_seconds() <= 90
    climbed = Escalation.objects.filter(ticket=climbing, type="functional").order_by("id")
    assert [row.to_team.tier.slug for row in climbed] == ["l2", "l3"]
    paged = Message.objects.filter(topic=climbing.topic, kind="page")
    assert roles_of(paged.order_by("-id").first().recipient) & {"incident_manager"}
    told = Message.objects.filter(topic=climbing.topic, kind="notify")
    assert told.filter(recipient__username="walter").exists()
    assert Message.objects.filter(kind="escalated", recipient=climbing.requester).count() == 2


def test_the_other_tickets_are_warned_of_and_passed_on_at_their_deadline(site):
    _, *others = start_climb(actor=None)
    watch(120)
    for ticket in Ticket.objects.filter(pk__in=[other.pk for other in others]):
        assert ticket.team.tier.slug == "l2"
        assert ticket.breached_at is not None
    assert len(others) == 2


def test_the_first_sign_in_of_all_starts_it_exactly_once(site):
    for _ in range(2):
        Client().login(username="anna", password=PASSWORD)
    assert Ticket.objects.filter(tags__contains=[TAG]).count() == 3
    assert AuditEntry.objects.filter(action=STARTED).count() == 1


def test_a_real_site_never_starts_one(site, settings):
    settings.EXAMPLE_SITE = False
    assert Client().login(username="anna", password=PASSWORD)
    assert not Ticket.objects.exists()
    with pytest.raises(Invalid):
        start_climb(actor=None)


def test_a_new_climb_ends_what_the_last_one_left_open(site):
    first = start_climb(actor=None)
    start_climb(actor=None, clock=fixed(database_now() + REST + timedelta(seconds=1)))
    assert {Ticket.objects.get(pk=ticket.pk).status for ticket in first} == {"cancelled"}
    assert Ticket.objects.open().filter(tags__contains=[TAG]).count() == 3


def test_only_agents_start_one_and_not_twice_in_half_a_minute(site):
    people = {row.username: row for row in Person.objects.all()}
    with pytest.raises(Forbidden):
        start_climb(actor=people["rita"])
    start_climb(actor=people["anna"])
    with pytest.raises(Conflict):
        start_climb(actor=people["grace"])


def test_the_button_leads_to_the_tickets_in_the_queue(signed_in):
    before = set(Ticket.objects.values_list("pk", flat=True))
    answer = signed_in("anna").post(reverse("example-climb"), follow=True)
    fresh = Ticket.objects.exclude(pk__in=before)
    assert fresh.count() == 3
    for ticket in fresh:
        assert ticket.key in answer.content.decode()


def test_the_button_is_for_agents_of_an_example_site_only(signed_in, settings):
    address = reverse("example-climb")
    assert Client().post(address).url.startswith(reverse("web:sign-in"))
    assert signed_in("anna").get(address).url == reverse("web:queue")
    before = Ticket.objects.count()
    signed_in("rita").post(address)
    settings.EXAMPLE_SITE = False
    assert signed_in("anna").post(address).status_code == 404
    assert Ticket.objects.count() == before
