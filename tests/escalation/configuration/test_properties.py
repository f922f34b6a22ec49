"""Any valid document, once applied, is what an export says: nothing lost, nothing repeated."""

from typing import Any

import yaml
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from escalation.checking import GOALLESS, RANGES
from escalation.configuration.applying import apply_text, plan_text
from escalation.configuration.document import export_text, present_site, read_document
from escalation.configuration.durations import MAX_S, format_duration, parse_duration
from escalation.configuration.shapes import Hours
from escalation.models import ClockKind, PolicyStep, StopOn
from roles.hours import parse_hours
from tests.story import Story
from tickets import states
from tickets.models import Kind

SLUGS = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,12}", fullmatch=True)
# Whatever a person may type, looks like a number, a date or YAML's own marks, or holds a line end.
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40),
    st.sampled_from(
        (
            *("yes", "null", "~", "1", "0x1F", "1e3", "2026-12-25", "08:00", "- a", "a: b", "# x"),
            *("*x", "&x", "!x", "'", '"', "line\nline", "line\r\nline\n", " lead", "trail ", "{"),
        )
    ),
)
NAMES = TEXTS.filter(lambda text: text.strip() != "")
SECONDS = st.integers(1, 2_000_000_000).map(lambda n: n % MAX_S + 1)
CALENDAR = st.fixed_dictionaries(
    {
        "name": NAMES,
        "zone": st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe"]),
        # Some hours in every week: a calendar that hardly ever opens is no calendar.
        "hours": st.lists(
            st.tuples(st.integers(0, 6), st.integers(0, 1439), st.integers(1, 1440)).map(
                lambda span: (span[0], span[1], span[1] + span[2])
            ),
            max_size=6,
        ).map(lambda spans: Hours.normal([(0, 480, 720), *spans])),
    },
    optional={"days_off": st.lists(st.dates().map(str), max_size=4)},
)
TARGET = st.fixed_dictionaries(
    {
        "name": NAMES,
        "clock": st.sampled_from(ClockKind.values),
        "allowed": SECONDS.map(format_duration),
    },
    optional={
        "position": st.integers(0, 10_000),
        "active": st.booleans(),
        "calendar": st.sampled_from(["always", "office", None]),
        "pauses": st.lists(st.sampled_from(sorted(states.OPEN)), max_size=4),
        "priority": st.one_of(st.none(), st.integers(1, 5)),
        "kind": st.sampled_from(["", *Kind.values]),
        "service": st.sampled_from(["mail", None]),
        "organisation": st.sampled_from(["acme", None]),
        "team": st.sampled_from(["desk", "apps", None]),
    },
).filter(
    # A vendor's time never stands still while the ticket waits for it; publishing refuses that.
    lambda target: (
        not (target["clock"].startswith("vendor_") and "pending_vendor" in target.get("pauses", ()))
    )
)
VALUES = st.one_of(st.integers(-9, 9), st.booleans(), TEXTS, st.none())
CONDITION = st.builds(
    lambda fact, word, value: {"fact": fact, word: value},
    st.sampled_from(["kind", "priority", "vip", "source", "tags", "impact"]),
    st.sampled_from(["is", "not"]),
    st.one_of(VALUES, st.lists(VALUES, max_size=3)),
)
TOKENS = st.sampled_from(
    (
        *("on_call", "lead", "manager", "assignee", "team:apps", "on_call:desk", "person:ann"),
        "duty:incident-manager",
    )
)
ACTION = st.one_of(
    st.builds(
        lambda verb, to: {"do": verb, "to": to},
        st.sampled_from(["notify", "page", "involve"]),
        st.lists(TOKENS, min_size=1, max_size=3),
    ),
    st.builds(lambda to: {"do": "move", "to": to}, st.sampled_from(["next_tier", "team:platform"])),
    st.builds(lambda to: {"do": "raise_priority", "to": to}, st.integers(1, 4)),
    st.sampled_from(GOALLESS).map(lambda verb: {"do": verb}),
)
GATES = st.fixed_dictionaries(
    {},
    optional={
        "weekdays": st.lists(st.sampled_from(["Mon", "Wed", "Sun"]), min_size=1, max_size=3),
        "from": st.sampled_from(["08:00", "00:00", "22:30"]),
        "until": st.sampled_from(["18:00", "24:00", "06:00"]),
        "zone": st.sampled_from(["team", "responder", "Europe/Berlin"]),
        "priorities": st.lists(st.integers(1, 5), min_size=1, max_size=3),
        "otherwise": st.sampled_from(["skip", "hold"]),
        "hold_for_shift": st.booleans(),
    },
)
DELAYS = st.integers(0, MAX_S).map(format_duration)
COUNTS = st.integers(1, RANGES["count"][1])
TRIGGER = st.one_of(
    st.builds(
        lambda clock, percent: {"trigger": "clock_percent", "clock": clock, "percent": percent},
        st.sampled_from(ClockKind.values),
        st.integers(1, 400),
    ),
    st.builds(
        lambda clock, left: {"trigger": "clock_remaining", "clock": clock, "remaining": left},
        st.sampled_from(ClockKind.values),
        DELAYS,
    ),
    st.builds(
        lambda trigger, delay: {"trigger": trigger, "delay": delay},
        st.sampled_from(["unacknowledged", "silent", "since_start"]),
        DELAYS,
    ),
    st.builds(
        lambda status, delay: {"trigger": "in_status", "status": status, "delay": delay},
        st.sampled_from(sorted(states.OPEN)),
        DELAYS,
    ),
    st.builds(
        lambda count, window, same: {
            "trigger": "repeated", "count": count, "window": window, "same": same,
        },
        COUNTS,
        SECONDS.map(format_duration),
        st.sampled_from(PolicyStep.Same.values),
    ),
    st.builds(
        lambda trigger, count: {"trigger": trigger, "count": count},
        st.sampled_from(["reopened", "handed_over", "chased", "ping_pong"]),
        COUNTS,
    ),
    st.just({"trigger": "manual"}),
)  # fmt: skip
STEP = st.builds(
    lambda name, trigger, more, actions: {"name": name, **trigger, **more, "actions": actions},
    NAMES,
    TRIGGER,
    st.fixed_dictionaries(
        {},
        optional={
            "basis": st.sampled_from(PolicyStep.Basis.values),
            "conditions": st.lists(CONDITION, max_size=2),
            "gates": GATES,
        },
    ),
    st.lists(ACTION, min_size=1, max_size=3),
)
POLICY = st.fixed_dictionaries(
    {"name": NAMES, "steps": st.lists(STEP, min_size=1, max_size=4)},
    optional={
        "description": TEXTS,
        "position": st.integers(0, 10_000),
        "mode": st.sampled_from(["main", "beside"]),
        "active": st.booleans(),
        "conditions": st.lists(CONDITION, max_size=3),
        "repeat_limit": st.integers(0, 9),
        "repeat_after": DELAYS,
        "stop_on": st.lists(st.sampled_from(StopOn.values), max_size=3),
    },
)


def documents(shape: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(SLUGS, shape, max_size=3)


def no_two_names(calendars: dict[str, dict[str, Any]]) -> bool:
    return len({item["name"] for item in calendars.values()}) == len(calendars)


DOCUMENT = st.fixed_dictionaries(
    {
        "version": st.just(1),
        "calendars": documents(CALENDAR).filter(no_two_names),
        "targets": documents(TARGET),
        "policies": documents(POLICY),
    }
)


@given(document=DOCUMENT)
@settings(
    deadline=None,
    max_examples=max(10, settings.default.max_examples // 4),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # each case is a site: no shrinking
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_document_applied_is_what_an_export_says(db, document):
    text = yaml.safe_dump(document, allow_unicode=True, sort_keys=False)
    with transaction.atomic():
        Story()
        empty = present_site()
        wanted = read_document(text, empty)
        apply_text(text=text)
        site = present_site()
        for name, items in wanted.sections.items():
            for key, asked in items.items():
                assert site[name][key] | asked.keys == site[name][key]
        exported = plan_text(text=export_text(site))
        assert exported.plan.changes == ()
        assert read_document(export_text(site), empty).sections["policies"].keys() == set(
            document["policies"]
        )
        assert apply_text(text=text).plan.changes == ()
        transaction.set_rollback(True)


@given(st.integers(0, MAX_S))
def test_any_length_of_time_is_read_back(seconds):
    assert parse_duration(format_duration(seconds)) == seconds


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 1439), st.integers(1, 2880))))
def test_the_normal_form_of_hours_is_its_own(spans):
    sound = [(day, start, min(start + length, 2880)) for day, start, length in spans]
    once = Hours.normal(sound)
    assert Hours.normal(parse_hours("\n".join(once))) == once
