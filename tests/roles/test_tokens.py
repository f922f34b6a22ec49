"""API tokens are shown once, kept as digests, and end when they should."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from roles.instants import fixed
from roles.models import ApiToken, AuditEntry
from roles.people import deactivate
from roles.refusals import Conflict, Forbidden, Invalid
from roles.tokens import authenticate, issue, revoke
from tests.roles.conftest import CLOCK, NOW

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def ann(person):
    return person("ann")


def give(ann, **fields) -> tuple[ApiToken, str]:
    values = {"name": "monitor", "scopes": ["tickets:read"], "clock": CLOCK}
    return issue(person=ann, **{**values, **fields})


def test_a_token_lets_its_person_in(ann):
    token, plain = give(ann, scopes=["tickets:write", "tickets:read", "tickets:read"])
    assert plain.startswith(f"tl_{token.prefix}_")
    found = authenticate(plain, CLOCK)
    assert found == token
    assert found.person == ann
    assert found.scopes == ["tickets:read", "tickets:write"]


def test_the_secret_is_stored_nowhere(ann):
    _, plain = give(ann)
    secret = plain.rpartition("_")[2]
    with connection.cursor() as cursor:
        for table in ("roles_apitoken", "roles_auditentry"):
            cursor.execute(f"SELECT t::text FROM {table} t")
            assert all(secret not in row[0] for row in cursor.fetchall())
    assert "digest" not in AuditEntry.objects.get(action="token.issued").changes


def test_wrong_texts_let_nobody_in(ann):
    token, plain = give(ann)
    for wrong in (
        "",
        "tl_",
        plain[:-1],
        plain + "x",
        plain.upper(),
        plain + "\n",
        f"tl_{'a' * 10}_{plain.rpartition('_')[2]}",
        f"tl_{token.prefix}_{'a' * 43}",
        f"tl_{token.prefix}_{token.digest[:43]}",
        "x" * 10_000,
        "tl_\x00",
    ):
        assert authenticate(wrong, CLOCK) is None


def test_an_expired_token_lets_nobody_in(ann):
    _, plain = give(ann, expires_at=NOW + MINUTE)
    assert authenticate(plain, fixed(NOW + MINUTE / 2))
    assert authenticate(plain, fixed(NOW + MINUTE)) is None


def test_a_revoked_token_lets_nobody_in_and_is_revoked_once(ann):
    token, plain = give(ann)
    revoke(token=token, actor=ann, clock=CLOCK)
    assert authenticate(plain, CLOCK) is None
    with pytest.raises(Conflict):
        revoke(token=token, actor=ann, clock=CLOCK)


def test_the_token_of_an_inactive_person_lets_nobody_in(ann):
    _, plain = give(ann)
    deactivate(person=ann, clock=CLOCK)
    assert authenticate(plain, CLOCK) is None


def test_the_last_use_is_noted_once_a_minute(ann, django_assert_num_queries):
    token, plain = give(ann)
    authenticate(plain, CLOCK)
    with django_assert_num_queries(1):
        authenticate(plain, fixed(NOW + MINUTE / 2))
    token.refresh_from_db()
    assert token.last_used_at == NOW
    authenticate(plain, fixed(NOW + MINUTE))
    token.refresh_from_db()
    assert token.last_used_at == NOW + MINUTE


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"scopes": []}, "scopes"),
        ({"scopes": ["everything"]}, "scopes"),
        ({"name": " "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"expires_at": NOW}, "expires_at"),
        ({"expires_at": NOW.replace(tzinfo=None)}, "expires_at"),
    ],
)
def test_a_bad_token_names_its_field_and_is_not_made(ann, fields, field):
    with pytest.raises(Invalid) as refusal:
        give(ann, **fields)
    assert set(refusal.value.fields) == {field}
    assert not ApiToken.objects.exists()


def test_people_make_tokens_for_themselves_and_administrators_for_programs(ann, admin, person):
    token, _ = give(ann, actor=ann)
    give(person("robot", kind="service"), actor=admin)
    with pytest.raises(Invalid) as refusal:
        give(ann, actor=admin)
    assert set(refusal.value.fields) == {"person"}
    with pytest.raises(Forbidden):
        give(ann, actor=person("ben"))
    with pytest.raises(Forbidden):
        revoke(token=token, actor=person("cat"), clock=CLOCK)


# ---- The command -------------------------------------------------------------------------------


def test_the_command_prints_a_token_that_works(ann, capsys):
    call_command(
        "create_token", "ANN", "--scope", "tickets:read", "--scope", "catalog:read", "--days", "7"
    )
    token = authenticate(capsys.readouterr().out.strip())
    assert token.person == ann
    assert token.scopes == ["catalog:read", "tickets:read"]
    assert timedelta(days=6) < token.expires_at - token.created_at < timedelta(days=8)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nobody", "--scope", "tickets:read"], "no account named 'nobody'"),
        (["ann", "--scope", "everything"], "Unknown: everything"),
        (["ann", "--scope", "tickets:read", "--days", "0"], "--days 0"),
        (["ann", "--scope", "tickets:read", "--name", ""], "where the token is used"),
        (["ann"], "--scope"),
    ],
)
def test_the_command_says_what_is_wrong(ann, arguments, message):
    with pytest.raises(CommandError, match=message):
        call_command("create_token", *arguments)
    assert not ApiToken.objects.exists()
