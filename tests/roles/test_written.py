"""A query whose SQL is made once answers as Django's own does, for every value."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from roles.models import ApiToken, Membership, Person, Team
from roles.tokens import issue
from roles.written import Written, any_of

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_rows_come_with_those_near_them_and_with_annotations(person):
    near = Written(
        lambda name: ApiToken.objects.select_related("person__organisation").filter(name=name),
        name=str,
    )
    token, _ = issue(person=person("ada"), name="it's 100% odd", scopes=["tickets:read"])
    issue(person=person("bob"), name="other", scopes=["tickets:read"])
    assert near.all(name="nobody's") == []
    with CaptureQueriesContext(connection) as caught:
        found = near.first(name="it's 100% odd")
        assert found == token
        assert (found.person.username, found.person.organisation) == ("ada", None)
        assert found.scopes == ["tickets:read"]
        assert not found._state.adding
    assert len(caught) == 1


def test_values_of_every_kind_reach_the_database_as_they_are(person):
    for name in ("ada", "bob", "cat"):
        person(name)
    Person.objects.filter(username="ada").update(date_joined=NOON)
    joined = Written(
        lambda since, names: Person.objects.filter(
            any_of("username", names), date_joined__lte=since
        ).values("username", "is_active"),
        since=datetime,
        names=list[str],
    )
    everybody = ["ada", "bob", "c'at"]
    assert joined.all(since=NOON, names=everybody) == [{"username": "ada", "is_active": True}]
    assert joined.all(since=NOON - timedelta(days=1), names=everybody) == []
    assert joined.all(since=NOON, names=[]) == []


def test_plain_rows_come_with_those_near_them_for_any_number_of_ids(person):
    near = Written(
        lambda ids: Person.objects.filter(any_of("pk", ids)).select_related("organisation"),
        ids=list[int],
    )
    ada, bob = person("ada"), person("bob")
    assert near.rows(ids=[]) == []
    for ids in ([ada.pk], [bob.pk, ada.pk]):
        with CaptureQueriesContext(connection) as caught:
            found = near.rows(ids=ids)
            assert [(each.name, each.organisation) for each in found] == [
                (each.name, None) for each in (ada, bob) if each.pk in ids
            ]
        assert len(caught) == 1


def test_unions_and_lists_of_values_are_tuples(person):
    places = Written(
        lambda one: (
            Membership.objects.filter(person=one)
            .values_list("role", "team__slug")
            .order_by()
            .union(Team.objects.filter(lead=one).values_list("slug", "slug").order_by())
        ),
        one=int,
    )
    assert places.all(one=person("ada").pk) == []


def test_a_query_that_drops_a_value_is_refused():
    forgetful = Written(lambda name: Person.objects.all(), name=str)
    with pytest.raises(ValueError, match="name"):
        forgetful.all(name="ada")
