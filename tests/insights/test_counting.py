"""Counting into the figures: bit by bit, anew, without restricted tickets, and a real log."""

from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command

from api.importers.figures import own_figures, total
from insights.figures.answers import tell_board
from insights.figures.behind import Narrower, facts_behind
from insights.figures.boards import BOARD_BY_SLUG, BOARDS
from insights.figures.folding import fold_all, zone_of_days
from insights.figures.models import DayTotal, FoldMark, Point
from insights.figures.registry import BY_SLUG
from insights.figures.sums import PARTS, VALUES, Question
from insights.figures.upkeep import check_all, rebuild
from roles.models import Person
from tests.insights.small_site import MARCH, live, split, value
from tickets.restriction import restrict

COUNTED = (*PARTS, *VALUES)
AFTER = datetime(2017, 1, 1, tzinfo=UTC)


def findings() -> list[str]:
    return [str(finding) for batch in check_all() for finding in batch.findings]


def test_what_is_counted_bit_by_bit_is_what_a_rebuild_counts(story):
    live(story, between=lambda: fold_all(clock=story.clock))
    fold_all(clock=story.clock)
    assert findings() == []
    before = sorted(DayTotal.objects.values_list(*COUNTED))
    rebuild(clock=story.clock)
    assert sorted(DayTotal.objects.values_list(*COUNTED)) == before
    assert fold_all(clock=story.clock) == 0
    DayTotal.objects.filter(measure="opened", grain="who").update(n=7)
    Point.objects.filter(measure="touched").first().delete()
    assert len(findings()) >= 2


def test_days_are_those_of_the_service_desks_zone_until_all_is_counted_in_another(story):
    zone = zone_of_days()
    assert zone == story.desk.calendar.current.zone
    story.forward(hours=14.5)
    ticket = story.open()
    assert ticket.opened_at == datetime(2026, 3, 2, 23, 30, tzinfo=UTC)

    def days() -> set[date]:
        return set(Point.objects.filter(measure="opened").values_list("day", flat=True))

    fold_all(clock=story.clock)
    assert days() == {ticket.opened_at.astimezone(ZoneInfo(zone)).date()}
    for named, day in (("Asia/Tokyo", 3), ("America/New_York", 2), ("", 2)):
        rebuild(zone=named, clock=story.clock)
        assert days() == {date(2026, 3, day)}
        assert findings() == []
    assert zone_of_days() == "America/New_York"
    second = story.open()
    fold_all(clock=story.clock)
    assert Point.objects.get(ticket=second, measure="opened").day == date(2026, 3, 2)
    with pytest.raises(CommandError, match="no time zone"):
        call_command("figures", "rebuild", zone="Mars/Olympus")


def test_a_restricted_ticket_is_counted_for_the_cleared_alone(story):
    open_one = story.open()
    fold_all(clock=story.clock)
    case = story.open()
    fold_all(clock=story.clock)
    board = BOARD_BY_SLUG["load"]

    def backlog(reader: Person | None) -> float | None:
        return value({"": tell_board(board, MARCH, reader, now=story.now)}, "backlog")

    assert backlog(story.manager) == 2
    restrict(ticket=case, actor=story.agent, reason="A break-in", clock=story.clock)
    for _ in range(2):
        # Before it is counted anew, and after.
        assert backlog(story.manager) == 1
        assert backlog(None) == 1
        assert backlog(story.agent) == 2, "who restricted it is cleared"
        seen = facts_behind(BY_SLUG["backlog"], MARCH, Narrower(), story.manager)
        assert [fact.ticket_id for fact in seen] == [open_one.pk]
        fold_all(clock=story.clock)
    assert findings() == []


def test_a_late_commit_is_counted_once_the_mark_has_passed_it(story):
    """An event with a smaller number may be seen later; the hourly look at all finds even that."""
    story.open()
    fold_all(clock=story.clock)
    FoldMark.objects.update(settled=10**9, newest=10**9)
    story.open()
    assert fold_all(clock=story.clock) == 0
    story.sleep(minutes=61)
    assert fold_all(clock=story.clock) == 1


@pytest.mark.needs_history
def test_the_recorded_log_comes_to_what_its_readers_counted(history: Path, tmp_path: Path, db):
    """Hand-overs, ping-pong and reopening of the first incidents, against the log's own rows."""
    limit = 400
    out = StringIO()
    words = {"limit": limit, "rejects": tmp_path / "rejects.csv", "stdout": out}
    call_command("import_history", "servicenow", str(history), **words)
    rebuild()
    ours = total(own_figures().values())
    question = Question(date(2016, 1, 1), date(2017, 1, 1))
    told = {board.slug: tell_board(board, question, None, now=AFTER) for board in BOARDS}
    assert ours.incidents == limit
    assert value(told, "handed-over") == ours.moved / limit
    assert value(told, "ping-pong") == ours.ping_pong / limit
    assert sum(filter(None, split(told, "flow", "edge").values())) == ours.moves
    reopened = facts_behind(BY_SLUG["reopened"], question, Narrower(), Person(pk=0))
    assert reopened.values("ticket").distinct().count() == ours.reopened
    assert value(told, "missed") == ours.breached
    # What readers of the whole log have published: 37.0 %, 10.5 %, 1.1 %; these are its first days.
    assert 0.30 < value(told, "handed-over") < 0.50
    assert 0.08 < value(told, "ping-pong") < 0.16
    assert findings() == []
