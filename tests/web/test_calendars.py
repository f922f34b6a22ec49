"""On-call calendars are read by their signed address alone, and by nobody else."""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest
import recurring_ical_events
from django.test import Client
from django.urls import reverse

from roles.calendarlinks import make_link, revoke_link, token_of
from roles.feeds import person_feed, team_feed
from roles.instants import fixed
from roles.models import CalendarLink, Team
from roles.rosters import LayerSpec, publish_schedule, set_schedule
from web.shifts import board

pytestmark = pytest.mark.django_db


@pytest.fixture
def link(story):
    return make_link(person=story.agent, clock=story.clock)


def mine(token: str) -> str:
    return reverse("web:calendar-mine", args=[token])


def of_team(token: str, slug: str = "desk") -> str:
    return reverse("web:calendar-team", args=[token, slug])


def test_a_calendar_program_reads_without_signing_in(link):
    token = token_of(link)
    for address in (mine(token), of_team(token), of_team(token, "apps")):
        answer = Client().get(address)
        assert answer.status_code == 200
        assert answer["Content-Type"] == "text/calendar; charset=utf-8"
        assert answer["Cache-Control"].startswith("private")
        assert answer.content.startswith(b"BEGIN:VCALENDAR")
    assert b"Cleo: Apps on call" in answer.content
    assert Client().post(mine(token)).status_code == 405


def test_forged_revoked_and_unknown_addresses_are_not_found(link, story):
    token = token_of(link)
    Team.objects.filter(slug="apps").update(is_active=False)
    wrong = [mine("forged"), mine(token + "x"), of_team(token, "none"), of_team(token, "apps")]
    for address in wrong:
        assert Client().get(address).status_code == 404
    revoke_link(link=link, clock=story.clock)
    assert Client().get(mine(token)).status_code == 404


def test_a_program_that_has_these_shifts_already_is_sent_nothing(link):
    address = of_team(token_of(link), "apps")
    first = Client().get(address)
    again = Client().get(address, headers={"if-none-match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again["ETag"] == first["ETag"]
    other = Client().get(address, headers={"if-none-match": 'W/"else"'})
    assert (other.status_code, other["ETag"]) == (200, first["ETag"])
    assert Client().head(address).status_code == 200


def rota(story) -> Team:
    """One more team, which has no schedule yet."""
    return Team.objects.create(
        slug="rota", name="Rota", tier=story.desk.tier, calendar=story.desk.calendar
    )


def berlin(team, *people, start: date) -> None:
    """Weeks from Mondays at nine by the clocks of Berlin, and nights that somebody else has."""
    common = {"starts_on": start, "shift_days": 7}
    layers = [
        LayerSpec(name="Week", people=people, handover_time=time(9), **common),
        LayerSpec(
            name="Nights",
            people=people[::-1],
            handover_time=time(0),
            restrictions=[(day, 22 * 60, 30 * 60) for day in range(7)],
            **common,
        ),
    ]
    opens = datetime(start.year, start.month, start.day, tzinfo=UTC)
    schedule = set_schedule(team=team, zone="Europe/Berlin")
    publish_schedule(schedule=schedule, layers=layers, valid_from=opens, clock=fixed(opens))


@pytest.mark.parametrize(
    ("start", "change", "hours"),
    [(date(2026, 3, 2), date(2026, 3, 29), 23), (date(2026, 10, 5), date(2026, 10, 25), 25)],
)
def test_a_reader_finds_the_shifts_of_the_page_over_a_clock_change(story, start, change, hours):
    team = rota(story)
    berlin(team, story.agent, story.lead, start=start)
    zone, now = ZoneInfo("Europe/Berlin"), datetime.combine(change, time(12), tzinfo=UTC)
    shown = board(
        team, first=change - timedelta(days=6), weeks=1, zone=zone, reader=story.agent, now=now
    )
    assert [day.hours for day in shown.days][-1] == hours
    book = icalendar.Calendar.from_ical(team_feed(team, now).text)
    for day in shown.days:
        opens, closes = day.pieces[0].start, day.pieces[-1].end
        read = recurring_ical_events.of(book).between(opens, closes)
        found = sorted((event.start, event.end, str(event["SUMMARY"])) for event in read)
        assert found == [
            (piece.begins, piece.ends, f"{piece.person.name}: Rota on call") for piece in day.pieces
        ]
    own = icalendar.Calendar.from_ical(person_feed(story.agent, now).text)
    mine = {str(event["UID"]) for event in own.walk("VEVENT") if "Rota" in event["SUMMARY"]}
    assert mine == {
        str(event["UID"])
        for event in book.walk("VEVENT")
        if str(event["SUMMARY"]).startswith(story.agent.name)
    }


def test_the_shift_of_a_clock_change_is_as_long_as_worked_out_by_hand(story):
    team = rota(story)
    berlin(team, story.agent, story.lead, start=date(2026, 10, 5))
    feed = team_feed(team, datetime(2026, 10, 24, 12, tzinfo=UTC))
    found = {entry.start: (entry.name, entry.end) for entry in feed.entries}
    # Saturday 22:00 (+2) to Sunday 06:00 (+1): nine hours, by whoever has the other week's days.
    starts = datetime(2026, 10, 24, 20, tzinfo=UTC)
    assert found[starts] == (story.lead.name, datetime(2026, 10, 25, 5, tzinfo=UTC))
    # Monday's hand-over stays at nine: 08:00 in UTC from now on, where it was 07:00.
    monday = datetime(2026, 10, 26, 8, tzinfo=UTC)
    assert found[monday] == (story.lead.name, datetime(2026, 10, 26, 21, tzinfo=UTC))


def test_a_shift_keeps_its_name_as_the_days_go_by(story):
    team = rota(story)
    berlin(team, story.agent, start=date(2025, 1, 6))
    keys = [
        [entry.key for entry in team_feed(team, story.now + timedelta(days=n)).entries]
        for n in (0, 1, 45)
    ]
    assert keys[0] == keys[1] == keys[2], "one shift without end, begun long before the range"


def test_addresses_are_made_and_switched_off_where_people_look_for_them(stage, sign_in):
    client = sign_in(stage.ines)
    places = [("you", reverse("web:you")), ("desk", reverse("web:on-call-team", args=["desk"]))]
    for back, page in places:
        made = client.post(reverse("web:on-call-link"), {"name": "phone", "back": back})
        assert made.url == page
        shown = client.get(page).content.decode()
        feed = re.search(r'value="http://testserver(/calendar/[^"]+)"', shown)[1]
        assert feed.endswith("/team/desk.ics" if back == "desk" else "/mine.ics")
        assert Client().get(feed).status_code == 200
        assert "/calendar/" not in client.get(page).content.decode(), "shown this once"
        pk = CalendarLink.objects.get(revoked_at=None).pk
        gone = client.post(reverse("web:on-call-link-end", args=[pk]), {"back": back})
        assert gone.url == page
        assert Client().get(feed).status_code == 404
    assert "In your own calendar" not in sign_in(stage.ada).get("/you").content.decode()
