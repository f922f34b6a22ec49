"""The operations page: one glance says whether the service runs, and its buttons mend it."""

from datetime import timedelta

import pytest
from django.urls import reverse

from escalation.models import Heartbeat, Quarantine
from insights.operations.board import look_around
from insights.operations.queues import LATE_PULSE, QUEUES, Broker, note_pulse, queues_part
from insights.operations.reading import Part, Reading, State
from insights.operations.site import unapplied
from notifications.models import Attempt, Message
from notifications.spreading import CODE
from roles.instants import database_now, fixed
from roles.models import AuditEntry, Duty, DutyAssignment, Person
from roles.people import forget_roles
from tests.web.stage import fill_stage
from tickets.models import Ticket
from tickets.opening import open_ticket

PAGE = "/operations"
QUERIES_MAX = 45


@pytest.fixture
def stage(bare_stage):
    return bare_stage


def holder(stage, name: str, duty: str) -> Person:
    person = Person.objects.create_user(name, f"{name}@example.com", name=name.title())
    row, _ = Duty.objects.get_or_create(slug=duty, defaults={"name": duty})
    DutyAssignment.objects.create(duty=row, person=person)
    forget_roles(person)
    return person


@pytest.fixture
def admin(stage) -> Person:
    return holder(stage, "adam", "administrator")


def ticket_of(stage, **more) -> Ticket:
    given = {"subject": "The till is dead", "description": "Since nine", **more}
    return open_ticket(requester=stage.ada, actor=stage.ada, **given)


def readings() -> dict[str, Reading]:
    around = look_around(database_now())
    return {each.slug: each for part in around.parts for each in part.readings}


def dead_letter(person: Person, **more) -> Message:
    now = database_now()
    given = {
        "key": f"k{Message.objects.count()}", "topic": "t", "cause": f"c{Message.objects.count()}",
        "recipient": person, "kind": "page", "subject": "s", "state": "dead",
        "next_attempt_at": now, "created_at": now, "finished_at": now,
        "finished_reason": "no such mailbox",
    }  # fmt: skip
    return Message.objects.create(**(given | more))


def test_administrators_and_auditors_see_it_and_nobody_else_knows_of_it(stage, admin, sign_in):
    auditor = holder(stage, "otto", "auditor")
    assert sign_in(admin).get(PAGE).status_code == 200
    assert sign_in(auditor).get(PAGE).status_code == 200
    for person in (stage.ada, stage.mara):
        assert sign_in(person).get(PAGE).status_code == 404
    for act in ("operations-release", "operations-resend"):
        address = reverse(f"web:{act}", args=[1] if act.endswith("release") else [])
        assert sign_in(auditor).post(address).status_code == 404


def test_an_engine_at_rest_is_said_first_with_what_to_do(stage, admin, sign_in):
    page = sign_in(admin).get(PAGE).content.decode()
    assert "things need somebody now" in page
    assert "Look at the process “worker”" in page
    told = readings()
    assert told["last_sweep_s"].state is State.BAD
    Heartbeat.objects.create(name="sweep", at=database_now())
    assert readings()["last_sweep_s"].state is State.GOOD


def test_the_readings_alone_are_asked_for_again(stage, admin, sign_in):
    part = sign_in(admin).get(PAGE, headers={"HX-Request": "true", "HX-Target": "readings"})
    assert b"verdict" in part.content
    assert b"<html" not in part.content


def test_the_page_asks_few_queries_whatever_waits(
    stage, admin, sign_in, django_assert_max_num_queries
):
    for _ in range(5):
        dead_letter(stage.mara)
    client = sign_in(admin)
    client.get(PAGE)
    with django_assert_max_num_queries(QUERIES_MAX):
        client.get(PAGE)


def test_a_tick_through_each_queue_is_its_pulse(db):
    now = database_now()
    broker = Broker("8.1", dict.fromkeys(QUEUES, 0), {"escalation": 1, "messages": 2})
    for queue in QUEUES:
        note_pulse(queue, clock=fixed(now))
    note_pulse("unheard-of", clock=fixed(now))
    assert Heartbeat.objects.count() == len(QUEUES)
    assert queues_part(broker, now).state is State.GOOD
    Heartbeat.objects.filter(name="queue:long").update(at=now - 2 * LATE_PULSE)
    told = {each.slug: each for each in queues_part(broker, now).readings}
    assert told["beat_s"].state is State.GOOD
    assert told["queue_long_waiting"].state is State.BAD
    assert "thinker" in told["queue_long_waiting"].remedy


def test_a_broker_that_does_not_answer_is_said_and_not_waited_for(db):
    told = {
        each.slug: each
        for each in queues_part(Broker(trouble="ConnectionError"), database_now()).readings
    }
    assert told["broker_up"].state is State.BAD
    assert "length not known" in told["queue_escalation_waiting"].words
    assert "processes_escalation_count" not in told


def test_a_ticket_set_aside_is_released_by_an_administrator_and_the_audit_tells(
    stage, admin, sign_in
):
    ticket, now = ticket_of(stage), database_now()
    held = {"tries": 3, "last_tried_at": now, "since": now, "last_error": "ValueError: odd"}
    Quarantine.objects.create(ticket=ticket, **held)
    client = sign_in(admin)
    page = client.get(PAGE).content.decode()
    assert ticket.key in page
    assert "ValueError: odd" in page
    assert ticket.subject not in page
    answer = client.post(reverse("web:operations-release", args=[ticket.pk]), follow=True)
    assert f"{ticket.key} is released" in answer.content.decode()
    assert not Quarantine.objects.exists()
    entry = AuditEntry.objects.get(action="quarantine.released")
    assert (entry.actor_id, entry.changes) == (admin.pk, {"ticket": ticket.key})


def test_a_restricted_ticket_set_aside_is_not_known_here(stage, admin, sign_in):
    ticket, now = ticket_of(stage), database_now()
    Ticket.objects.filter(pk=ticket.pk).update(restricted=True)
    Quarantine.objects.create(ticket=ticket, tries=3, last_tried_at=now, since=now)
    client = sign_in(admin)
    assert ticket.key not in client.get(PAGE).content.decode()
    assert readings()["quarantined_count"].number == 0
    assert client.post(reverse("web:operations-release", args=[ticket.pk])).status_code == 404
    assert Quarantine.objects.exists()


def test_a_restricted_ticket_moves_no_reading(stage):
    fill_stage(stage)
    before = readings()
    secret = ticket_of(stage, kind="security", restricted=True)
    now = database_now()
    Quarantine.objects.create(ticket=secret, tries=3, last_tried_at=now, since=now)
    Message.objects.filter(topic=secret.topic).update(
        state="dead", finished_at=now, finished_reason="gone", leased_until=None
    )
    after = readings()
    assert {slug: each.state for slug, each in after.items()} == {
        slug: each.state for slug, each in before.items()
    }
    counted = [slug for slug in before if not slug.endswith("_s")]
    assert [after[slug] for slug in counted] == [before[slug] for slug in counted]


def test_dead_letters_are_sent_again_one_or_all_but_not_what_is_nobodys_to_see(
    stage, admin, sign_in
):
    one, other = dead_letter(stage.mara), dead_letter(stage.ada)
    hidden = [dead_letter(stage.mara, clearance="ticket:1"), dead_letter(stage.mara, kind=CODE)]
    client = sign_in(admin)
    assert readings()["dead_count"].number == 2
    client.post(reverse("web:operations-resend"), {"letter": one.pk})
    states = dict(Message.objects.values_list("pk", "state"))
    assert (states[one.pk], states[other.pk]) == ("queued", "dead")
    client.post(reverse("web:operations-resend"), {"letter": [each.pk for each in hidden]})
    client.post(reverse("web:operations-resend"))
    states = dict(Message.objects.values_list("pk", "state"))
    assert states[other.pk] == "queued"
    assert [states[each.pk] for each in hidden] == ["dead", "dead"]


@pytest.mark.parametrize(
    ("outcomes", "state"),
    [
        (["sent"], State.GOOD),
        (["failed", "sent"], State.WATCH),
        (["sent", "failed", "failed"], State.BAD),
    ],
)
def test_a_channel_is_as_its_last_tries_were(stage, outcomes, state):
    letter, now = dead_letter(stage.mara, channel="sms"), database_now()
    for number, outcome in enumerate(outcomes, 1):
        at = now - timedelta(minutes=10 - number)
        Attempt.objects.create(
            message=letter, number=number, started_at=at, finished_at=at, outcome=outcome
        )
    assert readings()["channel_sms_failed"].state is state


def test_the_database_has_every_change_and_a_missing_one_is_named(db):
    assert unapplied() == []


def test_the_gravest_reading_is_the_verdict():
    well, ill = Reading("a", "A", "", State.GOOD), Reading("b", "B", "", State.BAD)
    assert Part("p", "P", [well, ill]).state is State.BAD
    assert Part("p", "P", []).state is State.PLAIN
