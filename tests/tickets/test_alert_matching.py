"""Conditions on alerts, mappings of any JSON, and words for gravity."""

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from tickets.incoming import LEVELS, level_of, urgency_of
from tickets.mapping import Unmapped, mapping_problem, read_mapped
from tickets.matching import TESTS, conditions_problem, holds, value_at
from tickets.models import AlertRule

# ---- Conditions ----


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        ({"field": "summary", "is": "contains", "value": "FULL"}, True),
        ({"field": "summary", "is": "starts with", "value": "full"}, False),
        ({"field": "summary", "is": "ends with", "value": "full"}, True),
        ({"field": "labels.team", "is": "equals", "value": ["web", "db"]}, True),
        ({"field": "labels.team", "is": "equals", "value": "web", "not": True}, True),
        ({"field": "labels.host", "is": "is empty"}, True),
        ({"field": "labels.a.b", "is": "equals", "value": "dotted"}, True),
        ({"field": "tags", "is": "equals", "value": "prod"}, True),
        ({"field": "labels.alertname", "is": "like", "value": "disk*"}, True),
        ({"field": "labels.alertname", "is": "resembles", "value": "disk"}, False),
    ],
)
def test_a_condition_asks_one_field_without_regard_to_case(condition, wanted):
    facts = {
        "summary": "disk is full",
        "tags": ["Prod", "x"],
        "labels": {"team": "db", "alertname": "DiskFull", "a.b": "dotted"},
    }
    assert holds([condition], facts) is wanted


@pytest.mark.parametrize(
    "value",
    [[1], [{}], [{"field": "x"}], [{"field": "x", "is": "resembles"}], "x",
     [{"field": "x", "is": "equals", "value": 5}]],
)  # fmt: skip
def test_a_condition_that_cannot_be_asked_is_refused_when_it_is_written(value):
    assert conditions_problem(value)
    with pytest.raises(ValidationError):
        AlertRule(name="x", conditions=value).clean_fields()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "a.b", "0"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(json_values, st.text("ab.0", max_size=12), st.sampled_from(sorted(TESTS)), st.text("ab*"))
def test_no_payload_and_no_path_breaks_a_condition(value, path, test, wanted):
    value_at(value, path)
    facts = value if isinstance(value, dict) else {"a": value}
    found = holds([{"field": path, "is": test, "value": wanted}], facts)
    other = holds([{"field": path, "is": test, "value": wanted, "not": True}], facts)
    assert found is not other


# ---- Mapping ----


MAPPING = {
    "items": "data.events",
    "key": "id",
    "summary": "what.title",
    "state": "status",
    "resolved": ["gone"],
    "severity": "sev",
    "severities": {"5": "critical"},
    "tags": "labels",
    "link": "url",
}


def test_a_mapping_reads_any_json():
    payload = {
        "data": {
            "events": [
                {"id": 7, "what": {"title": "Down"}, "sev": 5, "labels": ["a"], "url": "https://x"},
                {"id": 8, "what": {"title": "Up"}, "status": "GONE", "url": "javascript:x"},
            ]
        }
    }
    first, second = read_mapped(MAPPING, payload)
    assert (first.dedup_key, first.summary, first.severity) == ("7", "Down", "critical")
    assert (first.state, first.tags, first.links) == ("firing", ["a"], ("https://x",))
    assert (second.state, second.links) == ("resolved", ())
    with pytest.raises(Unmapped, match=r"what\.title"):
        read_mapped(MAPPING, {"data": {"events": [{"id": 1}]}})


@pytest.mark.parametrize(
    "mapping",
    [[], {"x": "y"}, {"key": "id"}, {"summary": 5}, {"summary": "a", "resolved": "x"},
     {"summary": "a", "severities": {"a": 5}}],
)  # fmt: skip
def test_a_mapping_that_cannot_be_followed_is_refused(mapping):
    assert mapping_problem(mapping)
    assert not mapping_problem(MAPPING)
    assert not mapping_problem({})


def test_every_word_for_gravity_has_a_priority():
    assert {name: urgency_of(level_of(name)) for name in ("p1", "p2", "p3", "p4", "p5")} == {
        "p1": 1,
        "p2": 2,
        "p3": 3,
        "p4": 4,
        "p5": 5,
    }
    assert urgency_of(level_of("no such word")) == 5
    assert all(1 <= urgency_of(level) <= 5 for level in LEVELS.values())
