"""The search box's language, by table."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickets import states
from web.searching import OPERATORS, Age, Search, Term, Trouble, parse

DAY = timedelta(days=1)
READ = {
    "": [],
    "printer": [Term("words", ("printer",))],
    "  two   words ": [Term("words", ("two",)), Term("words", ("words",))],
    '"disk full"': [Term("phrase", ("disk full",))],
    '-"disk full"': [Term("phrase", ("disk full",), True)],
    "-printer": [Term("words", ("printer",), True)],
    "e-mail": [Term("words", ("e-mail",))],
    "- -- ...": [],
    "team:db": [Term("team", ("db",))],
    "team:DB,network": [Term("team", ("db", "network"))],
    'team:"Service Desk"': [Term("team", ("service desk",))],
    "-team:db": [Term("team", ("db",), True)],
    "is:breached": [Term("is", ("breached",))],
    "IS:Major": [Term("is", ("major",))],
    "status:pending": [Term("status", tuple(sorted(states.PENDING)))],
    "status:in-progress": [Term("status", (states.IN_PROGRESS,))],
    "status:new,closed": [Term("status", ("new", "closed"))],
    "priority:1": [Term("priority", (1,))],
    "priority:P1,p2": [Term("priority", (1, 2))],
    "assignee:me": [Term("assignee", ("me",))],
    "opened:<2d": [Term("opened", (Age(2 * DAY, True),))],
    "opened:>4h": [Term("opened", (Age(timedelta(hours=4), False),))],
    "due:30m": [Term("due", (Age(timedelta(minutes=30), True),))],
    "123": [Term("number", ("123",))],
    "INC-12": [Term("key", ("INC-12",))],
    "req-": [Term("key", ("REQ-",))],
    "inc000123": [Term("key", ("INC-000123",))],
    "web01": [Term("words", ("web01",))],
    "https://example.com/x": [Term("words", ("https://example.com/x",))],
    "10:30": [Term("words", ("10:30",))],
    'half "open quote': [
        Term("words", ("half",)),
        Term("words", ('"open',)),
        Term("words", ("quote",)),
    ],
    'is:breached "disk full" -printer team:db': [
        Term("is", ("breached",)),
        Term("phrase", ("disk full",)),
        Term("words", ("printer",), True),
        Term("team", ("db",)),
    ],
}
TROUBLES = {
    "error:502 printer": Trouble("operator", "error", tuple(OPERATORS)),
    "priority:9 printer": Trouble("priority", "9", ("1", "2", "3", "4", "5")),
    "is:strange printer": Trouble("is", "strange"),
    "status:asleep printer": Trouble("status", "asleep"),
    "opened:yesterday printer": Trouble("age", "yesterday"),
    "team: printer": Trouble("empty", "team"),
}


@pytest.mark.parametrize(("text", "terms"), READ.items(), ids=READ)
def test_a_search_is_read_as_meant(text, terms):
    assert parse(text) == Search(tuple(terms))


@pytest.mark.parametrize(("text", "trouble"), TROUBLES.items(), ids=TROUBLES)
def test_what_is_not_known_is_told_and_the_rest_is_searched(text, trouble):
    search = parse(text)
    (told,) = search.troubles
    assert (told.sort, told.word) == (trouble.sort, trouble.word)
    assert told.choices or told.sort == "empty"
    assert search.terms == (Term("words", ("printer",)),)


def test_a_search_says_whether_it_is_about_what_is_over():
    assert parse("status:closed").names_status
    assert parse("is:any x").names_status
    assert not parse("-status:closed is:breached").names_status


@given(st.text(max_size=300))
def test_nothing_that_can_be_typed_is_an_error(text):
    search = parse(text)
    assert all(term.values for term in search.terms)
    assert all(isinstance(trouble, Trouble) for trouble in search.troubles)
