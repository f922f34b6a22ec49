"""Alerts fold into tickets: one problem, one ticket, however often and in what order it is told."""

import threading
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from roles.instants import database_now, fixed
from roles.models import AuditEntry, Person
from roles.refusals import Conflict, Forbidden, Invalid
from tests.story import MONDAY, Story
from tickets.assignment import acknowledge, take
from tickets.incoming import STRAGGLER
from tickets.ingest import IncomingAlert
from tickets.ingest import accept as ingest
from tickets.lifecycle import cancel, resolve
from tickets.models import Alert, AlertSource, Ticket, TimelineEvent
from tickets.sources import create_source, issue_key, source_by_key

START = MONDAY - timedelta(minutes=1)


@pytest.fixture
def source(story) -> AlertSource:
    source, _ = create_source(
        slug="prom",
        name="Prometheus",
        product="alertmanager",
        service=story.mail,
        clock=story.clock,
    )
    return source


@pytest.fixture
def tell(story, source):
    """Let the monitor say something at the story's time; the results, in order."""

    def go(*alerts: IncomingAlert) -> list[str]:
        found = ingest(source=source, alerts=alerts, clock=story.clock)
        return [outcome.result for outcome in found]

    return go


def firing(key: str = "disk", **more) -> IncomingAlert:
    given = {
        "dedup_key": key,
        "group_key": "disks",
        "state": "firing",
        "summary": f"{key} is full",
        "severity": "warning",
        "starts_at": START,
        "details": {"labels": {"alertname": "DiskFull"}},
    }
    return IncomingAlert(**{**given, **more})


def clear(key: str = "disk", **more) -> IncomingAlert:
    return firing(key, **{"state": "resolved", "ends_at": MONDAY, **more})


def only_ticket() -> Ticket:
    return Ticket.objects.get()


def told(ticket: Ticket) -> list[str]:
    """What the alert events say, oldest first."""
    events = TimelineEvent.objects.filter(ticket=ticket, kind="alerted").order_by("seq")
    return [event.facts["state"] for event in events]


def test_a_firing_alert_opens_a_ticket_in_the_monitors_name(tell, source, story):
    assert tell(firing(severity="critical")) == ["opened"]
    ticket = only_ticket()
    assert (ticket.subject, ticket.source, ticket.priority) == ("disk is full", "monitor", 1)
    assert (ticket.requester, ticket.service) == (source.requester, story.mail)
    assert ticket.began_at == START
    assert ticket.detected_at == MONDAY
    assert told(ticket) == ["firing"]
    assert not TimelineEvent.objects.get(ticket=ticket, kind="alerted").is_public


@pytest.mark.parametrize(
    ("severity", "priority"),
    [("critical", 1), ("error", 3), ("warning", 3), ("info", 5), ("", 5), ("WARNING", 3)],
)
def test_the_severity_sets_impact_and_urgency(tell, severity, priority):
    tell(firing(severity=severity))
    assert only_ticket().priority == priority


def test_a_repeat_is_counted_and_does_not_flood_the_timeline(tell, story):
    tell(firing())
    for _ in range(5):
        story.now += timedelta(minutes=5)
        assert tell(firing()) == ["repeated"]
    alert = Alert.objects.get()
    assert (alert.count, alert.last_seen_at) == (6, story.now)
    assert told(only_ticket()) == ["firing"]


def test_a_repeat_in_other_words_is_told(tell):
    tell(firing())
    assert tell(firing(summary="disk is fuller")) == ["changed"]
    assert Alert.objects.get().summary == "disk is fuller"
    assert told(only_ticket()) == ["firing", "changed"]


def test_a_graver_alert_raises_the_ticket_and_a_lesser_one_never_lowers_it(tell):
    tell(firing(severity="warning"))
    tell(firing(severity="critical"))
    assert only_ticket().priority == 1
    tell(firing(severity="info"))
    assert only_ticket().priority == 1


def test_alerts_of_one_group_fold_into_one_ticket(tell):
    assert tell(firing("a"), firing("b")) == ["opened", "joined"]
    assert tell(firing("c"), firing("a")) == ["joined", "repeated"]
    assert only_ticket().alerts.count() == 3
    assert told(only_ticket()) == ["firing", "firing"]


def test_other_groups_and_other_sources_have_tickets_of_their_own(tell, story):
    other, _ = create_source(slug="other", product="alertmanager")
    tell(firing("a"), firing("b", group_key="networks"), firing("c", group_key=""))
    ingest(source=other, alerts=[firing("a")], clock=story.clock)
    assert Ticket.objects.count() == 4


def test_the_last_clear_alert_resolves_a_ticket_that_nobody_took(tell):
    tell(firing("a"), firing("b"))
    assert tell(clear("a")) == ["cleared"]
    assert only_ticket().is_open
    tell(clear("b"))
    assert (only_ticket().status, only_ticket().resolution_code) == ("resolved", "monitor")
    assert told(only_ticket()) == ["firing", "resolved", "resolved"]


@pytest.mark.parametrize("act", [take, acknowledge])
def test_a_ticket_that_somebody_has_stays_open_and_the_clearing_is_a_note(tell, story, act):
    tell(firing())
    act(ticket=only_ticket(), actor=story.agent, clock=story.clock)
    tell(clear())
    ticket = only_ticket()
    assert ticket.is_open
    assert told(ticket) == ["firing", "resolved"]
    last = TimelineEvent.objects.filter(ticket=ticket).order_by("-seq").first()
    assert "All of its alerts are clear" in last.body.text
    assert not last.is_public


def test_a_clearing_of_an_unknown_alert_is_ignored_and_said_so(source, story):
    (outcome,) = ingest(source=source, alerts=[clear()], clock=story.clock)
    assert (outcome.result, outcome.reason) == ("ignored", "nobody has heard of it firing")
    assert not Ticket.objects.exists()


def test_a_second_clearing_changes_nothing(tell):
    tell(firing())
    tell(clear())
    events = TimelineEvent.objects.count()
    assert tell(clear()) == ["ignored"]
    assert TimelineEvent.objects.count() == events


def test_a_firing_that_arrives_after_its_own_end_is_ignored(tell, story):
    tell(firing())
    tell(clear())
    story.now += timedelta(seconds=20)
    assert tell(firing()) == ["ignored"]
    assert tell(firing(starts_at=START - timedelta(hours=1))) == ["ignored"]
    assert only_ticket().status == "resolved"


def test_an_end_of_an_earlier_occurrence_does_not_clear_the_present_one(tell):
    tell(firing(starts_at=MONDAY))
    assert tell(clear(starts_at=START - timedelta(hours=1), ends_at=START)) == ["ignored"]
    assert only_ticket().is_open


def test_an_alert_that_begins_anew_opens_a_new_ticket(tell, story):
    tell(firing())
    tell(clear())
    story.now += timedelta(minutes=1)
    assert tell(firing(starts_at=story.now)) == ["opened"]
    assert Ticket.objects.count() == 2


def test_a_monitor_that_insists_long_after_the_end_is_believed(tell, story):
    """After a partition a monitor sends the same occurrence again: it has never stopped."""
    tell(firing())
    tell(clear())
    story.now += STRAGGLER + timedelta(seconds=1)
    assert tell(firing()) == ["opened"]


def test_an_alert_that_goes_on_reopens_a_ticket_resolved_by_hand(tell, story):
    tell(firing())
    resolve(ticket=only_ticket(), actor=story.agent, code="fixed", text="Done.", clock=story.clock)
    assert tell(firing()) == ["repeated"]
    assert only_ticket().status == "resolved"
    story.now += STRAGGLER + timedelta(seconds=1)
    assert tell(firing()) == ["reopened"]
    assert (only_ticket().is_open, only_ticket().reopen_count) == (True, 1)


def test_an_alert_that_goes_on_after_its_ticket_was_cancelled_opens_another(tell, story):
    tell(firing())
    cancel(ticket=only_ticket(), actor=story.agent, reason="Known.", clock=story.clock)
    story.now += STRAGGLER + timedelta(seconds=1)
    assert tell(firing()) == ["opened"]
    assert sorted(Alert.objects.values_list("state", flat=True)) == ["firing", "resolved"]


def test_one_request_may_end_an_occurrence_and_begin_the_next(tell):
    tell(firing())
    assert tell(clear(), firing(starts_at=MONDAY)) == ["cleared", "joined"]
    assert only_ticket().is_open
    assert Counter(Alert.objects.values_list("state", flat=True)) == {"firing": 1, "resolved": 1}


def test_over_long_keys_stay_distinct(tell):
    tell(
        firing("k" * 2000 + "a", group_key="g" * 2000),
        firing("k" * 2000 + "b", group_key="g" * 2000),
    )
    assert Alert.objects.count() == 2
    assert Ticket.objects.count() == 1


def test_a_storm_costs_a_bounded_number_of_statements(tell):
    def cost(count: int, group: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as caught:
            tell(*(firing(f"{group}{number}", group_key=group) for number in range(count)))
        return len(caught)

    cost(1, "warm")
    assert cost(200, "many") <= cost(2, "few")
    assert cost(200, "many") <= 6  # all of them repeats now


def test_nothing_is_kept_when_no_ticket_can_be_opened(source, story):
    story.desk.is_service_desk = False
    story.desk.save()
    with pytest.raises(Invalid):
        ingest(source=source, alerts=[firing()], clock=story.clock)
    assert not Alert.objects.exists()


def test_concurrent_duplicates_make_one_ticket(live_db):
    story = Story()
    source, _ = create_source(slug="prom", product="alertmanager")
    start = threading.Barrier(4)
    trouble: list[Exception] = []
    results: list[str] = []

    def post(number: int) -> None:
        try:
            start.wait(timeout=10)
            batch = [firing("a"), firing("b", group_key="other"), firing(f"own{number}")]
            order = batch if number % 2 else batch[::-1]
            found = ingest(source=source, alerts=order, clock=database_now)
            results.extend(outcome.result for outcome in found)
        except Exception as error:  # handed to the test's own thread
            trouble.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=post, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert not trouble
    assert Counter(results)["opened"] == 2
    assert Ticket.objects.count() == 2
    assert Alert.objects.count() == 6
    assert story.desk.tickets.count() == 2


# ---- Sources and their keys ----


def test_a_source_is_known_by_its_key_alone(db):
    source, key = create_source(slug="prom", product="alertmanager")
    assert source_by_key(key, product="alertmanager") == source
    assert key not in str(AlertSource.objects.values())
    wrong = key[:-1] + ("a" if key[-1] != "a" else "b")
    for other in ("", wrong, key[:12], key.upper(), "ts_" + "é" * 50):
        assert source_by_key(other, product="alertmanager") is None
    assert source_by_key(key, product="grafana") is None


def test_a_new_key_ends_the_old_one(story):
    source, old = create_source(slug="prom", product="alertmanager")
    new = issue_key(source=source, actor=story.admin)
    assert source_by_key(old, product="alertmanager") is None
    assert source_by_key(new, product="alertmanager") == source
    assert AuditEntry.objects.filter(action="source.key_issued").count() == 1
    assert new not in str(AuditEntry.objects.values())
    with pytest.raises(Forbidden):
        issue_key(source=source, actor=story.agent)


def test_a_source_switched_off_is_not_known(db):
    source, key = create_source(slug="prom", product="alertmanager")
    AlertSource.objects.update(is_active=False)
    assert source_by_key(key, product="alertmanager") is None
    assert source.requester.kind == "service"


def test_a_source_does_not_take_over_a_persons_account(db):
    Person.objects.create(username="prom", name="Prometheus Bound")
    with pytest.raises(Conflict):
        create_source(slug="prom", product="alertmanager")
    with pytest.raises(Invalid) as caught:
        create_source(slug="Über Prom", product="nagios")
    assert set(caught.value.fields) == {"slug", "product"}


def test_a_source_is_made_once(story):
    create_source(slug="prom", product="alertmanager", clock=fixed(MONDAY))
    with pytest.raises(Conflict):
        create_source(slug="prom", product="alertmanager")


@pytest.mark.parametrize("off", [timedelta(days=9000), timedelta(days=-400)])
def test_a_monitor_whose_clock_is_wrong_loses_no_alert(story, tell, off) -> None:
    assert tell(firing(starts_at=story.now - off)) == ["opened"]
    assert Ticket.objects.get().began_at is None
