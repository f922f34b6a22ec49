"""People make the tokens of their own programs: shown once, limited, and theirs alone."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from roles.instants import database_now
from roles.models import ApiToken
from roles.tokens import PLAIN, authenticate, issue

PAGE = "/you/tokens"
READS = {"name": "backup on db-1", "scopes": ["tickets:read"], "life": "30"}


def made(client: Client, **given) -> str:
    """The plain text of a new token."""
    page = client.post(PAGE, {**READS, **given})
    assert page.status_code == 200
    return PLAIN.search(page.content.decode())[0]


def test_a_new_token_is_shown_this_once_and_works_within_its_scopes(stage, sign_in):
    client = sign_in(stage.ines)
    assert PAGE in client.get("/you").content.decode()
    plain = made(client)
    token = authenticate(plain)
    assert token is not None
    assert (token.person, token.scopes) == (stage.ines, ["tickets:read"])
    lasts = token.expires_at - database_now()
    assert timedelta(days=29) < lasts < timedelta(days=31)
    again = client.get(PAGE)
    assert plain not in again.content.decode()
    assert "no-store" in again["Cache-Control"]
    assert f"tl_{token.prefix}_" in again.content.decode()
    bearer = {"authorization": f"Bearer {plain}"}
    assert Client().get("/api/v1/tickets/", headers=bearer).status_code == 200
    assert Client().post("/api/v1/tickets/", {}, headers=bearer).status_code == 403


def test_what_was_typed_stays_when_something_is_missing(stage, sign_in):
    client = sign_in(stage.ines)
    page = client.post(PAGE, {"name": "kept words", "life": "365"})
    assert page.status_code == 422
    assert "kept words" in page.content.decode()
    assert not ApiToken.objects.exists()


def test_only_scopes_that_can_do_something_for_the_person_are_offered(stage, sign_in):
    stage.bo.is_superuser = True
    stage.bo.save()
    offered = {
        person.username: sign_in(person).get(PAGE).content.decode()
        for person in (stage.ada, stage.ines, stage.bo)
    }
    assert ["roster:write" in page for page in offered.values()] == [False, True, True]
    assert ["admin:write" in page for page in offered.values()] == [False, False, True]
    page = sign_in(stage.ada).post(PAGE, {**READS, "scopes": ["admin:write"]})
    assert page.status_code == 422


def test_a_revoked_token_is_useless_at_once_and_nobody_revokes_anothers(stage, sign_in):
    client = sign_in(stage.ines)
    plain = made(client, life="never")
    token = ApiToken.objects.get()
    assert token.expires_at is None
    place = reverse("web:token-end", args=[token.pk])
    assert sign_in(stage.ada).post(place).status_code == 404
    assert authenticate(plain) is not None
    assert client.post(place, follow=True).status_code == 200
    assert authenticate(plain) is None
    assert "backup on db-1" not in client.get(PAGE, follow=True).content.decode()


def test_an_expired_token_says_so(stage, sign_in):
    token, _ = issue(person=stage.ines, name="old", scopes=["tickets:read"], actor=stage.ines)
    now = database_now()
    ApiToken.objects.filter(pk=token.pk).update(expires_at=now - timedelta(days=1))
    assert "expired" in sign_in(stage.ines).get(PAGE).content.decode()


@pytest.mark.parametrize("scope", ["tickets:read", "tickets:write"])
def test_a_requester_has_tokens_too(stage, sign_in, scope):
    assert authenticate(made(sign_in(stage.ada), scopes=[scope])).person == stage.ada
