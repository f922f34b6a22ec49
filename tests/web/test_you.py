"""What people choose for themselves, and the frame around every page."""

import pytest
from django.urls import reverse

from roles.models import AuditEntry, Person
from web.places import PLACES


def test_the_navigation_leads_to_what_is_open_to_each(stage, sign_in):
    ines = sign_in(stage.ines).get("/").content.decode()
    ada = sign_in(stage.ada).get("/", follow=True).content.decode()
    for label, page in (("Queue", ines), ("On call", ines), ("Help", ada), ("My requests", ada)):
        assert f">{label}<" in page
        assert f">{label}<" not in (ada if page is ines else ines)
    assert "/on-call" in ines
    assert "/on-call" not in ada
    assert "My requests" in ada


def test_places_have_keys_of_their_own():
    for admits in (True, False):
        shown = [p for p in PLACES if p.slug != "queue" or (p.label == "Queue") == admits]
        keys = [place.key for place in shown]
        assert len(keys) == len(set(keys))


def test_whoever_chooses_german_reads_german(stage, sign_in):
    client = sign_in(stage.ines)
    before = "http://testserver/?view=all"
    response = client.post(reverse("web:look"), {"language": "de"}, headers={"referer": before})
    assert response.url == before
    page = client.get("/?view=all")
    assert 'lang="de"' in page.content.decode()
    assert "Warteschlange" in page.content.decode()
    assert page["Content-Language"] == "de"
    assert AuditEntry.objects.get(action="person.ways").changes == {"language": ["en", "de"]}
    client.post(reverse("web:sign-out"))
    assert 'lang="de"' in client.get("/sign-in").content.decode(), "remembered on this screen"


def test_a_browser_that_prefers_german_is_heard_before_sign_in(client, db):
    page = client.get("/sign-in", headers={"accept-language": "de-AT,de;q=0.9"})
    assert 'lang="de"' in page.content.decode()
    assert 'lang="en"' in client.get("/sign-in").content.decode(), "nothing stays behind"


def test_programs_are_answered_in_one_language(stage, sign_in):
    client = sign_in(stage.ines)
    words = client.get("/api/v1/tickets/NO-1/", headers={"accept-language": "de"}).content
    assert words == client.get("/api/v1/tickets/NO-1/").content


def test_the_theme_is_kept_on_this_screen(stage, sign_in):
    client = sign_in(stage.ines)
    assert 'data-theme="system"' in client.get("/").content.decode()
    client.post(reverse("web:look"), {"theme": "dark"})
    assert 'data-theme="dark"' in client.get("/").content.decode()
    client.post(reverse("web:look"), {"theme": "neon"})
    assert 'data-theme="dark"' in client.get("/").content.decode()


@pytest.mark.parametrize("onward", ["https://elsewhere.example/", "//elsewhere.example"])
def test_the_way_back_stays_on_this_site(stage, sign_in, onward):
    client, headers = sign_in(stage.ines), {"referer": onward}
    assert client.post(reverse("web:look"), {"theme": "dark"}, headers=headers).url == "/"


def test_zone_language_and_theme_are_chosen_on_one_page(stage, sign_in):
    client = sign_in(stage.bo)
    given = {"zone": "Europe/Berlin", "language": "de", "theme": "light"}
    assert client.post(reverse("web:you"), given).status_code == 302
    bo = Person.objects.get(pk=stage.bo.pk)
    assert (bo.zone, bo.language) == ("Europe/Berlin", "de")
    wrong = client.post(reverse("web:you"), {**given, "zone": "Mars/Base"})
    assert wrong.status_code == 422
