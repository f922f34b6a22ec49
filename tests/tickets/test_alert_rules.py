"""Rules, quiet times, storms, flapping, silence and heartbeats of alert sources."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from escalation.silence import run_watch
from roles.instants import database_now
from roles.models import Team
from tests.story import MONDAY, notify
from tests.tickets.alerts import clear, firing, speaker
from tickets.alertcare import end_silent, look_after, settle, wake
from tickets.assignment import take
from tickets.ingest import accept
from tickets.merging import merge
from tickets.models import (
    Alert,
    AlertRule,
    AlertSource,
    IntakeRequest,
    Maintenance,
    Pulse,
    Ticket,
    TimelineEvent,
)
from tickets.pulses import miss, ping, put_pulse, remove, switch
from tickets.receipts import KEPT, Sampler, note, prune
from tickets.restriction import restrict
from tickets.sources import create_source, source_by_key

BY_TEAM = [{"field": "labels.team", "is": "equals", "value": "DB"}]


@pytest.fixture
def source(story) -> AlertSource:
    made, _ = create_source(
        slug="prom", name="Prometheus", product="alertmanager", service=story.mail
    )
    return made


@pytest.fixture
def say(story, source):
    return speaker(story, source)


def results(outcomes) -> list[str]:
    return [outcome.result for outcome in outcomes]


# ---- Climbs ----


def test_an_alert_that_joins_wakes_a_climb_only_when_its_count_has_come_to_hold(say, story, source):
    many = {"trigger": "flapping", "count": 4, "window_s": 3600, "actions": [notify("lead")]}
    story.policy("prom", {"name": "Four alerts within an hour", **many})

    def join(key: str) -> int:
        story.forward(seconds=1)
        with CaptureQueriesContext(connection) as asked:
            (outcome,) = say(firing(key, group_key="g"))
        assert outcome.result == "joined"
        return len(asked)

    say(firing("disk 1", group_key="g"))
    ticket = Ticket.objects.get()
    second, third = join("disk 2"), join("disk 3")
    assert max(second, third) <= 18
    assert story.fired(ticket) == []
    join("disk 4")
    story.forward(seconds=1)
    assert story.fired(ticket) == ["Four alerts within an hour"]
    assert join("disk 5") <= 18
    assert [row.facts["count"] for row in ticket.events.filter(kind="alerted")] == [1] * 5


# ---- Rules ----


def test_the_first_rule_that_fits_says_how_grave_it_is_and_where_it_goes(say, story, source):
    rule = {"source": source, "conditions": BY_TEAM}
    AlertRule.objects.create(name="all", position=1, source=None, severity="info")
    AlertRule.objects.create(name="db", severity="critical", team=story.apps, **rule)
    AlertRule.objects.create(name="late", position=99, severity="p5", **rule)
    say(firing(), firing("other", details={}))
    first, second = Ticket.objects.order_by("id")
    assert (first.priority, first.team) == (1, story.apps)
    assert (second.priority, second.team) == (5, story.desk)
    assert Alert.objects.get(dedup_key="disk").severity == "warning"


@pytest.mark.parametrize("named_by", ["source", "rule"])
def test_a_team_that_was_switched_off_loses_no_alert(say, story, source, named_by):
    gone = story.team("gone", "l2", [])
    if named_by == "source":
        AlertSource.objects.update(team=gone)
    else:
        AlertRule.objects.create(source=source, name="gone", conditions=BY_TEAM, team=gone)
    assert results(say(firing("before"))) == ["opened"]
    Team.objects.filter(pk=gone.pk).update(is_active=False)
    assert results(say(firing("after"))) == ["opened"]
    teams = Ticket.objects.order_by("pk").values_list("team__slug", flat=True)
    assert list(teams) == ["gone", story.desk.slug]


def test_a_rule_may_make_a_restricted_security_case(say, story, source):
    AlertRule.objects.create(name="intrusion", source=source, kind="security", restricted=True)
    (outcome,) = say(firing())
    ticket = Ticket.objects.get()
    assert (ticket.kind, ticket.restricted, ticket.team) == ("security", True, story.soc)
    assert outcome.ticket_key == ""
    assert say(firing())[0].ticket_key == ""
    assert say(firing(summary="more"))[0].ticket_key == ""


def test_a_suppressed_alert_is_kept_without_a_ticket_and_ends_quietly(say, source):
    AlertRule.objects.create(name="noise", source=source, act="suppress", conditions=BY_TEAM)
    (outcome,) = say(firing())
    assert (outcome.result, outcome.reason) == ("suppressed", "rule: noise")
    assert results(say(firing())) == ["suppressed"]
    alert = Alert.objects.get()
    assert (alert.ticket, alert.count, alert.state) == (None, 2, "firing")
    assert results(say(clear())) == ["cleared"]
    assert not Ticket.objects.exists()


def test_an_alert_that_is_not_suppressed_any_more_opens_its_ticket_at_the_next_word(say, source):
    rule = AlertRule.objects.create(name="noise", source=source, act="suppress")
    say(firing())
    rule.delete()
    assert results(say(firing())) == ["opened"]
    assert Alert.objects.get().ticket == Ticket.objects.get()


@pytest.mark.parametrize(
    ("grouping", "field", "tickets"),
    [("sender", "", 2), ("alert", "", 3), ("field", "labels.team", 1), ("source", "", 1)],
)
def test_alerts_are_grouped_as_the_source_says(say, source, grouping, field, tickets):
    AlertSource.objects.update(grouping=grouping, group_field=field)
    say(firing("a", group_key="x"), firing("b", group_key="x"), firing("c", group_key="y"))
    assert Ticket.objects.count() == tickets


def test_rules_and_windows_come_with_the_key_in_one_statement(story):
    made, key = create_source(slug="pd", product="pagerduty", service=story.mail)
    AlertRule.objects.create(name="r", source=made, severity="critical", conditions=BY_TEAM)
    now = database_now()
    Maintenance.objects.create(name="m", starts_at=now, ends_at=now + timedelta(hours=1))
    with CaptureQueriesContext(connection) as taken:
        found = source_by_key(key, product="pagerduty")
    assert len(taken) == 1
    with CaptureQueriesContext(connection) as taken:
        (outcome,) = accept(source=found, alerts=[firing()])
    assert (outcome.result, outcome.reason) == ("suppressed", "maintenance: m")


# ---- Maintenance ----


def test_a_maintenance_window_holds_back_and_then_opens_what_still_fires(say, story, source):
    ends = MONDAY + timedelta(hours=1)
    Maintenance.objects.create(name="patching", starts_at=MONDAY, ends_at=ends, source=source)
    assert results(say(firing("a"), firing("b"))) == ["suppressed", "suppressed"]
    say(clear("b"))
    assert wake(clock=story.clock) == 0
    story.now = ends
    assert wake(clock=story.clock) == 1
    assert Ticket.objects.get().subject == "a is full"
    assert Alert.objects.get(dedup_key="a").count == 1
    assert wake(clock=story.clock) == 0


def test_the_watch_sees_to_alerts_even_when_no_beat_calls_for_it(say, story):
    ends = MONDAY + timedelta(minutes=5)
    Maintenance.objects.create(name="patching", starts_at=MONDAY, ends_at=ends)
    say(firing())
    story.now = ends
    run_watch(clock=story.clock)
    assert Ticket.objects.count() == 1


def test_a_window_concerns_what_its_conditions_say_and_only_meanwhile(say, story):
    hour = timedelta(hours=1)
    window = {"starts_at": MONDAY, "ends_at": MONDAY + hour, "conditions": BY_TEAM}
    Maintenance.objects.create(name="db", **window)
    assert results(say(firing("a", details={}), firing("b"))) == ["opened", "suppressed"]
    story.now += hour
    assert results(say(firing("c"))) == ["opened"]


# ---- Storms ----


def test_a_storm_of_alerts_is_no_storm_of_tickets(say, story):
    AlertSource.objects.update(storm_limit=5)
    told = results(say(*(firing(f"host{n}") for n in range(30))))
    assert (told.count("opened"), told.count("joined")) == (6, 24)
    assert results(say(firing("host99"))) == ["joined"]
    assert Ticket.objects.count() == 6
    storm = Ticket.objects.order_by("-id")[0]
    assert storm.subject.startswith("Storm of alerts from Prometheus")
    assert storm.alerts.count() == 26
    story.now += timedelta(minutes=6)
    assert results(say(firing("later"))) == ["opened"]


def test_a_source_without_a_storm_limit_opens_a_ticket_for_each(say):
    AlertSource.objects.update(storm_limit=0)
    assert set(results(say(*(firing(f"host{n}") for n in range(8))))) == {"opened"}


def test_a_long_timeline_hears_of_no_more_joining_alerts(say, monkeypatch):
    monkeypatch.setattr("tickets.alertnews.EVENTS_MAX", 8)
    AlertSource.objects.update(grouping="source")
    for number in range(12):
        say(firing(f"host{number}"))
    ticket = Ticket.objects.get()
    assert ticket.alerts.count() == 12
    assert ticket.last_seq < 14
    last = TimelineEvent.objects.filter(ticket=ticket, kind="alerted").order_by("-seq")[0]
    assert "not told one by one" in last.body.text


# ---- Flapping ----


def flap(say, story, times: int) -> None:
    for _ in range(times):
        say(firing())
        story.now += timedelta(minutes=2)
        say(clear())
        story.now += timedelta(minutes=2)


def test_an_alert_that_flaps_keeps_one_ticket_until_it_is_calm(say, story):
    AlertSource.objects.update(flap_limit=3)
    flap(say, story, 2)
    assert Ticket.objects.count() == 2
    say(firing())
    last = Ticket.objects.order_by("-id")[0]
    assert Ticket.objects.count() == 2
    assert last.reopen_count == 1
    story.now += timedelta(minutes=2)
    say(clear())
    assert story.fresh(last).is_open
    assert settle(clock=story.clock) == 0
    story.now += timedelta(hours=1)
    assert settle(clock=story.clock) == 1
    assert story.fresh(last).status == "resolved"
    assert settle(clock=story.clock) == 0


def test_a_ticket_that_somebody_took_is_not_resolved_when_its_alert_is_calm(say, story):
    AlertSource.objects.update(flap_limit=1)
    say(firing())
    take(ticket=Ticket.objects.get(), actor=story.agent, clock=story.clock)
    say(clear())
    story.now += timedelta(hours=2)
    assert settle(clock=story.clock) == 0
    assert Ticket.objects.get().is_open


# ---- Silence ----


def test_a_source_may_take_silence_for_the_end(say, story):
    say(firing("a"), firing("b"))
    AlertSource.objects.update(auto_resolve_s=600)
    story.now += timedelta(minutes=9)
    say(firing("b"))
    assert end_silent(clock=story.clock) == 0
    story.now += timedelta(minutes=2)
    assert end_silent(clock=story.clock) == 1
    assert {row.dedup_key: row.state for row in Alert.objects.all()} == {
        "a": "resolved",
        "b": "firing",
    }
    assert Ticket.objects.get(subject="a is full").status == "resolved"


def test_an_alert_of_a_merged_ticket_goes_on_in_the_survivor(say, story):
    say(firing("a"), firing("b"))
    gone, goes_on = Ticket.objects.order_by("id")
    lead = story.incident_manager
    merge(ticket=gone, into=goes_on, actor=lead, reason="the same", clock=story.clock)
    story.now += timedelta(hours=1)
    assert results(say(firing("a"))) == ["repeated"]
    assert Alert.objects.get(dedup_key="a").ticket == goes_on
    assert Ticket.objects.count() == 2


# ---- Heartbeats ----


def test_a_heartbeat_that_stays_out_opens_a_ticket_and_the_next_ends_it(story, source):
    put_pulse(source=source, name="backup", values={"interval": 5, "alert_priority": "P1"})
    assert miss(clock=story.clock) == 0
    ping(source=source, name="backup", clock=story.clock)
    story.now += timedelta(minutes=4)
    ping(source=source, name="backup", clock=story.clock)
    story.now += timedelta(minutes=5)
    assert miss(clock=story.clock) == 1
    assert miss(clock=story.clock) == 0
    ticket = Ticket.objects.get()
    assert (ticket.subject, ticket.priority) == ("Heartbeat backup is missing", 1)
    ping(source=source, name="backup", clock=story.clock)
    assert story.fresh(ticket).status == "resolved"
    assert Pulse.objects.get().is_expired is False


@pytest.mark.parametrize("end", [lambda **k: switch(is_enabled=False, **k), remove])
def test_a_heartbeat_switched_off_or_removed_ends_its_alert(story, source, end):
    put_pulse(source=source, name="backup", values={"interval": 1})
    ping(source=source, name="backup", clock=story.clock)
    story.now += timedelta(minutes=2)
    look_after(clock=story.clock)
    assert Alert.objects.get().state == "firing"
    end(source=source, name="backup", clock=story.clock)
    assert Alert.objects.get().state == "resolved"
    story.now += timedelta(days=1)
    assert miss(clock=story.clock) == 0
    assert ping(source=source, name="unknown", clock=story.clock) is None


# ---- What it costs, and what is noted ----


def test_a_plain_repeat_is_one_statement(say, story, source):
    say(firing())
    with CaptureQueriesContext(connection) as taken:
        (outcome,) = accept(source=source, alerts=[firing()], clock=story.clock)
    assert outcome.result == "repeated"
    assert outcome.alert_id == Alert.objects.get().pk
    assert len(taken) == 1
    with CaptureQueriesContext(connection) as taken:
        accept(source=source, alerts=[firing()])
    assert len(taken) == 1


def test_a_batch_of_repeats_is_one_statement_too(say, source):
    wanted = [firing(f"host{n}", group_key="g") for n in range(10)]
    say(*wanted)
    with CaptureQueriesContext(connection) as taken:
        told = accept(source=source, alerts=wanted)
    assert results(told) == ["repeated"] * 10
    assert [outcome.dedup_key for outcome in told] == [f"host{n}" for n in range(10)]
    assert len(taken) == 1


def test_a_flood_of_repeats_is_noted_now_and_then():
    sampler = Sampler()
    stood = [sampler.stands_for("a") for _ in range(100)]
    assert sum(1 for count in stood if count) <= 10
    assert sampler.stands_for("b") == 1


def test_old_notes_are_forgotten(story, source):
    for outcome in ("accepted", "folded"):
        for days in (0, 2, 8):
            at = story.now - timedelta(days=days)
            note(source, door="x", act="y", status=200, outcome=outcome, at=at)
    assert prune(clock=story.clock) == 3
    assert timedelta(days=2) < KEPT
    assert IntakeRequest.objects.filter(outcome="folded").count() == 1


def test_a_later_restricted_ticket_is_not_named_to_its_sender(say, story):
    (opened,) = say(firing())
    assert opened.ticket_key
    restrict(ticket=Ticket.objects.get(), actor=story.agent, reason="break-in", clock=story.clock)
    for alert in (firing(), firing(summary="other"), clear(), clear()):
        assert say(alert)[0].ticket_key == ""
