"""Statements whose plan is kept answer as if they were asked anew."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from roles.models import Person
from roles.plans import Hole, Plan

pytestmark = pytest.mark.django_db
NAMED = Plan(
    "SELECT %s || username FROM roles_person WHERE id = %s AND username LIKE %s AND name <> '%%'",
    ("100 % ", Hole("person"), Hole("like")),
)


def ask(plan: Plan, **values: object) -> list[str]:
    with connection.cursor() as cursor:
        plan.execute(cursor, values)
        return [row[0] for row in cursor.fetchall()]


@pytest.fixture
def people() -> list[Person]:
    return [Person.objects.create(username=name, name=name) for name in ("ann", "bob")]


def test_values_change_and_constants_stay(people: list[Person]):
    ann, bob = people
    for _ in range(7):  # beyond the tries after which PostgreSQL goes on with one plan
        assert ask(NAMED, person=ann.pk, like="a%") == ["100 % ann"]
        assert ask(NAMED, person=bob.pk, like="b%") == ["100 % bob"]
        assert ask(NAMED, person=bob.pk, like="a%") == []


def test_it_is_one_statement_and_planned_once_for_a_connection(people: list[Person]):
    plan = Plan(NAMED.sql, NAMED.places)
    with CaptureQueriesContext(connection) as taken:
        for _ in range(2):
            ask(plan, person=people[0].pk, like="a%")
    first, second = (query["sql"] for query in taken)
    assert first.startswith("PREPARE")
    assert second.startswith("EXECUTE")
    assert ask(plan, like="a%", person=people[0].pk) == ["100 % ann"]


def test_a_call_that_was_undone_is_no_hindrance_to_the_next():
    plan = Plan("SELECT (1 / %s)::text", (Hole("by"),))
    with pytest.raises(DatabaseError), transaction.atomic():
        ask(plan, by=0)
    assert ask(plan, by=1) == ["1"]
    with pytest.raises(DatabaseError), transaction.atomic():
        ask(plan, by=0)
    assert ask(plan, by=1) == ["1"]


def test_what_has_no_declared_type_is_asked_anew_each_time(people: list[Person]):
    plan = Plan("SELECT username FROM roles_person WHERE is_vip = %s", (Hole("vip"),))
    with CaptureQueriesContext(connection) as taken:
        assert sorted(ask(plan, vip=False)) == ["ann", "bob"]
        assert ask(plan, vip=None) == []
    assert [query["sql"].split()[0] for query in taken] == ["SELECT", "SELECT"]


def test_a_choice_is_the_text_that_it_is(people: list[Person]):
    plan = Plan("SELECT count(*)::text FROM roles_person WHERE kind = %s", (Hole("kind"),))
    assert ask(plan, kind=Person.Kind.PERSON) == ["2"]


def test_behind_a_pooler_nothing_is_prepared(people: list[Person], settings):
    settings.KEEP_PLANS = False
    with CaptureQueriesContext(connection) as taken:
        assert ask(NAMED, person=people[0].pk, like="a%") == ["100 % ann"]
    assert taken[0]["sql"].startswith("SELECT")


def test_lists_are_declared_by_what_is_in_them(people: list[Person]):
    ids, names = [each.pk for each in people], ["ann", "b'ob"]
    plan = Plan("SELECT username FROM roles_person WHERE id = ANY(%s)", (Hole("ids"),))
    named = Plan("SELECT username FROM roles_person WHERE username = ANY(%s)", (Hole("names"),))
    with CaptureQueriesContext(connection) as taken:
        assert sorted(ask(plan, ids=ids)) == ["ann", "bob"]
        assert ask(named, names=names) == ["ann"]
    assert "(bigint[])" in taken[0]["sql"]
    assert "(text[])" in taken[1]["sql"]


def test_a_list_that_does_not_say_what_it_holds_is_asked_anew(people: list[Person]):
    plan = Plan("SELECT username FROM roles_person WHERE id = ANY(%s)", (Hole("ids"),))
    with CaptureQueriesContext(connection) as taken:
        for ids in ([], [people[0].pk, None]):
            assert ask(plan, ids=ids) == ["ann"][: len(ids)]
    assert [query["sql"].split()[0] for query in taken] == ["SELECT", "SELECT"]


def test_a_statement_goes_on_by_itself_after_a_migration_that_widens_a_column():
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE kept (id int, word varchar(8))")
        cursor.execute("INSERT INTO kept VALUES (1, 'one')")
    plan = Plan("SELECT word FROM kept WHERE id = %s", (Hole("id"),))
    assert ask(plan, id=1) == ["one"]
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE kept ALTER word TYPE varchar(99), ADD more text")
    with pytest.raises(DatabaseError, match="result type"), transaction.atomic():
        ask(plan, id=1)
    assert ask(plan, id=1) == ["one"]
