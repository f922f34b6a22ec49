"""People's own rules: which messages a letter becomes, when, and to whom."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction

from notifications import outbox, ways
from notifications.models import ContactMethod, Message, Ways
from notifications.outbox import withdraw
from notifications.throttle import quiet_ends_at
from roles.instants import fixed
from roles.models import AuditEntry, Person
from roles.refusals import Conflict, Invalid
from tests.notifications.conftest import NOON, deliver, letter, person, post
from tests.notifications.receiver import Receiver, receiving

CLOCK = fixed(NOON)


@pytest.fixture
def provider(settings):
    """A provider of text messages and calls that takes everything."""
    with receiving() as receiver:
        settings.WEBHOOK_HOSTS = [receiver.host]
        settings.TELEPHONY_URL = f"http://{receiver.host}"
        settings.TELEPHONY_ACCOUNT, settings.TELEPHONY_TOKEN = "AC1", "secret"
        settings.TELEPHONY_FROM = "+15005550006"
        yield receiver


def proved(who: Person, channel: str, address: str) -> ContactMethod:
    return ContactMethod.objects.create(
        person=who, channel=channel, address=address, verified_at=NOON
    )


def rows() -> list[tuple[str, str, float]]:
    """(person, channel, seconds from noon) of every message."""
    found = Message.objects.select_related("recipient").order_by("next_attempt_at", "pk")
    return [
        (each.recipient.username, each.channel, (each.next_attempt_at - NOON).total_seconds())
        for each in found
    ]


def test_whoever_wrote_nothing_down_is_told_by_mail_at_once(ann):
    post(letter(ann, urgency="high"))
    assert rows() == [("ann", "email", 0)]


def test_a_page_climbs_the_persons_own_ladder(ann, provider):
    proved(ann, "sms", "+491701234567")
    proved(ann, "voice", "+491701234567")
    ladder = [("email", 0), ("sms", 300), ("voice", 600)]
    ways.set_rules(actor=ann, urgency="high", rules=ladder, clock=CLOCK)
    [first] = post(letter(ann, urgency="high"))
    assert rows() == [("ann", "email", 0), ("ann", "sms", 300), ("ann", "voice", 600)]
    assert first.channel == "email"
    assert len(set(Message.objects.values_list("key", flat=True))) == 3
    assert withdraw(topics=["ticket:12"], reason="acknowledged", now=NOON) == 3
    post(letter(ann, cause="event:2"))
    assert rows()[1] == ("ann", "email", 0), "low news has rules of its own"
    assert Message.objects.count() == 4


def test_the_first_word_of_a_page_goes_out_at_once_whatever_the_rules_say(ann, provider):
    proved(ann, "sms", "+491701234567")
    late = [("email", 600), ("sms", 900)]
    ways.set_rules(actor=ann, urgency="high", rules=late, clock=CLOCK)
    post(letter(ann, urgency="high"))
    assert rows() == [("ann", "email", 0), ("ann", "sms", 300)]


def test_rules_cost_one_query_for_all_letters(ann, django_assert_num_queries):
    letters = [letter(ann, cause=f"event:{number}") for number in range(50)]
    with transaction.atomic(), django_assert_num_queries(2):  # the rules, and the insert
        outbox.post(letters, now=NOON)
    named = [replace(each, channel="email", rung=1) for each in letters]
    with transaction.atomic(), django_assert_num_queries(1):
        outbox.post(named, now=NOON)


@pytest.mark.parametrize(
    ("rules", "word"),
    [
        ([("sms", 0)], "Prove"),
        ([("email", 0), ("email", 60)], "once"),
        ([("email", 3601)], "hour"),
        ([("email", -1)], "hour"),
    ],
)
def test_rules_that_would_not_work_are_refused(ann, rules, word):
    with pytest.raises(Invalid) as refused:
        ways.set_rules(actor=ann, urgency="high", rules=rules, clock=CLOCK)
    assert word in refused.value.fields["rules"]


# ---- Quiet hours -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "ends"),
    [
        ("2026-03-02T21:59+01:00", None),
        ("2026-03-02T22:00+01:00", "2026-03-03T07:00+01:00"),
        ("2026-03-03T06:59+01:00", "2026-03-03T07:00+01:00"),
        ("2026-03-03T07:00+01:00", None),
        # The night in which clocks go forward: 07:00 comes an hour sooner.
        ("2026-03-28T23:00+01:00", "2026-03-29T07:00+02:00"),
        ("2026-10-25T03:30+01:00", "2026-10-25T07:00+01:00"),
    ],
)
def test_quiet_hours_cross_midnight_and_clock_changes(at, ends):
    berlin = ZoneInfo("Europe/Berlin")
    found = quiet_ends_at(datetime.fromisoformat(at).astimezone(UTC), berlin, time(22), time(7))
    assert found == (datetime.fromisoformat(ends) if ends else None)


def test_hours_within_one_day_and_none_at_all():
    assert quiet_ends_at(NOON, ZoneInfo("UTC"), time(11), time(13)) == NOON + timedelta(hours=1)
    assert quiet_ends_at(NOON, ZoneInfo("UTC"), time(12), time(12)) is None


def test_low_news_waits_out_the_quiet_hours_and_a_page_does_not(ann):
    ann.zone = "Asia/Kolkata"  # noon is 17:30 there
    ann.save()
    ways.set_quiet_hours(actor=ann, begins=time(17), ends=time(18), clock=CLOCK)
    post(letter(ann), letter(ann, cause="event:2", urgency="high"))
    assert rows() == [("ann", "email", 0), ("ann", "email", 1800)]


def test_quiet_hours_have_both_ends(ann):
    with pytest.raises(Invalid):
        ways.set_quiet_hours(actor=ann, begins=time(17), ends=None, clock=CLOCK)


# ---- Do not disturb ----------------------------------------------------------------------------


def hand_on(ann: Person, bob: Person) -> None:
    until = NOON + timedelta(hours=8)
    ways.go_away(actor=ann, until=until, taker=bob, clock=CLOCK)
    Message.objects.all().delete()


def test_whoever_is_not_to_be_disturbed_names_who_takes_the_pages(ann):
    bob = person("bob")
    until = NOON + timedelta(hours=8)
    ways.go_away(actor=ann, until=until, taker=bob, clock=CLOCK)
    told = Message.objects.get()
    assert (told.recipient, told.kind) == (bob, "takes_pages")
    assert AuditEntry.objects.filter(action="ways.away").exists()
    post(letter(ann, urgency="high"), letter(ann, cause="event:2", kind="replied"))
    page = Message.objects.get(kind="page")
    assert page.recipient == bob
    assert page.body.startswith("You take this page for ann, who is away.")
    assert page.data["instead_of"] == ann.pk
    assert Message.objects.get(kind="replied").recipient == ann


def test_nobody_goes_away_without_somebody_who_can_be_reached(ann):
    bob, gone = person("bob"), person("gone")
    gone.is_active = False
    gone.save()
    silent = Person.objects.create_user("silent")
    until = NOON + timedelta(hours=1)
    for taker in (None, ann, gone, silent):
        with pytest.raises(Invalid) as refused:
            ways.go_away(actor=ann, until=until, taker=taker, clock=CLOCK)
        assert "taker" in refused.value.fields
    hand_on(ann, bob)
    with pytest.raises(Invalid):
        ways.go_away(actor=bob, until=until, taker=ann, clock=CLOCK)
    with pytest.raises(Invalid):
        ways.go_away(actor=ann, until=NOON, taker=bob, clock=CLOCK)


def test_a_page_about_a_restricted_case_is_not_handed_on(ann):
    hand_on(ann, person("bob"))
    post(letter(ann, urgency="high", clearance="ticket:12"))
    assert rows() == [("ann", "email", 0)]


def test_a_taker_who_left_takes_nothing_and_the_page_comes_home(ann):
    bob = person("bob")
    hand_on(ann, bob)
    Person.objects.filter(pk=bob.pk).update(is_active=False)
    post(letter(ann, urgency="high"))
    assert rows() == [("ann", "email", 0)]


def test_after_the_time_or_coming_back_pages_come_home(ann):
    hand_on(ann, person("bob"))
    post(letter(ann, urgency="high"), now=NOON + timedelta(hours=8))
    ways.come_back(actor=ann, clock=CLOCK)
    post(letter(ann, urgency="high", cause="event:2"))
    assert {name for name, _, _ in rows()} == {"ann"}


# ---- Addresses proved by a code ----------------------------------------------------------------


def code_in(provider: Receiver) -> str:
    body = provider.calls[-1].body.decode()
    return body.partition("code+is+")[2][:6]


def test_an_address_is_used_only_when_its_code_came_back(ann, provider):
    method = ways.add_method(actor=ann, channel="sms", address="0049 170 / 1234567", clock=CLOCK)
    assert method.address == "+491701234567"
    assert deliver() == 1
    assert "To=%2B491701234567" in provider.calls[-1].body.decode()
    assert provider.calls[-1].headers["authorization"].startswith("Basic ")
    assert "sms" not in ways.ready_channels(ann)
    with pytest.raises(Invalid):
        ways.prove_method(actor=ann, method=method, code="nonsense", clock=CLOCK)
    ways.prove_method(actor=ann, method=method, code=code_in(provider), clock=CLOCK)
    assert "sms" in ways.ready_channels(ann)
    assert AuditEntry.objects.filter(action="contact_method.proved").exists()


def test_a_page_goes_to_no_unproved_address(ann, provider):
    ways.add_method(actor=ann, channel="sms", address="+491701234567", clock=CLOCK)
    deliver()
    post(letter(ann, channel="sms", urgency="high"))
    deliver()
    assert len(provider.calls) == 1, "only the code"
    assert Message.objects.get(kind="page", channel="sms").state == "dead"


def test_five_wrong_guesses_end_a_code_and_so_does_a_quarter_of_an_hour(ann, provider):
    method = ways.add_method(actor=ann, channel="sms", address="+491701234567", clock=CLOCK)
    deliver()
    right = code_in(provider)
    for _ in range(5):
        with pytest.raises(Invalid):
            ways.prove_method(actor=ann, method=method, code="000000x", clock=CLOCK)
    with pytest.raises(Invalid) as refused:
        ways.prove_method(actor=ann, method=method, code=right, clock=CLOCK)
    assert "another" in refused.value.fields["code"]
    ways.send_code_again(actor=ann, method=method, clock=CLOCK)
    deliver()
    late = fixed(NOON + timedelta(minutes=15, seconds=1))
    with pytest.raises(Invalid):
        ways.prove_method(actor=ann, method=method, code=code_in(provider), clock=late)


def test_codes_are_not_sent_without_end(ann, provider):
    method = ways.add_method(actor=ann, channel="sms", address="+491701234567", clock=CLOCK)
    for _ in range(ways.CODES_AN_HOUR - 1):
        ways.send_code_again(actor=ann, method=method, clock=CLOCK)
    with pytest.raises(Conflict):
        ways.send_code_again(actor=ann, method=method, clock=CLOCK)


@pytest.mark.parametrize(
    ("channel", "address"),
    [("sms", "0170 1234567"), ("sms", "nonsense"), ("email", "ann"), ("webhook", "https://a.b")],
)
def test_what_is_no_address_is_refused_with_words(ann, provider, channel, address):
    with pytest.raises(Invalid) as refused:
        ways.add_method(actor=ann, channel=channel, address=address, clock=CLOCK)
    assert refused.value.fields


def test_a_channel_that_the_site_has_not_set_up_is_not_offered(ann):
    with pytest.raises(Invalid):
        ways.add_method(actor=ann, channel="sms", address="+491701234567", clock=CLOCK)


def test_removing_the_last_address_removes_its_rules(ann, provider):
    method = proved(ann, "sms", "+491701234567")
    ladder = [("email", 0), ("sms", 300)]
    ways.set_rules(actor=ann, urgency="high", rules=ladder, clock=CLOCK)
    ways.remove_method(actor=ann, method=method, clock=CLOCK)
    post(letter(ann, urgency="high"))
    assert rows() == [("ann", "email", 0)]


def test_anothers_address_cannot_be_touched(ann, provider):
    method = proved(person("bob"), "sms", "+491701234567")
    for act in (ways.remove_method, ways.send_code_again, ways.send_test):
        with pytest.raises(Invalid):
            act(actor=ann, method=method, clock=CLOCK)


def test_a_test_goes_to_exactly_the_address_that_is_tested(ann, provider):
    proved(ann, "sms", "+491701234567")
    second = proved(ann, "sms", "+491707654321")
    ways.send_test(actor=ann, method=second, clock=CLOCK)
    deliver()
    assert "To=%2B491707654321" in provider.calls[-1].body.decode()


def test_the_database_refuses_silence_without_a_taker(ann):
    with pytest.raises(IntegrityError), transaction.atomic():
        Ways.objects.create(person=ann, away_until=NOON)
