"""On-call calendars are read by their signed address alone, and by nobody else."""

import pytest
from django.test import Client
from django.urls import reverse

from roles.calendarlinks import make_link, revoke_link, token_of
from roles.models import Team
from tests.story import Story

pytestmark = pytest.mark.django_db


@pytest.fixture
def story(db) -> Story:
    return Story()


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
