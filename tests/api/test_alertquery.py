"""Opsgenie's query language: what it asks, what it refuses, and that the database agrees."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.intake.alertquery import FIELDS, And, BadQuery, Not, Or, Term, answers, read_query
from api.intake.alertquery_sql import to_q
from tests.api.intake import opsgenie
from tests.story import MONDAY, Story
from tickets.alertedits import mark
from tickets.incoming import FIRING, RESOLVED, IncomingAlert
from tickets.ingest import accept
from tickets.models import Alert

CLOSED_AT = MONDAY + timedelta(hours=1)
ROWS = [
    ("web", "Disk full on db1", "P1", ["prod", "db"], {"host": "db1"}),
    ("Web", "CPU hot", "P3", [], {}),
    ("a b", "disk slow", "P5", ["Prod"], {"host": "web 1", "x": "y"}),
    ("closed", "Gone", "P2", ["prod"], {}),
]


@pytest.fixture
def asked(db):
    """Four alerts of one source, the last one closed; a query gives their aliases."""
    story = Story()
    source = opsgenie(story).source
    for alias, message, priority, tags, details in ROWS:
        alert = IncomingAlert(
            dedup_key=alias,
            group_key="",
            state=FIRING,
            summary=message,
            severity=priority.lower(),
            tags=tags,
            details={"details": details, "entity": alias, "source": "drv"},
            description=f"about {message}",
        )
        accept(source=source, alerts=[alert], clock=story.clock)
    story.now = CLOSED_AT
    gone = IncomingAlert(dedup_key="closed", group_key="", state=RESOLVED, summary="")
    accept(source=source, alerts=[gone], clock=story.clock)
    mark(Alert.objects.get(dedup_key="web"), owner="ada@example.org", snoozed_until="x")

    def ask(query: str) -> list[str]:
        rows = Alert.objects.filter(to_q(read_query(query))).order_by("id")
        return list(rows.values_list("dedup_key", flat=True))

    return ask


def ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


ALL = ["web", "Web", "a b", "closed"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ALL),
        ("status: open", ALL[:3]),
        ("status=closed", ["closed"]),
        ("status:open", ALL[:3]),
        ("status:open AND tag:prod", ["web", "a b"]),
        ("NOT tag:prod", ["Web"]),
        ("priority:P1 OR priority:P5", ["web", "a b"]),
        ("status:(open OR closed)", ALL),
        ('alias:"a b"', ["a b"]),
        ("message:disk* teams:Desk", ["web", "a b"]),
        ("details.host:nowhere", []),
        ("alias: a:b", []),
        ("alias:a:b", []),
        ("slow:disk", []),
        ("status: acked", []),
        ("status: (open OR closed)", ALL),
        ("alias: web", ["web"]),
        ('alias = "a b"', ["a b"]),
        ("alias: w*", ["web", "Web"]),
        ("message: disk*", ["web", "a b"]),
        ("message: *slow", ["a b"]),
        ('message: "on db"', ["web"]),
        ("disk", ["web", "a b"]),
        ("status: open AND tag=prod AND alias: \"web\"", ["web"]),
        ("status: open tag: prod", ["web", "a b"]),
        ("tags: db", ["web"]),
        ("tag: pr*", ["web", "a b", "closed"]),
        ("NOT tag: prod", ["Web"]),
        ("NOT (status: open OR tag: db)", ["closed"]),
        ("priority: P1 OR priority: P5", ["web", "a b"]),
        ("priority != P1", ["Web", "a b", "closed"]),
        ("priority: P9", []),
        ("owner: ada@example.org", ["web"]),
        ("teams: Desk", ALL),
        ("team: nobody", []),
        ("acknowledged: false", ALL),
        ("acknowledged: true", []),
        ("snoozed: true", ["web"]),
        ("count: 1", ALL),
        ("count > 1", []),
        ("count >= 1 count < 2", ALL),
        ("details.key: x", ["a b"]),
        ("details.value: db1", ["web"]),
        ('details.host: "web 1"', ["a b"]),
        ("entity: web", ["web", "Web"]),
        ("description: *hot*", ["Web"]),
        ("source: drv", ALL),
        (f"createdAt > {ms(MONDAY) - 1}", ALL),
        (f"createdAt > {ms(MONDAY)}", []),
        (f"lastOccurredAt >= {ms(CLOSED_AT)}", ["closed"]),
        ("status: open and NOT message: disk", ["Web"]),
    ],
)  # fmt: skip
def test_a_query_finds_what_it_asks_for(asked, query, found):
    assert asked(query) == found


@pytest.mark.parametrize(
    "query",
    [
        "(", ")", "status:", "status: open AND", "AND", "NOT", "colour: red", "count: many",
        "acknowledged: maybe", "message > 5", "createdAt > yesterday", "status: (", "status: ()",
        "a OR", "x" * 1001, "(" * 40 + "a" + ")" * 40, "NOT " * 40 + "a", '"open', "status: open)",
        ": :", "=", "createdAt > 99999999999999999999",
    ],
)  # fmt: skip
def test_a_query_that_cannot_be_read_is_refused(query):
    with pytest.raises(BadQuery):
        read_query(query)


def test_a_query_binds_and_before_or_and_not_before_both():
    tree = read_query("a OR NOT b AND c")
    assert tree == Or((Term("", ":", "a"), And((Not(Term("", ":", "b")), Term("", ":", "c")))))


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader(query):
    with suppress(BadQuery):
        to_q(read_query(query))


names = st.sampled_from(["alias", "message", "tag", "entity", "description", "source"])
words = st.sampled_from(["web", "disk", "w*", "*l", "*s*", "prod", "drv", "full", "a b", "x"])
plain_terms = st.builds(lambda f, v: f'{f}: "{v}"', names, words)
other_terms = st.sampled_from(
    ["status: open", "status: closed", "priority: P1", "priority: P3", "count >= 1", "count > 3",
     f"createdAt > {ms(MONDAY)}", f"createdAt <= {ms(MONDAY)}", "snoozed: false", "disk"]
)  # fmt: skip
queries = st.recursive(
    plain_terms | other_terms,
    lambda inner: (
        st.builds("NOT ({})".format, inner)
        | st.builds("({}) AND ({})".format, inner, inner)
        | st.builds("({}) OR ({})".format, inner, inner)
    ),
    max_leaves=5,
)


def facts(row: Alert) -> dict:
    return {
        "alias": row.dedup_key,
        "message": row.summary,
        "description": row.details["description"],
        "tag": row.details.get("tags", []),
        "entity": row.details["entity"],
        "source": row.details["source"],
        "status": "open" if row.is_firing else "closed",
        "priority": row.severity,
        "count": row.count,
        "createdat": row.first_seen_at,
        "snoozed": "snoozed_until" in row.marks,
    }


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(queries)
def test_the_database_finds_what_the_plain_reading_says(asked, query):
    node = read_query(query)
    wanted = [row.dedup_key for row in Alert.objects.order_by("id") if answers(node, facts(row))]
    assert asked(query) == wanted


def test_times_and_flags_of_one_alert_are_asked_by_plain_reading_too():
    found = {"acknowledged": True, "createdat": datetime(2026, 1, 1, tzinfo=UTC), "updatedat": None}
    assert answers(read_query("acknowledged: true"), found)
    assert not answers(read_query("updatedAt > 5"), found)
    assert "acknowledged" in FIELDS
