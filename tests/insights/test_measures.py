"""Measures of single stories, told event by event: pure, no database."""

from datetime import UTC, date, datetime, timedelta

from insights.figures.figure import SHARE, Figure, Part
from insights.figures.measures import MEASURES, Fact, facts_of
from insights.figures.reading import night_of
from insights.figures.registry import BY_SLUG
from insights.figures.story import About, Happening, PageFact, Story, tell
from insights.figures.sums import Amount
from roles.worktime import WorkCalendar

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAY = date(2026, 3, 2)
DESK, APPS, PLATFORM = 1, 2, 3


def at(minutes: float) -> datetime:
    return NINE + timedelta(minutes=minutes)


def happened(minutes: float, kind: str, facts: dict | None = None, **changed: object) -> Happening:
    return Happening(at(minutes), kind, {**(facts or {}), "set": changed})


def moved(minutes: float, team: int, entry: int, kind: str = "moved", **facts: object) -> Happening:
    return happened(minutes, kind, facts, team_id=team, entry=entry, status="waiting_for_support")


def story(*happenings: Happening, **about: object) -> Story:
    told = About(ticket_id=1, opened_at=NINE, status="closed", **about)
    return tell(told, [happened(0, "opened", status="new"), *happenings])


def facts(name: str, told: Story) -> list[Fact]:
    return list(MEASURES[name](told))


def there_and_back() -> Story:
    """Desk, apps, platform, apps again (which solves it): three hops, one of them back."""
    return story(
        moved(0, DESK, 1),
        happened(5, "taken", status="in_progress"),
        moved(10, APPS, 2, "escalated", reason_code="skill"),
        moved(40, PLATFORM, 3, "escalated", reason_code="access"),
        happened(50, "taken", status="in_progress"),
        moved(60, APPS, 4, "handed_back", reason_code="solvable"),
        happened(61, "assigned", status="in_progress"),
        happened(90, "resolved", status="resolved"),
    )


def test_hops_beyond_the_shortest_way_are_counted_from_the_first_team_to_the_last():
    assert facts("detour", there_and_back()) == [Fact(DAY, APPS, total=2)]


def test_a_ticket_that_comes_back_is_ping_pong_once_and_so_is_the_move():
    told = there_and_back()
    assert facts("returned", told) == [Fact(DAY, DESK)]
    assert [(hop.team, hop.other, hop.total) for hop in facts("hop", told)] == [
        (DESK, APPS, 0),
        (APPS, PLATFORM, 0),
        (PLATFORM, APPS, 1),
    ]


def test_a_hand_back_stands_on_the_edge_of_what_was_sent():
    assert facts("handed_back", there_and_back()) == [Fact(DAY, APPS, PLATFORM, "solvable")]


def test_only_what_was_touched_has_been_accepted_and_a_hand_back_is_not():
    assert facts("accepted", there_and_back()) == [
        Fact(DAY, PLATFORM, APPS, total=600, work=600),
    ]


def test_being_seen_for_the_first_time_as_solved_is_no_acknowledgement():
    told = story(moved(0, DESK, 1), happened(30, "taken", status="in_progress"))
    assert [fact.total for fact in facts("touched", told)] == [1800]
    at_once = story(
        moved(0, DESK, 1),
        happened(30, "taken", status="in_progress"),
        happened(30, "resolved", status="resolved"),
    )
    assert facts("touched", at_once) == []


def test_a_merged_duplicate_was_not_solved():
    told = story(moved(0, DESK, 1), happened(9, "merged", status="resolved"), merged=True)
    for name in ("solved", "first_contact", "documented", "undocumented", "reopened"):
        assert facts(name, told) == [], name


def test_the_last_word_of_each_side_counts_on_the_day_of_the_first():
    told = there_and_back()
    first = {"escalation": 7, "side": "receiver", "verdict": "wrong_tier"}
    told = story(
        moved(0, DESK, 1),
        moved(10, APPS, 2, "escalated", reason_code="skill"),
        happened(20, "handover_rated", first),
        happened(60 * 30, "handover_rated", {**first, "verdict": "right"}),
        happened(25, "handover_rated", {"escalation": 7, "side": "sender", "verdict": "late"}),
    )
    assert facts("receiver_word", told) == [Fact(DAY, DESK, APPS, "right", total=1)]
    assert facts("sender_word", told) == [Fact(DAY, DESK, APPS, "late")]


def test_a_page_before_seven_belongs_to_the_night_of_the_day_before():
    early = datetime(2026, 3, 3, 5, 30, tzinfo=UTC)
    assert night_of(early, "Europe/Berlin") == (date(2026, 3, 2), True)
    assert night_of(early, "Asia/Tokyo") == (date(2026, 3, 3), False)
    assert night_of(datetime(2026, 3, 2, 21, tzinfo=UTC), "Europe/Berlin") == (DAY, True)
    told = story(moved(0, DESK, 1))
    told.pages = [PageFact(9, at(5), DAY, True)]
    assert facts("page", told) == [Fact(DAY, DESK, 9, "night")]


def test_without_facts_a_share_is_not_measured_and_a_count_is_zero():
    assert BY_SLUG["sla"].of({}) is None
    assert BY_SLUG["majors"].of({}) == 0
    heap = {("sla", "resolution"): Amount(8, 2), ("sla", "first_response"): Amount(2, 0)}
    assert BY_SLUG["sla"].of(heap) == 0.8
    only = Figure(slug="x", name="", definition="", unit=SHARE, top=Part("sla", tag="resolution"))
    assert only.of(heap) == 8


def test_every_fact_has_a_measure_that_fits_its_column():
    names = {name for name, _ in facts_of(there_and_back())}
    assert names <= set(MEASURES)
    assert all(len(name) <= 16 for name in MEASURES)


def test_detection_is_told_in_working_time_too_by_the_hours_of_the_first_team():
    """Begun on Friday half an hour before the end of work, detected before it was opened."""
    told = story(
        moved(0, DESK, 1),
        happened(0, "targeted", {"targets": {"resolution": [1, 5]}}),
        began_at=NINE - timedelta(hours=64, minutes=30),
        detected_at=NINE - timedelta(minutes=30),
    )
    told.calendars = {5: WorkCalendar.build("UTC", [(day, 540, 1020) for day in range(5)])}
    assert facts("detected", told) == [Fact(DAY, DESK, total=64 * 3600, work=1800)]
