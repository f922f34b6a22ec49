"""Shifts go out as iCalendar and come back the same; what cannot be mapped is said before."""

from datetime import timedelta

import icalendar
import pytest

from roles.calendarlinks import make_link, reader_of, revoke_link, token_of
from roles.feeds import person_feed, team_feed
from roles.ical_import import apply_import, plan_import
from roles.models import Override, Team
from roles.oncall import final_shifts
from roles.people import deactivate
from roles.refusals import Conflict, Forbidden, Invalid
from roles.rosters import set_schedule
from roles.teams import add_member
from tests.roles.conftest import CLOCK, NOW
from tests.roles.roster import DAY, publish, weekly

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast(person, team):
    people = [person("ann", email="ann@example.org"), person("ben")]
    for each in people:
        add_member(team=team, person=each, clock=CLOCK)
    return people


@pytest.fixture
def schedule(team, cast):
    made = set_schedule(team=team, zone="Europe/Berlin", clock=CLOCK)
    publish(made, weekly(cast), weekly(cast[::-1], name="Nights", restrictions=[(2, 1200, 1800)]))
    return made


@pytest.fixture
def empty(team):
    other = Team.objects.create(slug="b", name="B", tier=team.tier, calendar=team.calendar)
    return set_schedule(team=other, zone="UTC", clock=CLOCK)


def file(*events: str) -> bytes:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x"]
    for number, event in enumerate(events):
        lines += ["BEGIN:VEVENT", f"UID:{number}", "DTSTAMP:20261101T000000Z", event, "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()


def test_what_goes_out_comes_back_as_the_same_final_shifts(schedule, team, empty):
    apply_import(schedule=empty, ical=team_feed(team, NOW).text, clock=CLOCK)
    until = NOW.replace(hour=0) + 90 * DAY
    assert final_shifts(empty.team, NOW, until) == final_shifts(team, NOW, until)
    made = Override.objects.count()
    again = apply_import(schedule=empty, ical=team_feed(team, NOW).text, clock=CLOCK)
    assert again.fresh == []
    assert Override.objects.count() == made


def test_the_feed_is_sound_and_names_no_more_than_it_must(schedule, team, cast):
    text = team_feed(team, NOW).text
    assert text == team_feed(team, NOW).text
    assert b"\r\n" in text
    assert all(len(line) <= 75 for line in text.split(b"\r\n"))
    book = icalendar.Calendar.from_ical(text)
    events = book.walk("VEVENT")
    assert len({str(event["UID"]) for event in events}) == len(events) > 10
    assert {str(event["SUMMARY"]) for event in events} == {
        "Ann: Network Engineering on call",
        "Ben: Network Engineering on call",
    }


def test_my_feed_holds_only_what_i_serve(schedule, cast):
    book = icalendar.Calendar.from_ical(person_feed(cast[0], NOW).text)
    assert {str(event["SUMMARY"]) for event in book.walk("VEVENT")} == {
        "Ann: Network Engineering on call"
    }


def test_people_are_known_by_mail_user_name_or_full_name(empty, cast):
    ical = file(
        "DTSTART:20261103T080000Z\r\nDTEND:20261103T090000Z\r\nATTENDEE:mailto:ANN@example.org",
        "DTSTART:20261104T080000Z\r\nDTEND:20261104T090000Z\r\nSUMMARY:ben",
        "DTSTART:20261105T080000Z\r\nDTEND:20261105T090000Z\r\nSUMMARY:Ann",
        "DTSTART:20261106T080000Z\r\nDTEND:20261106T090000Z\r\nATTENDEE:mailto:x@example.org",
        "DTSTART:20261107T080000Z\r\nDTEND:20261107T080000Z\r\nSUMMARY:ben",
    )
    plan = plan_import(schedule=empty, ical=ical, clock=CLOCK)
    assert [each.person.username for each in plan.fresh] == ["ann", "ben", "ann"]
    assert plan.unusable[0].why == "Nobody here is known as x@example.org."
    assert not Override.objects.exists()


def test_recurring_events_keep_their_local_time_over_a_clock_change(schedule, cast, empty):
    ical = file(
        "DTSTART;TZID=Europe/Berlin:20270326T090000\r\nDTEND;TZID=Europe/Berlin:20270326T170000"
        "\r\nRRULE:FREQ=DAILY;COUNT=4\r\nSUMMARY:ann"
    )
    plan = plan_import(schedule=empty, ical=ical, clock=CLOCK)
    assert [each.start.hour for each in plan.fresh] == [8, 8, 7, 7]


def test_whole_days_are_days_of_the_schedule(schedule, cast):
    ical = file("DTSTART;VALUE=DATE:20261201\r\nDTEND;VALUE=DATE:20261202\r\nSUMMARY:ann")
    [each] = plan_import(schedule=schedule, ical=ical, clock=CLOCK).fresh
    assert (each.start.hour, each.end - each.start) == (23, timedelta(days=1))


def test_events_that_overlap_are_not_both_taken(empty, cast):
    ical = file(
        "DTSTART:20261103T080000Z\r\nDTEND:20261103T100000Z\r\nSUMMARY:ann",
        "DTSTART:20261103T090000Z\r\nDTEND:20261103T110000Z\r\nSUMMARY:ben",
    )
    plan = apply_import(schedule=empty, ical=ical, clock=CLOCK)
    assert (len(plan.fresh), len(plan.unusable)) == (1, 1)
    assert "covers part" in plan.unusable[0].why
    assert Override.objects.count() == 1


def test_what_runs_now_is_taken_from_now_on(empty, cast):
    ical = file("DTSTART:20261101T080000Z\r\nDTEND:20261103T080000Z\r\nSUMMARY:ann")
    apply_import(schedule=empty, ical=ical, clock=CLOCK)
    assert Override.objects.get().during.lower == NOW


@pytest.mark.parametrize("text", [b"", b"hello", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", b"\xff"])
def test_what_is_no_calendar_file_is_refused(empty, text):
    with pytest.raises(Invalid) as refusal:
        plan_import(schedule=empty, ical=text, clock=CLOCK)
    assert set(refusal.value.fields) == {"ical"}


def test_only_heads_and_administrators_import(schedule, cast, lead):
    with pytest.raises(Forbidden):
        plan_import(schedule=schedule, ical=file(), actor=cast[0], clock=CLOCK)
    plan_import(schedule=schedule, ical=file(), actor=lead, clock=CLOCK)


# ---- Links -------------------------------------------------------------------------------------


def test_a_link_reads_for_its_person_until_it_is_revoked_or_they_leave(cast):
    ann, ben = cast
    link = make_link(person=ann, actor=ann, clock=CLOCK)
    token = token_of(link)
    assert reader_of(token) == ann
    assert reader_of(f"{token}x") is None
    assert reader_of(link.nonce) is None
    with pytest.raises(Forbidden):
        revoke_link(link=link, actor=ben, clock=CLOCK)
    revoke_link(link=link, actor=ann, clock=CLOCK)
    assert reader_of(token) is None
    with pytest.raises(Conflict):
        revoke_link(link=link, actor=ann, clock=CLOCK)
    left = token_of(make_link(person=ben, clock=CLOCK))
    deactivate(person=ben, clock=CLOCK)
    assert reader_of(left) is None


def test_people_make_links_for_themselves_and_only_people_of_the_service(cast, person):
    with pytest.raises(Forbidden):
        make_link(person=cast[0], actor=cast[1], clock=CLOCK)
    with pytest.raises(Invalid):
        make_link(person=(rita := person("rita")), actor=rita, clock=CLOCK)
