"""Settings that are promises: limits on sessions, strict pages, and no secrets in the log."""

import logging

import pytest
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db import connection

from config.celery import app
from config.checks import refuse_default_secret_key
from config.logs import Sparing, Untraced, hide_secrets
from roles.models import Person


@pytest.mark.django_db
def test_every_database_session_has_limits():
    wanted = {"statement_timeout": "30s", "lock_timeout": "5s"}
    with connection.cursor() as cursor:
        for name, value in wanted.items():
            cursor.execute(f"SHOW {name}")
            assert cursor.fetchone()[0] == value
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone()[0] != "0"


@pytest.mark.django_db
def test_pages_carry_a_strict_policy_and_the_safety_headers(client):
    answer = client.get("/health")
    policy = answer["Content-Security-Policy"]
    assert answer.status_code == 200
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"


def test_the_default_secret_key_is_refused_unless_debugging(settings):
    settings.SECRET_KEY = settings.DEFAULT_SECRET_KEY
    settings.DEBUG = False
    with pytest.raises(ImproperlyConfigured, match="Set SECRET_KEY"):
        refuse_default_secret_key()
    settings.DEBUG = True
    refuse_default_secret_key()


def test_tasks_are_json_and_a_crash_does_not_run_them_again():
    assert app.conf.accept_content == ["json"]
    assert app.conf.task_reject_on_worker_lost is False
    assert app.conf.task_time_limit < app.conf.broker_transport_options["visibility_timeout"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"event": "x", "password": "hunter2"}, "hunter2"),
        ({"event": "x", "api_key": "abc"}, "abc"),
        ({"event": "used tl_ab12_sEcReT-x"}, "sEcReT"),
        ({"event": "cannot reach redis://me:hunter2@host/0"}, "hunter2"),
        ({"event": "Unprocessable Entity: /m/sEcReT:1x:sEcReT/welcome"}, "sEcReT"),
        ({"event": "Unprocessable Entity: /m/sEcReT/"}, "sEcReT"),
        ({"event": "Not Found: /setup/first/sEcReT"}, "sEcReT"),
        ({"event": "Not Found: /calendar/sEcReT/team/desk.ics"}, "sEcReT"),
        ({"event": "Bad Request: /answers/voice/sEcReT"}, "sEcReT"),
        ({"event": "Bad Request: /intake/v1/grafana/sEcReT/"}, "sEcReT"),
        ({"event": "Bad Request: /pagerduty/x-ere/sEcReT"}, "sEcReT"),
        ({"event": "sent https://desk.example.org/m/sEcReT/reset to anna"}, "sEcReT"),
    ],
)
def test_secrets_do_not_get_into_the_log(given, kept):
    assert kept not in str(hide_secrets(None, "", given))


def test_a_loop_that_fails_every_second_complains_every_half_minute():
    sparing = Sparing(every_s=30)
    records = [
        logging.LogRecord(
            "beat", logging.ERROR, "", 0, "no broker: %s\n%s", ("gone", "trace"), None
        )
        for _ in range(5)
    ]
    assert [sparing.filter(record) for record in records] == [True, False, False, False, False]
    assert records[0].getMessage() == "no broker: gone"


@pytest.mark.django_db
def test_a_refusal_leaves_one_line_in_the_log_and_a_fault_its_traceback(client, caplog):
    zoe = Person.objects.create_user("zoe", name="Zoe")
    client.force_login(zoe)
    with caplog.at_level(logging.WARNING, "django.request"):
        assert client.get("/admin/", follow=True).status_code == 403
    [record] = [item for item in caplog.records if "Permission denied" in item.getMessage()]
    assert record.exc_info is None
    for error, kept in ((PermissionDenied(), False), (ValueError(), True)):
        record = logging.LogRecord("x", logging.ERROR, "", 0, "x", (), (type(error), error, None))
        assert Untraced().filter(record)
        assert (record.exc_info is not None) is kept


@pytest.mark.django_db
def test_the_admin_has_our_icon(client):
    client.force_login(Person.objects.create_superuser("root", name="Root"))
    assert 'rel="icon" href="/static/web/mark' in client.get("/admin/").content.decode()
