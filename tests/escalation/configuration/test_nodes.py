"""YAML as nodes with lines: what a scalar means, and every trick that is refused."""

import time

import pytest

from escalation.configuration.durations import format_duration, parse_duration
from escalation.configuration.nodes import MAX_BYTES, MAX_DEPTH, MAX_NODES, Unreadable, read_nodes


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("1", 1),
        ("'1'", "1"),
        ("true", True),
        ("yes", "yes"),
        ("no", "no"),
        ("null", None),
        ("~", None),
        ("", None),
        ("'null'", "null"),
        ("08:00", "08:00"),
        ("2026-12-25", "2026-12-25"),
        ("0x1F", "0x1F"),
        ("1.5", "1.5"),
        ("-3", -3),
    ],
)
def test_a_value_means_what_yaml_1_2_says(written, meant):
    assert read_nodes(f"key: {written}\n").entries["key"].value == meant


def test_each_node_knows_its_line():
    top = read_nodes("a:\n  - 1\n  - b: 2\n\n# nothing\nc: 3\n")
    assert top.key_lines == {"a": 1, "c": 6}
    assert [item.line for item in top.entries["a"].items] == [2, 3]


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("a: &x [1]\nb: *x\n", 1, "aliases"),
        ("a: 1\nb: *x\n", 2, "aliases"),
        ("a: 1\nb: !!python/object/apply:os.system [id]\n", 2, "Tags"),
        ("a: 1\na: 2\n", 2, "twice, first in line 1"),
        ("a: 1\n? [1, 2]\n: 3\n", 2, "simple word"),
        ("a: 1\n---\nb: 2\n", 3, "second document"),
        ("", 1, "empty"),
        ("a: 1\nb: [1,\n", 3, "not YAML"),
        ("a: 1\n\tb: 2\n", 2, "not YAML"),
        ("a: 1\nb: \x01\n", 2, "not YAML"),
        ("a: \ud800\n", 1, "UTF-8"),
    ],
)
def test_what_is_no_plain_yaml_is_refused_with_its_line(text, line, word):
    with pytest.raises(Unreadable) as refused:
        read_nodes(text)
    mistake = refused.value.mistake
    assert word in mistake.reason
    assert mistake.line == line


@pytest.mark.parametrize(
    "bomb",
    [
        "a: " + "[" * 50_000,
        "a: " + "{a: " * 50_000,
        "a: [" + "1," * (MAX_NODES + 10) + "]",
        "- " * 5_000 + "1",
        "x" * (MAX_BYTES + 1),
        "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a]\nc: [*b,*b,*b,*b]\n",
        "a: " + "[" * (MAX_DEPTH + 2) + "]" * (MAX_DEPTH + 2),
    ],
)
def test_a_bomb_is_refused_in_seconds(bomb):
    start = time.process_time()
    with pytest.raises(Unreadable):
        read_nodes(bomb)
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    ("written", "seconds", "shown"),
    [
        ("15 min", 900, "15 min"),
        ("15min", 900, "15 min"),
        ("2 h", 7200, "2 h"),
        ("1 h 30 min", 5400, "1 h 30 min"),
        ("90 min", 5400, "1 h 30 min"),
        ("1 d", 86400, "1 d"),
        ("48 h", 172800, "2 d"),
        ("26 h", 93600, "26 h"),
        ("45", 45, "45 s"),
        ("0", 0, "0 s"),
    ],
)
def test_a_length_of_time_is_read_and_shown_in_words(written, seconds, shown):
    assert parse_duration(written) == seconds
    assert format_duration(seconds) == shown
    assert parse_duration(shown) == seconds


@pytest.mark.parametrize("written", ["", "15 minutes", "-1", "1.5 h", "min", "99999999 d", "1 h 2"])
def test_what_is_no_length_of_time_is_refused(written):
    with pytest.raises(ValueError, match=r"no length of time|longer than"):
        parse_duration(written)
