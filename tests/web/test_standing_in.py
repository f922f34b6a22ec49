"""Standing in, swapping, own shifts and calendar addresses, from the page."""

from datetime import UTC, datetime, time, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from notifications.models import Message
from roles.calendarlinks import token_of
from roles.instants import database_now
from roles.models import CalendarLink, Membership, Override, Person, Swap, Team
from roles.oncall import final_shifts, on_call
from roles.overrides import add_override
from tests.web.rosters import daily, later, queries, text
from tests.web.stage import Stage

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def stage(bare_stage: Stage) -> Stage:
    return bare_stage


# ---- Standing in ---------------------------------------------------------------------------------


def hours(start: datetime, length: int = 6) -> dict[str, str]:
    end = start + timedelta(hours=length)
    return {"begins": start.isoformat(), "ends": end.isoformat()}


def test_a_lead_puts_somebody_in_and_those_concerned_are_told(stage, sign_in):
    team, start = stage.teams["support"], later(30)
    client = sign_in(stage.nora)
    asked = text(client, f"/on-call/team/support/stand-in?{urlencode(hours(start))}")
    assert "Told at once: whoever you choose and Teo Marin." in asked
    answer = client.post(
        "/on-call/team/support/stand-in",
        {**hours(start), "person": stage.nora.pk, "reason": "Teo is at the dentist"},
    )
    assert (answer.status_code, answer.url) == (302, "/on-call/team/support")
    assert on_call([team.pk], start + timedelta(hours=1)) == {team.pk: [stage.nora.pk]}
    letter = Message.objects.get(kind="roster")
    assert letter.recipient == stage.teo
    assert "Nora Weiss is on call for Application Support" in letter.subject
    assert "dentist" in letter.body


def test_one_day_of_a_longer_shift_can_be_chosen_and_the_whole_of_it_again(stage, sign_in):
    client, start = sign_in(stage.nora), later(30)
    day = hours(start)
    pressed = {**hours(start, 48), "day_begins": day["begins"], "day_ends": day["ends"]}
    asked = client.get("/on-call/team/support/stand-in", pressed)
    assert ">only this day</a>" in asked.content.decode()
    narrower = client.get(f"/on-call/team/support/stand-in?{asked.context['other']['query']}")
    assert narrower.context["form"].initial == day
    assert ">the whole shift</a>" in narrower.content.decode()
    wider = client.get(f"/on-call/team/support/stand-in?{narrower.context['other']['query']}")
    assert wider.context["form"].initial == hours(start, 48)
    assert client.get("/on-call/team/support/stand-in", day).context["other"] is None
    assert (
        client.get("/on-call/team/support/stand-in", {**day, "day_begins": "x"}).context["other"]
        is None
    )


def test_what_is_soon_is_told_at_once(stage, sign_in):
    start = later(2)
    form = {**hours(start), "person": stage.nora.pk}
    sign_in(stage.nora).post("/on-call/team/support/stand-in", form)
    assert Message.objects.get(kind="roster").urgency == "high"


def test_a_member_stands_in_alone_and_a_stranger_not_at_all(stage, sign_in):
    form = {**hours(later(30)), "person": stage.ines.pk}
    member = sign_in(stage.omar)
    page = member.get("/on-call/team/desk/stand-in")
    assert list(page.context["form"].fields["person"].queryset) == [stage.omar]
    assert member.post("/on-call/team/desk/stand-in", form).status_code == 422
    assert sign_in(stage.petra).get("/on-call/team/desk/stand-in").status_code == 404
    assert sign_in(stage.petra).post("/on-call/team/desk/stand-in", form).status_code == 404
    assert not Override.objects.exists()


def test_hours_that_another_has_already_are_refused_with_what_was_typed_kept(stage, sign_in):
    start = later(30)
    add_override(
        schedule=stage.teams["support"].schedule,
        person=stage.teo,
        start=start,
        end=start + timedelta(hours=1),
    )
    form = {**hours(start), "person": stage.nora.pk, "reason": "Holiday"}
    answer = sign_in(stage.nora).post("/on-call/team/support/stand-in", form)
    assert answer.status_code == 409
    assert "Another override" in answer.content.decode()
    assert 'value="Holiday"' in answer.content.decode()


def test_other_hours_count_in_the_zone_of_the_page(stage, sign_in):
    day = (later(48)).date()
    form = {"other_start": f"{day}T10:00", "other_end": f"{day}T12:00", "person": stage.ines.pk}
    sign_in(stage.ines).post("/on-call/team/desk/stand-in", form)  # Ines lives in Berlin
    kept = Override.objects.get().during
    assert kept.lower.astimezone(BERLIN).replace(tzinfo=None) == datetime.combine(day, time(10))
    Override.objects.all().delete()
    sign_in(stage.ines).post("/on-call/team/desk/stand-in", {**form, "zone": "utc"})
    assert Override.objects.get().during.lower == datetime.combine(day, time(10), UTC)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"begins": "soon", "ends": "later"},
        {"begins": "2026-01-01T10:00", "ends": "2026-01-01T12:00"},
        {"begins": "2020-01-01T10:00+00:00", "ends": "2020-01-01T12:00+00:00"},
        {"other_start": "2027-03-28T02:30", "other_end": "2027-03-28T05:00"},
    ],
)
def test_hours_that_cannot_be_are_said_to_be_wrong(stage, sign_in, wrong):
    form = {"person": stage.ines.pk, **wrong}
    answer = sign_in(stage.ines).post("/on-call/team/desk/stand-in", form)
    assert answer.status_code == 422
    assert not Override.objects.exists()


def test_an_override_is_given_back(stage, sign_in):
    start = later(30)
    row = add_override(
        schedule=stage.teams["support"].schedule,
        person=stage.nora,
        start=start,
        end=start + timedelta(hours=2),
    )
    client = sign_in(stage.nora)
    address = f"/on-call/team/support/stand-in/{row.pk}/end"
    assert "Nora Weiss stands in" in text(client, address)
    assert client.post(address).status_code == 302
    assert not Override.objects.exists()
    assert Message.objects.get(kind="roster").recipient == stage.teo
    assert client.get(address).status_code == 404


# ---- Swaps and own shifts ------------------------------------------------------------------------


@pytest.fixture
def pair(stage) -> Team:
    team = stage.teams["support"]
    daily(team, stage.nora, stage.teo)
    return team


def coming(team: Team, person: Person):
    now = database_now()
    found = final_shifts(team, now, now + timedelta(days=9))
    return next(s for s in found if s.person_id == person.pk and s.start > now)


def offer_of(team: Team, giver: Person, taker: Person) -> dict[str, str]:
    mine, theirs = coming(team, giver), coming(team, taker)
    return {
        "begins": mine.start.isoformat(),
        "ends": mine.end.isoformat(),
        "exchange": f"{taker.pk}@{theirs.start.isoformat()}",
    }


def test_a_swap_is_offered_waits_for_the_other_and_changes_the_calendar(stage, pair, sign_in):
    given, back = coming(pair, stage.teo), coming(pair, stage.nora)
    form = offer_of(pair, stage.teo, stage.nora)
    assert sign_in(stage.teo).post("/on-call/team/support/swap", form).status_code == 302
    assert Message.objects.get(kind="roster").recipient == stage.nora
    other = sign_in(stage.nora)
    assert "waiting for your answer" in text(other, "/on-call")
    assert "Waiting for you Teo Marin asks you to serve" in text(other, "/on-call/mine")
    swap = Swap.objects.get()
    assert other.post(f"/on-call/swaps/{swap.pk}/accept").status_code == 302
    assert on_call([pair.pk], given.start) == {pair.pk: [stage.nora.pk]}
    assert on_call([pair.pk], back.start) == {pair.pk: [stage.teo.pk]}
    assert Message.objects.filter(kind="roster", recipient=stage.teo).count() == 1
    assert "swapped" in text(other, f"/on-call/team/support?from={given.start.date()}")


def test_only_the_one_asked_accepts_and_only_the_giver_takes_back(stage, pair, sign_in):
    sign_in(stage.teo).post("/on-call/team/support/swap", offer_of(pair, stage.teo, stage.nora))
    swap = Swap.objects.get()
    for person, verb in ((stage.teo, "accept"), (stage.omar, "accept"), (stage.omar, "withdraw")):
        sign_in(person).post(f"/on-call/swaps/{swap.pk}/{verb}")
        swap.refresh_from_db()
        assert swap.state == Swap.State.REQUESTED
    assert sign_in(stage.omar).post(f"/on-call/swaps/{swap.pk}/decline").status_code == 404
    assert sign_in(stage.teo).post(f"/on-call/swaps/{swap.pk}/dance").status_code == 404
    sign_in(stage.teo).post(f"/on-call/swaps/{swap.pk}/withdraw")
    swap.refresh_from_db()
    assert swap.state == Swap.State.WITHDRAWN


def test_a_swap_answered_already_is_said_to_be(stage, pair, sign_in):
    sign_in(stage.teo).post("/on-call/team/support/swap", offer_of(pair, stage.teo, stage.nora))
    address = f"/on-call/swaps/{Swap.objects.get().pk}/decline"
    client = sign_in(stage.nora)
    client.post(address)
    answer = client.post(address, follow=True)
    assert "This swap is declined." in answer.content.decode()


def test_own_shifts_stand_there_soonest_first_for_one_price(stage, pair, sign_in):
    client = sign_in(stage.teo)
    turns = client.get("/on-call/mine").context["turns"]
    assert turns
    assert [turn.start for turn in turns] == sorted(turn.start for turn in turns)
    few = queries(client, "/on-call/mine")
    Membership.objects.create(team=stage.teams["desk"], person=stage.teo)
    daily(stage.teams["desk"], stage.teo, stage.ines)
    assert queries(client, "/on-call/mine") == few <= 20


def test_a_calendar_address_is_shown_once_and_can_be_switched_off(stage, sign_in):
    client = sign_in(stage.teo)
    client.post("/on-call/mine/link", {"name": "Phone"})
    link = CalendarLink.objects.get()
    address = f"/calendar/{token_of(link)}/mine.ics"
    assert address in client.get("/on-call/mine").content.decode()
    assert token_of(link) not in client.get("/on-call/mine").content.decode()
    assert Client().get(address).status_code == 200
    assert sign_in(stage.nora).post(f"/on-call/mine/link/{link.pk}/end").status_code == 404
    client.post(f"/on-call/mine/link/{link.pk}/end")
    assert Client().get(address).status_code == 404
