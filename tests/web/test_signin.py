"""Signing in and out, and what guessing costs."""

import pytest
from django.core.cache import cache
from django.test import Client

from tests.web.stage import PASSWORD
from web import signin


def give(client: Client, username: str, password: str, **more: str):
    return client.post("/sign-in", {"username": username, "password": password, **more})


def test_everything_asks_for_a_sign_in_first(stage):
    for address in ("/", "/new", "/guide", "/on-call", "/tickets/INC-000001"):
        response = Client().get(address)
        assert (response.status_code, response.url) == (302, f"/sign-in?next={address}")


def test_the_right_password_leads_where_one_wanted_to_go(stage):
    response = give(Client(), "ines", PASSWORD, next="/guide")
    assert (response.status_code, response.url) == (302, "/guide")


@pytest.mark.parametrize("onward", ["https://evil.example/", "//evil.example", "javascript:x"])
def test_a_sign_in_never_leads_to_another_site(stage, onward):
    assert give(Client(), "ines", PASSWORD, next=onward).url == "/"


def test_a_wrong_password_does_not_say_which_half_was_wrong(stage):
    known, unknown = give(Client(), "ines", "wrong"), give(Client(), "nobody", "wrong")
    assert known.status_code == unknown.status_code == 422
    assert known.context["form"].errors == unknown.context["form"].errors


def test_an_inactive_account_cannot_sign_in(stage):
    stage.ines.is_active = False
    stage.ines.save(update_fields=["is_active"])
    assert give(Client(), "ines", PASSWORD).status_code == 422


def test_guessing_is_stopped_and_then_even_the_right_password_waits(stage):
    client = Client()
    for _ in range(signin.LIMIT_PER_ACCOUNT):
        assert give(client, "ines", "wrong").status_code == 422
    assert give(client, "INES", PASSWORD).status_code == 429
    assert give(client, "omar", PASSWORD).status_code == 302


def test_guessing_through_many_accounts_is_stopped_too(stage):
    client = Client()
    for number in range(signin.LIMIT_PER_ADDRESS):
        give(client, f"guess{number}", "wrong")
    assert give(client, "omar", PASSWORD).status_code == 429


def test_a_success_forgets_the_failures(stage):
    client = Client()
    for _ in range(signin.LIMIT_PER_ACCOUNT - 1):
        give(client, "ines", "wrong")
    assert give(client, "ines", PASSWORD).status_code == 302
    assert give(Client(), "ines", "wrong").status_code == 422
    assert give(Client(), "ines", PASSWORD).status_code == 302


def test_sign_in_works_without_the_cache(stage, settings):
    nowhere = {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {"default": nowhere}
    assert give(Client(), "ines", "wrong").status_code == 422
    assert give(Client(), "ines", PASSWORD).status_code == 302
    cache.close()


def test_signing_out_is_a_post_and_ends_the_session(stage, sign_in):
    client = sign_in(stage.ines)
    assert client.get("/sign-out").status_code == 405
    assert client.post("/sign-out").url == "/sign-in"
    assert client.get("/").status_code == 302
