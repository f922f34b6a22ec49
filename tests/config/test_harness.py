"""The harness's own promises: real transactions in a clone, and isolation between tests."""

import threading

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction


@pytest.mark.django_db
def test_an_ordinary_test_is_rolled_back():
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE left_over (id int)")
    assert "left_over" in connection.introspection.table_names()


@pytest.mark.django_db
def test_nothing_of_an_ordinary_test_is_left():
    assert "left_over" not in connection.introspection.table_names()


def add_type(name: str) -> None:
    ContentType.objects.create(app_label="harness", model=name)
    connection.close()


def test_a_live_database_is_shared_by_threads_and_commits(live_db):
    with transaction.atomic():
        ContentType.objects.create(app_label="harness", model="committed")
    thread = threading.Thread(target=add_type, args=["threaded"])
    thread.start()
    thread.join()
    assert connection.settings_dict["NAME"] == live_db.name
    assert ContentType.objects.filter(app_label="harness").count() == 2


def test_a_live_database_starts_without_what_another_test_committed(live_db):
    assert not ContentType.objects.filter(app_label="harness").exists()
