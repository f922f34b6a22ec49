"""Whether a kept connection still stands is seen at its socket."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.postgresql import base


@pytest.fixture
def kept(db):
    """A connection that a request has used, as the next request finds it."""
    mine = connection.copy()
    mine.health_check_enabled = True
    ask(mine)
    mine.close_if_unusable_or_obsolete()
    ask(mine)
    yield mine
    mine.close()


def ask(link: base.DatabaseWrapper) -> int:
    """The server's process behind it."""
    with link.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


def statements_of_a_request(link: base.DatabaseWrapper) -> list[str]:
    link.close_if_unusable_or_obsolete()
    link.force_debug_cursor = True
    with CaptureQueriesContext(link) as asked:
        ask(link)
    return [each["sql"] for each in asked]


def test_a_connection_on_which_nothing_was_said_is_used_without_a_question(kept, monkeypatch):
    monkeypatch.setattr(kept, "is_usable", lambda: pytest.fail("asked"))
    before = kept.connection
    assert statements_of_a_request(kept) == ["SELECT pg_backend_pid()"]
    assert kept.connection is before


def test_a_connection_that_the_server_has_ended_is_opened_anew(kept):
    ended = ask(kept)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [ended])
    kept.close_if_unusable_or_obsolete()
    assert ask(kept) != ended


def test_a_connection_that_has_rested_for_long_is_asked_after(kept, monkeypatch):
    asked = []
    monkeypatch.setattr(kept, "is_usable", lambda: asked.append(True) or True)
    kept._stood_at -= base.ASK_AFTER_S
    statements_of_a_request(kept)
    assert asked == [True]
