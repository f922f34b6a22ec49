"""Pages for what went wrong on our side."""

import re
from pathlib import Path

import pytest
from django.db import OperationalError, connection
from django.test import Client

from web.icons import archive

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("trouble", "status", "words"),
    [
        (OperationalError, 503, "The database does not answer"),
        (ValueError, 500, "Something broke on our side"),
    ],
)
def test_a_database_that_is_away_is_told_from_a_fault_of_ours(
    stage, sign_in, trouble, status, words
):
    def fail(*asked: object) -> None:
        raise trouble("gone")

    client = sign_in(stage.ines)
    client.raise_request_exception = False
    with connection.execute_wrapper(fail):
        answer = client.get("/tickets/INC-000001?show=talk")
    page = answer.content.decode()
    assert answer.status_code == status
    assert words in page
    assert ("Retry-After" in answer) == ('href="/tickets/INC-000001?show=talk"' in page)
    assert ("Retry-After" in answer) == (status == 503)


def test_a_request_that_makes_no_sense_is_told_so_with_a_page(stage, sign_in):
    """Django has a handler of its own draw that page, which no address leads to."""
    client = sign_in(stage.ines)
    more = {f"field{number}": "x" for number in range(2000)}
    answer = client.post("/new", more)
    assert answer.status_code == 400
    assert "That request makes no sense" in answer.content.decode()


def test_every_drawing_that_a_page_names_is_there():
    """The package renames drawings from one version to the next; a page would answer with 500."""
    named: dict[str, str] = {}
    for page in sorted(ROOT.glob("*/templates/**/*.html")):
        for name in re.findall(r'icon(?:=| )"([a-z0-9-]+)"', page.read_text(encoding="utf-8")):
            named.setdefault(name, page.name)
    there = {name.removesuffix(".svg") for name in archive().namelist()}
    assert len(named) > 90, "the pages were not found"
    assert {name: page for name, page in named.items() if name not in there} == {}


def test_a_form_that_is_too_old_gives_back_what_was_written(stage):
    """Whoever had signed out in another tab lost a long answer."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(stage.bo)
    address = f"/requests/{stage.tickets['vpn'].key}/reply"
    answer = client.post(address, {"text": "It is the <second> floor.", "token": "a1b2"})
    assert answer.status_code == 403
    page = answer.content.decode()
    assert "This form is too old" in page
    assert "It is the &lt;second&gt; floor." in page
    assert "a1b2" not in page
    strange = client.post(
        address, {"text": "It is theirs."}, headers={"origin": "https://evil.example"}
    )
    assert strange.status_code == 403
    assert b"It is theirs." not in strange.content
